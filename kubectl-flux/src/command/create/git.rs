//! `create git`.

use flux_crds::{
    GitRepository, GitRepositorySpec, SecretReference,
    git_repository::{AccessFrom, GitReference, SigningKey, Verify, Write},
};

use super::write::Written;
use crate::{args::CreateGitArgs, error::Error};

/// Builds the GitRepository.
pub(crate) fn build(args: &CreateGitArgs) -> Result<Written, Error> {
    if has_password(&args.url) {
        let hint =
            "leave it out, and name a Secret with --secret; see kubectl flux create secret --help";
        return Err(Error::usage("the address holds a password", hint));
    }
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
        write: args.write_branch.as_ref().map(|branch| Write {
            branch: branch.clone(),
            author: args.write_author.clone(),
            message: None,
            signing_key: args.signing_secret.as_ref().map(|name| SigningKey {
                secret_ref: SecretReference::new(name),
            }),
        }),
        ..GitRepositorySpec::default()
    };
    Ok(Written::namespaced(&GitRepository::new(&args.name, spec)))
}

/// The API server refuses it too, but shows it in its answer.
fn has_password(url: &str) -> bool {
    let authority = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split('/').next());
    authority
        .and_then(|authority| authority.rsplit_once('@'))
        .is_some_and(|(user, _)| user.contains(':'))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_seen() {
        assert!(has_password("https://u:p@git.example.com/fleet"));
        for clean in [
            "https://git.example.com:8443/a@b:c",
            "ssh://git@git.example.com:22/fleet",
            "git@git.example.com:fleet",
        ] {
            assert!(!has_password(clean), "{clean}");
        }
    }
}
