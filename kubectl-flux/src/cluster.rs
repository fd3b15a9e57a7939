//! The connection to a cluster, and the few requests that all verbs are made of.

use flux_crds::Sync;
use flux_engine::{
    cluster::{remote::connect, term::Term},
    inputs::read_kubeconfig,
};
use kube::{
    Api, Client, Config, ResourceExt as _,
    api::{ListParams, Patch, PatchParams},
    config::{KubeConfigOptions, Kubeconfig},
    core::{DynamicObject, TypeMeta},
};
use serde_json::Value;

use crate::{args::Connection, error::Error, kind::Kind, kind::Selection};

/// The field manager of what this plugin writes.
pub(crate) const FIELD_MANAGER: &str = "kubectl-flux";

/// Where to look for objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// In one namespace.
    Namespace,
    /// In all of them.
    All,
}

impl Scope {
    /// Returns the scope that `-A` asks for.
    pub(crate) fn of(all_namespaces: bool) -> Self {
        if all_namespaces {
            Self::All
        } else {
            Self::Namespace
        }
    }
}

/// A cluster, and the namespace to work in.
#[derive(Clone)]
pub(crate) struct Cluster {
    /// What talks to the API server.
    pub(crate) client: Client,
    /// The namespace of `-n` or of the context.
    pub(crate) namespace: String,
}

impl Cluster {
    /// Connects as the flags say.
    pub(crate) async fn connect(connection: &Connection) -> Result<Self, Error> {
        let mut config = config(connection).await?;
        if let Some(user) = &connection.impersonate {
            config.auth_info.impersonate = Some(user.clone());
        }
        if !connection.impersonate_groups.is_empty() {
            config.auth_info.impersonate_groups = Some(connection.impersonate_groups.clone());
        }
        let namespace = connection
            .namespace
            .clone()
            .unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).map_err(Error::Connect)?;
        Ok(Self { client, namespace })
    }

    /// Returns the same connection with another namespace.
    pub(crate) fn in_namespace(&self, namespace: &str) -> Self {
        Self {
            client: self.client.clone(),
            namespace: namespace.to_owned(),
        }
    }

    /// Returns the cluster that a Sync writes to: this one or, where whoever runs this may read the Secret, the one of
    /// `spec.kubeConfig`.
    pub(crate) async fn target(&self, sync: &Sync) -> Result<Self, Error> {
        let Some(spec) = &sync.spec.kube_config else {
            return Ok(self.clone());
        };
        let namespace = sync.metadata.namespace.as_deref().unwrap_or_default();
        let read = read_kubeconfig(&self.client, namespace, spec).await;
        let (kubeconfig, _) = read.map_err(Error::Inputs)?;
        let connection = connect(&kubeconfig, &Term::endless())
            .await
            .map_err(|error| {
                Error::Failed(format!(
                    "Secret {namespace}/{}: {error}",
                    spec.secret_ref.name
                ))
            })?;
        Ok(Self {
            client: connection.client().clone(),
            namespace: self.namespace.clone(),
        })
    }

    /// Returns the requests for one kind.
    pub(crate) fn api(&self, kind: Kind, scope: Scope) -> Api<DynamicObject> {
        match scope {
            Scope::Namespace => {
                Api::namespaced_with(self.client.clone(), &self.namespace, &kind.api_resource())
            }
            Scope::All => Api::all_with(self.client.clone(), &kind.api_resource()),
        }
    }

    /// Returns one object.
    pub(crate) async fn get(&self, kind: Kind, name: &str) -> Result<DynamicObject, Error> {
        let found = self.api(kind, Scope::Namespace).get_opt(name).await;
        found
            .map_err(Error::api(format!("get the {kind} \"{name}\"")))?
            .ok_or_else(|| self.not_found(kind, name))
    }

    /// Returns all objects of a kind.
    pub(crate) async fn list(
        &self,
        kind: Kind,
        scope: Scope,
        labels: Option<&str>,
    ) -> Result<Vec<DynamicObject>, Error> {
        let parameters = ListParams {
            label_selector: labels.map(str::to_owned),
            ..ListParams::default()
        };
        let list = self.api(kind, scope).list(&parameters).await;
        let list = list.map_err(Error::api(format!("list the objects of kind {kind}")))?;
        Ok(list
            .items
            .into_iter()
            .map(|object| with_type(kind, object))
            .collect())
    }

    /// Returns the objects of a kind that the caller may see: all of them, or those of the namespace.
    pub(crate) async fn list_visible(&self, kind: Kind) -> Result<Vec<DynamicObject>, Error> {
        match self.list(kind, Scope::All, None).await {
            Err(Error::Api {
                source: kube::Error::Api(status),
                ..
            }) if status.code == 403 => self.list(kind, Scope::Namespace, None).await,
            objects => objects,
        }
    }

    /// Returns the selected objects; a name that does not exist is an error.
    pub(crate) async fn select(
        &self,
        selection: &Selection,
        scope: Scope,
        labels: Option<&str>,
    ) -> Result<Vec<(Kind, DynamicObject)>, Error> {
        let mut objects = Vec::new();
        match selection {
            Selection::Kinds(kinds) => {
                for &kind in kinds {
                    objects.extend(
                        self.list(kind, scope, labels)
                            .await?
                            .into_iter()
                            .map(|object| (kind, object)),
                    );
                }
            }
            Selection::Names(names) => {
                for (kind, name) in names {
                    objects.push((*kind, self.get(*kind, name).await?));
                }
            }
        }
        Ok(objects)
    }

    /// Merges a change into an object of the cluster's namespace.
    pub(crate) async fn merge(
        &self,
        kind: Kind,
        name: &str,
        change: &Value,
    ) -> Result<DynamicObject, Error> {
        let parameters = PatchParams {
            field_manager: Some(FIELD_MANAGER.into()),
            ..PatchParams::default()
        };
        let changed = self
            .api(kind, Scope::Namespace)
            .patch(name, &parameters, &Patch::Merge(change))
            .await;
        changed.map_err(|source| match source {
            kube::Error::Api(status)
                if status.code == 404
                    && status
                        .details
                        .as_ref()
                        .is_some_and(|details| !details.name.is_empty()) =>
            {
                self.not_found(kind, name)
            }
            source => Error::Api {
                action: format!("change the {kind} \"{name}\""),
                source,
            },
        })
    }

    fn not_found(&self, kind: Kind, name: &str) -> Error {
        Error::NotFound {
            kind,
            name: name.to_owned(),
            namespace: self.namespace.clone(),
        }
    }
}

/// Returns the namespace and the name of an object.
pub(crate) fn place(object: &DynamicObject) -> (String, String) {
    (object.namespace().unwrap_or_default(), object.name_any())
}

/// The items of a list may come without their type.
fn with_type(kind: Kind, mut object: DynamicObject) -> DynamicObject {
    let resource = kind.api_resource();
    object.types.get_or_insert(TypeMeta {
        api_version: resource.api_version,
        kind: resource.kind,
    });
    object
}

async fn config(connection: &Connection) -> Result<Config, Error> {
    let options = KubeConfigOptions {
        context: connection.context.clone(),
        ..KubeConfigOptions::default()
    };
    if let Some(path) = &connection.kubeconfig {
        let kubeconfig = Kubeconfig::read_from(path).map_err(Error::Kubeconfig)?;
        return Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(Error::Kubeconfig);
    }
    if connection.context.is_some() {
        return Config::from_kubeconfig(&options)
            .await
            .map_err(Error::Kubeconfig);
    }
    Config::infer().await.map_err(Error::NoCluster)
}
