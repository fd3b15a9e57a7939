//! Encryption in built objects.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flux_kustomize::Object;
use serde_json::Value;
use zeroize::Zeroizing;

use super::metadata::Metadata;
use super::{Keyring, decrypt, looks_encrypted};
use crate::desire::Problem;
use crate::settings;

/// Tells whether an object asks to be applied as it is.
pub(super) fn stays_encrypted(object: &Value) -> bool {
    settings::opts_out_of_decryption(object)
}

/// Decrypts the values of Secrets that are encrypted files themselves, as Flux v2 does; returns what was decrypted.
pub fn decrypt_data(
    objects: &mut [Object],
    keyring: &Keyring,
) -> Result<Vec<Zeroizing<String>>, Vec<Problem>> {
    let (mut secrets, mut problems) = (Vec::new(), Vec::new());
    for object in objects.iter_mut().filter(|object| is_secret(&object.value)) {
        let origin = object.origin.clone();
        let name = name(&object.value);
        let Some(data) = object.value["data"].as_object_mut() else {
            continue;
        };
        for (key, value) in data {
            let Some(bytes) = sealed(value) else { continue };
            match decrypt(key, &bytes, keyring) {
                Ok(None) => {}
                Ok(Some(plain)) => {
                    *value = Value::from(STANDARD.encode(&plain.bytes));
                    secrets.extend(plain.secrets);
                }
                Err(error) => problems.push(Problem {
                    origin: origin.clone(),
                    object: name.clone(),
                    message: format!("data.{key} cannot be decrypted: {error}"),
                }),
            }
        }
    }
    if problems.is_empty() {
        Ok(secrets)
    } else {
        Err(problems)
    }
}

/// Refuses objects that are encrypted still: applied, they would be Secrets of ciphertext.
pub fn refuse_encrypted(objects: &[Object], has_keys: bool) -> Result<(), Vec<Problem>> {
    let encrypted = objects
        .iter()
        .filter(|object| is_encrypted(&object.value, has_keys) && !stays_encrypted(&object.value));
    let problems: Vec<Problem> = encrypted
        .map(|object| Problem {
            origin: object.origin.clone(),
            object: name(&object.value),
            message: if has_keys {
                "is encrypted by SOPS, but not as a file of its own: encrypt the file that it comes from"
            } else {
                "is encrypted by SOPS: set spec.decryption of the Sync"
            }
            .to_owned(),
        })
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

fn is_encrypted(object: &Value, has_keys: bool) -> bool {
    let sops = &object["sops"];
    if sops.is_object() && Metadata::new(sops.clone()).is_some() {
        return true;
    }
    let mut data = object["data"].as_object().into_iter().flatten();
    // With keys the data is decrypted already; what looks so still is somebody's text.
    !has_keys && is_secret(object) && data.any(|(_, value)| sealed(value).is_some())
}

fn is_secret(object: &Value) -> bool {
    object["kind"] == "Secret" && object["apiVersion"] == "v1"
}

/// Returns what a value of a Secret holds, if that is an encrypted file.
fn sealed(value: &Value) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(value.as_str()?.trim()).ok()?;
    looks_encrypted(&bytes).then_some(bytes)
}

fn name(object: &Value) -> Option<String> {
    let kind = object["kind"].as_str()?;
    let name = object["metadata"]["name"].as_str()?;
    Some(match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{kind}/{namespace}/{name}"),
        None => format!("{kind}/{name}"),
    })
}
