//! AES-256 as the modes of operation use it.
//!
//! Whoever builds with `--cfg aes_backend_soft="compact"` wants code to be small. The `aes` crate then still has its code
//! twice, for one block and for two side by side; with the types of this file only that for one is used, which saves
//! 4 kB and makes CTR and CBC decryption take twice as long.

#[cfg(not(aes_backend_soft = "compact"))]
pub(crate) use aes::{Aes256Dec, Aes256Enc};

#[cfg(aes_backend_soft = "compact")]
pub(crate) type Aes256Dec = one_block::OneBlock<aes::Aes256Dec>;
#[cfg(aes_backend_soft = "compact")]
pub(crate) type Aes256Enc = one_block::OneBlock<aes::Aes256Enc>;

#[cfg(aes_backend_soft = "compact")]
mod one_block {
    use cbc::cipher::{
        Block, BlockCipherDecBackend, BlockCipherDecClosure, BlockCipherDecrypt, BlockCipherEncBackend,
        BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, InOut, Key, KeyInit, KeySizeUser,
        ParBlocksSizeUser, consts::U1,
    };

    /// A cipher that is given one block at a time.
    pub(crate) struct OneBlock<C>(C);

    impl<C: KeySizeUser> KeySizeUser for OneBlock<C> {
        type KeySize = C::KeySize;
    }

    impl<C: KeyInit> KeyInit for OneBlock<C> {
        fn new(key: &Key<Self>) -> Self {
            Self(C::new(key))
        }
    }

    impl<C: BlockSizeUser> BlockSizeUser for OneBlock<C> {
        type BlockSize = C::BlockSize;
    }

    impl<C: BlockCipherEncrypt> BlockCipherEncrypt for OneBlock<C> {
        fn encrypt_with_backend(&self, f: impl BlockCipherEncClosure<BlockSize = C::BlockSize>) {
            f.call(&Backend(&self.0));
        }
    }

    impl<C: BlockCipherDecrypt> BlockCipherDecrypt for OneBlock<C> {
        fn decrypt_with_backend(&self, f: impl BlockCipherDecClosure<BlockSize = C::BlockSize>) {
            f.call(&Backend(&self.0));
        }
    }

    struct Backend<'c, C>(&'c C);

    impl<C: BlockSizeUser> BlockSizeUser for Backend<'_, C> {
        type BlockSize = C::BlockSize;
    }

    impl<C: BlockSizeUser> ParBlocksSizeUser for Backend<'_, C> {
        type ParBlocksSize = U1;
    }

    impl<C: BlockCipherEncrypt> BlockCipherEncBackend for Backend<'_, C> {
        fn encrypt_block(&self, block: InOut<'_, '_, Block<Self>>) {
            self.0.encrypt_block_inout(block);
        }
    }

    impl<C: BlockCipherDecrypt> BlockCipherDecBackend for Backend<'_, C> {
        fn decrypt_block(&self, block: InOut<'_, '_, Block<Self>>) {
            self.0.decrypt_block_inout(block);
        }
    }
}
