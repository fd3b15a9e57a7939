//! Changing the bytes, and making sure that nothing else changed.

use std::collections::{BTreeMap, BTreeSet};

use flux_kustomize::{Content, Document, NodeId, Style, parse_yaml, write_scalar};
use serde_json::Value;

use super::path::{FieldPath, Step};
use super::source::{Place, Source};
use super::{Change, Edited, Error, Found, PolicyName, Reason, Skip, Target};
use crate::image;

/// A value that shall be another one.
#[derive(Debug, Clone)]
pub(super) struct Intent {
    pub(super) policy: Option<PolicyName>,
    pub(super) image: image::Name,
    pub(super) tag: Option<String>,
    pub(super) place: Place,
    /// The new text, or why there is none.
    pub(super) new: Result<String, Reason>,
    /// The part of a Helm release, or other name for what is changed.
    pub(super) container: Option<String>,
    /// Whether it only follows from another one, by an alias.
    pub(super) is_implied: bool,
    /// Another place that is written with this one or not at all: the tag of a digest.
    pub(super) with: Option<Place>,
}

impl Intent {
    /// Makes the intent of a policy.
    pub(super) fn new(target: &Target, place: Place, new: Result<String, Reason>) -> Self {
        Self {
            policy: Some(target.policy.clone()),
            image: target.name.clone(),
            tag: Some(target.tag.clone()),
            place,
            new,
            container: None,
            is_implied: false,
            with: None,
        }
    }

    /// Makes the same intent for a place that is the same scalar.
    pub(super) fn implied(&self, place: Place) -> Self {
        Self {
            place,
            is_implied: true,
            ..self.clone()
        }
    }
}

/// A scalar that is replaced.
struct Replacement {
    node: NodeId,
    text: String,
}

/// Makes the intended changes to a file.
pub(super) fn apply(source: &Source<'_>, found: Found) -> Result<Edited, Error> {
    let mut edited = Edited {
        skipped: found.skipped,
        ..Edited::default()
    };
    count(&found.intents, &mut edited.places);
    let mut replacements = Vec::new();
    let mut made = Vec::new();
    let mut decided: Vec<_> = by_node(source, found.intents)
        .into_iter()
        .map(|(node, intents)| (decide(source, node, &intents), node, intents))
        .collect();
    together(&mut decided);
    for (decision, node, intents) in decided {
        match decision {
            Ok(None) => {}
            Ok(Some(text)) => {
                edited.changes.push(change(source, node, &intents));
                replacements.push(Replacement { node, text });
                made.extend(intents);
            }
            Err(reason) => edited
                .skipped
                .extend(skips(source, node, &intents, &reason)),
        }
    }
    if !replacements.is_empty() {
        let bytes = replace(source, &replacements);
        verify(source, &bytes, &made)?;
        edited.bytes = Some(bytes);
    }
    edited.skipped.sort_by_key(|skip| skip.line);
    Ok(edited)
}

fn count(intents: &[Intent], places: &mut BTreeMap<PolicyName, usize>) {
    let counted: BTreeSet<(&PolicyName, &Place)> = intents
        .iter()
        .filter(|intent| !intent.is_implied)
        .filter_map(|intent| Some((intent.policy.as_ref()?, &intent.place)))
        .collect();
    for (policy, _) in counted {
        *places.entry(policy.clone()).or_default() += 1;
    }
}

/// Groups intents by the scalar that they change, in the order of the text.
fn by_node(source: &Source<'_>, intents: Vec<Intent>) -> BTreeMap<NodeId, Vec<Intent>> {
    let mut nodes: BTreeMap<NodeId, Vec<Intent>> = BTreeMap::new();
    for intent in intents {
        if let Some((node, _)) = source.scalar(&intent.place) {
            nodes.entry(node).or_default().push(intent);
        }
    }
    for intents in nodes.values_mut() {
        intents.sort_by_key(|intent| intent.is_implied);
    }
    nodes
}

/// What is to be written in the place of a scalar for these intents.
type Decided = (Result<Option<String>, Reason>, NodeId, Vec<Intent>);

/// Leaves a tag alone if its digest cannot be written, and the other way round.
fn together(decided: &mut [Decided]) {
    let mut failed: BTreeMap<Place, Reason> = BTreeMap::new();
    for (decision, _, intents) in decided.iter() {
        if let Err(reason) = decision {
            let with = intents.iter().filter_map(|intent| intent.with.clone());
            failed.extend(with.map(|place| (place, reason.clone())));
        }
    }
    for (decision, _, intents) in decided {
        let mut with = intents.iter().filter_map(|intent| intent.with.as_ref());
        if let Some(reason) = with.find_map(|place| failed.get(place))
            && matches!(decision, Ok(Some(_)))
        {
            *decision = Err(reason.clone());
        }
    }
}

/// Returns how the scalar is to be written, `None` if it may stay as it is.
fn decide(source: &Source<'_>, node: NodeId, intents: &[Intent]) -> Result<Option<String>, Reason> {
    let Some(first) = intents.first() else {
        return Ok(None);
    };
    let new = first.new.clone()?;
    for other in intents {
        let other_new = other.new.clone()?;
        if other_new != new {
            return Err(conflict(first, &new, other, other_new));
        }
    }
    if source.value(&first.place).and_then(Value::as_str) == Some(new.as_str()) {
        return Ok(None);
    }
    let style = editable(source, node)?;
    let intended = |place: &Place| intents.iter().any(|intent| intent.place == *place);
    let unintended = source.uses(node).iter().find(|place| !intended(place));
    if let Some(place) = unintended {
        return Err(Reason::Shared {
            field: place.path.to_string(),
            line: line_of(source, place),
        });
    }
    write_scalar(&new, style)
        .map(Some)
        .ok_or(Reason::SeveralLines)
}

