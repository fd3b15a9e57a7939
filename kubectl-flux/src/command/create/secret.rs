//! `create secret`.

use std::{collections::BTreeMap, fs, io, io::Read as _, path::Path};

use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::api::ObjectMeta;

use super::write::Written;
use crate::{args::CreateSecretArgs, error::Error};

/// Builds the Secret with the keys that a GitRepository looks for.
pub(crate) fn build(args: &CreateSecretArgs) -> Result<Written, Error> {
    let mut data = BTreeMap::new();
    for (key, file) in [
        ("password", &args.password_file),
        ("bearerToken", &args.bearer_token_file),
        ("identity", &args.identity_file),
        ("known_hosts", &args.known_hosts_file),
        ("ca.crt", &args.ca_file),
        ("tls.crt", &args.tls_crt_file),
        ("tls.key", &args.tls_key_file),
    ] {
        if let Some(file) = file {
            data.insert(key.to_owned(), ByteString(content(key, file)?));
        }
    }
    for file in &args.public_key_file {
        data.insert(key_name(file)?, ByteString(read(file)?));
    }
    for (key, value) in [
        ("username", &args.username),
        ("address", &args.proxy_address),
    ] {
        if let Some(value) = value {
            data.insert(key.to_owned(), ByteString(value.clone().into_bytes()));
        }
    }
    if data.is_empty() {
        return Err(Error::usage(
            "the Secret would be empty",
            "see the flags: kubectl flux create secret --help",
        ));
    }
    let metadata = ObjectMeta {
        name: Some(args.name.clone()),
        ..ObjectMeta::default()
    };
    let secret = Secret {
        metadata,
        type_: Some("Opaque".into()),
        data: Some(data),
        ..Secret::default()
    };
    Ok(Written::namespaced(&secret))
}

/// A password file ends in a newline that is not part of the password.
fn content(key: &str, file: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = read(file)?;
    if matches!(key, "password" | "bearerToken") {
        while matches!(bytes.last(), Some(b'\n' | b'\r')) {
            bytes.pop();
        }
    }
    Ok(bytes)
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(file)
    };
    let bytes = bytes.map_err(|source| Error::File {
        path: file.to_owned(),
        source,
    })?;
    if bytes.is_empty() {
        return Err(Error::Failed(format!("{} is empty", file.display())));
    }
    Ok(bytes)
}

fn key_name(file: &Path) -> Result<String, Error> {
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    if name.is_empty()
        || !name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    {
        let hint = "rename it to letters, digits, '-', '_' and '.', ending in .asc or .pub";
        return Err(Error::usage(
            format!("{} cannot be a key of a Secret", file.display()),
            hint,
        ));
    }
    Ok(name)
}
