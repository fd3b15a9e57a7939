//! A real Kubernetes on this machine, for tests, the demo and benchmarks.
//!
//! ```text
//!  Binaries ── builds once, from the Go modules beside this crate ──► target/flux-e2e/bin
//!     │
//!     ▼
//!  ControlPlane: etcd ◄─ kube-apiserver ◄─ controller-manager, scheduler, kwok (nodes and pods that become Ready)
//!     ▲                       ▲
//!     │ flux.rs objects       │ client, kubeconfig, users, audit log
//!  Controller (flux-controller, out of the cluster) ──► GitServer: http, https, ssh; slow, failing, away
//!                                                           ▲
//!                    │                                   GitRepo: write, commit, sign, push with the real git
//!                    └──► Registry: distribution, http, https, tokens; slow, failing, away
//! ```
//!
//! Nothing outlives the process that started it: every child ends when a pipe that we hold is closed, which the
//! kernel does also after SIGKILL. Every control plane has its own directory, ports, certificates and keys, so many
//! live side by side.
//!
//! A test in short:
//!
//! ```no_run
//! # async fn a_test() -> anyhow::Result<()> {
//! use flux_e2e::{ControlPlane, TestNamespace};
//! let cluster = ControlPlane::shared().await;
//! let namespace = TestNamespace::create(cluster).await?;
//! let client = namespace.client();
//! # Ok(()) }
//! ```

pub mod binaries;
pub mod certificates;
pub mod cluster;
pub mod control_plane;
pub mod controller;
pub mod git_repo;
pub mod git_server;
pub mod install;
pub mod kustomize;
pub mod ordeal;
pub mod plugin;
pub mod process;
pub mod receiver;
pub mod reconcile;
pub mod registry;
pub mod wait;
pub mod webhook;

mod ports;
mod scratch;
mod test_namespace;

pub use binaries::Binaries;
pub use cluster::Cluster;
pub use control_plane::{ControlPlane, Options};
pub use controller::Controller;
pub use git_repo::GitRepo;
pub use git_server::GitServer;
pub use plugin::Plugin;
pub use receiver::Receiver;
pub use registry::Registry;
pub use test_namespace::TestNamespace;

/// Returns bytes as lower-case hexadecimal digits.
fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// Returns 32 bytes that nobody can guess, from the random source of the key generator.
fn secret() -> anyhow::Result<[u8; 32]> {
    use sha2::Digest as _;
    let key = rcgen::KeyPair::generate()?;
    Ok(sha2::Sha256::digest(key.serialized_der()).into())
}
