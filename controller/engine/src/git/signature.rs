//! Signatures of commits and tags, checked in this process against the keys of a Secret.

mod openpgp;
mod payload;
mod sign;
mod ssh;

use std::{collections::BTreeMap, fmt};

use flux_core::git::{Mode, ObjectId, Resolved, Target};
use gix_object::{Kind, TagRefIter};

use self::payload::Signed;
pub use self::sign::Signer;
use super::{
    commit::Commit,
    credentials::Error as CredentialsError,
    error::{Error as GitError, chain},
    id::from_gix,
    store::Store,
    tree::find,
};

/// So many commits back from the head are looked at for [`Mode::FirstParent`].
const MAX_COMMITS: usize = 10_000;

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error("{what} is not signed")]
    Unsigned {
        /// Which commit or tag.
        what: String,
    },
    /// It does not fit the object, or cannot be read.
    #[error("the signature of {what} is not good: {why}")]
    Bad {
        /// Which commit or tag.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// It is by a key that is not in the Secret.
    #[error(
        "{what} is signed by {key}, which is not one of the keys in the Secret that spec.verify.secretRef names"
    )]
    Unknown {
        /// Which commit or tag.
        what: String,
        /// The key, as far as the signature tells.
        key: String,
    },
    /// The tag is another one than its ref says.
    #[error("{what} does not belong to this ref: {why}")]
    Misplaced {
        /// Which tag.
        what: String,
        /// What does not fit.
        why: String,
    },
    /// The last verified commit is not among the first parents.
    #[error(
        "commit {head} does not follow the last verified commit {known}: the branch was rewritten"
    )]
    Rewritten {
        /// The new commit.
        head: String,
        /// The last verified one.
        known: String,
    },
}

/// A good signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Which object, for example `commit 3b1f…` or `tag v1.0.0`.
    pub what: String,
    /// The key: `OpenPGP` or `SSH` with its fingerprint.
    pub key: String,
}

/// The keys whose signatures count.
#[derive(Clone, Default)]
pub struct Keyring {
    openpgp: Vec<openpgp::Key>,
    ssh: Vec<ssh::Key>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (openpgp, ssh) = (self.openpgp.len(), self.ssh.len());
        f.debug_struct("Keyring")
            .field("openpgp", &openpgp)
            .field("ssh", &ssh)
            .finish()
    }
}

impl Keyring {
    /// Reads all values of a Secret: armored OpenPGP public keys, SSH public keys or allowed signers.
    pub fn from_secret(data: &BTreeMap<String, Vec<u8>>) -> Result<Self, CredentialsError> {
        let mut keyring = Self::default();
        for (name, value) in data {
            let wrong = |what| CredentialsError::Key {
                key: name.clone(),
                what,
            };
            let text = std::str::from_utf8(value)
                .map_err(|_| wrong("is not text: public keys have to be armored"))?;
            if text.contains("-----BEGIN PGP") {
                keyring.openpgp.extend(openpgp::parse(text).map_err(wrong)?);
            } else {
                keyring.ssh.extend(ssh::parse(text).map_err(wrong)?);
            }
        }
        if keyring.openpgp.is_empty() && keyring.ssh.is_empty() {
            return Err(CredentialsError::Missing {
                key: "author.asc or author.sshpub",
                why: "would hold a public key to verify with (any name will do)",
            });
        }
        Ok(keyring)
    }

    fn check(&self, what: &str, signed: &Signed) -> Result<Verified, Error> {
        let Some(signature) = &signed.signature else {
            return Err(Error::Unsigned {
                what: what.to_owned(),
            });
        };
        let outcome = if signature.starts_with("-----BEGIN SSH SIGNATURE-----") {
            ssh::verify(&self.ssh, signature, &signed.payload)
        } else if signature.starts_with("-----BEGIN PGP") {
            openpgp::verify(&self.openpgp, signature, &signed.payload)
        } else {
            Err(Failure::Bad(
                "its kind is not supported (OpenPGP and SSH are)".to_owned(),
            ))
        };
        let what = what.to_owned();
        match outcome {
            Ok(key) => Ok(Verified { what, key }),
            Err(Failure::Bad(why)) => Err(Error::Bad { what, why }),
            Err(Failure::Unknown(key)) => Err(Error::Unknown { what, key }),
        }
    }
}

