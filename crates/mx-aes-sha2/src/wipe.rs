use zeroize::optimization_barrier;

/// Overwrites a temporary with zeros.
///
/// `zeroize` writes byte by byte, which costs as much as a block of SHA-256; a plain `fill` that the compiler
/// may not drop (the barrier reads it) costs next to nothing.
pub(crate) fn wipe<T: Copy + Default>(values: &mut [T]) {
    values.fill(T::default());
    optimization_barrier(values);
}
