//! Verification by short authentication strings: one class for each state, consumed by what it waits for.

use alloc::collections::BTreeMap;

use js_sys::Reflect;
use mx_canonical_json::{Limits, canonicalize};
use mx_sas::{
    Accepter, Choice, Commitment, Compare, Confirmed, Emoji, Flow, KeySent, Macs, Offer, OwnKeys, Party,
    PeerConfirmed, PinnedKeys, ReceivedMac, SasError, ShortStrings, Starter, VerifiedKeys,
};
use mx_types::{DeviceId, Ed25519PublicKey, UserId};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::{
    failure::{coded, thrown},
    object::{from_js, object, public_key, to_js},
    random::WebCrypto,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
export interface SasParty {
    userId: string;
    deviceId: string;
}

/** Who verifies whom: the transaction ID, or the ID of the request's event in a room; the starter has sent the `start` that counts. */
export interface SasFlow {
    id: string;
    starter: SasParty;
    accepter: SasParty;
}

/** What a `start` offers. */
export interface SasOffer {
    key_agreement_protocols: string[];
    hashes: string[];
    message_authentication_codes: string[];
    short_authentication_string: string[];
}

/** What an `accept` says beside the names of the flow. */
export interface SasAccept {
    key_agreement_protocol: string;
    hash: string;
    message_authentication_code: string;
    short_authentication_string: string[];
    commitment: string;
}

/** What a `mac` says beside the names of the flow. */
export interface SasMac {
    mac: Record<string, string>;
    keys: string;
}

/** Ed25519 keys: of a device, and its user's master signing key. Of our own, the latter only if this device has verified it. */
export interface SasKeys {
    device?: string;
    masterSigningKey?: string;
}

export interface SasEmoji {
    index: number;
    symbol: string;
    description: string;
}

/** What is thrown where a flow is over: cancel it with `cancelCode`. */
export interface SasFailure extends MxError {
    readonly cancelCode: string;
}
"#;

/// What we offer, for a `start`.
#[wasm_bindgen(js_name = sasOffer, unchecked_return_type = "SasOffer")]
pub fn sas_offer() -> Result<JsValue, JsValue> {
    to_js(&Lists {
        key_agreement_protocols: owned(Offer::OURS.key_agreement_protocols),
        hashes: owned(Offer::OURS.hashes),
        message_authentication_codes: owned(Offer::OURS.message_authentication_codes),
        short_authentication_string: owned(Offer::OURS.short_authentication_string),
    })
}

/// The side that has sent the `start`. Its key is not shown before the `accept`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct SasStarter {
    state: Starter<String>,
    start: Start,
    own_device: String,
}

#[wasm_bindgen]
impl SasStarter {
    /// Draws the key of this one flow. `startContent` is the JSON of the `start`'s whole content, as it was sent.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "SasFlow")] flow: &JsValue,
        start_content: &str,
    ) -> Result<Self, JsValue> {
        let names: Names = from_js(flow)?;
        let start = Start::read(start_content)?;
        let state = Starter::new(&mut WebCrypto, names.flow()?).map_err(thrown)?;
        Ok(Self { state, start, own_device: names.starter.device_id })
    }

    /// Takes the `accept`.
    #[wasm_bindgen(js_name = receiveAccept)]
    pub fn receive_accept(
        self,
        #[wasm_bindgen(unchecked_param_type = "SasAccept")] content: &JsValue,
    ) -> Result<SasKeySent, JsValue> {
        let accept: Accept = from_js(content)?;
        let choice = self.start.with_offer(|offer| {
            Choice::of_accept(
                offer,
                &accept.key_agreement_protocol,
                &accept.hash,
                &accept.message_authentication_code,
                &borrowed(&accept.short_authentication_string),
            )
        });
        let commitment = Commitment::from_base64(&accept.commitment).map_err(failed)?;
        let state = self.state.receive_accept(choice.map_err(failed)?, commitment);
        Ok(SasKeySent { state, start: self.start, own_device: self.own_device })
    }
}