/// What a way of signing found wrong.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    Bad(String),
    Unknown(String),
}

/// Checks what the mode demands of a fetched revision.
///
/// `known` is the last verified commit, for [`Mode::FirstParent`]: fetch with
/// [`super::Session::fetch_since`] then. Without one, the commit alone is checked.
pub fn verify(
    store: &Store,
    resolved: &Resolved,
    mode: Mode,
    keyring: &Keyring,
    known: Option<ObjectId>,
) -> Result<Vec<Verified>, GitError> {
    let mut verified = Vec::new();
    for target in mode.targets(resolved)? {
        match target {
            Target::Commit => verified.push(verify_commit(store, resolved.commit_id, keyring)?),
            Target::Tag => verified.push(verify_tag(store, resolved, keyring)?),
            Target::FirstParents => {
                verified.extend(verify_parents(store, resolved.commit_id, keyring, known)?);
            }
        }
    }
    Ok(verified)
}

fn verify_commit(store: &Store, id: ObjectId, keyring: &Keyring) -> Result<Verified, GitError> {
    let what = format!("commit {id}");
    let mut buffer = Vec::new();
    let handle = store.handle();
    let data = find(&handle, id, Kind::Commit, &mut buffer)?;
    let signed = Signed::of_commit(data);
    let signed = signed.map_err(|why| Error::Bad {
        what: what.clone(),
        why,
    })?;
    Ok(keyring.check(&what, &signed)?)
}

/// A tag counts only for the commit it names and under its own name: an old signed tag under the
/// name of a new one must not pass.
fn verify_tag(store: &Store, resolved: &Resolved, keyring: &Keyring) -> Result<Verified, GitError> {
    let name = resolved.short_name.clone().unwrap_or_default();
    let name = name.strip_prefix("refs/tags/").unwrap_or(&name);
    let what = format!("tag {name}");
    let misplaced = |why: String| Error::Misplaced {
        what: what.clone(),
        why,
    };
    let id = resolved
        .tag_id
        .ok_or_else(|| Error::Unsigned { what: what.clone() })?;
    let mut buffer = Vec::new();
    let handle = store.handle();
    let data = find(&handle, id, Kind::Tag, &mut buffer)?;
    let target = TagRefIter::from_bytes(data, gix_hash::Kind::Sha1).target_id();
    let target = target.map_err(|error| misplaced(chain(&error)))?;
    if from_gix(&target) != Some(resolved.commit_id) {
        return Err(misplaced(format!("it points to {target}")).into());
    }
    let signed = Signed::of_tag(data);
    let signed = signed.map_err(|why| Error::Bad {
        what: what.clone(),
        why,
    })?;
    if signed.tag_name() != Some(name) {
        let own = signed.tag_name().unwrap_or_default();
        return Err(misplaced(format!("it calls itself {own}")).into());
    }
    Ok(keyring.check(&what, &signed)?)
}

fn verify_parents(
    store: &Store,
    head: ObjectId,
    keyring: &Keyring,
    known: Option<ObjectId>,
) -> Result<Vec<Verified>, GitError> {
    let Some(known) = known else {
        return Ok(vec![verify_commit(store, head, keyring)?]);
    };
    let mut verified = Vec::new();
    let mut next = head;
    while next != known {
        if verified.len() >= MAX_COMMITS {
            return Err(rewritten(head, known).into());
        }
        verified.push(verify_commit(store, next, keyring)?);
        let parent = Commit::read(store, next)?.parents.first().copied();
        next = parent.ok_or_else(|| rewritten(head, known))?;
    }
    if verified.is_empty() {
        verified.push(verify_commit(store, head, keyring)?);
    }
    Ok(verified)
}

fn rewritten(head: ObjectId, known: ObjectId) -> Error {
    Error::Rewritten {
        head: head.to_string(),
        known: known.to_string(),
    }
}
