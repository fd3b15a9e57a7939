//! The typed API of `flux.rs/v1alpha1`: what a user writes and what the controller answers.
//!
//! ```text
//! GitRepository ──revision──► Sync ──inventory──► objects in the cluster
//!       ▲
//!       └──commits── ImagePolicy ◄──tags── registry
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`git_repository`], [`sync`], [`image_policy`] | the three kinds, spec and status |
//! | [`notification`], [`reference`], [`duration`] | the parts that several kinds share |
//! | [`condition`], [`names`] | condition types, reasons, labels, annotations: every word that others match on |
//! | [`definition`] | the `CustomResourceDefinition` of each kind, as `config/crd` has it |
//! | [`fixture`] | fluent constructors for tests |
//!
//! This crate does no IO and decides nothing. Whatever the API server may have stored decodes: a duration keeps its
//! text and is read on use, so that one bad object never hides a list of good ones.

#![allow(
    unreachable_pub,
    clippy::duplicated_attributes,
    reason = "the KubeSchema derive repeats a public struct and its attributes inside a function"
)]

pub mod condition;
pub mod definition;
pub mod duration;
pub mod fixture;
pub mod git_repository;
pub mod image_policy;
pub mod names;
pub mod notification;
pub mod reference;
pub mod sync;

pub use condition::{ConditionType, Reason};
pub use definition::definitions;
pub use duration::Duration;
pub use git_repository::{GitRepository, GitRepositorySpec, GitRepositoryStatus};
pub use image_policy::{ImagePolicy, ImagePolicySpec, ImagePolicyStatus};
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
pub use notification::{Notification, Notified};
pub use reference::{KeyReference, SecretReference};
pub use sync::{Sync, SyncSpec, SyncStatus};
