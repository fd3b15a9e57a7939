//! From the objects of a build to the objects as they shall be: scoped, normalised, labelled, each identity once.

use std::collections::{HashMap, HashSet};
use std::fmt;

use flux_kustomize::Object;
use serde_json::Value;

use crate::normalize::normalize;
use crate::object::{Desired, Error, Origin, api_version};
use crate::owner::Owner;

#[cfg(test)]
mod tests;

/// Whether objects of a kind live in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// They do.
    Namespaced,
    /// They do not.
    Cluster,
}

/// What is known about the scopes of kinds, by `apiVersion` and `kind`.
pub type Scopes = HashMap<(String, String), Scope>;

/// An object that cannot be applied as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it comes from.
    pub origin: Origin,
    /// The object, as far as it has a name.
    pub object: Option<String>,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if let Some(object) = &self.object {
            write!(f, "{object}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Returns the kinds of a build, each once.
pub fn kinds(objects: &[Object]) -> HashSet<(String, String)> {
    objects
        .iter()
        .filter_map(|object| kind_of(&object.value))
        .collect()
}

fn kind_of(value: &Value) -> Option<(String, String)> {
    Some((
        value["apiVersion"].as_str()?.to_owned(),
        value["kind"].as_str()?.to_owned(),
    ))
}

/// Returns the scopes of the kinds that the definitions among `objects` bring: they count before the cluster knows them.
pub fn brought_scopes(objects: &[Object]) -> Scopes {
    let definitions = objects.iter().filter(|object| {
        kind_of(&object.value).is_some_and(|(api_version, kind)| {
            kind == "CustomResourceDefinition" && api_version.starts_with("apiextensions.k8s.io/")
        })
    });
    definitions
        .flat_map(|object| scopes_of(&object.value["spec"]))
        .collect()
}

fn scopes_of(spec: &Value) -> Vec<((String, String), Scope)> {
    let (Some(group), Some(kind)) = (spec["group"].as_str(), spec["names"]["kind"].as_str()) else {
        return Vec::new();
    };
    let scope = if spec["scope"] == "Cluster" {
        Scope::Cluster
    } else {
        Scope::Namespaced
    };
    let versions = spec["versions"].as_array().map_or(&[][..], Vec::as_slice);
    let names = versions
        .iter()
        .filter_map(|version| version["name"].as_str());
    names
        .map(|version| ((format!("{group}/{version}"), kind.to_owned()), scope))
        .collect()
}

/// Returns the objects as they shall be, in the order of the build, or everything that is wrong with them.
///
/// A namespace on a cluster-scoped object is dropped: kustomize writes it wherever it does not know the kind. A namespaced
/// object without one is refused: there is no default that could be meant by everyone.
pub fn desire(
    objects: Vec<Object>,
    owner: &Owner,
    scopes: &Scopes,
) -> Result<Vec<Desired>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut desired = Vec::with_capacity(objects.len());
    let mut seen: HashMap<_, Origin> = HashMap::with_capacity(objects.len());
    for Object { value, origin, .. } in objects {
        let origin = Origin {
            path: origin.path,
            line: origin.line,
        };
        match desire_one(value, origin.clone(), owner, scopes) {
            Ok(object) => match seen.insert(object.id.clone(), origin) {
                None => desired.push(object),
                Some(first) => problems.push(Problem {
                    message: format!("is defined twice, here and in {first}: remove one of them"),
                    object: Some(object.id.to_string()),
                    origin: object.origin,
                }),
            },
            Err(problem) => problems.push(*problem),
        }
    }
    if problems.is_empty() {
        Ok(desired)
    } else {
        Err(problems)
    }
}

fn desire_one(
    mut value: Value,
    origin: Origin,
    owner: &Owner,
    scopes: &Scopes,
) -> Result<Desired, Box<Problem>> {
    normalize(&mut value);
    owner.stamp(&mut value);
    let scope = match (api_version(&value), value["kind"].as_str()) {
        (Ok(api_version), Some(kind)) => scopes
            .get(&(api_version.to_owned(), kind.to_owned()))
            .copied(),
        _ => None,
    };
    if scope == Some(Scope::Cluster)
        && let Some(metadata) = value["metadata"].as_object_mut()
    {
        metadata.shift_remove("namespace");
    }
    let object = Desired::new(value, origin.clone()).map_err(|error: Error| {
        Box::new(Problem {
            origin: origin.clone(),
            object: None,
            message: error.to_string(),
        })
    })?;
    if scope == Some(Scope::Namespaced) && object.id.namespace.is_empty() {
        let message = "metadata.namespace is missing: set it there, in the kustomization, or as spec.targetNamespace of the Sync";
        let problem = Problem {
            origin,
            object: Some(object.id.to_string()),
            message: message.to_owned(),
        };
        return Err(Box::new(problem));
    }
    Ok(object)
}
