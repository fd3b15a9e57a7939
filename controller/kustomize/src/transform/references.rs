//! Names of other objects follow them when they are renamed.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::config::NameReference;
use crate::fieldspec::{self, FieldSpec};
use crate::gvk::{Gvk, IdRef, NO_NAMESPACE};
use crate::resource::{Resource, Resources};
use crate::schema::ClusterKinds;

/// Corrects the names of renamed objects in all objects that name them.
///
/// # Errors
/// A name that could mean several objects.
pub(crate) fn apply(resources: &mut Resources, references: &[NameReference]) -> Vec<String> {
    let all = Candidates::of(resources);
    let mut errors = Vec::new();
    let budget = resources.budget.clone();
    for (at, resource) in resources.iter_mut().enumerate() {
        if let Err(error) = budget.spend(1) {
            return vec![error];
        }
        let original = resource.original_id().gvk;
        let todo: Vec<(&Gvk, &FieldSpec)> = references
            .iter()
            .flat_map(|reference| {
                let fits = |spec: &&FieldSpec| original.is_selected(&spec.gvk);
                let specs = reference.referrers.iter().filter(fits);
                specs.map(|spec| (&reference.gvk, spec))
            })
            .collect();
        if has_blank_namespace(resource) {
            errors.push(format!(
                "{} of {}: a subject is a service account with an empty namespace",
                resource.id(),
                resource.origin
            ));
            continue;
        }
        if todo.is_empty() {
            continue;
        }
        let mut referrer = Referrer::new(at, resource, &all);
        for (target, spec) in todo {
            referrer.target(target, spec, resource);
            let walked = fieldspec::walk(
                &mut resource.value,
                &spec.path,
                fieldspec::Create::Never,
                &mut |field| referrer.set(field),
            );
            if let Err(error) = walked {
                errors.push(format!(
                    "{} of {}: {}: {error}",
                    resource.id(),
                    resource.origin,
                    spec.path
                ));
            }
        }
    }
    errors
}

/// An object that may be named by others.
struct Candidate {
    name: String,
    namespace: String,
    /// The namespaces, where none is `default`.
    original_namespace: String,
    current_namespace: String,
    is_service_account: bool,
    was: Vec<Was>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    text: String,
}

struct Was {
    name: String,
    gvk: Gvk,
}

struct Candidates {
    list: Vec<Candidate>,
    /// Names that objects had → those objects.
    by_previous_name: HashMap<String, Vec<usize>>,
    original_namespaces: HashMap<String, Vec<usize>>,
}

impl Candidates {
    fn of(resources: &Resources) -> Self {
        let mut candidates = Self {
            list: Vec::with_capacity(resources.len()),
            by_previous_name: HashMap::new(),
            original_namespaces: HashMap::new(),
        };
        let outside = ClusterKinds::of(resources);
        for (at, resource) in resources.iter().enumerate() {
            let mut candidate = Candidate::of(resource);
            if outside.defines(resource.gvk()) {
                NO_NAMESPACE.clone_into(&mut candidate.current_namespace);
            }
            for was in &candidate.was {
                let named = candidates
                    .by_previous_name
                    .entry(was.name.clone())
                    .or_default();
                if named.last() != Some(&at) {
                    named.push(at);
                }
            }
            let namespace = candidate.original_namespace.clone();
            candidates
                .original_namespaces
                .entry(namespace)
                .or_default()
                .push(at);
            candidates.list.push(candidate);
        }
        candidates
    }
}

impl Candidate {
    fn of(resource: &Resource) -> Self {
        let id = resource.id();
        Self {
            name: id.name.to_owned(),
            namespace: id.namespace.to_owned(),
            original_namespace: resource.original_id().effective_namespace().to_owned(),
            current_namespace: id.effective_namespace().to_owned(),
            is_service_account: id.gvk.kind == "ServiceAccount",
            was: resource.previous_ids().map(Was::of).collect(),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
            text: format!("{id} of {}", resource.origin),
        }
    }

    fn is_cluster_scoped(&self) -> bool {
        self.current_namespace == NO_NAMESPACE
    }

    fn was_selected(&self, selector: &Gvk) -> bool {
        self.was
            .iter()
            .any(|was| was.gvk.as_ref().is_selected(selector))
    }

    /// Whether both were renamed in the same layers; `lenient`: as far as both were at all.
    fn same_affixes(&self, other: &Self, lenient: bool) -> bool {
        let same = |a: &[String], b: &[String]| {
            (lenient && (a.is_empty() || b.is_empty())) || same_ending(a, b)
        };
        same(&self.prefixes, &other.prefixes) && same(&self.suffixes, &other.suffixes)
    }
}

impl Was {
    fn of(id: IdRef<'_>) -> Self {
        Self {
            name: id.name.to_owned(),
            gvk: Gvk::new(
                id.gvk.group.to_owned(),
                id.gvk.version.to_owned(),
                id.gvk.kind.to_owned(),
            ),
        }
    }
}

fn same_ending(a: &[String], b: &[String]) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    if short.is_empty() {
        return long.is_empty();
    }
    long.ends_with(short)
}

/// An object whose names of others are being corrected.
struct Referrer<'r> {
    all: &'r Candidates,
    this: &'r Candidate,
    /// Namespaces of the service accounts that a role binding names.
    bound: HashSet<String>,
    target: Gvk,
    role: Option<Gvk>,
}

impl<'r> Referrer<'r> {
    fn new(at: usize, resource: &Resource, all: &'r Candidates) -> Self {
        Self {
            all,
            this: &all.list[at],
            bound: bound_namespaces(resource),
            target: Gvk::default(),
            role: None,
        }
    }

