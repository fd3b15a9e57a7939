//! Fluent constructors for tests, here and in the crates above.
//!
//! They make valid objects in the namespace `default`; whatever else a test needs is set on `spec` and `status`.

#![allow(
    clippy::return_self_not_must_use,
    reason = "a builder step that is not used is seen in the test"
)]

use crate::{
    GitRepository, GitRepositorySpec, ImagePolicy, ImagePolicySpec, Sync, SyncSpec,
    git_repository::GitReference,
    image_policy::{Policy, SemverPolicy},
    sync::{Dependency, SourceReference},
};

/// The namespace of the objects that [`GitRepository::test`] and its like return.
pub const NAMESPACE: &str = "default";

impl GitRepository {
    /// Returns a repository named `fleet`.
    pub fn test() -> Self {
        let spec = GitRepositorySpec {
            url: "https://git.example.com/fleet".into(),
            ..GitRepositorySpec::default()
        };
        let mut repository = Self::new("fleet", spec);
        repository.metadata.namespace = Some(NAMESPACE.into());
        repository
    }

    /// Gives it another name.
    pub fn named(mut self, name: &str) -> Self {
        self.metadata.name = Some(name.into());
        self
    }

    /// Puts it into another namespace.
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.metadata.namespace = Some(namespace.into());
        self
    }

    /// Gives it another address.
    pub fn with_url(mut self, url: &str) -> Self {
        self.spec.url = url.into();
        self
    }

    /// Lets it follow a branch.
    pub fn with_branch(mut self, branch: &str) -> Self {
        self.spec.reference = Some(GitReference {
            branch: Some(branch.into()),
            ..GitReference::default()
        });
        self
    }

    /// Stops it.
    pub fn suspended(mut self) -> Self {
        self.spec.suspend = Some(true);
        self
    }
}

impl Sync {
    /// Returns a Sync named `apps` of the path `./` in [`GitRepository::test`].
    pub fn test() -> Self {
        let source_ref = SourceReference {
            name: "fleet".into(),
            ..SourceReference::default()
        };
        let mut sync = Self::new(
            "apps",
            SyncSpec {
                source_ref,
                ..SyncSpec::default()
            },
        );
        sync.metadata.namespace = Some(NAMESPACE.into());
        sync
    }

    /// Gives it another name.
    pub fn named(mut self, name: &str) -> Self {
        self.metadata.name = Some(name.into());
        self
    }

    /// Puts it into another namespace.
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.metadata.namespace = Some(namespace.into());
        self
    }

    /// Gives it another source of the same namespace.
    pub fn with_source(mut self, name: &str) -> Self {
        self.spec.source_ref.name = name.into();
        self
    }

    /// Gives it another path.
    pub fn with_path(mut self, path: &str) -> Self {
        self.spec.path = Some(path.into());
        self
    }

    /// Lets it wait for the health of everything.
    pub fn waiting(mut self) -> Self {
        self.spec.wait = Some(true);
        self
    }

    /// Lets it act as a service account.
    pub fn acting_as(mut self, service_account: &str) -> Self {
        self.spec.service_account_name = Some(service_account.into());
        self
    }

    /// Lets it depend on another Sync of the same namespace.
    pub fn depending_on(mut self, name: &str) -> Self {
        self.spec.depends_on.push(Dependency {
            name: name.into(),
            ..Dependency::default()
        });
        self
    }

    /// Stops it.
    pub fn suspended(mut self) -> Self {
        self.spec.suspend = Some(true);
        self
    }
}

impl ImagePolicy {
    /// Returns a policy named `app` for any version of `ghcr.io/org/app`.
    pub fn test() -> Self {
        let policy = Policy {
            semver: Some(SemverPolicy { range: "*".into() }),
            ..Policy::default()
        };
        let spec = ImagePolicySpec {
            image: "ghcr.io/org/app".into(),
            policy,
            ..ImagePolicySpec::default()
        };
        let mut image_policy = Self::new("app", spec);
        image_policy.metadata.namespace = Some(NAMESPACE.into());
        image_policy
    }

    /// Gives it another name.
    pub fn named(mut self, name: &str) -> Self {
        self.metadata.name = Some(name.into());
        self
    }

    /// Puts it into another namespace.
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.metadata.namespace = Some(namespace.into());
        self
    }
}
