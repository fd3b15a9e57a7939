//! The changes that a Sync does not mind: `spec.drift.ignore`.

use flux_crds::sync::{DriftIgnore, Selector};
use flux_kustomize::LabelSelector;
use regex::Regex;
use serde_json::Value;

use super::Lost;
use crate::object::Desired;

/// A rule that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("spec.drift.ignore[{index}].{problem}")]
pub struct Error {
    index: usize,
    problem: String,
}

/// All rules of a Sync.
#[derive(Debug, Clone, Default)]
pub struct Ignore(Vec<Rule>);

#[derive(Debug, Clone)]
struct Rule {
    target: Target,
    pointers: Vec<String>,
    managers: Vec<String>,
}

#[derive(Debug, Clone, Default)]
struct Target {
    group: Option<String>,
    version: Option<String>,
    kind: Option<String>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: LabelSelector,
    annotations: LabelSelector,
}

impl Ignore {
    /// Reads the rules.
    pub fn new(rules: &[DriftIgnore]) -> Result<Self, Error> {
        let rules = rules
            .iter()
            .enumerate()
            .map(|(index, rule)| Rule::new(rule).map_err(|problem| Error { index, problem }));
        rules.collect::<Result<_, _>>().map(Self)
    }

    /// Tells whether there is a rule for the object.
    pub fn is_about(&self, object: &Desired) -> bool {
        self.0.iter().any(|rule| rule.target.selects(object))
    }

    /// Tells whether the loss of a field of the object is nobody's business.
    pub(super) fn covers(&self, object: &Desired, lost: &Lost) -> bool {
        self.0
            .iter()
            .any(|rule| rule.covers(lost) && rule.target.selects(object))
    }
}

impl Rule {
    fn new(rule: &DriftIgnore) -> Result<Self, String> {
        let is_pointer = |pointer: &&String| !pointer.starts_with('/');
        if let Some(wrong) = rule.pointers.iter().find(is_pointer) {
            return Err(format!(
                "pointers: {wrong} is no JSON pointer, such as /spec/replicas"
            ));
        }
        Ok(Self {
            target: Target::new(rule.target.as_ref()).map_err(|what| format!("target.{what}"))?,
            pointers: rule.pointers.clone(),
            managers: rule.managers.clone(),
        })
    }

    fn covers(&self, lost: &Lost) -> bool {
        let of_manager = self.managers.is_empty()
            || (lost.managers.iter()).any(|manager| self.managers.contains(manager));
        of_manager && (self.pointers.is_empty() || self.points_at(&lost.pointer()))
    }

    /// A pointer covers what is inside of it as well.
    fn points_at(&self, place: &str) -> bool {
        self.pointers.iter().any(|pointer| {
            let pointer = pointer.trim_end_matches('/');
            (place.strip_prefix(pointer))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

impl Target {
    fn new(selector: Option<&Selector>) -> Result<Self, String> {
        let Some(selector) = selector else {
            return Ok(Self::default());
        };
        let labels = |name: &str, text: &Option<String>| {
            let text = text.as_deref().unwrap_or_default();
            LabelSelector::parse(text).map_err(|error| format!("{name}: {error}"))
        };
        Ok(Self {
            group: selector.group.clone(),
            version: selector.version.clone(),
            kind: selector.kind.clone(),
            name: whole("name", selector.name.as_deref())?,
            namespace: whole("namespace", selector.namespace.as_deref())?,
            labels: labels("labelSelector", &selector.label_selector)?,
            annotations: labels("annotationSelector", &selector.annotation_selector)?,
        })
    }

    fn selects(&self, object: &Desired) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        let fits = |wanted: &Option<Regex>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.is_match(found))
        };
        let text = |map: &str, key: &str| {
            object
                .value
                .get("metadata")
                .and_then(|metadata| metadata.get(map)?.get(key))
                .and_then(Value::as_str)
        };
        is(&self.group, &object.id.group)
            && is(&self.version, object.version())
            && is(&self.kind, &object.id.kind)
            && fits(&self.name, &object.id.name)
            && fits(&self.namespace, &object.id.namespace)
            && self.labels.matches(|key| text("labels", key))
            && self.annotations.matches(|key| text("annotations", key))
    }
}

fn whole(part: &str, pattern: Option<&str>) -> Result<Option<Regex>, String> {
    pattern
        .map(|pattern| {
            Regex::new(&format!("^(?:{pattern})$"))
                .map_err(|_| format!("{part}: {pattern} is not a regular expression"))
        })
        .transpose()
}