    /// Says which field is looked at, and what it names.
    fn target(&mut self, target: &Gvk, spec: &FieldSpec, resource: &Resource) {
        self.target.clone_from(target);
        let is_role = spec.path.ends_with("roleRef/name");
        self.role = is_role.then(|| role_of(&resource.value)).flatten();
    }

    fn set(&self, field: &mut Value) -> Result<(), String> {
        match field {
            Value::String(name) => self.set_text(name),
            Value::Object(_) => self.set_mapping(field),
            Value::Array(items) => items.iter_mut().try_for_each(|item| match item {
                Value::String(name) => self.set_text(name),
                Value::Object(_) => self.set_mapping(item),
                Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
                Value::Array(_) => Err("must be text or a mapping, not a list".to_owned()),
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    fn set_text(&self, name: &mut String) -> Result<(), String> {
        let same = |a: &Candidate, b: &Candidate| a.name == b.name;
        if let Some(found) = self.select(name, |_| true, same)? {
            name.clone_from(&found.name);
        }
        Ok(())
    }

    fn set_mapping(&self, mapping: &mut Value) -> Result<(), String> {
        let Some(name) = mapping.get("name") else {
            return Err("there is no name in it".to_owned());
        };
        let Some(name) = name.as_str() else {
            return Ok(());
        };
        let namespace = mapping.get("namespace").and_then(Value::as_str);
        let same = |a: &Candidate, b: &Candidate| a.name == b.name && a.namespace == b.namespace;
        let found = match namespace {
            None => self.select(name, |_| true, same)?,
            Some(namespace) if self.is_original_namespace(namespace) => {
                self.select(name, |other| other.original_namespace == namespace, same)?
            }
            Some(namespace) => {
                self.select(name, |other| other.current_namespace == namespace, same)?
            }
        };
        if let (Some(found), Some(fields)) = (found, mapping.as_object_mut()) {
            fields.insert("name".to_owned(), found.name.clone().into());
            if !found.namespace.is_empty() {
                fields.insert("namespace".to_owned(), found.namespace.clone().into());
            }
        }
        Ok(())
    }

    fn is_original_namespace(&self, namespace: &str) -> bool {
        let there = self.all.original_namespaces.get(namespace);
        there.is_some_and(|there| {
            there
                .iter()
                .any(|at| self.may_refer_to(&self.all.list[*at]))
        })
    }

    /// Whether Kubernetes lets the referrer name an object at all.
    fn may_refer_to(&self, other: &Candidate) -> bool {
        self.this.is_cluster_scoped()
            || other.is_cluster_scoped()
            || other.current_namespace == self.this.current_namespace
            || self.bound.contains(&other.namespace)
    }

    /// Finds the one object that is meant by a name that it once had.
    fn select(
        &self,
        name: &str,
        fits: impl Fn(&Candidate) -> bool,
        same: impl Fn(&Candidate, &Candidate) -> bool,
    ) -> Result<Option<&'r Candidate>, String> {
        let Some(named) = self.all.by_previous_name.get(name) else {
            return Ok(None);
        };
        let mut found: Vec<&Candidate> = named
            .iter()
            .map(|at| &self.all.list[*at])
            .filter(|other| self.may_refer_to(other) && fits(other))
            .filter(|other| other.was_selected(&self.target))
            .filter(|other| {
                self.role
                    .as_ref()
                    .is_none_or(|role| other.was_selected(role))
            })
            .filter(|other| {
                self.this.is_cluster_scoped()
                    || other.is_cluster_scoped()
                    || other.is_service_account
                    || other.current_namespace == self.this.current_namespace
            })
            .collect();
        if found.len() > 1 {
            found.retain(|other| self.this.same_affixes(other, true));
        }
        if found.len() > 1 {
            found.retain(|other| self.this.same_affixes(other, false));
        }
        match found.split_first() {
            None => Ok(None),
            Some((first, rest)) if rest.iter().all(|other| same(first, other)) => Ok(Some(first)),
            Some(_) => {
                let texts: Vec<&str> = found.iter().map(|other| other.text.as_str()).collect();
                Err(format!("{name} could mean {}", texts.join(" or ")))
            }
        }
    }
}

fn role_of(binding: &Value) -> Option<Gvk> {
    let role = binding.get("roleRef")?;
    let text = |field| role.get(field).and_then(Value::as_str).map(str::to_owned);
    Some(Gvk::new(text("apiGroup")?, String::new(), text("kind")?))
}

fn has_blank_namespace(resource: &Resource) -> bool {
    let subjects = resource.value.get("subjects").and_then(Value::as_array);
    resource.gvk().kind == "RoleBinding"
        && subjects.into_iter().flatten().any(|subject| {
            subject.get("kind").and_then(Value::as_str) == Some("ServiceAccount")
                && subject
                    .get("namespace")
                    .is_some_and(|namespace| !namespace.is_string())
        })
}

fn bound_namespaces(resource: &Resource) -> HashSet<String> {
    if resource.gvk().kind != "RoleBinding" {
        return HashSet::new();
    }
    let subjects = resource.value.get("subjects").and_then(Value::as_array);
    subjects
        .into_iter()
        .flatten()
        .filter(|subject| subject.get("kind").and_then(Value::as_str) == Some("ServiceAccount"))
        .filter_map(|subject| Some(subject.get("namespace")?.as_str()?.to_owned()))
        .collect()
}
