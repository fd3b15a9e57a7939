//! Identity of Kubernetes objects, and the desired object as it leaves the build.

use std::fmt;
use std::str::FromStr;

pub use flux_kustomize::Origin;
use serde_json::Value;

use crate::hash;

#[cfg(test)]
mod tests;

/// Why a value or a key does not name a Kubernetes object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The document is a list, a scalar or null.
    #[error("not a Kubernetes object: expected a mapping with apiVersion, kind and metadata.name")]
    NotAnObject,
    /// A field that every object needs is missing or empty.
    #[error("{field} is missing: every object needs apiVersion, kind and metadata.name")]
    Missing {
        /// The missing field.
        field: &'static str,
    },
    /// A field that must be text is something else, such as an unquoted number.
    #[error("{field} must be text: put its value in quotes")]
    NotText {
        /// The field with the wrong type.
        field: &'static str,
    },
    /// The object asks the server for a name, so that it could never be found again.
    #[error("metadata.generateName cannot be kept in sync: give the object a metadata.name")]
    GeneratedName,
    /// The text is not an inventory key.
    #[error("{key:?} is not an inventory key: expected namespace_name_group_kind")]
    Key {
        /// The text as it was found.
        key: String,
    },
}

/// The identity of an object in a cluster: everything but the version of its API.
///
/// Without the version, a manifest that moves from `v1beta1` to `v1` stays the same object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// API group; empty for the core group.
    pub group: String,
    /// Kind, such as `Deployment`.
    pub kind: String,
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectId {
    /// Returns the inventory key `namespace_name_group_kind` as Flux v2 writes it.
    ///
    /// A `:` in a name (RBAC allows it) becomes `__`. A `_` in a name stays as it is unless that
    /// would be ambiguous; then it becomes `%5F`, which no name can contain.
    pub fn key(&self) -> String {
        let name = encode_name(&self.name);
        format!("{}_{name}_{}_{}", self.namespace, self.group, self.kind)
    }

    /// Parses an inventory key.
    pub fn parse_key(key: &str) -> Result<Self, Error> {
        let parts = || {
            let (namespace, rest) = key.split_once('_')?;
            let (rest, kind) = rest.rsplit_once('_')?;
            let (name, group) = rest.rsplit_once('_')?;
            (!name.is_empty() && !kind.is_empty()).then(|| Self {
                group: group.to_owned(),
                kind: kind.to_owned(),
                namespace: namespace.to_owned(),
                name: decode_name(name),
            })
        };
        parts().ok_or_else(|| Error::Key {
            key: key.to_owned(),
        })
    }

    /// Returns the name with the group, for places where two kinds of the same name may meet.
    pub fn qualified(&self) -> String {
        let Self {
            group,
            kind,
            namespace,
            name,
        } = self;
        let kind = match group.as_str() {
            "" => kind.clone(),
            group => format!("{kind}.{group}"),
        };
        match namespace.as_str() {
            "" => format!("{kind}/{name}"),
            namespace => format!("{kind}/{namespace}/{name}"),
        }
    }

    /// Says whether this is the given kind of the given group.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.kind == kind && self.group == group
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            "" => write!(f, "{}/{}", self.kind, self.name),
            namespace => write!(f, "{}/{namespace}/{}", self.kind, self.name),
        }
    }
}

impl FromStr for ObjectId {
    type Err = Error;

    fn from_str(key: &str) -> Result<Self, Error> {
        Self::parse_key(key)
    }
}

fn encode_name(name: &str) -> String {
    let ambiguous = name.contains('_') && (name.contains(':') || name.contains("__"));
    let name = if ambiguous {
        name.replace('_', "%5F")
    } else {
        name.to_owned()
    };
    name.replace(':', "__")
}

fn decode_name(name: &str) -> String {
    name.replace("__", ":").replace("%5F", "_")
}

/// Returns the identity of an object.
///
/// A missing `metadata.namespace` gives a cluster-scoped identity; whether the kind allows that
/// is for discovery to say.
pub fn id_of(value: &Value) -> Result<ObjectId, Error> {
    if !value.is_object() {
        return Err(Error::NotAnObject);
    }
    let metadata = &value["metadata"];
    let kind = text(&value["kind"], "kind")?;
    let (group, _) = split_api_version(api_version(value)?);
    if metadata["name"].is_null() && metadata["generateName"].is_string() {
        return Err(Error::GeneratedName);
    }
    let namespace = match &metadata["namespace"] {
        Value::Null => "",
        namespace => namespace.as_str().ok_or(Error::NotText {
            field: "metadata.namespace",
        })?,
    };
    Ok(ObjectId {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: text(&metadata["name"], "metadata.name")?.to_owned(),
    })
}

/// Returns the `apiVersion` of an object.
pub fn api_version(value: &Value) -> Result<&str, Error> {
    text(&value["apiVersion"], "apiVersion")
}

/// Splits `apps/v1` into group and version; the core group is empty.
pub fn split_api_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

fn text<'a>(value: &'a Value, field: &'static str) -> Result<&'a str, Error> {
    match value {
        Value::Null => Err(Error::Missing { field }),
        Value::String(text) if text.is_empty() => Err(Error::Missing { field }),
        Value::String(text) => Ok(text),
        _ => Err(Error::NotText { field }),
    }
}

/// An object as it shall be in the cluster: built, normalised and labelled.
#[derive(Clone, PartialEq)]
pub struct Desired {
    /// Identity.
    pub id: ObjectId,
    /// Group and version to apply it with.
    pub api_version: String,
    /// The whole manifest.
    pub value: Value,
    /// The file and line that it comes from.
    pub origin: Origin,
    /// Hash of `value`; see [`hash::desired_hash`]. The controller seals it ([`hash::Key`]) before it goes into a status.
    pub hash: u64,
}

impl Desired {
    /// Takes a finished manifest; its identity and hash are those of `value` as it is now.
    pub fn new(value: Value, origin: Origin) -> Result<Self, Error> {
        Ok(Self {
            id: id_of(&value)?,
            api_version: api_version(&value)?.to_owned(),
            hash: hash::desired_hash(&value),
            value,
            origin,
        })
    }

    /// Returns the version without the group: `v1` of `apps/v1`.
    pub fn version(&self) -> &str {
        split_api_version(&self.api_version).1
    }
}

/// The manifest may be a Secret, so that only its identity and origin are shown.
impl fmt::Debug for Desired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desired")
            .field("id", &self.id)
            .field("api_version", &self.api_version)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
