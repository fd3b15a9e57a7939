//! Bases of kustomizations that are in other repositories: fetched when a build names them.

use std::{
    collections::{BTreeMap, HashMap},
    fmt, fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use flux_core::git::{ObjectId, Reference, RepositoryUrl, Scheme};
use flux_kustomize::{self as kustomize, FileTree, RemoteTrees};

use super::{
    client::Client,
    credentials::Credentials,
    deadline::Deadline,
    error::{Error, chain},
    remote::Remote,
    session::Session,
    store::Store,
    tree::GitTree,
};

/// Repositories with their refs that are kept at once: their names come from files, right or wrong. Beyond that those that no
/// build reads go, the longest unused first.
const MAX_STORES: usize = 256;

/// Where repositories that kustomizations name are fetched to. Clones share it.
///
/// Files name the repositories, so only servers with `https://` and `ssh://` addresses are asked,
/// and `http://` ones if the client may; never directories of this machine.
#[derive(Clone)]
pub struct Bases(Arc<Shared>);

struct Shared {
    client: Client,
    directory: PathBuf,
    /// For `ssh://` addresses: `identity` and `known_hosts`, as in the Secret of a repository.
    ssh: Option<BTreeMap<String, Vec<u8>>>,
    stores: Mutex<Stores>,
}

#[derive(Default)]
struct Stores {
    by_name: HashMap<String, Kept>,
    /// Directories made so far.
    made: usize,
}

/// The store of one ref.
struct Kept {
    store: Store,
    directory: PathBuf,
    used: Instant,
}

/// Why there is no base.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Git(#[from] Error),
    #[error("it must not be a directory of the machine")]
    Directory,
    #[error(
        "more than {MAX_STORES} different ones are read at once; copy some into the repository"
    )]
    TooMany,
}

impl fmt::Debug for Bases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bases").field(&self.0.directory).finish()
    }
}

impl Bases {
    /// Begins with an empty directory: what is in it is removed.
    ///
    /// `ssh` is what `ssh://` addresses need: `identity` and `known_hosts`, as in the Secret of a
    /// repository. Others are fetched without credentials.
    pub fn new(
        client: Client,
        directory: PathBuf,
        ssh: Option<BTreeMap<String, Vec<u8>>>,
    ) -> io::Result<Self> {
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&directory)?,
        }
        Ok(Self(Arc::new(Shared {
            client,
            directory,
            ssh,
            stores: Mutex::default(),
        })))
    }

    /// Returns them for one build, which gives up fetching at the deadline.
    pub fn until(&self, deadline: Deadline) -> Arc<dyn RemoteTrees> {
        Arc::new(Until {
            bases: self.clone(),
            deadline,
        })
    }

    /// Each ref has a store of its own, so that no fetch can drop what another build reads.
    fn store(&self, remote: &kustomize::Remote) -> Result<Store, Failure> {
        let name = format!("{}@{}", remote.repository, remote.reference);
        let mut stores = self.0.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = stores.by_name.get_mut(&name) {
            kept.used = Instant::now();
            return Ok(kept.store.clone());
        }
        if stores.by_name.len() >= MAX_STORES {
            stores.drop_one()?;
        }
        let directory = self.0.directory.join(stores.made.to_string());
        stores.made += 1;
        let store = Store::open(directory.clone())?;
        let kept = Kept {
            store: store.clone(),
            directory,
            used: Instant::now(),
        };
        stores.by_name.insert(name, kept);
        Ok(store)
    }

    fn tree(&self, remote: &kustomize::Remote, deadline: &Deadline) -> Result<GitTree, Failure> {
        let url: RepositoryUrl = remote.repository.parse().map_err(Error::from)?;
        if url.scheme() == Scheme::File {
            return Err(Failure::Directory);
        }
        let store = self.store(remote)?;
        let mut session = self.0.client.connect(&self.remote(url)?, deadline)?;
        let commit_id = fetch(&mut session, &store, &remote.reference)?;
        Ok(GitTree::open(&store, commit_id, None)?)
    }

    fn remote(&self, url: RepositoryUrl) -> Result<Remote, Error> {
        let credentials = match &self.0.ssh {
            Some(ssh) if url.scheme() == Scheme::Ssh => Credentials::from_secret(&url, ssh)?,
            _ => Credentials::default(),
        };
        Ok(Remote {
            credentials,
            ..Remote::anonymous(url)
        })
    }
}

impl Stores {
    /// Removes the longest unused of those that nobody reads.
    fn drop_one(&mut self) -> Result<(), Failure> {
        let idle = self.by_name.iter().filter(|(_, kept)| kept.store.is_idle());
        let oldest = idle.min_by_key(|(_, kept)| kept.used);
        let name = oldest.map(|(name, _)| name.clone());
        let kept = name.and_then(|name| self.by_name.remove(&name));
        let Kept { directory, .. } = kept.ok_or(Failure::TooMany)?;
        // What stays of it is gone with the next start.
        fs::remove_dir_all(directory).ok();
        Ok(())
    }
}

/// Fetches a commit, a tag or a branch, whichever has that name.
fn fetch(session: &mut Session, store: &Store, name: &str) -> Result<ObjectId, Error> {
    let resolved = if let Ok(commit_id) = name.parse() {
        session.resolve(&Reference::Commit {
            commit_id,
            branch: None,
        })?
    } else if name.starts_with("refs/") {
        session.resolve(&Reference::Name(name.to_owned()))?
    } else {
        session
            .resolve(&Reference::Tag(name.to_owned()))
            .or_else(|_| session.resolve(&Reference::Branch(name.to_owned())))?
    };
    if !store.has(&resolved) {
        session.fetch(store, &resolved)?;
    }
    Ok(resolved.commit_id)
}

/// [`Bases`] for one build.
#[derive(Debug)]
struct Until {
    bases: Bases,
    deadline: Deadline,
}

impl RemoteTrees for Until {
    fn tree(&self, remote: &kustomize::Remote) -> Result<Arc<dyn FileTree>, String> {
        match self.bases.tree(remote, &self.deadline) {
            Ok(tree) => Ok(Arc::new(tree)),
            Err(error) => Err(chain(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::Options;

    fn remote(reference: usize) -> kustomize::Remote {
        kustomize::Remote {
            repository: "https://example.com/bases".to_owned(),
            reference: reference.to_string(),
            path: String::new(),
        }
    }

    #[test]
    fn a_ref_too_many_takes_the_place_of_the_longest_unused_that_nobody_reads() {
        let directory = tempfile::tempdir().unwrap();
        let client = Client::new(Options::default()).unwrap();
        let bases = Bases::new(client, directory.path().to_owned(), None).unwrap();
        let read = bases.store(&remote(0)).unwrap();
        for reference in 1..=MAX_STORES {
            bases.store(&remote(reference)).unwrap();
        }
        let stores = bases.0.stores.lock().unwrap();
        let has = |reference: usize| {
            let name = format!("https://example.com/bases@{reference}");
            stores.by_name.contains_key(&name)
        };
        assert_eq!(stores.by_name.len(), MAX_STORES);
        assert!(has(0) && !has(1) && has(2));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), MAX_STORES);
        drop(read);
    }
}
