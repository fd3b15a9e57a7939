//! OpenPGP signatures.
//!
//! A signature counts if it was made by a key of the Secret, or by one of its subkeys, that may
//! sign, was not revoked, and had not expired when the signature was made.

mod secret;

use pgp::{
    composed::{Deserializable, DetachedSignature, SignedPublicKey, SignedPublicSubKey},
    packet::{Signature, SignatureType},
    ser::Serialize,
    types::{KeyDetails, Tag, Timestamp, VerifyingKey},
};

pub(super) use self::secret::Secret;
use super::Failure;

pub(super) type Key = SignedPublicKey;

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

/// Reads armored public keys, also several one after the other.
pub(super) fn parse(text: &str) -> Result<Vec<Key>, &'static str> {
    let wrong = "has a malformed OpenPGP public key";
    let mut keys = Vec::new();
    for block in text.split(BEGIN).skip(1) {
        let (inner, _) = block.split_once(END).ok_or(wrong)?;
        let armored = format!("{BEGIN}{inner}{END}\n");
        let (read, _) = SignedPublicKey::from_string_many(&armored).map_err(|_| wrong)?;
        for key in read {
            keys.push(key.map_err(|_| wrong)?);
        }
    }
    if keys.is_empty() {
        return Err("holds no OpenPGP public key");
    }
    Ok(keys)
}

/// Checks a signature; returns the key as a person recognises it.
pub(super) fn verify(keys: &[Key], signature: &str, payload: &[u8]) -> Result<String, Failure> {
    let bad = |why: &str| Failure::Bad(why.to_owned());
    let read = DetachedSignature::from_string(signature.trim_end());
    let (DetachedSignature { signature }, _) = read.map_err(|_| bad("it cannot be read"))?;
    if !matches!(
        signature.typ(),
        Some(SignatureType::Binary | SignatureType::Text)
    ) {
        return Err(bad("it is of a kind that does not sign content"));
    }
    let made = signature
        .created()
        .ok_or_else(|| bad("it does not say when it was made"))?;
    if is_over(
        made,
        signature.signature_expiration_time(),
        Timestamp::now(),
    ) {
        return Err(bad("it has expired"));
    }
    for key in keys {
        if is_issuer(&signature, &key.primary_key) {
            check_primary(key, made).map_err(bad)?;
            return checked(&signature, &key.primary_key, payload, key);
        }
        for subkey in &key.public_subkeys {
            if is_issuer(&signature, &subkey.key) {
                check_primary_valid(key, made).map_err(bad)?;
                check_subkey(key, subkey, made).map_err(bad)?;
                return checked(&signature, &subkey.key, payload, key);
            }
        }
    }
    Err(Failure::Unknown(issuer(&signature)))
}

fn checked(
    signature: &Signature,
    by: &impl VerifyingKey,
    payload: &[u8],
    key: &Key,
) -> Result<String, Failure> {
    let verified = signature.verify(by, payload);
    verified.map_err(|_| Failure::Bad("it does not fit the content".to_owned()))?;
    Ok(format!("OpenPGP {:X}", key.primary_key.fingerprint()))
}

fn is_issuer(signature: &Signature, key: &impl KeyDetails) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    if fingerprints.is_empty() {
        return signature.issuer_key_id().contains(&&key.legacy_key_id());
    }
    fingerprints.contains(&&key.fingerprint())
}

fn issuer(signature: &Signature) -> String {
    let fingerprint = signature
        .issuer_fingerprint()
        .first()
        .map(|print| format!("{print:X}"));
    let id = || {
        signature
            .issuer_key_id()
            .first()
            .map(|id| id.to_string().to_uppercase())
    };
    let key = fingerprint.or_else(id);
    key.map_or_else(
        || "an unnamed OpenPGP key".to_owned(),
        |key| format!("OpenPGP {key}"),
    )
}

/// The primary key signs itself: that it may sign stands in its newest self-signature.
fn check_primary(key: &Key, made: Timestamp) -> Result<(), &'static str> {
    let newest = check_primary_valid(key, made)?;
    let flags = newest.key_flags();
    let says_nothing =
        !(flags.certify() || flags.sign() || flags.authentication() || flags.encrypt_storage());
    if flags.sign() || says_nothing {
        return Ok(());
    }
    Err("its key is not meant for signing")
}

fn check_primary_valid(key: &Key, made: Timestamp) -> Result<&Signature, &'static str> {
    let primary = &key.primary_key;
    if key
        .details
        .revocation_signatures
        .iter()
        .any(|one| one.verify_key(primary).is_ok())
    {
        return Err("its key is revoked");
    }
    let direct = key
        .details
        .direct_signatures
        .iter()
        .filter(|one| one.verify_key(primary).is_ok());
    let users = key.details.users.iter().flat_map(|user| {
        let own = |one: &&Signature| {
            one.typ() != Some(SignatureType::CertRevocation)
                && one
                    .verify_certification(primary, Tag::UserId, &user.id)
                    .is_ok()
        };
        user.signatures.iter().filter(own)
    });
    let newest = newest(direct.chain(users)).ok_or("its key has no valid self-signature")?;
    if is_over(primary.created_at(), newest.key_expiration_time(), made) {
        return Err("its key had expired when it was made");
    }
    Ok(newest)
}

fn check_subkey(
    key: &Key,
    subkey: &SignedPublicSubKey,
    made: Timestamp,
) -> Result<(), &'static str> {
    let primary = &key.primary_key;
    let bound = |kind| {
        let valid = move |one: &&Signature| {
            one.typ() == Some(kind) && one.verify_subkey_binding(primary, &subkey.key).is_ok()
        };
        subkey.signatures.iter().filter(valid)
    };
    if bound(SignatureType::SubkeyRevocation).next().is_some() {
        return Err("its subkey is revoked");
    }
    let newest = newest(bound(SignatureType::SubkeyBinding))
        .ok_or("its subkey does not belong to the key")?;
    if !newest.key_flags().sign() {
        return Err("its subkey is not meant for signing");
    }
    let back = newest
        .embedded_signature()
        .ok_or("its subkey does not acknowledge the key")?;
    if !acknowledges(back, &subkey.key, primary) {
        return Err("its subkey does not acknowledge the key");
    }
    if is_over(subkey.key.created_at(), newest.key_expiration_time(), made) {
        return Err("its subkey had expired when it was made");
    }
    Ok(())
}

fn acknowledges(
    back: &Signature,
    subkey: &(impl VerifyingKey + Serialize),
    primary: &(impl KeyDetails + Serialize),
) -> bool {
    back.verify_primary_key_binding(subkey, primary).is_ok()
}

fn newest<'a>(signatures: impl Iterator<Item = &'a Signature>) -> Option<&'a Signature> {
    signatures.max_by_key(|one| one.created().map(Timestamp::as_secs))
}

/// Whether a time span from `begin` is over at `now`; none, or zero, means that it never is.
fn is_over(begin: Timestamp, span: Option<pgp::types::Duration>, now: Timestamp) -> bool {
    let span = span.map_or(0, pgp::types::Duration::as_secs);
    span != 0 && begin.as_secs().saturating_add(span) <= now.as_secs()
}

#[cfg(test)]
mod tests;
