//! A namespace of its own for each test, which tells what was in it when the test fails.

use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};

use crate::ControlPlane;

/// What is shown of a failed test's namespace, where the cluster knows these kinds.
const SHOWN: &[&str] = &[
    "gitrepositories.flux.rs",
    "syncs.flux.rs",
    "imagepolicies.flux.rs",
    "events",
];

/// A fresh namespace on a control plane.
///
/// When it is dropped by a panic, its flux objects and events go to standard error.
pub struct TestNamespace {
    name: String,
    client: Client,
    control_plane: Arc<ControlPlane>,
}

impl TestNamespace {
    /// Creates a namespace with a name that nobody else uses.
    pub async fn create(control_plane: &Arc<ControlPlane>) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "test-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let client = control_plane.client().await?;
        let namespace = Namespace {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        let created = Api::all(client.clone())
            .create(&PostParams::default(), &namespace)
            .await;
        created.with_context(|| format!("create the namespace {name}"))?;
        Ok(Self {
            name,
            client,
            control_plane: Arc::clone(control_plane),
        })
    }

    /// The namespace's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A client as cluster administrator.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The API of a kind in this namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client(), &self.name)
    }

    /// Returns the flux objects and events of the namespace as YAML.
    pub fn describe(&self) -> String {
        let mut text = String::new();
        for kind in SHOWN {
            let Ok(mut kubectl) = self.control_plane.kubectl() else {
                continue;
            };
            let output = kubectl
                .args(["get", kind, "--namespace", &self.name, "--output=yaml"])
                .output();
            // A kind that this cluster does not know is left out.
            if let Ok(output) = output
                && output.status.success()
            {
                let objects = String::from_utf8_lossy(&output.stdout);
                text = format!("{text}--- {kind} in {}\n{objects}", self.name);
            }
        }
        text
    }
}

impl Drop for TestNamespace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::io::stderr().write_all(self.describe().as_bytes()).ok();
        }
    }
}
