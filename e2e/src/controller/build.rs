//! The executables of this workspace.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result, bail};

use crate::binaries::{target_directory, workspace};

/// One build at a time, and the second finds it done.
static BUILDING: Mutex<()> = Mutex::new(());

/// Builds the controller if its sources are newer, and returns its executable; `FLUX_CONTROLLER` names another.
pub fn executable() -> Result<PathBuf> {
    package("flux-controller", "FLUX_CONTROLLER")
}

/// Builds the plugin if its sources are newer, and returns its executable; `KUBECTL_FLUX` names another.
pub fn plugin() -> Result<PathBuf> {
    static BUILT: Mutex<Option<PathBuf>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    // Cargo waits for other builds of the machine, even when there is nothing to do.
    if let Some(path) = &*built {
        return Ok(path.clone());
    }
    let path = package("kubectl-flux", "KUBECTL_FLUX")?;
    Ok(built.insert(path).clone())
}

/// Builds a package of this workspace in the profile that we were built in, and returns its executable.
fn package(name: &str, variable: &str) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(PathBuf::from(path));
    }
    let _guard = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
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
    let built = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("start cargo to build {name}"))?;
    if !built.success() {
        bail!("{name} does not build; see the errors above");
    }
    Ok(target.join(profile).join(name))
}

fn is_release() -> bool {
    let executable = std::env::current_exe().unwrap_or_default();
    executable
        .ancestors()
        .any(|path| path.file_name().is_some_and(|name| name == "release"))
}
