//! `kubectl flux` as a process, in an empty environment and for one namespace.

use std::{fmt, path::PathBuf, process::Stdio};

use anyhow::{Context, Result, bail};
use tokio::{io::AsyncWriteExt as _, process::Command};

use crate::{ControlPlane, TestNamespace, controller};

/// The plugin, for one cluster and namespace.
#[derive(Debug, Clone)]
pub struct Plugin {
    executable: PathBuf,
    kubeconfig: PathBuf,
    namespace: Option<String>,
}

/// What a run of the plugin printed, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The data.
    pub stdout: String,
    /// The talk.
    pub stderr: String,
    /// The exit status.
    pub code: i32,
}

impl Plugin {
    /// Builds the plugin if its sources are newer; `KUBECTL_FLUX` names another.
    pub async fn build(control_plane: &ControlPlane) -> Result<Self> {
        let executable = tokio::task::spawn_blocking(controller::plugin)
            .await
            .context("build the plugin")??;
        Ok(Self {
            executable,
            kubeconfig: control_plane.kubeconfig(),
            namespace: None,
        })
    }

    /// Returns the plugin for the namespace of a test, in which the three kinds are served.
    pub async fn in_namespace(
        control_plane: &ControlPlane,
        namespace: &TestNamespace,
    ) -> Result<Self> {
        crate::install::definitions(&namespace.client()).await?;
        let mut plugin = Self::build(control_plane).await?;
        plugin.namespace = Some(namespace.name().to_owned());
        Ok(plugin)
    }

    /// Runs it with these words.
    pub async fn run(&self, words: &[&str]) -> Result<Said> {
        self.run_with_input(words, "").await
    }

    /// Runs it with these words and something to read.
    pub async fn run_with_input(&self, words: &[&str], input: &str) -> Result<Said> {
        let mut command = Command::new(&self.executable);
        command.env_clear().env("KUBECONFIG", &self.kubeconfig);
        command.args(words);
        if let Some(namespace) = &self.namespace {
            command.args(["--namespace", namespace]);
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().context("start the plugin")?;
        if let Some(mut stdin) = child.stdin.take() {
            // A verb that reads nothing may have ended by now.
            stdin.write_all(input.as_bytes()).await.ok();
        }
        let output = child
            .wait_with_output()
            .await
            .context("wait for the plugin")?;
        Ok(Said {
            stdout: String::from_utf8(output.stdout).context("read what the plugin printed")?,
            stderr: String::from_utf8(output.stderr).context("read what the plugin said")?,
            code: output.status.code().context("the plugin was killed")?,
        })
    }

    /// Runs it and returns its data; anything but success is an error.
    pub async fn data(&self, words: &[&str]) -> Result<String> {
        let said = self.run(words).await?;
        if said.code != 0 {
            bail!("kubectl flux {} failed\n{said}", words.join(" "));
        }
        Ok(said.stdout)
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            stdout,
            stderr,
            code,
        } = self;
        write!(
            f,
            "--- stdout\n{stdout}--- stderr\n{stderr}--- exit status {code}"
        )
    }
}
