//! What SOPS writes beside the values: for whom they are encrypted, by which rule, and the MAC.

use serde_json::Value;
use zeroize::Zeroizing;

use super::cipher::DataKey;
use super::keys::Keyring;
use super::rules::Rules;
use super::{Error, shamir};

/// The metadata of a file, in the shape of its YAML; in the flat formats every scalar is a text.
pub(super) struct Metadata(Value);

/// Kinds of keys that are not supported, with the fields that name one of them.
const FOREIGN: [(&str, &str, &[&str]); 5] = [
    ("kms", "AWS KMS", &["arn"]),
    ("gcp_kms", "GCP KMS", &["resource_id"]),
    ("azure_kv", "Azure Key Vault", &["vault_url", "name"]),
    (
        "hc_vault",
        "Vault",
        &["vault_address", "engine_path", "key_name"],
    ),
    ("hckms", "Huawei Cloud KMS", &["key_id"]),
];

impl Metadata {
    /// Takes a value if it is the metadata of SOPS.
    pub(super) fn new(value: Value) -> Option<Self> {
        let is_sops = value["mac"].is_string() && !value["version"].is_null();
        is_sops.then_some(Self(value))
    }

    /// Builds the metadata from the flat keys of dotenv and ini, such as `age__list_0__map_enc`.
    pub(super) fn from_flat<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        let mut root = Value::Null;
        for (key, value) in pairs {
            let key = key.replace("__list_", "\0#").replace("__map_", "\0");
            let mut place = &mut root;
            for part in key.split('\0') {
                place = match part.strip_prefix('#').map(str::parse::<usize>) {
                    Some(Ok(index)) if index < 1000 => item(place, index)?,
                    Some(_) => return None,
                    None => field(place, part)?,
                };
            }
            *place = Value::String(value.replace("\\n", "\n"));
        }
        Self::new(root)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// Returns the encrypted MAC and what it was encrypted with.
    pub(super) fn mac(&self) -> (&str, &str) {
        let text = |name| self.text(name).unwrap_or_default();
        (text("mac"), text("lastmodified"))
    }

    /// Tells whether the MAC is over the encrypted values alone.
    pub(super) fn is_mac_of_encrypted(&self) -> bool {
        let value = &self.0["mac_only_encrypted"];
        value.as_bool().unwrap_or(false) || value.as_str() == Some("true")
    }

    pub(super) fn rules(&self) -> Result<Rules, Error> {
        Rules::new(|name| self.text(name))
    }

    /// Decrypts the data key.
    pub(super) fn data_key(&self, keyring: &Keyring) -> Result<DataKey, Error> {
        let own = std::slice::from_ref(&self.0);
        let groups = self.0["key_groups"].as_array();
        let groups = groups
            .filter(|groups| !groups.is_empty())
            .map_or(own, Vec::as_slice);
        let parts: Vec<Zeroizing<Vec<u8>>> = groups
            .iter()
            .filter_map(|group| open(group, keyring))
            .collect();
        let needed = if groups.len() > 1 {
            self.threshold().unwrap_or(groups.len())
        } else {
            1
        };
        if parts.len() < needed || parts.is_empty() {
            return Err(missing(groups));
        }
        let [part] = parts.as_slice() else {
            let parts: Vec<Vec<u8>> = parts.iter().map(|part| part.to_vec()).collect();
            let parts = Zeroizing::new(parts);
            let key = shamir::combine(&parts).map(Zeroizing::new);
            return key.and_then(|key| DataKey::new(&key)).ok_or(Error::DataKey);
        };
        DataKey::new(part).ok_or(Error::DataKey)
    }

    fn threshold(&self) -> Option<usize> {
        let value = &self.0["shamir_threshold"];
        let number = value
            .as_u64()
            .and_then(|number| usize::try_from(number).ok());
        let number = number.or_else(|| value.as_str()?.parse().ok());
        number.filter(|number| *number > 0)
    }
}

fn field<'v>(place: &'v mut Value, name: &str) -> Option<&'v mut Value> {
    if place.is_null() {
        *place = Value::Object(serde_json::Map::new());
    }
    Some(place.as_object_mut()?.entry(name).or_insert(Value::Null))
}

fn item(place: &mut Value, index: usize) -> Option<&mut Value> {
    if place.is_null() {
        *place = Value::Array(Vec::new());
    }
    let items = place.as_array_mut()?;
    if items.len() <= index {
        items.resize(index + 1, Value::Null);
    }
    items.get_mut(index)
}

/// The entries of a kind of key in a group.
fn entries<'v>(group: &'v Value, kind: &str) -> impl Iterator<Item = &'v Value> {
    group[kind].as_array().into_iter().flatten()
}

/// Decrypts the part of the data key that a group of keys has: any key of it will do.
fn open(group: &Value, keyring: &Keyring) -> Option<Zeroizing<Vec<u8>>> {
    let sealed = |kind| entries(group, kind).filter_map(|entry| entry["enc"].as_str());
    sealed("age")
        .find_map(|sealed| keyring.open_age(sealed))
        .or_else(|| sealed("pgp").find_map(|sealed| keyring.open_pgp(sealed)))
}

/// Names everyone who could decrypt the file.
fn missing(groups: &[Value]) -> Error {
    let mut recipients = Vec::new();
    let mut foreign = false;
    for group in groups {
        let named = |kind, field: &'static str| {
            entries(group, kind).filter_map(move |entry| entry[field].as_str())
        };
        recipients.extend(named("age", "recipient").map(str::to_owned));
        recipients.extend(named("pgp", "fp").map(|print| format!("OpenPGP {print}")));
        for (kind, name, fields) in FOREIGN {
            for entry in entries(group, kind) {
                let parts = fields.iter().filter_map(|field| entry[*field].as_str());
                recipients.push(format!("{name} {}", parts.collect::<Vec<_>>().join("/")));
                foreign = true;
            }
        }
    }
    if recipients.is_empty() {
        return Error::Metadata("it names no recipients");
    }
    Error::NoKey {
        recipients,
        foreign,
    }
}
