//! SSH signatures, as `gpg.format = ssh` makes them.

use russh::keys::{
    HashAlg, PrivateKey, PublicKey,
    ssh_key::{Algorithm, LineEnding, SshSig},
};

use super::Failure;

/// Git signs within this namespace, so that a signature made for something else does not count.
const NAMESPACE: &str = "git";

pub(super) type Key = PublicKey;

/// Reads public keys, one a line: as in `authorized_keys`, or as in `allowed_signers`.
pub(super) fn parse(text: &str) -> Result<Vec<Key>, &'static str> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys: Result<Vec<_>, _> = lines.map(parse_line).collect();
    match keys {
        Ok(keys) if keys.is_empty() => Err("holds no public key"),
        keys => keys,
    }
}

fn parse_line(line: &str) -> Result<Key, &'static str> {
    let words: Vec<_> = line.split_ascii_whitespace().collect();
    let is_kind = |word: &&str| {
        word.starts_with("ssh-") || word.starts_with("ecdsa-") || word.starts_with("sk-")
    };
    let at = words
        .iter()
        .position(is_kind)
        .ok_or("is neither an OpenPGP nor an SSH public key")?;
    // principals, then options; what an option forbids must not be overlooked
    if let Some(options) = words.get(1..at) {
        let namespaces = |option: &&&str| option.to_ascii_lowercase().starts_with("namespaces=");
        if options.iter().any(|option| !namespaces(&option)) {
            return Err(
                "has a line of allowed signers with an option other than namespaces, which is not supported",
            );
        }
        let allows = |option: &&str| {
            let list = option
                .split_once('=')
                .map_or("", |(_, list)| list)
                .trim_matches('"');
            list.split(',').any(|name| name == NAMESPACE || name == "*")
        };
        if !options.iter().all(allows) {
            return Err("has a line of allowed signers for other namespaces than git");
        }
    }
    let kind = words.get(at).copied().unwrap_or_default();
    let key = words.get(at + 1).copied().unwrap_or_default();
    PublicKey::from_openssh(&format!("{kind} {key}")).map_err(|_| "has a malformed SSH public key")
}

/// Signs bytes as git does.
pub(super) fn sign(key: &PrivateKey, payload: &[u8]) -> Option<String> {
    let signature = key.sign(NAMESPACE, HashAlg::Sha512, payload).ok()?;
    signature.to_pem(LineEnding::LF).ok()
}

/// Checks a signature; returns the key as a person recognises it.
pub(super) fn verify(keys: &[Key], signature: &str, payload: &[u8]) -> Result<String, Failure> {
    let bad = |why: &str| Failure::Bad(why.to_owned());
    let signature = SshSig::from_pem(signature.trim_end()).map_err(|_| bad("it cannot be read"))?;
    let shown = format!(
        "SSH {}",
        signature.public_key().fingerprint(HashAlg::Sha256)
    );
    let key = keys
        .iter()
        .find(|key| key.key_data() == signature.public_key());
    let key = key.ok_or_else(|| Failure::Unknown(shown.clone()))?;
    if signature.namespace() != NAMESPACE {
        return Err(bad("it was made for another purpose than git"));
    }
    // The scheme demands SHA-2 for RSA.
    if matches!(
        signature.signature().algorithm(),
        Algorithm::Rsa { hash: None }
    ) {
        return Err(bad("it uses SHA-1"));
    }
    let verified = key.verify(NAMESPACE, payload, &signature);
    verified.map_err(|_| bad("it does not fit the content"))?;
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    #[test]
    fn authorized_keys_and_allowed_signers_are_read() {
        let text = format!(
            "# team\n{KEY} jane@example.com\njane@example.com {KEY}\nj@x namespaces=\"file,git\" {KEY}\n"
        );
        assert_eq!(parse(&text).map(|keys| keys.len()), Ok(3));
    }

    #[test]
    fn what_restricts_a_key_is_not_overlooked() {
        for line in [
            format!("j@x namespaces=\"file\" {KEY}"),
            format!("j@x cert-authority {KEY}"),
            format!("j@x valid-before=\"20200101\" {KEY}"),
            "nothing".to_owned(),
            String::new(),
        ] {
            assert!(parse(&line).is_err(), "{line:?}");
        }
    }
}
