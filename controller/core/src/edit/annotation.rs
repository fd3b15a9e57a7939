//! Places that Flux v1's annotations name: workloads that are `automated`, with filters for tags.
//!
//! | annotation | says |
//! |---|---|
//! | `fluxcd.io/automated: "true"` | take part |
//! | `fluxcd.io/locked: "true"`, with `locked_user` and `locked_msg` | stay as it is |
//! | `fluxcd.io/ignore: "true"` | not ours |
//! | `fluxcd.io/tag.<container>`, `filter.fluxcd.io/<container>` | which of the policy's tags: `glob:`, `semver:`, `regexp:` |
//! | `repository.`, `registry.`, `tag.fluxcd.io/<alias>` | where in `spec.values` of a Helm release the parts of an image are |
//!
//! `flux.weave.works/` is the older name of `fluxcd.io/`.

use std::borrow::Cow;
use std::cmp::Ordering;

use flux_crds::image_policy::UpdateStrategy;
use serde_json::Value;

use super::apply::{Intent, line_of, shown};
use super::container::{Container, Fields, Written, containers};
use super::path::{FieldPath, Step};
use super::render::Wanted;
use super::source::{Object, Place, Source};
use super::{Found, Reason, Skip, Target};
use crate::choose::{self, Created, Rules};

/// The prefixes of all keys, the one in use first.
const PREFIXES: [&str; 2] = ["fluxcd.io/", "flux.weave.works/"];

/// Finds the images of automated workloads.
pub(super) fn find(source: &Source<'_>, targets: &[&Target], found: &mut Found) {
    let targets: Vec<&Target> = targets
        .iter()
        .copied()
        .filter(|target| target.strategy == UpdateStrategy::Annotations)
        .collect();
    if targets.is_empty() {
        return;
    }
    for object in source.objects() {
        let annotations = Annotations(&object.value["metadata"]["annotations"]);
        if annotations.is("automated") && !annotations.is("ignore") {
            Automated {
                source,
                object: &object,
                annotations,
            }
            .find(&targets, found);
        }
    }
}

/// The annotations of an object.
#[derive(Clone, Copy)]
struct Annotations<'o>(&'o Value);

impl<'o> Annotations<'o> {
    fn get(self, key: &str) -> Option<Cow<'o, str>> {
        match self.0.get(key)? {
            Value::String(text) => Some(text.into()),
            // People forget to quote them.
            other => Some(shown(other).into()),
        }
    }

    /// Returns one of Flux's own, with its key.
    fn policy(self, name: &str) -> Option<(String, Cow<'o, str>)> {
        let keys = PREFIXES.iter().map(|prefix| format!("{prefix}{name}"));
        keys.into_iter()
            .find_map(|key| self.get(&key).map(|value| (key, value)))
    }

    fn is(self, name: &str) -> bool {
        self.policy(name).is_some_and(|(_, value)| value == "true")
    }

    /// Returns the pattern for the tags of a container, with its key.
    fn pattern(self, container: &str) -> Option<(String, Cow<'o, str>)> {
        let filter = format!("filter.fluxcd.io/{container}");
        self.policy(&format!("tag.{container}"))
            .or_else(|| self.get(&filter).map(|value| (filter, value)))
    }

    /// Says who locked the object and why: ` by ada: loses orders`.
    fn lock(self) -> Option<String> {
        if !self.is("locked") {
            return None;
        }
        let said = |name: &str| {
            self.policy(name)
                .map(|(_, value)| value)
                .filter(|v| !v.is_empty())
        };
        let by = said("locked_user")
            .map(|user| format!(" by {user}"))
            .unwrap_or_default();
        let why = said("locked_msg")
            .map(|why| format!(": {why}"))
            .unwrap_or_default();
        Some(format!("{by}{why}"))
    }

    /// Returns the parts of a Helm release that have a name of their own.
    fn aliases(self) -> Vec<&'o str> {
        let keys = self
            .0
            .as_object()
            .into_iter()
            .flat_map(|fields| fields.keys());
        keys.filter_map(|key| key.strip_prefix("repository.fluxcd.io/"))
            .collect()
    }
}

/// An object that takes part.
struct Automated<'s> {
    source: &'s Source<'s>,
    object: &'s Object<'s>,
    annotations: Annotations<'s>,
}

