//! Which kinds the cluster serves, from aggregated discovery (two requests).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use kube::Client;
use kube::core::discovery::v2::{APIGroupDiscoveryList, APIResourceDiscovery};
use serde_json::Value;
use tokio::sync::Mutex;

use super::Error;

/// How long an answer of discovery stands before an unknown kind may ask again.
const FRESH: Duration = Duration::from_secs(2);

/// Time between two questions for kinds that are about to be served.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// How to address the objects of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// API group, empty for the core group.
    pub group: Arc<str>,
    /// Version.
    pub version: Arc<str>,
    /// Kind.
    pub kind: Arc<str>,
    /// Plural name in paths.
    pub plural: Arc<str>,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
}

impl Resource {
    /// Returns `group/version`, or the version alone for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_string()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Returns the path of the collection; of all namespaces when `namespace` is empty.
    pub fn collection_path(&self, namespace: &str) -> String {
        let root = if self.group.is_empty() {
            "/api"
        } else {
            "/apis/"
        };
        let scope = if self.namespaced && !namespace.is_empty() {
            format!("namespaces/{namespace}/")
        } else {
            String::new()
        };
        format!(
            "{root}{}/{}/{scope}{}",
            self.group, self.version, self.plural
        )
    }

    /// Returns the path of one object. Names are checked by the caller ([`Self::is_path_segment`]).
    pub fn object_path(&self, namespace: &str, name: &str) -> String {
        format!("{}/{name}", self.collection_path(namespace))
    }

    /// Tells whether a name may stand in a path (`apimachinery/pkg/api/validation/path`); a slash in a name from git
    /// must never address another object.
    pub fn is_path_segment(name: &str) -> bool {
        !name.is_empty()
            && name != "."
            && name != ".."
            && name
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"/%?#\\\"<>^`{|}".contains(&byte))
    }
}

type ByKind = HashMap<(Arc<str>, Arc<str>), Vec<Resource>>;

/// The kinds of one cluster, remembered.
pub struct Kinds {
    client: Client,
    known: RwLock<Arc<ByKind>>,
    refreshed: Mutex<Option<Instant>>,
}

