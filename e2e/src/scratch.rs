//! Directories that are removed with their owner, also when the owner was killed.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result};

use crate::binaries::cache_directory;

/// A directory for one run. The owner holds a lock in it; whoever comes later sweeps what nobody holds.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    remove: bool,
    _lock: Option<File>,
}

impl Scratch {
    /// Makes a fresh directory below the build cache; `FLUX_E2E_KEEP=1` keeps it.
    pub(crate) fn fresh(purpose: &str) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let runs = cache_directory().join("runs");
        fs::create_dir_all(&runs).with_context(|| format!("create {}", runs.display()))?;
        sweep(&runs);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = runs.join(format!("{purpose}-{}-{count}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("create {}", path.display()))?;
        let lock = File::create(path.join("owner.lock")).context("create the owner's lock")?;
        lock.lock().context("lock the run's directory")?;
        let remove = std::env::var_os("FLUX_E2E_KEEP").is_none();
        Ok(Self {
            path,
            remove,
            _lock: Some(lock),
        })
    }

    /// Uses a directory that the caller chose and keeps.
    pub(crate) fn given(path: PathBuf) -> Result<Self> {
        fs::create_dir_all(&path).with_context(|| format!("create {}", path.display()))?;
        Ok(Self {
            path,
            remove: false,
            _lock: None,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.remove {
            // What cannot be removed now is swept by the next run.
            fs::remove_dir_all(&self.path).ok();
        }
    }
}

/// Removes the directories whose owners are gone.
fn sweep(runs: &Path) {
    if std::env::var_os("FLUX_E2E_KEEP").is_some() {
        return;
    }
    for entry in fs::read_dir(runs).into_iter().flatten().flatten() {
        // A directory without a lock file is being made at this moment, or is not ours.
        let Ok(lock) = File::open(entry.path().join("owner.lock")) else {
            continue;
        };
        if lock.try_lock().is_ok() {
            fs::remove_dir_all(entry.path()).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeping_spares_directories_with_an_owner() {
        let mine = Scratch::fresh("sweep-test").unwrap();
        let orphan = mine.path().parent().unwrap().join("sweep-test-orphan");
        fs::create_dir_all(&orphan).unwrap();
        fs::write(orphan.join("owner.lock"), "").unwrap();

        let other = Scratch::fresh("sweep-test").unwrap();

        assert!(mine.path().is_dir(), "an owned directory stays");
        assert!(
            other.path() != mine.path(),
            "each run has its own directory"
        );
        assert!(!orphan.exists(), "an orphan goes");
    }
}