/// The starting side after the `accept`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct SasKeySent {
    state: KeySent<String>,
    start: Start,
    own_device: String,
}

#[wasm_bindgen]
impl SasKeySent {
    /// What our `key` says.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn key(&self) -> String {
        self.state.public_key().to_string()
    }

    /// Takes the other side's `key`, and compares it with its commitment.
    #[wasm_bindgen(js_name = receiveKey)]
    pub fn receive_key(self, key: &str) -> Result<SasCompare, JsValue> {
        let state = self.state.receive_key(key, self.start.canonical.as_bytes()).map_err(failed)?;
        Ok(SasCompare { state, own_device: self.own_device })
    }
}

/// The side that accepts a `start`. It is bound to its key before it shows it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct SasAccepter {
    state: Accepter<String>,
    choice: Choice,
    own_device: String,
}

#[wasm_bindgen]
impl SasAccepter {
    /// Draws the key of this one flow. `startContent` is the JSON of the `start`'s whole content, as it came.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "SasFlow")] flow: &JsValue,
        start_content: &str,
    ) -> Result<Self, JsValue> {
        let names: Names = from_js(flow)?;
        let start = Start::read(start_content)?;
        let choice = start.with_offer(|offer| Choice::of_offer(offer, ShortStrings::ALL)).map_err(failed)?;
        let state = Accepter::new(&mut WebCrypto, names.flow()?, choice, start.canonical.as_bytes());
        Ok(Self { state: state.map_err(thrown)?, choice, own_device: names.accepter.device_id })
    }

    /// What our `accept` says.
    #[wasm_bindgen(getter, unchecked_return_type = "SasAccept")]
    pub fn accept(&self) -> Result<JsValue, JsValue> {
        to_js(&Accept {
            key_agreement_protocol: Choice::KEY_AGREEMENT_PROTOCOL.to_owned(),
            hash: Choice::HASH.to_owned(),
            message_authentication_code: self.choice.mac.as_str().to_owned(),
            short_authentication_string: self.choice.short_strings.names().map(str::to_owned).collect(),
            commitment: self.state.commitment().to_base64(&mut [0; Commitment::BASE64_LEN]).to_owned(),
        })
    }

    /// Takes the other side's `key`. Only then our own is given out.
    #[wasm_bindgen(js_name = receiveKey, unchecked_return_type = "{ key: string; compare: SasCompare }")]
    pub fn receive_key(self, key: &str) -> Result<JsValue, JsValue> {
        let (key, state) = self.state.receive_key(key).map_err(failed)?;
        let compare = SasCompare { state, own_device: self.own_device };
        Ok(object([("key", key.to_string().into()), ("compare", compare.into())]))
    }
}

/// Both keys are there: what the users compare.
#[wasm_bindgen]
#[derive(Debug)]
pub struct SasCompare {
    state: Compare<String>,
    own_device: String,
}

#[wasm_bindgen]
impl SasCompare {
    /// The user says that both sides display the same. If they say that it differs, `free` this and cancel with
    /// `m.mismatched_sas`.
    #[must_use]
    pub fn confirm(self) -> SasConfirmed {
        SasConfirmed { state: self.state.confirm(), own_device: self.own_device }
    }

    /// Takes the other side's `mac` before our user has compared. `pinned` are its keys as they were in the beginning.
    #[wasm_bindgen(js_name = receiveMac)]
    pub fn receive_mac(
        self,
        #[wasm_bindgen(unchecked_param_type = "SasMac")] content: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "SasKeys")] pinned: &JsValue,
    ) -> Result<SasPeerConfirmed, JsValue> {
        let (content, pinned): (MacContent, Keys) = (from_js(content)?, from_js(pinned)?);
        let mac = content.list();
        let mac = ReceivedMac { mac: &mac, keys: &content.keys };
        let state = self.state.receive_mac(&mac, &pinned.pinned()?).map_err(failed)?;
        Ok(SasPeerConfirmed { state, own_device: self.own_device })
    }
}

