//! What a build costs as a process of its own.

use std::{
    ffi::OsString,
    io::{ErrorKind, Read as _, Write as _},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use flux_e2e::process::usage;

/// A program that builds a directory and prints the objects.
pub(super) struct Builder {
    executable: PathBuf,
    words: Vec<OsString>,
}

/// What a build cost.
pub(super) struct Cost {
    pub(super) wall: Duration,
    /// The most memory that was resident, in bytes.
    pub(super) peak: u64,
}

impl Cost {
    pub(super) fn faster_than(&self, other: &Self) -> f64 {
        other.wall.as_secs_f64() / self.wall.as_secs_f64()
    }

    pub(super) fn leaner_than(&self, other: &Self) -> f64 {
        other.megabytes() / self.megabytes()
    }

    pub(super) fn milliseconds(&self) -> f64 {
        self.wall.as_secs_f64() * 1e3
    }

    #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
    pub(super) fn megabytes(&self) -> f64 {
        self.peak as f64 / 1e6
    }
}

impl Builder {
    pub(super) fn real() -> Result<Self> {
        Ok(Self {
            executable: flux_e2e::kustomize::executable()?,
            words: vec!["build".into()],
        })
    }

    pub(super) fn ours(executable: &Path) -> Self {
        let plugin = executable
            .file_name()
            .is_some_and(|name| name == "kubectl-flux");
        let words: &[&str] = if plugin {
            &["build", "--reorder", "legacy"]
        } else {
            &["--reorder", "legacy"]
        };
        Self {
            executable: executable.to_owned(),
            words: words.iter().map(OsString::from).collect(),
        }
    }

    /// Builds once, and returns the time from its start to its end.
    pub(super) fn time(&self, directory: &Path) -> Result<Duration> {
        let started = Instant::now();
        let mut child = self.start(directory, Stdio::null())?;
        let status = child.wait().context("wait for a build")?;
        let taken = started.elapsed();
        if !status.success() {
            bail!(
                "{} does not build {}",
                self.executable.display(),
                directory.display()
            );
        }
        Ok(taken)
    }

    /// Builds once more, and returns the most memory that it had resident.
    ///
    /// What it prints goes into a pipe that is full already, so that it stands still when all is built; then it is
    /// looked at until all is printed.
    pub(super) fn peak_memory(&self, directory: &Path) -> Result<u64> {
        let (mut end, full) = full_pipe()?;
        let mut child = self.start(directory, Stdio::from(OwnedFd::from(full)))?;
        let mut peak = at_rest(&child)?;
        // Let it print, and end; printing may take memory of its own.
        let mut part = vec![0; 1 << 16];
        while end.read(&mut part).context("read what a build prints")? > 0 {
            let now = usage(child.id()).map(|usage| usage.peak_resident);
            peak = peak.max(now.unwrap_or_default());
        }
        child.wait().context("wait for a build")?;
        Ok(peak)
    }

    fn start(&self, directory: &Path, output: Stdio) -> Result<Child> {
        Command::new(&self.executable)
            .args(&self.words)
            .arg(directory)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("start {}", self.executable.display()))
    }
}

fn full_pipe() -> Result<(UnixStream, UnixStream)> {
    let (end, mut full) = UnixStream::pair().context("make a pipe")?;
    full.set_nonblocking(true).context("fill a pipe")?;
    for size in [1 << 16, 1] {
        loop {
            match full.write(&vec![b'\n'; size]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error).context("fill a pipe"),
            }
        }
    }
    full.set_nonblocking(false).context("fill a pipe")?;
    Ok((end, full))
}

/// Waits until a process uses no more CPU, and returns its peak of memory.
fn at_rest(child: &Child) -> Result<u64> {
    let mut last = usage(child.id())?;
    let mut since = Instant::now();
    while since.elapsed() < Duration::from_millis(150) {
        std::thread::sleep(Duration::from_millis(5));
        let now = usage(child.id())?;
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    Ok(last.peak_resident)
}
