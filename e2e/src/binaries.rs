//! The executables of the control plane: built from Go on first use, or found where `KUBEBUILDER_ASSETS` points.

mod build;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::process::Process;

/// A program of the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The store behind the API server.
    Etcd,
    /// The API server.
    ApiServer,
    /// The controllers of the built-in kinds.
    ControllerManager,
    /// Binds pods to nodes.
    Scheduler,
    /// The command line.
    Kubectl,
    /// Makes nodes and pods Ready without a kubelet.
    Kwok,
}

impl Program {
    /// The name of its executable.
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Kubectl => "kubectl",
            Self::Kwok => "kwok",
        }
    }
}

/// Where the executables of the control plane are.
#[derive(Debug, Clone)]
pub enum Binaries {
    /// One executable for all, built by us; its name is followed by the program's name.
    Built(PathBuf),
    /// A directory with one executable each, as envtest's `KUBEBUILDER_ASSETS`.
    Assets(PathBuf),
}

impl Binaries {
    /// Finds the executables; builds what is missing, which takes minutes the first time.
    ///
    /// Blocks: call it before anything is timed. Processes that ask at the same time wait for one build.
    pub fn ready() -> Result<Self> {
        if let Some(directory) =
            std::env::var_os("KUBEBUILDER_ASSETS").filter(|value| !value.is_empty())
        {
            return Self::assets(PathBuf::from(directory));
        }
        build::module(
            "controlplane",
            "the Kubernetes control plane (7 minutes the first time)",
        )
        .map(Self::Built)
    }

    fn assets(directory: PathBuf) -> Result<Self> {
        for program in [Program::Etcd, Program::ApiServer] {
            let path = directory.join(program.name());
            if !path.is_file() {
                bail!(
                    "KUBEBUILDER_ASSETS is set, but {} does not exist; unset it to build the executables",
                    path.display()
                );
            }
        }
        Ok(Self::Assets(directory))
    }

    /// Returns a command for a program, to which its arguments are added.
    pub fn command(&self, program: Program) -> Result<Command> {
        match self {
            Self::Built(executable) => {
                let mut command = Command::new(executable);
                command.arg(program.name());
                Ok(command)
            }
            Self::Assets(directory) => {
                let path = directory.join(program.name());
                if !path.is_file() {
                    bail!(
                        "{} is not in KUBEBUILDER_ASSETS; unset it to build what is needed",
                        program.name()
                    );
                }
                Ok(Command::new(path))
            }
        }
    }

    /// Starts a program of the control plane that ends with us.
    pub(crate) fn start(
        &self,
        program: Program,
        arguments: &[String],
        log: &Path,
    ) -> Result<Process> {
        let mut command = self.command(program)?;
        command.args(arguments);
        match self {
            Self::Built(_) => {
                command.env("CONTROLPLANE_EXIT_WITH_STDIN", "1");
                Process::start(program.name(), command, log)
            }
            Self::Assets(_) => Process::start_watched(program.name(), &command, log),
        }
    }

    /// Returns kwok's own stages: what makes nodes and pods Ready.
    pub(crate) fn kwok_stages(&self) -> Result<Vec<u8>> {
        let Self::Built(executable) = self else {
            bail!("kwok's stages come with the executable that we build; unset KUBEBUILDER_ASSETS");
        };
        let output = Command::new(executable)
            .arg("kwok-stages")
            .output()
            .context("print kwok's stages")?;
        Ok(output.stdout)
    }
}

/// Builds the image registry if it is missing, and returns its executable.
pub fn registry() -> Result<PathBuf> {
    build::module("registry", "the image registry (3 minutes the first time)")
}

/// Builds the real kustomize if it is missing, and returns its executable.
pub fn kustomize() -> Result<PathBuf> {
    build::module("kustomize", "the real kustomize")
}

/// Tells whether git can be called.
pub fn find_git() -> bool {
    answers("git", "--version")
}

/// Tells whether a Go that is new enough can be called, or is not needed.
pub fn find_go() -> bool {
    std::env::var_os("KUBEBUILDER_ASSETS").is_some() || build::require_go().is_ok()
}

/// Tells whether cargo can be called.
pub fn find_cargo() -> bool {
    std::env::var_os("CARGO").is_some() || answers("cargo", "--version")
}

fn answers(program: &str, argument: &str) -> bool {
    Command::new(program)
        .arg(argument)
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Returns the directory below cargo's target directory in which we keep everything.
pub fn cache_directory() -> PathBuf {
    target_directory().join("flux-e2e")
}

/// Returns cargo's target directory: the marked one above our executable, or where cargo would put it.
pub(crate) fn target_directory() -> PathBuf {
    let executable = std::env::current_exe().unwrap_or_default();
    if let Some(marked) = executable
        .ancestors()
        .find(|path| path.join("CACHEDIR.TAG").is_file())
    {
        return marked.to_owned();
    }
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// Returns the top of the source tree.
pub(crate) fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