impl Kinds {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            known: RwLock::default(),
            refreshed: Mutex::new(None),
        }
    }

    fn known(&self) -> Arc<ByKind> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn find(&self, group: &str, kind: &str, version: Option<&str>) -> Option<Resource> {
        let known = self.known();
        let served = known.get(&(Arc::from(group), Arc::from(kind)))?;
        served
            .iter()
            .find(|resource| version.is_none_or(|version| &*resource.version == version))
            .cloned()
    }

    /// Tells whether a kind was served in any version when the cluster was last asked.
    pub fn serves_any(&self, group: &str, kind: &str) -> bool {
        self.find(group, kind, None).is_some()
    }

    /// Returns the resource of `api_version` and `kind`.
    pub async fn resolve(&self, api_version: &str, kind: &str) -> Result<Resource, Error> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.find_or_refresh(group, kind, Some(version)).await
    }

    /// Returns the resource of a kind in the version that the server prefers: enough to list and delete.
    pub async fn preferred(&self, group: &str, kind: &str) -> Result<Resource, Error> {
        self.find_or_refresh(group, kind, None).await
    }

    async fn find_or_refresh(
        &self,
        group: &str,
        kind: &str,
        version: Option<&str>,
    ) -> Result<Resource, Error> {
        if let Some(resource) = self.find(group, kind, version) {
            return Ok(resource);
        }
        self.refresh(FRESH).await?;
        self.find(group, kind, version)
            .ok_or_else(|| Error::UnknownKind {
                api_version: match (group, version.unwrap_or("*")) {
                    ("", version) => version.to_owned(),
                    (group, version) => format!("{group}/{version}"),
                },
                kind: kind.to_owned(),
            })
    }

    /// Forgets a resource that turned out not to be served any more.
    pub(crate) fn forget(&self, gone: &Resource) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let key = (Arc::clone(&gone.group), Arc::clone(&gone.kind));
        if let Some(served) = Arc::make_mut(&mut known).get_mut(&key) {
            served.retain(|resource| resource.version != gone.version);
        }
    }

    /// Asks the cluster again until it names the kinds that `definitions` bring, for at most `limit`.
    ///
    /// A definition is established a moment before discovery knows it; who asks once may ask too early.
    pub async fn learn(&self, definitions: &[&Value], limit: Duration) -> Result<(), Error> {
        let deadline = Instant::now() + limit;
        loop {
            self.refresh(Duration::ZERO).await?;
            let all = definitions.iter().all(|definition| self.serves(definition));
            if all || Instant::now() >= deadline {
                return Ok(());
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    /// Tells whether every served version of a definition is known.
    fn serves(&self, definition: &Value) -> bool {
        let text = |path| definition.pointer(path).and_then(Value::as_str);
        let (Some(group), Some(kind)) = (text("/spec/group"), text("/spec/names/kind")) else {
            return true;
        };
        let versions = definition
            .pointer("/spec/versions")
            .and_then(Value::as_array);
        versions
            .into_iter()
            .flatten()
            .filter(|version| version.get("served").and_then(Value::as_bool) == Some(true))
            .filter_map(|version| version.get("name").and_then(Value::as_str))
            .all(|version| self.find(group, kind, Some(version)).is_some())
    }

    /// Asks the cluster again, unless the last answer is younger than `unless_within`.
    pub async fn refresh(&self, unless_within: Duration) -> Result<(), Error> {
        let mut refreshed = self.refreshed.lock().await;
        if refreshed.is_some_and(|at| at.elapsed() < unless_within) {
            return Ok(());
        }
        let unreachable = |source| Error::Discovery(Box::new(Error::Unreachable(source)));
        let core = self
            .client
            .list_core_api_versions_aggregated()
            .await
            .map_err(unreachable)?;
        let groups = self
            .client
            .list_api_groups_aggregated()
            .await
            .map_err(unreachable)?;
        let mut kinds = ByKind::new();
        collect(core, &mut kinds);
        collect(groups, &mut kinds);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(kinds);
        *refreshed = Some(Instant::now());
        Ok(())
    }
}

/// Adds what `list` says, in the order of the server's preference.
fn collect(list: APIGroupDiscoveryList, kinds: &mut ByKind) {
    for group in list.items {
        let name: Arc<str> = group
            .metadata
            .and_then(|metadata| metadata.name)
            .unwrap_or_default()
            .into();
        for version in group.versions {
            let served: Arc<str> = version.version.unwrap_or_default().into();
            for resource in version
                .resources
                .into_iter()
                .filter_map(|resource| describe(&name, &served, resource))
            {
                kinds
                    .entry((Arc::clone(&name), Arc::clone(&resource.kind)))
                    .or_default()
                    .push(resource);
            }
        }
    }
}

/// Returns the resource unless it cannot be applied at all, such as a review.
fn describe(
    group: &Arc<str>,
    version: &Arc<str>,
    resource: APIResourceDiscovery,
) -> Option<Resource> {
    if !resource.verbs.iter().any(|verb| verb == "patch") {
        return None;
    }
    Some(Resource {
        group: Arc::clone(group),
        version: Arc::clone(version),
        kind: resource.response_kind?.kind?.into(),
        plural: resource.resource?.into(),
        namespaced: resource.scope.as_deref() == Some("Namespaced"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(group: &str, namespaced: bool) -> Resource {
        Resource {
            group: group.into(),
            version: "v1".into(),
            kind: "Thing".into(),
            plural: "things".into(),
            namespaced,
        }
    }

    #[test]
    fn paths_follow_group_and_scope() {
        assert_eq!(
            resource("", true).object_path("a", "b"),
            "/api/v1/namespaces/a/things/b"
        );
        assert_eq!(
            resource("x.io", true).collection_path(""),
            "/apis/x.io/v1/things"
        );
        assert_eq!(
            resource("x.io", false).object_path("ignored", "b"),
            "/apis/x.io/v1/things/b"
        );
    }

    #[test]
    fn a_name_from_git_cannot_address_another_object() {
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "a%2fb",
            "a?dryRun=All",
            "a b",
            "a\nb",
            "ä",
        ] {
            assert!(!Resource::is_path_segment(name), "{name:?} must be refused");
        }
        assert!(Resource::is_path_segment("system:controller:x.y-z"));
    }
}
