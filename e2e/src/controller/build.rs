//! The executables of this workspace.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result, bail};

use crate::{
    binaries::{target_directory, workspace},
    scratch::Scratch,
};

/// What this process has built, by package; one build at a time, and each package once.
static BUILT: Mutex<BTreeMap<String, Built>> = Mutex::new(BTreeMap::new());

/// An executable of our own, which no later build of cargo replaces while we use it.
struct Built {
    executable: PathBuf,
    /// Swept by a later run: a static is never dropped.
    _directory: Scratch,
}

/// Builds the controller if its sources are newer, and returns its executable; `FLUX_CONTROLLER` names another.
pub fn executable() -> Result<PathBuf> {
    package("flux-controller", "FLUX_CONTROLLER")
}

/// Builds the plugin if its sources are newer, and returns its executable; `KUBECTL_FLUX` names another.
pub fn plugin() -> Result<PathBuf> {
    package("kubectl-flux", "KUBECTL_FLUX")
}

/// Builds a package of this workspace in the profile that we were built in, and returns its executable.
fn package(name: &str, variable: &str) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(PathBuf::from(path));
    }
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(done) = built.get(name) {
        return Ok(done.executable.clone());
    }
    let product = build(name)?;
    let directory = Scratch::fresh(name)?;
    let executable = directory.path().join(name);
    fs::copy(&product, &executable).with_context(|| format!("copy {}", product.display()))?;
    built.insert(
        name.to_owned(),
        Built {
            executable: executable.clone(),
            _directory: directory,
        },
    );
    Ok(executable)
}

fn build(name: &str) -> Result<PathBuf> {
    let target = target_directory();
    let profile = if is_release() { "release" } else { "debug" };
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(workspace())
        .args(["build", "--quiet", "--package", name, "--target-dir"])
        .arg(&target);
    if is_release() {
        command.arg("--release");
    }
    for (variable, _) in std::env::vars_os().filter(|(name, _)| is_of_a_package(name)) {
        command.env_remove(variable);
    }
    let built = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("start cargo to build {name}"))?;
    if !built.success() {
        bail!("{name} does not build; see the errors above");
    }
    Ok(target.join(profile).join(name))
}

/// Tells whether cargo has set a variable for the test that we are part of. Build scripts that look at these, such as that of
/// ring, would run again in each of the two builds, and all that depends on them would be compiled anew.
fn is_of_a_package(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "OUT_DIR"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

fn is_release() -> bool {
    let executable = std::env::current_exe().unwrap_or_default();
    executable
        .ancestors()
        .any(|path| path.file_name().is_some_and(|name| name == "release"))
}
