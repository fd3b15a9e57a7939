//! Reads what a Sync builds with beside its files, through whatever rights the client has.

use std::collections::{BTreeMap, BTreeSet};

use flux_core::inputs::Inputs;
use flux_core::kubeconfig;
use flux_core::sops::{KeyError, Keyring};
use flux_core::substitute::{self, Kind, Variables};
use flux_crds::SyncSpec;
use flux_crds::sync::{Decryption, DecryptionProvider, KubeConfig, Substitute, VariableSourceKind};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, Client, ResourceExt as _};

/// Why the inputs of a Sync cannot be read. No message holds a value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A ConfigMap or Secret does not exist.
    #[error("{} does not exist", reference.of(namespace))]
    Missing {
        /// What is missing.
        reference: Reference,
        /// Where.
        namespace: String,
    },
    /// A ConfigMap or Secret could not be read.
    #[error("failed to read {}", reference.of(namespace))]
    Read {
        /// What was to be read.
        reference: Reference,
        /// Where.
        namespace: String,
        /// Why.
        #[source]
        source: kube::Error,
    },
    /// The Secret does not hold keys.
    #[error("{reference} of spec.decryption")]
    Keys {
        /// The Secret.
        reference: Reference,
        /// What is wrong with it.
        #[source]
        source: KeyError,
    },
    /// The Secret does not hold a kubeconfig that may be used.
    #[error("{reference} of spec.kubeConfig")]
    KubeConfig {
        /// The Secret.
        reference: Reference,
        /// What is wrong with it.
        #[source]
        source: kubeconfig::Error,
    },
    /// A name in the spec can be no variable.
    #[error("spec.substitute.vars")]
    Variable(#[from] substitute::Error),
}

/// A ConfigMap or Secret of a Sync's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// What it is.
    pub kind: VariableSourceKind,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, name } = self;
        write!(f, "{kind:?} {name}")
    }
}

impl Reference {
    fn of(&self, namespace: &str) -> String {
        let Self { kind, name } = self;
        format!("{kind:?} {namespace}/{name}")
    }
}

/// Which state of an object it is; `None` when it does not exist.
pub type Version = Option<String>;

/// Returns the ConfigMaps and Secrets that a Sync builds with, and the Secret that names its cluster.
pub fn references(spec: &SyncSpec) -> BTreeSet<Reference> {
    let from = spec.substitute.iter().flat_map(|spec| &spec.from);
    let from = from.map(|source| Reference {
        kind: source.kind,
        name: source.name.clone(),
    });
    from.chain(spec.decryption.iter().map(keys))
        .chain(spec.kube_config.iter().map(kubeconfig_secret))
        .collect()
}

fn kubeconfig_secret(spec: &KubeConfig) -> Reference {
    Reference {
        kind: VariableSourceKind::Secret,
        name: spec.secret_ref.name.clone(),
    }
}

fn keys(decryption: &Decryption) -> Reference {
    Reference {
        kind: VariableSourceKind::Secret,
        name: decryption.secret_ref.name.clone(),
    }
}

/// Reads the inputs of a Sync of a namespace, each object once, and tells which states of them these are.
pub async fn read(
    client: &Client,
    namespace: &str,
    spec: &SyncSpec,
) -> Result<(Inputs, BTreeMap<Reference, Version>), Error> {
    let mut reader = Reader {
        client,
        namespace,
        versions: BTreeMap::new(),
    };
    let variables = match &spec.substitute {
        Some(spec) => Some(reader.variables(spec).await?),
        None => None,
    };
    let keyring = match &spec.decryption {
        Some(spec) => Some(reader.keyring(spec).await?),
        None => None,
    };
    Ok((Inputs::new(variables, keyring), reader.versions))
}

/// Reads the kubeconfig of a Sync of a namespace, and tells which state of its Secret it is from.
pub async fn read_kubeconfig(
    client: &Client,
    namespace: &str,
    spec: &KubeConfig,
) -> Result<(kubeconfig::KubeConfig, (Reference, Version)), Error> {
    let mut reader = Reader {
        client,
        namespace,
        versions: BTreeMap::new(),
    };
    let reference = kubeconfig_secret(spec);
    let Some(data) = reader.data(&reference).await? else {
        return Err(reader.missing(reference));
    };
    let version = reader.versions.remove(&reference).flatten();
    match kubeconfig::KubeConfig::from_secret(&data, spec.secret_ref.key.as_deref()) {
        Ok(config) => Ok((config, (reference, version))),
        Err(source) => Err(Error::KubeConfig { reference, source }),
    }
}

/// The keys of a ConfigMap or Secret.
type Data = BTreeMap<String, Vec<u8>>;

struct Reader<'a> {
    client: &'a Client,
    namespace: &'a str,
    versions: BTreeMap<Reference, Version>,
}

impl Reader<'_> {
    async fn variables(&mut self, spec: &Substitute) -> Result<Variables, Error> {
        let mut variables = Variables::new(spec.strict.unwrap_or(true));
        for source in &spec.from {
            let kind = match source.kind {
                VariableSourceKind::ConfigMap => Kind::Open,
                VariableSourceKind::Secret => Kind::Secret,
            };
            let reference = Reference {
                kind: source.kind,
                name: source.name.clone(),
            };
            let data = match self.data(&reference).await? {
                Some(data) => data,
                None if source.optional.unwrap_or(false) => continue,
                None => return Err(self.missing(reference)),
            };
            let texts = data.iter().filter_map(|(name, value)| {
                Some((name.as_str(), std::str::from_utf8(value).ok()?))
            });
            variables.set_all(texts, kind);
        }
        for (name, value) in &spec.vars {
            variables.set(name, value, Kind::Open)?;
        }
        Ok(variables)
    }

    async fn keyring(&mut self, spec: &Decryption) -> Result<Keyring, Error> {
        let DecryptionProvider::Sops = spec.provider;
        let reference = keys(spec);
        match self.data(&reference).await? {
            Some(data) => {
                Keyring::from_secret(&data).map_err(|source| Error::Keys { reference, source })
            }
            None => Err(self.missing(reference)),
        }
    }

    /// Returns what a ConfigMap or Secret holds, if there is one.
    async fn data(&mut self, reference: &Reference) -> Result<Option<Data>, Error> {
        let read = match reference.kind {
            VariableSourceKind::ConfigMap => self.config_map(&reference.name).await,
            VariableSourceKind::Secret => self.secret(&reference.name).await,
        };
        let read = read.map_err(|source| Error::Read {
            reference: reference.clone(),
            namespace: self.namespace.to_owned(),
            source,
        })?;
        let (version, data) = read.map_or((None, None), |(version, data)| (version, Some(data)));
        self.versions.insert(reference.clone(), version);
        Ok(data)
    }

    async fn config_map(&self, name: &str) -> Result<Option<(Version, Data)>, kube::Error> {
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), self.namespace);
        Ok(api.get_opt(name).await?.map(|map| {
            let version = map.resource_version();
            let data = map.data.unwrap_or_default().into_iter();
            let data = data.map(|(key, value)| (key, value.into_bytes()));
            (version, data.collect())
        }))
    }

    async fn secret(&self, name: &str) -> Result<Option<(Version, Data)>, kube::Error> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), self.namespace);
        Ok(api.get_opt(name).await?.map(|secret| {
            let version = secret.resource_version();
            let data = secret.data.unwrap_or_default().into_iter();
            let data = data.map(|(key, value)| (key, value.0));
            (version, data.collect())
        }))
    }

    fn missing(&self, reference: Reference) -> Error {
        Error::Missing {
            reference,
            namespace: self.namespace.to_owned(),
        }
    }
}
