//! Builds a Go module once per content.

use std::{
    fs::{self, File},
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use sha2::{Digest as _, Sha256};

use super::cache_directory;

/// The version that the executables report; must be the one in go.mod.
const LINKER_FLAGS: &str = "-s -w -X k8s.io/component-base/version.gitVersion=v1.37.2";

/// Returns the executable of the Go module `name` beside this crate, building it if its sources are new.
pub(super) fn module(name: &str, what: &str) -> Result<PathBuf> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let directory = cache_directory().join("bin");
    let executable = directory.join(format!("{name}-{}", key(&sources)?));
    if executable.is_file() {
        return Ok(executable);
    }
    fs::create_dir_all(&directory).with_context(|| format!("create {}", directory.display()))?;
    let lock =
        File::create(directory.join(format!("{name}.lock"))).context("create the build lock")?;
    lock.lock().context("wait for another build")?;
    // Another process may have built it while we waited.
    if !executable.is_file() {
        require_go()?;
        compile(&sources, &executable, what)?;
    }
    Ok(executable)
}

/// Returns a digest of everything that decides what is built.
fn key(sources: &Path) -> Result<String> {
    let entries = fs::read_dir(sources).with_context(|| format!("read {}", sources.display()))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| is_source(path))
        .collect();
    files.sort();
    let mut digest = Sha256::new();
    digest.update(LINKER_FLAGS);
    for file in files {
        digest.update(fs::read(&file).with_context(|| format!("read {}", file.display()))?);
        digest.update([0]);
    }
    let mut key = crate::hexadecimal(&digest.finalize());
    key.truncate(12);
    Ok(key)
}

fn is_source(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| ["go", "mod", "sum"].iter().any(|known| extension == *known))
}

fn compile(sources: &Path, executable: &Path, what: &str) -> Result<()> {
    let draft = executable.with_extension("draft");
    let mut command = Command::new("go");
    command
        .current_dir(sources)
        .args(["build", "-trimpath", "-ldflags", LINKER_FLAGS, "-o"])
        .arg(&draft)
        .arg(".");
    command
        .env("CGO_ENABLED", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut build = command.spawn().context("start go build")?;
    let errors = build.stderr.take().context("read what go build says")?;
    let reader = std::thread::spawn(move || std::io::read_to_string(errors).unwrap_or_default());
    let succeeded = watch(&mut build, what)?;
    let errors = reader.join().unwrap_or_default();
    if !succeeded {
        bail!("go build failed in {}:\n{errors}", sources.display());
    }
    fs::rename(&draft, executable).with_context(|| format!("put {} in place", executable.display()))
}

/// Waits for the build, says how long it has taken so far, and tells whether it succeeded.
fn watch(build: &mut Child, what: &str) -> Result<bool> {
    let started = Instant::now();
    let mut talk = std::io::stderr();
    let terminal = talk.is_terminal();
    let pause = Duration::from_secs(if terminal { 1 } else { 30 });
    let mut next = started;
    loop {
        if let Some(status) = build.try_wait().context("wait for go build")? {
            let end = if terminal { "\r" } else { "" };
            writeln!(
                talk,
                "{end}built {what} in {} s",
                started.elapsed().as_secs()
            )
            .ok();
            return Ok(status.success());
        }
        if Instant::now() >= next {
            let (start, end) = if terminal { ("\r", "") } else { ("", "\n") };
            write!(
                talk,
                "{start}building {what}: {} s{end}",
                started.elapsed().as_secs()
            )
            .ok();
            talk.flush().ok();
            next += pause;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Says what to install if Go is missing or too old.
pub(super) fn require_go() -> Result<()> {
    let output = Command::new("go").args(["env", "GOVERSION"]).output();
    let Ok(output) = output else {
        bail!(
            "go was not found; the test cluster is built from source: install Go 1.26 or newer (https://go.dev/dl)"
        );
    };
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if is_recent(&version) {
        Ok(())
    } else {
        bail!("Go 1.26 or newer is needed, {version} was found (https://go.dev/dl)")
    }
}

fn is_recent(version: &str) -> bool {
    let mut parts = version
        .trim_start_matches("go")
        .split(|c: char| !c.is_ascii_digit())
        .map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= (1, 26),
        _ => version.starts_with("devel"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_go_are_compared_by_number() {
        for (version, expected) in [
            ("go1.26.8", true),
            ("go1.26", true),
            ("go1.27rc1", true),
            ("go2.0", true),
            ("go1.9.2", false),
            ("go1.25.4", false),
            ("", false),
        ] {
            assert_eq!(is_recent(version), expected, "{version}");
        }
    }

    #[test]
    fn the_key_follows_the_sources_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("main.go"), "package main").unwrap();
        let first = key(directory.path()).unwrap();
        fs::write(directory.path().join("README.md"), "words").unwrap();
        assert_eq!(
            key(directory.path()).unwrap(),
            first,
            "a text beside the sources changes nothing"
        );
        fs::write(directory.path().join("go.mod"), "module m").unwrap();
        assert_ne!(
            key(directory.path()).unwrap(),
            first,
            "a new go.mod is a new build"
        );
    }
}