fn conflict(first: &Intent, first_value: &str, second: &Intent, second_value: String) -> Reason {
    let name = |intent: &Intent| {
        intent
            .policy
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    Reason::Conflict {
        first: name(first),
        first_value: first_value.to_owned(),
        second: name(second),
        second_value,
    }
}

/// Returns the style of a scalar that can be replaced on its line.
fn editable(source: &Source<'_>, node: NodeId) -> Result<Style, Reason> {
    let node = source.outline.node(node);
    let written = source.text.get(node.range.clone()).unwrap_or_default();
    let Content::Scalar { style, .. } = &node.content else {
        return Err(Reason::NotText);
    };
    if *style == Style::Block || written.contains(['\n', '\r']) {
        return Err(Reason::SeveralLines);
    }
    if written.is_empty() {
        return Err(Reason::Empty);
    }
    if node.is_tagged {
        return Err(Reason::Tagged);
    }
    Ok(*style)
}

/// Returns the line at which a place stands, that of the alias if it is one.
pub(super) fn line_of(source: &Source<'_>, place: &Place) -> usize {
    let node = source.locate(place);
    node.map_or(1, |node| source.outline.node(node).line)
}

/// Returns a value as it is shown to a person.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn change(source: &Source<'_>, node: NodeId, intents: &[Intent]) -> Change {
    let first = &intents[0];
    Change {
        policy: first.policy.clone(),
        image: first.image.clone(),
        tag: first.tag.clone(),
        path: source.path.to_owned(),
        line: source.outline.node(node).line,
        object: source.object_name(&first.place),
        container: first
            .container
            .clone()
            .or_else(|| source.container_name(&first.place)),
        old: source.value(&first.place).map(shown).unwrap_or_default(),
        new: first.new.clone().unwrap_or_default(),
    }
}

/// Says for each policy that wanted the scalar changed why it was not.
fn skips(source: &Source<'_>, node: NodeId, intents: &[Intent], reason: &Reason) -> Vec<Skip> {
    let mut skips: Vec<Skip> = Vec::new();
    for intent in intents.iter().filter(|intent| !intent.is_implied) {
        let skip = Skip {
            policy: intent.policy.clone(),
            path: source.path.to_owned(),
            line: source.outline.node(node).line,
            object: source.object_name(&intent.place),
            reason: reason.clone(),
        };
        if !skips.contains(&skip) {
            skips.push(skip);
        }
    }
    skips
}

fn replace(source: &Source<'_>, replacements: &[Replacement]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(source.text.len() + 64);
    let mut at = 0;
    // Nodes are numbered in the order of the text, so that the replacements are in order too.
    for Replacement { node, text } in replacements {
        let range = source.outline.node(*node).range.clone();
        bytes.extend_from_slice(&source.text.as_bytes()[at..range.start]);
        bytes.extend_from_slice(text.as_bytes());
        at = range.end;
    }
    bytes.extend_from_slice(&source.text.as_bytes()[at..]);
    bytes
}

/// Makes sure that the new bytes mean what the old ones did, but for the intended values.
fn verify(source: &Source<'_>, bytes: &[u8], intents: &[Intent]) -> Result<(), Error> {
    let mut expected = source.documents.clone();
    for intent in intents {
        if let Some(document) = expected.get_mut(intent.place.document)
            && let Some(value) = intent.place.path.get_mut(&mut document.value)
        {
            *value = Value::String(intent.new.clone().unwrap_or_default());
        }
    }
    compare(source, &expected, bytes)
}

/// Compares what bytes mean with what they should mean.
pub(super) fn compare(
    source: &Source<'_>,
    expected: &[Document],
    bytes: &[u8],
) -> Result<(), Error> {
    let actual = parse_yaml(bytes, source.path).map_err(Error::Yaml)?;
    let differs = |line, field: String| Error::Differs {
        path: source.path.to_owned(),
        line,
        field,
    };
    if actual.len() != expected.len() {
        return Err(differs(1, "the number of documents".to_owned()));
    }
    for (document, (expected, actual)) in expected.iter().zip(&actual).enumerate() {
        let path = FieldPath::default();
        if let Some(path) = difference(&expected.value, &actual.value, path) {
            let place = Place { document, path };
            return Err(differs(line_of(source, &place), place.path.to_string()));
        }
    }
    Ok(())
}

/// Returns the first field in which two values differ.
fn difference(a: &Value, b: &Value, path: FieldPath) -> Option<FieldPath> {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let key = a
                .keys()
                .chain(b.keys())
                .find(|key| a.get(*key) != b.get(*key))?;
            match (a.get(key), b.get(key)) {
                (Some(a), Some(b)) => difference(a, b, path.key(key)),
                _ => Some(path.key(key)),
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let at = a.iter().zip(b).position(|(a, b)| a != b)?;
            difference(
                &a[at],
                &b[at],
                FieldPath([path.0, vec![Step::Index(at)]].concat()),
            )
        }
        (a, b) => (a != b).then_some(path),
    }
}
