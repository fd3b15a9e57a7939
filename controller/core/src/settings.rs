//! What single objects ask for by label or annotation.

use flux_crds::names::{self, alias};
use serde_json::Value;

use crate::live::Metadata;

#[cfg(test)]
mod tests;

const PRUNE: [&str; 2] = [names::PRUNE, alias::V2_PRUNE];
const RECONCILE: [&str; 2] = [names::RECONCILE, alias::V2_RECONCILE];
const SSA: [&str; 2] = [names::SSA, alias::V2_SSA];
const FORCE: [&str; 2] = [names::FORCE, alias::V2_FORCE];
const SUBSTITUTE: [&str; 2] = [names::SUBSTITUTE, alias::V2_SUBSTITUTE];
const DECRYPT: [&str; 2] = [names::DECRYPT, alias::V2_DECRYPT];
const IGNORE: [&str; 2] = [alias::V1_IGNORE, alias::V1_WEAVE_IGNORE];

/// Says whether a label or annotation is one of those that this module reads.
pub fn is_setting(key: &str) -> bool {
    [PRUNE, RECONCILE, SSA, FORCE, IGNORE]
        .iter()
        .any(|keys| keys.contains(&key))
}

/// Says whether a manifest asks for its `${name}` to stay as they are.
pub fn opts_out_of_substitution(manifest: &Value) -> bool {
    Source::Manifest(manifest).says(SUBSTITUTE, "disabled")
}

/// Says whether a manifest asks to be applied as encrypted as it is.
pub fn opts_out_of_decryption(manifest: &Value) -> bool {
    Source::Manifest(manifest).says(DECRYPT, "disabled")
}

/// How an object is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ssa {
    /// All fields are ours; what `kubectl` set before is taken over, and goes if it is not in git.
    #[default]
    Override,
    /// Our fields are ours; fields that `kubectl` set beside them stay.
    Merge,
    /// Created once, then left alone; still part of the inventory, still pruned.
    IfNotPresent,
    /// Neither applied nor pruned.
    Ignore,
}

/// What an object asks for; the default is to be applied, kept equal, and pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Deleted when it leaves git.
    pub prune: bool,
    /// Kept equal to git.
    pub reconcile: bool,
    /// How it is applied.
    pub ssa: Ssa,
    /// Deleted and created again when an immutable field changes.
    pub force: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prune: true,
            reconcile: true,
            ssa: Ssa::Override,
            force: false,
        }
    }
}

impl Settings {
    /// Reads the settings of an object from its manifest and from what lives.
    ///
    /// Either side can ask to be left alone, so that a person can annotate the live object.
    /// `if-not-present` counts in the manifest alone, and where the manifest names a way to
    /// apply, the live object cannot name another.
    pub fn of(desired: Option<&Value>, live: Option<&Metadata>) -> Self {
        let desired = desired.map_or(Source::Nothing, Source::Manifest);
        let live = live.map_or(Source::Nothing, Source::Live);
        let either =
            |keys: [&str; 2], value: &str| desired.says(keys, value) || live.says(keys, value);
        let ignored = either(IGNORE, "true");
        let ssa = desired.ssa().unwrap_or_else(|| match live.ssa() {
            Some(Ssa::IfNotPresent) | None => Ssa::Override,
            Some(ssa) => ssa,
        });
        let kept = either(PRUNE, "disabled") || either(IGNORE, "sync_only");
        let reconcile = !(either(RECONCILE, "disabled") || ignored);
        Self {
            prune: reconcile && !kept && ssa != Ssa::Ignore,
            reconcile,
            ssa,
            force: either(FORCE, "enabled"),
        }
    }
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Nothing,
    Manifest(&'a Value),
    Live(&'a Metadata),
}

impl<'a> Source<'a> {
    /// Returns the values under a key: annotation, then label.
    fn values(self, key: &str) -> impl Iterator<Item = &'a str> {
        let [annotation, label] = match self {
            Self::Nothing => [None, None],
            Self::Manifest(value) => {
                let metadata = &value["metadata"];
                [&metadata["annotations"], &metadata["labels"]]
                    .map(|map| map.get(key).and_then(Value::as_str))
            }
            Self::Live(metadata) => [&metadata.annotations, &metadata.labels]
                .map(|map| map.get(key).map(String::as_str)),
        };
        annotation.into_iter().chain(label)
    }

    fn says(self, keys: [&str; 2], wanted: &str) -> bool {
        keys.into_iter()
            .flat_map(|key| self.values(key))
            .any(|value| value.eq_ignore_ascii_case(wanted))
    }

    fn ssa(self) -> Option<Ssa> {
        SSA.into_iter()
            .flat_map(|key| self.values(key))
            .find_map(parse_ssa)
    }
}

/// Flux v2 spells it `IfNotPresent`, we spell it `if-not-present`; both are read.
fn parse_ssa(value: &str) -> Option<Ssa> {
    match value.to_ascii_lowercase().replace('-', "").as_str() {
        "override" => Some(Ssa::Override),
        "merge" => Some(Ssa::Merge),
        "ifnotpresent" => Some(Ssa::IfNotPresent),
        "ignore" => Some(Ssa::Ignore),
        _ => None,
    }
}
