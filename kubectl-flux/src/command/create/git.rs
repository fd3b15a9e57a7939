//! `create git`.

use flux_crds::{
    GitRepository, GitRepositorySpec, SecretReference,
    git_repository::{AccessFrom, GitReference, Verify},
};

use super::write::Written;
use crate::args::CreateGitArgs;

/// Builds the GitRepository.
pub(crate) fn build(args: &CreateGitArgs) -> Written {
    let spec = GitRepositorySpec {
        url: args.url.clone(),
        reference: reference(args),
        interval: args.interval.clone(),
        timeout: args.timeout.clone(),
        secret_ref: args.secret.as_ref().map(SecretReference::new),
        proxy_secret_ref: args.proxy_secret.as_ref().map(SecretReference::new),
        verify: args.verify_secret.as_ref().map(|name| Verify {
            mode: args.verify_mode,
            secret_ref: SecretReference::new(name),
        }),
        ignore: (!args.ignore.is_empty()).then(|| args.ignore.join("\n") + "\n"),
        recurse_submodules: args.recurse_submodules.then_some(true),
        access_from: args
            .access_from
            .iter()
            .map(|namespace| AccessFrom {
                namespace: Some(namespace.clone()),
                namespace_selector: None,
            })
            .collect(),
        ..GitRepositorySpec::default()
    };
    Written::namespaced(&GitRepository::new(&args.name, spec))
}

fn reference(args: &CreateGitArgs) -> Option<GitReference> {
    let reference = GitReference {
        branch: args.branch.clone(),
        tag: args.tag.clone(),
        semver: args.semver.clone(),
        name: args.ref_name.clone(),
        commit: args.commit.clone(),
    };
    (reference != GitReference::default()).then_some(reference)
}
