//! Places that a comment marks: `image: app:1.0 # {"$imagepolicy": "apps:app"}`.

use std::collections::HashMap;

use flux_crds::image_policy::UpdateStrategy;
use flux_kustomize::{Comment, Content, NodeId};
use serde_json::{Map, Value};

use super::apply::Intent;
use super::path::{FieldPath, Step};
use super::render::Wanted;
use super::source::{Place, Source};
use super::{Found, PolicyName, Reason, Skip, Target};

/// What makes a comment a marker.
pub(super) const KEY: &str = "$imagepolicy";

/// What of an image stands in the marked value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Image,
    Tag,
    Name,
    Digest,
}

#[derive(Debug, PartialEq, Eq)]
struct Marker {
    policy: PolicyName,
    part: Part,
}

/// Finds the marked values of the targets.
pub(super) fn find(source: &Source<'_>, targets: &[&Target], found: &mut Found) {
    let targets: Vec<&Target> = targets
        .iter()
        .copied()
        .filter(|target| target.strategy == UpdateStrategy::Markers)
        .collect();
    let is_marker = |comment: &&Comment| comment.text.contains(KEY);
    if targets.is_empty() || !source.outline.comments().iter().any(|c| is_marker(&c)) {
        return;
    }
    let values = Values::of(source);
    for comment in source.outline.comments().iter().filter(is_marker) {
        let mut skip = |policy: Option<&PolicyName>, reason| {
            found.skipped.push(Skip {
                policy: policy.cloned(),
                path: source.path.to_owned(),
                line: comment.line,
                object: None,
                reason,
            });
        };
        let marker = match read(&comment.text) {
            Ok(marker) => marker,
            Err(message) => {
                skip(None, Reason::Marker(message));
                continue;
            }
        };
        let is_meant = |target: &&&Target| target.policy == marker.policy;
        for target in targets.iter().filter(is_meant) {
            match values.marked(comment, marker.part, target) {
                Ok(place) => {
                    let intents = intents(source, place, marker.part, target);
                    found.intents.extend(intents);
                }
                Err(reason) => skip(Some(&target.policy), reason),
            }
        }
    }
}

/// Reads a marker; the error says what is wrong with it.
fn read(comment: &str) -> Result<Marker, String> {
    let json = match (comment.find('{'), comment.rfind('}')) {
        (Some(start), Some(end)) if start < end => &comment[start..=end],
        _ => return Err("it has no braces".to_owned()),
    };
    let fields: Map<String, Value> =
        serde_json::from_str(json).map_err(|error| format!("it is no JSON: {error}"))?;
    let text = fields.get(KEY).and_then(Value::as_str);
    let text = text.ok_or_else(|| format!("its {KEY:?} is no text"))?;
    let mut parts = text.trim().splitn(3, ':').map(str::trim);
    let (namespace, name) = match (parts.next(), parts.next()) {
        (Some(namespace), Some(name)) if !namespace.is_empty() && !name.is_empty() => {
            (namespace.to_owned(), name.to_owned())
        }
        _ => return Err(format!("{text:?} has no namespace and name")),
    };
    let part = match parts.next() {
        None => Part::Image,
        Some("tag") => Part::Tag,
        Some("name") => Part::Name,
        Some("digest") => Part::Digest,
        Some(part) => return Err(format!("{part:?} is none of tag, name and digest")),
    };
    let policy = PolicyName { namespace, name };
    Ok(Marker { policy, part })
}

/// The scalars and aliases of a file that are no keys, by the byte at which they end.
struct Values<'s> {
    source: &'s Source<'s>,
    ends: Vec<(usize, NodeId)>,
    /// For each node the collection around it and the step from there; by number of the node.
    parents: HashMap<NodeId, (NodeId, Step)>,
}