/// Our user has confirmed, and the other side's `mac` has not come yet.
#[wasm_bindgen]
#[derive(Debug)]
pub struct SasConfirmed {
    state: Confirmed<String>,
    own_device: String,
}

#[wasm_bindgen]
impl SasConfirmed {
    /// What our `mac` says of our keys.
    #[wasm_bindgen(unchecked_return_type = "SasMac")]
    pub fn mac(
        &self,
        #[wasm_bindgen(unchecked_param_type = "SasKeys")] own: &JsValue,
    ) -> Result<JsValue, JsValue> {
        let own: Keys = from_js(own)?;
        mac_content(&self.state.macs(&own.own()?), &self.own_device)
    }

    /// Takes the other side's `mac`: the keys that are verified. `pinned` are its keys as they were in the beginning.
    #[wasm_bindgen(js_name = receiveMac, unchecked_return_type = "SasKeys")]
    pub fn receive_mac(
        self,
        #[wasm_bindgen(unchecked_param_type = "SasMac")] content: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "SasKeys")] pinned: &JsValue,
    ) -> Result<JsValue, JsValue> {
        let (content, pinned): (MacContent, Keys) = (from_js(content)?, from_js(pinned)?);
        let mac = content.list();
        let mac = ReceivedMac { mac: &mac, keys: &content.keys };
        to_js(&Keys::of(&self.state.receive_mac(&mac, &pinned.pinned()?).map_err(failed)?))
    }
}

/// The other user has confirmed, ours has not yet.
#[wasm_bindgen]
#[derive(Debug)]
pub struct SasPeerConfirmed {
    state: PeerConfirmed<String>,
    own_device: String,
}

#[wasm_bindgen]
impl SasPeerConfirmed {
    /// The user says that both sides display the same: our `mac`, and the keys that are verified.
    #[wasm_bindgen(unchecked_return_type = "{ mac: SasMac; verified: SasKeys }")]
    pub fn confirm(
        self,
        #[wasm_bindgen(unchecked_param_type = "SasKeys")] own: &JsValue,
    ) -> Result<JsValue, JsValue> {
        let own: Keys = from_js(own)?;
        let (macs, verified) = self.state.confirm(&own.own()?);
        Ok(object([
            ("mac", mac_content(&macs, &self.own_device)?),
            ("verified", to_js(&Keys::of(&verified))?),
        ]))
    }
}

/// What a state displays in which the users have not both compared.
macro_rules! short_strings {
    ($($state:ident)*) => {$(
        #[wasm_bindgen]
        impl $state {
            /// Three numbers, if both sides can display them.
            #[wasm_bindgen(getter)]
            #[must_use]
            pub fn decimal(&self) -> Option<Vec<u16>> {
                self.state.decimal().map(Vec::from)
            }

            /// Seven emoji, if both sides can display them.
            #[wasm_bindgen(getter, unchecked_return_type = "SasEmoji[] | undefined")]
            #[must_use]
            pub fn emoji(&self) -> Option<Vec<JsValue>> {
                self.state.emoji().map(emoji)
            }
        }
    )*};
}

short_strings!(SasCompare SasPeerConfirmed);

/// A flow that is over.
fn failed(error: SasError) -> JsValue {
    let thrown = thrown(error);
    let _ = Reflect::set(&thrown, &"cancelCode".into(), &error.cancel_code().into());
    thrown
}

fn emoji(emoji: [Emoji; 7]) -> Vec<JsValue> {
    let members = |emoji: Emoji| {
        object([
            ("index", emoji.index().into()),
            ("symbol", emoji.symbol().into()),
            ("description", emoji.description().into()),
        ])
    };
    emoji.map(members).into()
}

