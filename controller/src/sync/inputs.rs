//! What a Sync builds with beside its files: the values of its variables and the keys that decrypt.
//!
//! Read once a reconcile, through the account of the Sync: what the account may not read, nobody can make a Sync show.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use flux_core::sops::Keyring;
use flux_core::substitute::{Kind, Variables};
use flux_crds::sync::{Decryption, DecryptionProvider, Substitute, VariableSourceKind};
use flux_crds::{Reason, Sync};
use flux_engine::cluster::Cluster;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, ResourceExt as _};
use zeroize::Zeroizing;

use super::halt::Halt;
use crate::references::{Reference, Version};
use crate::report::chain;

/// Characters of the shortest decrypted text that is kept out of messages.
const SHORTEST: usize = 4;

/// The inputs of one build.
#[derive(Default)]
pub(crate) struct Inputs {
    /// The variables, if the spec asks for substitution.
    pub(crate) variables: Option<Variables>,
    /// The keys, if the spec asks for decryption.
    pub(crate) keyring: Option<Keyring>,
    /// Which states of the ConfigMaps and Secrets these are.
    pub(crate) versions: BTreeMap<Reference, Version>,
    /// What the build has decrypted.
    decrypted: Mutex<Vec<Zeroizing<String>>>,
}

impl Inputs {
    /// Returns one number for all inputs: equal numbers, equal build of equal files.
    pub(crate) fn print(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.variables
            .as_ref()
            .map(Variables::print)
            .hash(&mut hasher);
        self.keyring.as_ref().map(Keyring::print).hash(&mut hasher);
        hasher.finish()
    }

    /// Takes note of texts that were decrypted. Those of a few characters are no secrets, but words that stand everywhere.
    pub(crate) fn has_decrypted(&self, texts: Vec<Zeroizing<String>>) {
        let secret = |text: &Zeroizing<String>| text.trim().len() >= SHORTEST;
        let mut decrypted = self
            .decrypted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        decrypted.extend(texts.into_iter().filter(secret));
    }

    /// Returns what must not be repeated in any text.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let variables = self.variables.iter().flat_map(Variables::secrets);
        let mut secrets: Vec<String> = variables.map(str::to_owned).collect();
        let decrypted = self
            .decrypted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        secrets.extend(decrypted.iter().map(|text| text.to_string()));
        secrets
    }
}

/// Returns the ConfigMaps and Secrets that a Sync refers to.
pub(crate) fn references(sync: &Sync) -> BTreeSet<Reference> {
    let from = sync.spec.substitute.iter().flat_map(|spec| &spec.from);
    let from = from.map(|source| Reference {
        kind: source.kind,
        name: source.name.clone(),
    });
    from.chain(sync.spec.decryption.iter().map(keys)).collect()
}

fn keys(decryption: &Decryption) -> Reference {
    Reference {
        kind: VariableSourceKind::Secret,
        name: decryption.secret_ref.name.clone(),
    }
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
    let keyring = match &sync.spec.decryption {
        Some(spec) => Some(reader.keyring(spec).await?),
        None => None,
    };
    Ok(Inputs {
        variables,
        keyring,
        versions: reader.versions,
        decrypted: Mutex::default(),
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
            let reference = Reference {
                kind: source.kind,
                name: source.name.clone(),
            };
            let data = match self.data(&reference).await? {
                Some(data) => data,
                None if source.optional.unwrap_or(false) => continue,
                None => return Err(self.missing(&reference)),
            };
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

    async fn keyring(&mut self, spec: &Decryption) -> Result<Keyring, Halt> {
        let DecryptionProvider::Sops = spec.provider;
        let reference = keys(spec);
        let data = self.data(&reference).await?;
        let data = data.ok_or_else(|| self.missing(&reference))?;
        Keyring::from_secret(&data).map_err(|error| {
            let (namespace, name) = (self.namespace, &reference.name);
            let message = format!("Secret {namespace}/{name} of spec.decryption: {error}");
            Halt::failed(Reason::SecretInvalid, message)
        })
    }

    /// Returns what a ConfigMap or Secret holds, if there is one.
    async fn data(&mut self, reference: &Reference) -> Result<Option<Data>, Halt> {
        let read = match reference.kind {
            VariableSourceKind::ConfigMap => self.config_map(&reference.name).await,
            VariableSourceKind::Secret => self.secret(&reference.name).await,
        };
        let read = read.map_err(|error| self.refused(reference, &error))?;
        let (version, data) = read.map_or((None, None), |(version, data)| (version, Some(data)));
        self.versions.insert(reference.clone(), version);
        Ok(data)
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
