//! JSON, and the binary format, which is JSON around one text.

use serde_json::Value as Json;

use super::cipher::Kind;
use super::keys::Keyring;
use super::metadata::Metadata;
use super::session::{Session, Value};
use super::yaml::number_words;
use super::{Error, Format, Plain, objects};

/// Returns the format of JSON in a file whose name does not tell.
pub(super) fn format(bytes: &[u8]) -> Format {
    let read: Option<Json> = serde_json::from_slice(bytes).ok();
    let is_binary = read
        .as_ref()
        .and_then(Json::as_object)
        .is_some_and(|fields| {
            fields.len() == 2 && fields.contains_key("sops") && fields.contains_key("data")
        });
    if is_binary {
        Format::Binary
    } else {
        Format::Json
    }
}

/// Reads an encrypted object; `None` if it is not one.
fn read(bytes: &[u8]) -> Option<(Json, Metadata)> {
    let mut value: Json = serde_json::from_slice(bytes).ok()?;
    let sops = value.as_object_mut()?.shift_remove("sops")?;
    Some((value, Metadata::new(sops)?))
}

pub(super) fn decrypt(bytes: &[u8], keyring: &Keyring) -> Result<Option<Plain>, Error> {
    let Some((mut value, metadata)) = read(bytes) else {
        return Ok(None);
    };
    if objects::stays_encrypted(&value) {
        return Ok(None);
    }
    let mut session = Session::new(metadata, keyring)?;
    walk(&mut session, &mut Vec::new(), &mut value)?;
    let mut text = serde_json::to_vec_pretty(&value).map_err(|_| Error::DataKey)?;
    text.push(b'\n');
    session.plain(text)
}

fn walk(session: &mut Session, path: &mut Vec<String>, value: &mut Json) -> Result<(), Error> {
    match value {
        Json::Null => Ok(()),
        Json::Bool(flag) => session.other(path, if *flag { "True" } else { "False" }),
        Json::Number(number) => session.other(path, &number_words(number)),
        Json::String(text) => {
            if let Some(clear) = session.text(path, text)? {
                *value = match clear {
                    Value::Text(text) => Json::from(text.as_str()),
                    Value::Integer(number) => Json::from(number),
                    Value::Float(number) => Json::from(number),
                    Value::Boolean(flag) => Json::from(flag),
                };
            }
            Ok(())
        }
        Json::Array(items) => items
            .iter_mut()
            .try_for_each(|item| walk(session, path, item)),
        Json::Object(fields) => fields.iter_mut().try_for_each(|(key, field)| {
            path.push(key.clone());
            walk(session, path, field)?;
            path.pop();
            Ok(())
        }),
    }
}

pub(super) fn decrypt_binary(bytes: &[u8], keyring: &Keyring) -> Result<Option<Plain>, Error> {
    let Some((value, metadata)) = read(bytes) else {
        return Ok(None);
    };
    let mut session = Session::new(metadata, keyring)?;
    let data = value["data"].as_str().unwrap_or_default();
    let content = match session.bytes(&["data".to_owned()], data)? {
        Some(clear) if matches!(clear.kind, Kind::Text | Kind::Bytes) => clear.bytes.to_vec(),
        Some(_) => return Err(Error::Metadata("data is not text")),
        None => data.as_bytes().to_vec(),
    };
    let plain = session.plain(content)?;
    Ok(plain.map(Plain::with_content_as_secret))
}
