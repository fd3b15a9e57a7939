//! What a Sync builds with beside its files: the values of its variables and the keys that decrypt.
//!
//! Read once a reconcile, through the account of the Sync: what the account may not read, nobody can make a Sync show.

use std::collections::{BTreeMap, BTreeSet};

use flux_core::substitute::{Kind, Variables};
use flux_crds::sync::{Substitute, VariableSource, VariableSourceKind};
use flux_crds::{Reason, Sync};
use flux_engine::cluster::Cluster;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, ResourceExt as _};

use super::halt::Halt;
use crate::references::{Reference, Version};
use crate::report::chain;

/// The inputs of one build.
#[derive(Default)]
pub(crate) struct Inputs {
    /// The variables, if the spec asks for substitution.
    pub(crate) variables: Option<Variables>,
    /// Which states of the ConfigMaps and Secrets these are.
    pub(crate) versions: BTreeMap<Reference, Version>,
}

impl Inputs {
    /// Returns one number for all inputs: equal numbers, equal build of equal files.
    pub(crate) fn print(&self) -> u64 {
        self.variables.as_ref().map_or(0, Variables::print)
    }

    /// Returns what must not be repeated in any text.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let variables = self.variables.iter().flat_map(Variables::secrets);
        variables.map(str::to_owned).collect()
    }
}

/// Returns the ConfigMaps and Secrets that a Sync refers to.
pub(crate) fn references(sync: &Sync) -> BTreeSet<Reference> {
    let from = sync.spec.substitute.iter().flat_map(|spec| &spec.from);
    from.map(|source| Reference {
        kind: source.kind,
        name: source.name.clone(),
    })
    .collect()
}

/// Reads the inputs of a Sync.
pub(crate) async fn read(sync: &Sync, cluster: &Cluster) -> Result<Inputs, Halt> {
    let mut reader = Reader {
        namespace: sync.metadata.namespace.as_deref().unwrap_or_default(),
        cluster,
        versions: BTreeMap::new(),
    };
    let variables = match &sync.spec.substitute {
        Some(spec) => Some(reader.variables(spec).await?),
        None => None,
    };
    Ok(Inputs {
        variables,
        versions: reader.versions,
    })
}

struct Reader<'a> {
    namespace: &'a str,
    cluster: &'a Cluster,
    versions: BTreeMap<Reference, Version>,
}

impl Reader<'_> {
    async fn variables(&mut self, spec: &Substitute) -> Result<Variables, Halt> {
        let mut variables = Variables::new(spec.strict.unwrap_or(true));
        for source in &spec.from {
            let kind = match source.kind {
                VariableSourceKind::ConfigMap => Kind::Open,
                VariableSourceKind::Secret => Kind::Secret,
            };
            let data = self.data(source).await?;
            let text = |(name, value): (&String, &Vec<u8>)| {
                Some((name.clone(), String::from_utf8(value.clone()).ok()?))
            };
            let texts: Vec<(String, String)> = data.iter().filter_map(text).collect();
            let pairs = texts
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()));
            variables.set_all(pairs, kind);
        }
        for (name, value) in &spec.vars {
            variables.set(name, value, Kind::Open).map_err(|error| {
                Halt::stalled(
                    Reason::InvalidSpec,
                    format!("spec.substitute.vars: {error}"),
                )
            })?;
        }
        Ok(variables)
    }

    /// Returns the keys of a ConfigMap or Secret; none if it may be missing and is.
    async fn data(&mut self, source: &VariableSource) -> Result<Data, Halt> {
        let reference = Reference {
            kind: source.kind,
            name: source.name.clone(),
        };
        let read = match source.kind {
            VariableSourceKind::ConfigMap => self.config_map(&source.name).await,
            VariableSourceKind::Secret => self.secret(&source.name).await,
        };
        let read = read.map_err(|error| self.refused(&reference, &error))?;
        let (version, data) = read.map_or((None, None), |(version, data)| (version, Some(data)));
        self.versions.insert(reference.clone(), version);
        match data {
            Some(data) => Ok(data),
            None if source.optional.unwrap_or(false) => Ok(Data::new()),
            None => Err(self.missing(&reference)),
        }
    }

    async fn config_map(&self, name: &str) -> Result<Option<(Version, Data)>, kube::Error> {
        let api: Api<ConfigMap> = Api::namespaced(self.cluster.client().clone(), self.namespace);
        Ok(api.get_opt(name).await?.map(|map| {
            let version = map.resource_version();
            let data = map.data.unwrap_or_default();
            let data = data
                .into_iter()
                .map(|(key, value)| (key, value.into_bytes()));
            (version, data.collect())
        }))
    }

    async fn secret(&self, name: &str) -> Result<Option<(Version, Data)>, kube::Error> {
        let api: Api<Secret> = Api::namespaced(self.cluster.client().clone(), self.namespace);
        Ok(api.get_opt(name).await?.map(|secret| {
            let version = secret.resource_version();
            let data = secret.data.unwrap_or_default();
            let data = data.into_iter().map(|(key, value)| (key, value.0));
            (version, data.collect())
        }))
    }

    fn missing(&self, Reference { kind, name }: &Reference) -> Halt {
        let reason = match kind {
            VariableSourceKind::ConfigMap => Reason::ConfigMapNotFound,
            VariableSourceKind::Secret => Reason::SecretNotFound,
        };
        let namespace = self.namespace;
        Halt::transient(
            reason,
            format!("{kind:?} {namespace}/{name} does not exist"),
        )
    }

    fn refused(&self, Reference { kind, name }: &Reference, error: &kube::Error) -> Halt {
        let namespace = self.namespace;
        let message = format!(
            "failed to read {kind:?} {namespace}/{name}: {}",
            chain(error)
        );
        match error {
            kube::Error::Api(status) if status.code == 403 => {
                Halt::failed(Reason::AccessDenied, message)
            }
            _ => Halt::transient(Reason::ClusterUnreachable, message),
        }
    }
}

/// The keys of a ConfigMap or Secret.
type Data = BTreeMap<String, Vec<u8>>;
