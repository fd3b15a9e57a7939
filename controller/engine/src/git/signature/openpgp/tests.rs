//! Keys and signatures were made by `gpg` 2.2.40, at faked times between 2020 and 2026.

use super::*;

const PAYLOAD: &[u8] = include_bytes!("payload.txt");
const PRIMARY: &str = include_str!("primary.asc");
const PRIMARY_SIGNATURE: &str = include_str!("primary.sig");
const SUBKEY: &str = include_str!("subkey.asc");
const EXPIRED: &str = include_str!("expired.asc");

fn keys(text: &str) -> Vec<Key> {
    parse(text).unwrap()
}

fn bad(outcome: Result<String, Failure>) -> String {
    match outcome {
        Err(Failure::Bad(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_signature_by_the_primary_key_counts() {
    let key = verify(&keys(PRIMARY), PRIMARY_SIGNATURE, PAYLOAD).unwrap();
    assert_eq!(key, "OpenPGP 56E0FAEDD27E33C99514C6D5420E6721DE0D897C");
}

#[test]
fn a_signature_by_a_subkey_counts_for_its_primary_key() {
    let both = keys(&format!("{PRIMARY}\n{SUBKEY}"));
    assert_eq!(both.len(), 2, "keys may follow each other");
    let key = verify(&both, include_str!("subkey.sig"), PAYLOAD).unwrap();
    let primary = both
        .get(1)
        .map(|key| format!("OpenPGP {:X}", key.primary_key.fingerprint()));
    assert_eq!(Some(key), primary);
}

#[test]
fn other_content_is_not_covered() {
    let why = bad(verify(&keys(PRIMARY), PRIMARY_SIGNATURE, b"other"));
    assert_eq!(why, "it does not fit the content");
}

#[test]
fn an_unknown_key_is_named() {
    let outcome = verify(&keys(SUBKEY), PRIMARY_SIGNATURE, PAYLOAD);
    let key = "OpenPGP 56E0FAEDD27E33C99514C6D5420E6721DE0D897C".to_owned();
    assert_eq!(outcome, Err(Failure::Unknown(key)));
}

#[test]
fn a_revoked_key_does_not_count() {
    let revoked = keys(include_str!("revoked.asc"));
    assert_eq!(
        bad(verify(&revoked, PRIMARY_SIGNATURE, PAYLOAD)),
        "its key is revoked"
    );
}

#[test]
fn a_key_counts_for_what_it_signed_before_it_expired() {
    assert!(verify(&keys(EXPIRED), include_str!("before-expiry.sig"), PAYLOAD).is_ok());
    let why = bad(verify(
        &keys(EXPIRED),
        include_str!("after-expiry.sig"),
        PAYLOAD,
    ));
    assert_eq!(why, "its key had expired when it was made");
}

#[test]
fn an_expired_signature_does_not_count() {
    assert_eq!(
        bad(verify(&keys(PRIMARY), include_str!("expired.sig"), PAYLOAD)),
        "it has expired"
    );
}

#[test]
fn what_is_no_key_or_no_signature_is_refused() {
    assert!(parse("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nnonsense").is_err());
    assert!(parse(&PRIMARY.replace("mDM", "mDN")).is_err());
    assert!(parse(PRIMARY_SIGNATURE).is_err());
    assert_eq!(
        bad(verify(
            &keys(PRIMARY),
            "-----BEGIN PGP SIGNATURE-----\nx",
            PAYLOAD
        )),
        "it cannot be read"
    );
}
