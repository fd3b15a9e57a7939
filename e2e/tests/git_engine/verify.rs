//! Signed, unsigned and wrongly signed commits and tags.

use std::{collections::BTreeMap, time::Duration};

use flux_core::git::{Mode, ObjectId, Reference, Resolved};
use flux_e2e::git_repo::SshSigner;
use flux_engine::git::{Deadline, Error, Keyring, SignatureError, Verified, verify};

use crate::setting::{Setting, id};

fn keyring(signer: &SshSigner) -> Keyring {
    let value = signer.public_key().unwrap().into_bytes();
    Keyring::from_secret(&BTreeMap::from([("jane.sshpub".to_owned(), value)])).unwrap()
}

impl Setting {
    /// Signs the current commit of the work tree and pushes it.
    fn push_signed(&self, signer: &SshSigner) -> ObjectId {
        let commit_id = self.repo.sign_head(|bytes| signer.sign(bytes)).unwrap();
        self.repo.force_push().unwrap();
        id(&commit_id)
    }

    fn verify(
        &self,
        reference: &Reference,
        mode: Mode,
        signer: &SshSigner,
    ) -> Result<Vec<Verified>, Error> {
        let (resolved, _) = self.fetch(&self.http(), reference).unwrap();
        verify(&self.store, &resolved, mode, &keyring(signer), None)
    }

    fn verify_since(
        &self,
        known: ObjectId,
        signer: &SshSigner,
    ) -> (Resolved, Result<Vec<Verified>, Error>) {
        let mut session = self
            .client
            .connect(&self.http(), &Deadline::after(Duration::from_secs(20)))
            .unwrap();
        let resolved = session.resolve(&Reference::Default).unwrap();
        session.fetch_since(&self.store, &resolved, known).unwrap();
        let verified = verify(
            &self.store,
            &resolved,
            Mode::FirstParent,
            &keyring(signer),
            Some(known),
        );
        (resolved, verified)
    }
}

fn is_unsigned(outcome: &Result<Vec<Verified>, Error>) -> bool {
    matches!(
        outcome,
        Err(Error::Signature(SignatureError::Unsigned { .. }))
    )
}

#[test]
fn a_commit_counts_if_it_is_signed_by_a_known_key() {
    let setting = Setting::new();
    let (jane, joe) = (
        SshSigner::generate().unwrap(),
        SshSigner::generate().unwrap(),
    );
    assert!(is_unsigned(&setting.verify(
        &Reference::Default,
        Mode::Head,
        &jane
    )));

    let commit_id = setting.push_signed(&jane);
    let verified = setting
        .verify(&Reference::Default, Mode::Head, &jane)
        .unwrap();
    assert_eq!(
        verified.first().unwrap().what,
        format!("commit {commit_id}")
    );

    let unknown = setting.verify(&Reference::Default, Mode::Head, &joe);
    assert!(
        matches!(
            unknown,
            Err(Error::Signature(SignatureError::Unknown { .. }))
        ),
        "{unknown:?}"
    );
}

#[test]
fn a_signature_of_another_commit_does_not_count() {
    let setting = Setting::new();
    let jane = SshSigner::generate().unwrap();
    setting
        .repo
        .sign_head(|_| jane.sign(b"something else"))
        .unwrap();
    setting.repo.force_push().unwrap();
    let outcome = setting.verify(&Reference::Default, Mode::Head, &jane);
    assert!(
        matches!(outcome, Err(Error::Signature(SignatureError::Bad { .. }))),
        "{outcome:?}"
    );
}

#[test]
fn a_tag_counts_if_it_is_signed_and_bears_its_own_name() {
    let setting = Setting::new();
    let jane = SshSigner::generate().unwrap();
    setting
        .repo
        .signed_tag("v1.0.0", "one", |bytes| jane.sign(bytes))
        .unwrap();
    let tag = |name: &str| Reference::Tag(name.to_owned());
    assert_eq!(
        setting
            .verify(&tag("v1.0.0"), Mode::Tag, &jane)
            .unwrap()
            .first()
            .unwrap()
            .what,
        "tag v1.0.0"
    );
    assert!(
        is_unsigned(&setting.verify(&tag("v1.0.0"), Mode::TagAndHead, &jane)),
        "the commit is not signed"
    );

    // The old tag object under the name of a new version.
    setting
        .repo
        .git_bare(&["update-ref", "refs/tags/v2.0.0", "refs/tags/v1.0.0"])
        .unwrap();
    let outcome = setting.verify(&tag("v2.0.0"), Mode::Tag, &jane);
    assert!(
        matches!(
            outcome,
            Err(Error::Signature(SignatureError::Misplaced { .. }))
        ),
        "{outcome:?}"
    );

    setting.repo.tag("light").unwrap();
    let outcome = setting.verify(&tag("light"), Mode::Tag, &jane);
    assert!(matches!(outcome, Err(Error::Policy(_))), "{outcome:?}");
    setting.repo.annotated_tag("plain", "not signed").unwrap();
    assert!(is_unsigned(&setting.verify(
        &tag("plain"),
        Mode::Tag,
        &jane
    )));
}

#[test]
fn every_first_parent_since_the_last_verified_commit_has_to_be_signed() {
    let setting = Setting::new();
    let jane = SshSigner::generate().unwrap();
    let first = setting.push_signed(&jane);
    setting
        .verify(&Reference::Default, Mode::Head, &jane)
        .unwrap();

    for name in ["a", "b", "c"] {
        setting.repo.write(name, name).unwrap();
        setting.repo.commit(name).unwrap();
        setting.push_signed(&jane);
    }
    let (resolved, verified) = setting.verify_since(first, &jane);
    assert_eq!(verified.unwrap().len(), 3);

    setting
        .repo
        .push_files(&[("d", "unsigned")], "unsigned")
        .unwrap();
    setting.repo.write("e", "signed").unwrap();
    setting.repo.commit("signed").unwrap();
    setting.push_signed(&jane);
    let (_, outcome) = setting.verify_since(resolved.commit_id, &jane);
    assert!(is_unsigned(&outcome), "{outcome:?}");
}

#[test]
fn a_rewritten_branch_is_noticed() {
    let setting = Setting::new();
    let jane = SshSigner::generate().unwrap();
    setting.repo.push_files(&[("a", "a")], "a").unwrap();
    let known = setting.push_signed(&jane);
    setting
        .verify(&Reference::Default, Mode::Head, &jane)
        .unwrap();
    setting.repo.reset("HEAD~1").unwrap();
    setting.push_signed(&jane);
    let (_, outcome) = setting.verify_since(known, &jane);
    assert!(
        matches!(
            outcome,
            Err(Error::Signature(SignatureError::Rewritten { .. }))
        ),
        "{outcome:?}"
    );
}
