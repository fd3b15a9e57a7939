//! One encrypted value: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.

use aes_gcm::aead::consts::{U16, U32};
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, Key, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// AES-256-GCM with the long nonces of SOPS.
type Cipher = AesGcm<Aes256, U32, U16>;

/// The type that a value has in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Float,
    Boolean,
    Bytes,
    Time,
    Comment,
}

/// A decrypted value.
pub(super) struct Clear {
    pub(super) kind: Kind,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// The key of one file.
pub(super) struct DataKey(Cipher);

impl DataKey {
    /// Takes the key; `None` if it has another length.
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        (key.len() == 32).then(|| Self(Cipher::new(Key::<Cipher>::from_slice(key))))
    }

    /// Decrypts a value that stands at a place; `None` if it is no encrypted value, or not one of this key and place.
    pub(super) fn open(&self, text: &str, place: &str) -> Option<Clear> {
        let sealed = Sealed::parse(text)?;
        let mut message = sealed.data;
        message.extend_from_slice(&sealed.tag);
        if sealed.nonce.len() != 32 {
            return None;
        }
        let payload = Payload {
            msg: &message,
            aad: place.as_bytes(),
        };
        let nonce = Nonce::<U32>::from_slice(&sealed.nonce);
        let bytes = self.0.decrypt(nonce, payload).ok()?;
        Some(Clear {
            kind: sealed.kind,
            bytes: Zeroizing::new(bytes),
        })
    }
}

struct Sealed {
    data: Vec<u8>,
    nonce: Vec<u8>,
    tag: Vec<u8>,
    kind: Kind,
}

impl Sealed {
    fn parse(text: &str) -> Option<Self> {
        let inner = text.trim().strip_prefix("ENC[AES256_GCM,")?;
        let inner = inner.strip_suffix(']')?;
        let mut fields = inner.split(',').map(|field| field.split_once(':'));
        let mut field = |name: &str| {
            let (found, value) = fields.next()??;
            (found == name).then_some(value)
        };
        let bytes = |value: Option<&str>| STANDARD.decode(value?).ok();
        Some(Self {
            data: bytes(field("data"))?,
            nonce: bytes(field("iv"))?,
            tag: bytes(field("tag"))?,
            kind: match field("type")? {
                "str" => Kind::Text,
                "int" => Kind::Integer,
                "float" => Kind::Float,
                "bool" => Kind::Boolean,
                "bytes" => Kind::Bytes,
                "time" => Kind::Time,
                "comment" => Kind::Comment,
                _ => return None,
            },
        })
    }
}

/// Tells whether a text has the form of an encrypted value.
pub(super) fn is_sealed(text: &str) -> bool {
    Sealed::parse(text).is_some()
}