impl<'s> Values<'s> {
    fn of(source: &'s Source<'s>) -> Self {
        let mut parents = HashMap::new();
        let mut ends = Vec::new();
        let outline = &source.outline;
        let mut add = |id: NodeId, around: Option<(NodeId, Step)>| {
            let node = outline.node(id);
            if matches!(node.content, Content::Scalar { .. } | Content::Alias(_)) {
                ends.push((node.range.end, id));
            }
            parents.extend(around.map(|around| (id, around)));
        };
        for root in outline.documents() {
            add(*root, None);
        }
        for (id, node) in outline.nodes() {
            match &node.content {
                Content::List { items, .. } => {
                    for (at, item) in items.iter().enumerate() {
                        add(*item, Some((id, Step::Index(at))));
                    }
                }
                Content::Mapping { entries, .. } => {
                    for (key, value) in entries {
                        let key = source.key_text(*key).unwrap_or_default();
                        add(*value, Some((id, Step::Key(key.to_owned()))));
                    }
                }
                Content::Scalar { .. } | Content::Alias(_) => {}
            }
        }
        ends.sort_unstable();
        Self {
            source,
            ends,
            parents,
        }
    }

    /// Finds the value that a marker stands behind.
    fn marked(&self, comment: &Comment, part: Part, target: &Target) -> Result<Place, Reason> {
        let start = comment.range.start;
        let line = self.source.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let from = self.ends.partition_point(|(end, _)| *end < line);
        let to = self.ends.partition_point(|(end, _)| *end <= start);
        let places: Vec<Place> = self.ends[from.min(to)..to]
            .iter()
            .filter_map(|(_, id)| self.place_of(*id))
            .collect();
        match places.as_slice() {
            [] => Err(Reason::NothingMarked),
            [place] => Ok(place.clone()),
            places => {
                let mut fitting = places.iter().filter(|place| self.fits(place, part, target));
                match (fitting.next(), fitting.next()) {
                    (Some(place), None) => Ok(place.clone()),
                    _ => Err(Reason::SeveralMarked),
                }
            }
        }
    }

    /// Whether one of several values on a line looks like the marked one.
    fn fits(&self, place: &Place, part: Part, target: &Target) -> bool {
        let key = place
            .path
            .last_key()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let text = self.source.value(place).and_then(Value::as_str);
        match part {
            Part::Image => text
                .and_then(|text| text.parse::<crate::image::Image>().ok())
                .is_some_and(|image| image.name.is_same_as(&target.name)),
            Part::Tag => key.ends_with("tag") || key.ends_with("version"),
            Part::Name => ["name", "repository", "image"]
                .iter()
                .any(|name| key.ends_with(name)),
            Part::Digest => key.ends_with("digest"),
        }
    }

    /// Returns the place of a node; a merged mapping's fields are those of the mapping around it.
    fn place_of(&self, id: NodeId) -> Option<Place> {
        let mut steps = Vec::new();
        let mut at = id;
        while let Some((parent, step)) = self.parents.get(&at) {
            steps.push(step.clone());
            at = *parent;
        }
        steps.reverse();
        while let Some(merge) = steps
            .iter()
            .position(|step| *step == Step::Key("<<".to_owned()))
        {
            steps.remove(merge);
            if matches!(steps.get(merge), Some(Step::Index(_))) {
                steps.remove(merge);
            }
        }
        let document = self.source.roots.iter().position(|root| *root == at)?;
        let path = FieldPath(steps);
        Some(Place { document, path })
    }
}

/// Makes the intent for a marked place, and for the aliases of it that stand under the same key.
fn intents(source: &Source<'_>, place: Place, part: Part, target: &Target) -> Vec<Intent> {
    let wanted = Wanted::latest(target);
    let old = source
        .value(&place)
        .map(super::apply::shown)
        .unwrap_or_default();
    let new = match part {
        Part::Image => wanted.image(&old),
        Part::Tag => wanted.tag_text(&old),
        Part::Name => wanted.name_text(&old),
        Part::Digest => wanted.digest_text(),
    };
    let intent = Intent::new(target, place, new);
    let uses = source
        .scalar(&intent.place)
        .map_or(&[][..], |(node, _)| source.uses(node));
    let is_same_key = |place: &&Place| place.path.last_key() == intent.place.path.last_key();
    let others = uses
        .iter()
        .filter(|place| **place != intent.place)
        .filter(is_same_key);
    let implied: Vec<Intent> = others.map(|place| intent.implied(place.clone())).collect();
    [vec![intent], implied].concat()
}