impl Automated<'_> {
    fn find(&self, targets: &[&Target], found: &mut Found) {
        let (containers, mut wrong) = self.containers();
        for target in targets {
            let is_meant = |container: &&Container| container.image.is_same_as(&target.name);
            for container in containers.iter().filter(is_meant) {
                found.intents.extend(self.intents(container, target));
            }
        }
        if let [target, ..] = targets {
            for skip in &mut wrong {
                skip.policy = Some(target.policy.clone());
            }
        }
        found.skipped.append(&mut wrong);
    }

    /// Returns the containers, those of a Helm release also by annotation, and the annotations that are wrong.
    fn containers(&self) -> (Vec<Container>, Vec<Skip>) {
        let mut all = containers(self.object.value);
        let mut wrong = Vec::new();
        if self.object.value["kind"] == "HelmRelease" {
            for alias in self.annotations.aliases() {
                match self.alias(alias) {
                    Ok(container) => {
                        all.retain(|other| other.name != alias);
                        all.extend(container);
                    }
                    Err(reason) => wrong.push(self.skip(reason)),
                }
            }
        }
        (all, wrong)
    }

    /// Reads the values that annotations name; `None` if they make no image.
    fn alias(&self, alias: &str) -> Result<Option<Container>, Reason> {
        let field = |part: &str| -> Result<Option<FieldPath>, Reason> {
            let key = format!("{part}.fluxcd.io/{alias}");
            let Some(text) = self.annotations.get(&key) else {
                return Ok(None);
            };
            let path = values_path(&text, self.object.value);
            if path.get(self.object.value).is_some() {
                return Ok(Some(path));
            }
            let field = text.into_owned();
            Err(Reason::NoField { key, field })
        };
        let (registry, tag) = (field("registry")?, field("tag")?);
        let fields = field("repository")?.map(|repository| Fields {
            repository,
            registry,
            tag,
            digest: None,
        });
        Ok(fields.and_then(|fields| fields.container(alias, self.object.value)))
    }

    fn skip(&self, reason: Reason) -> Skip {
        let place = self
            .object
            .place(&FieldPath::default().key("metadata").key("annotations"));
        Skip {
            policy: None,
            path: self.source.path.to_owned(),
            line: line_of(self.source, &place),
            object: self.source.object_name(&place),
            reason,
        }
    }

    fn intents(&self, container: &Container, target: &Target) -> Vec<Intent> {
        let tag = self.tag(container, target);
        let wanted = match &tag {
            Ok(tag) => Wanted::tag(target, tag),
            Err(_) => Wanted::latest(target),
        };
        let mut written = self.written(container, &wanted);
        let is_changed = |(place, new): &(Place, Result<String, Reason>)| {
            new.as_ref().ok() != self.source.value(place).map(shown).as_ref()
        };
        if let Err(reason) = &tag {
            fail(&mut written, reason);
        } else if let Some(lock) = self.annotations.lock()
            && written.iter().any(is_changed)
        {
            fail(&mut written, &Reason::Locked(lock));
        }
        let with = written.first().map(|(place, _)| place.clone());
        let intent = |(place, new)| Intent {
            with: with.clone(),
            container: Some(container.name.clone()),
            tag: tag.as_ref().ok().map(|tag| tag.clone().into_owned()),
            ..Intent::new(target, place, new)
        };
        written.into_iter().map(intent).collect()
    }

    /// Returns the tag for a container: the policy's, or the best one of its tags that the annotation lets through.
    fn tag<'t>(&self, container: &Container, target: &'t Target) -> Result<Cow<'t, str>, Reason> {
        let Some((key, pattern)) = self.annotations.pattern(&container.name) else {
            return Ok(target.tag.as_str().into());
        };
        let rules = Rules::from_flux_v1(&pattern).map_err(|error| Reason::Pattern {
            key,
            message: match error {
                choose::Error::Range(error) => error.to_string(),
                other => other.to_string(),
            },
        })?;
        let pattern = pattern.into_owned();
        let best = best(&rules, target).ok_or(Reason::NoTag { pattern })?;
        // A tag that was withdrawn is no reason to go back: lists of tags lie.
        if let Some(current) = &container.tag
            && !target.tags.contains(current)
            && rules.rank(current, &best, &Created::new()) == Some(Ordering::Greater)
        {
            let (current, best) = (current.clone(), best.into_owned());
            return Err(Reason::Downgrade { current, best });
        }
        Ok(best)
    }

    fn written(
        &self,
        container: &Container,
        wanted: &Wanted<'_>,
    ) -> Vec<(Place, Result<String, Reason>)> {
        let old = |place: &Place| self.source.value(place).map(shown).unwrap_or_default();
        match &container.written {
            Written::Whole { path, .. } => {
                let place = self.object.place(path);
                let new = wanted.retag(&old(&place));
                vec![(place, new)]
            }
            Written::Parts { tag, digest: None } => {
                let place = self.object.place(tag);
                let new = wanted.pinned_tag_text(&old(&place));
                vec![(place, new)]
            }
            Written::Parts {
                tag,
                digest: Some(digest),
            } => {
                let (tag, digest) = (self.object.place(tag), self.object.place(digest));
                wanted.tag_and_digest(tag, digest)
            }
        }
    }
}

/// Gives all places of a container the same reason to stay as they are.
fn fail(written: &mut Vec<(Place, Result<String, Reason>)>, reason: &Reason) {
    written.truncate(1);
    for (_, new) in written {
        *new = Err(reason.clone());
    }
}

/// Returns the best of the policy's tags that a pattern lets through: versions by version, others as the policy orders them.
fn best<'t>(rules: &Rules, target: &'t Target) -> Option<Cow<'t, str>> {
    let own = [target.tag.clone()];
    let tags: &[String] = if target.tags.is_empty() {
        &own
    } else {
        &target.tags
    };
    let matching = rules.matching(tags);
    if !rules.needs_created() {
        return rules.choose(&matching, &Created::new()).map(Cow::Owned);
    }
    let first = tags.iter().find(|tag| {
        matching
            .candidates
            .iter()
            .any(|candidate| candidate.tag == **tag)
    })?;
    Some(Cow::Owned(first.clone()))
}

/// Reads a path below `spec.values`: `sidecar.image` or `list.0.image`.
fn values_path(text: &str, object: &Value) -> FieldPath {
    let values = FieldPath::default().key("spec").key("values");
    text.split('.').fold(values, |path, part| {
        match (path.get(object), part.parse::<usize>()) {
            (Some(Value::Array(_)), Ok(index)) => {
                FieldPath([path.0, vec![Step::Index(index)]].concat())
            }
            _ => path.key(part),
        }
    })
}
