//! Who owns which field of a live object.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

mod fields;
mod take_over;
#[cfg(test)]
mod tests;

pub use take_over::{Error, LAST_APPLIED, TakeOver, take_over};

/// The field manager of everything that we apply.
pub const MANAGER: &str = flux_crds::names::FIELD_MANAGER;

/// One entry of `metadata.managedFields`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagedField {
    /// Who wrote.
    #[serde(default)]
    pub manager: String,
    /// `Apply` or `Update`.
    #[serde(default)]
    pub operation: String,
    /// Version of the API that the fields are those of.
    #[serde(default)]
    pub api_version: String,
    /// When, to the second, in UTC; entries of the `scale` subresource have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Always `FieldsV1`.
    #[serde(default)]
    pub fields_type: String,
    /// The set of fields, unparsed.
    #[serde(default, rename = "fieldsV1", skip_serializing_if = "Option::is_none")]
    pub fields_v1: Option<Box<RawValue>>,
    /// Subresource that was written to; empty for the object itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subresource: String,
}

impl ManagedField {
    pub(crate) fn is_own(&self) -> bool {
        self.manager == MANAGER && self.operation == "Apply" && self.subresource.is_empty()
    }
}

/// Returns the entry of our own applies.
pub fn own_entry(entries: &[ManagedField]) -> Option<&ManagedField> {
    entries.iter().find(|entry| entry.is_own())
}

/// Returns the managers that wrote at or after a time, sorted: those who may have taken a field.
///
/// Times have whole seconds, so that "at" belongs to the suspects. Without a time, everyone else
/// is one. Who writes the status alone takes nothing from us; entries without a time (the `scale`
/// subresource) always count.
///
/// *Caveats*: who only removes a field owns nothing by it and leaves no trace here.
pub fn thieves(entries: &[ManagedField], since: Option<&str>) -> Vec<String> {
    let is_later = |time: Option<&str>| match (time, since) {
        // RFC 3339 in UTC without fractions sorts as text.
        (Some(time), Some(since)) => time >= since,
        (None, _) | (_, None) => true,
    };
    let mut managers: Vec<String> = entries
        .iter()
        .filter(|entry| !entry.is_own() && entry.subresource != "status")
        .filter(|entry| is_later(entry.time.as_deref()))
        .map(|entry| entry.manager.clone())
        .collect();
    managers.sort();
    managers.dedup();
    managers
}
