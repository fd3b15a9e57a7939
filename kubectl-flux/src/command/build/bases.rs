//! Bases in other repositories, fetched if the person allows it.

use std::{collections::BTreeMap, fs, io, sync::Arc, time::Duration};

use flux_engine::git::{Bases, Client, Deadline, Options};
use flux_kustomize::RemoteTrees;
use tempfile::TempDir;

use crate::{args::RemoteArgs, error::Error};

/// How long all repositories together may take.
const TIMEOUT: Duration = Duration::from_mins(2);

/// A directory for other repositories, which goes away with this.
pub(super) struct Fetched {
    bases: Bases,
    _directory: TempDir,
}

impl Fetched {
    /// Makes ready for fetching; `None` if it is not allowed.
    pub(super) fn new(args: &RemoteArgs) -> Result<Option<Self>, Error> {
        if !args.allow_remote_bases {
            return Ok(None);
        }
        let failed = |source: io::Error| Error::File {
            path: std::env::temp_dir(),
            source,
        };
        let directory = tempfile::tempdir().map_err(failed)?;
        let client = Client::new(Options::default()).map_err(failed)?;
        let path = directory.path().join("bases");
        let bases = Bases::new(client, path, ssh(args)?).map_err(failed)?;
        Ok(Some(Self {
            bases,
            _directory: directory,
        }))
    }

    pub(super) fn trees(&self) -> Arc<dyn RemoteTrees> {
        self.bases.until(Deadline::after(TIMEOUT))
    }
}

/// Returns what ssh needs, if the person gave it.
fn ssh(args: &RemoteArgs) -> Result<Option<BTreeMap<String, Vec<u8>>>, Error> {
    let (Some(identity), Some(known_hosts)) = (&args.ssh_identity, &args.ssh_known_hosts) else {
        return Ok(None);
    };
    let read = |path: &std::path::PathBuf| {
        fs::read(path).map_err(|source| Error::File {
            path: path.clone(),
            source,
        })
    };
    Ok(Some(BTreeMap::from([
        ("identity".to_owned(), read(identity)?),
        ("known_hosts".to_owned(), read(known_hosts)?),
    ])))
}