fn mac_content(macs: &Macs, own_device: &str) -> Result<JsValue, JsValue> {
    let mut mac = BTreeMap::from([(format!("ed25519:{own_device}"), macs.device.as_str().to_owned())]);
    if let Some((key, of_key)) = &macs.master_signing_key {
        mac.insert(format!("ed25519:{}", key.as_str()), of_key.as_str().to_owned());
    }
    to_js(&MacContent { mac, keys: macs.keys.as_str().to_owned() })
}

/// The content of a `start`: its canonical JSON, which the commitment covers, and its lists.
#[derive(Debug)]
struct Start {
    canonical: String,
    lists: Lists,
}

impl Start {
    fn read(content: &str) -> Result<Self, JsValue> {
        let canonical = canonicalize(content, &Limits::DEFAULT).map_err(thrown)?;
        let lists = serde_json::from_str(&canonical).map_err(|error| coded("Json", &error.to_string()))?;
        Ok(Self { canonical, lists })
    }

    fn with_offer<T>(&self, act: impl FnOnce(&Offer<'_>) -> T) -> T {
        act(&Offer {
            key_agreement_protocols: &borrowed(&self.lists.key_agreement_protocols),
            hashes: &borrowed(&self.lists.hashes),
            message_authentication_codes: &borrowed(&self.lists.message_authentication_codes),
            short_authentication_string: &borrowed(&self.lists.short_authentication_string),
        })
    }
}

#[derive(Debug, Deserialize, Serialize)]
struct Lists {
    key_agreement_protocols: Vec<String>,
    hashes: Vec<String>,
    message_authentication_codes: Vec<String>,
    short_authentication_string: Vec<String>,
}

fn borrowed(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

#[derive(Deserialize, Serialize)]
struct Accept {
    key_agreement_protocol: String,
    hash: String,
    message_authentication_code: String,
    short_authentication_string: Vec<String>,
    commitment: String,
}

#[derive(Deserialize, Serialize)]
struct MacContent {
    mac: BTreeMap<String, String>,
    keys: String,
}

impl MacContent {
    fn list(&self) -> Vec<(&str, &str)> {
        self.mac.iter().map(|(id, mac)| (id.as_str(), mac.as_str())).collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Device {
    user_id: String,
    device_id: String,
}

#[derive(Deserialize)]
struct Names {
    id: String,
    starter: Device,
    accepter: Device,
}

impl Names {
    fn flow(&self) -> Result<Flow<String>, JsValue> {
        let flow = Flow::new(&self.id, self.starter.party()?, self.accepter.party()?).map_err(thrown)?;
        Ok(flow.keep())
    }
}

impl Device {
    fn party(&self) -> Result<Party<'_>, JsValue> {
        Ok(Party {
            user_id: UserId::parse(&self.user_id).map_err(thrown)?,
            device_id: DeviceId::parse(&self.device_id).map_err(thrown)?,
        })
    }
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Keys {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    master_signing_key: Option<String>,
}

impl Keys {
    fn of(verified: &VerifiedKeys) -> Self {
        let text = |key: &Option<Ed25519PublicKey>| key.as_ref().map(ToString::to_string);
        Self { device: text(&verified.device), master_signing_key: text(&verified.master_signing_key) }
    }

    fn pinned(&self) -> Result<PinnedKeys, JsValue> {
        Ok(PinnedKeys {
            device: key(self.device.as_deref())?,
            master_signing_key: key(self.master_signing_key.as_deref())?,
        })
    }

    fn own(&self) -> Result<OwnKeys, JsValue> {
        let PinnedKeys { device, master_signing_key } = self.pinned()?;
        let device = device.ok_or_else(|| coded("NoDeviceKey", "our own device has an Ed25519 key"))?;
        Ok(OwnKeys { device, master_signing_key })
    }
}

fn key(text: Option<&str>) -> Result<Option<Ed25519PublicKey>, JsValue> {
    text.map(|text| public_key(text, Ed25519PublicKey::from_base64)).transpose()
}
