//! The controller as a process of this machine, out of the cluster.

mod build;
mod endpoint;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    Cluster, ControlPlane, install,
    process::{Process, Usage},
    scratch::Scratch,
};

pub use build::{executable, plugin};

/// How long the controller gets to be ready.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long it gets to end in order; longer than its own `--shutdown-grace`.
const GRACE: Duration = Duration::from_secs(25);

/// How the controller is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Flags on top of those that say where everything is, such as `--allow-file-repositories`.
    pub flags: Vec<String>,
    /// Keep the object stores in this directory; default: one that goes away with the controller.
    pub data_directory: Option<PathBuf>,
}

impl Options {
    /// Lets the controller see one namespace alone, so that several can share a control plane.
    pub fn for_namespace(namespace: &str) -> Self {
        let flags = vec![
            format!("--watch-namespace={namespace}"),
            "--no-leader-election".to_owned(),
        ];
        Self {
            flags,
            ..Self::default()
        }
    }

    /// Adds a flag.
    #[must_use]
    pub fn with_flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }
}

/// A controller that runs, or ran and can be started again; it ends when it is dropped.
#[derive(Debug)]
pub struct Controller {
    process: Option<Process>,
    executable: PathBuf,
    kubeconfig: PathBuf,
    options: Options,
    metrics: u16,
    health: u16,
    webhook: u16,
    directory: Scratch,
}

impl Controller {
    /// Installs what the controller needs and starts it with exactly the rights that `config/rbac` gives it.
    ///
    /// It runs with an empty environment: it must not need any other executable.
    pub async fn start(control_plane: &ControlPlane, options: Options) -> Result<Self> {
        install::prerequisites(&control_plane.client().await?).await?;
        let kubeconfig = control_plane
            .kubeconfig_as(install::CONTROLLER_USER, Some("system:serviceaccounts"))?;
        Self::start_with(&kubeconfig, options).await
    }

    /// Installs what the controller needs on any cluster and starts it out of it.
    ///
    /// On a cluster of ours it has its own rights; on another it has those of the kubeconfig.
    pub async fn start_on(cluster: &Cluster, options: Options) -> Result<Self> {
        match cluster {
            Cluster::Own(control_plane) => Self::start(control_plane, options).await,
            Cluster::Current(kubeconfig) => {
                install::prerequisites(&cluster.client().await?).await?;
                Self::start_with(kubeconfig, options).await
            }
        }
    }

    /// Starts the controller as the user of a kubeconfig, on a cluster that has all that it needs.
    pub async fn start_with(kubeconfig: &Path, options: Options) -> Result<Self> {
        let executable = tokio::task::spawn_blocking(executable)
            .await
            .context("build the controller")??;
        let mut controller = Self {
            process: None,
            executable,
            kubeconfig: kubeconfig.to_owned(),
            options,
            metrics: crate::ports::free()?,
            health: crate::ports::free()?,
            webhook: crate::ports::free()?,
            directory: Scratch::fresh("controller")?,
        };
        controller.restart().await?;
        Ok(controller)
    }

    /// Starts it again with the same data, after ending it in order if it runs, and waits until it is ready.
    pub async fn restart(&mut self) -> Result<()> {
        self.stop();
        let mut command = Command::new(&self.executable);
        command
            .arg(format!("--kubeconfig={}", self.kubeconfig.display()))
            .arg(format!("--data-dir={}", self.data_directory().display()))
            .arg(format!("--metrics-addr=127.0.0.1:{}", self.metrics))
            .arg(format!("--health-addr=127.0.0.1:{}", self.health))
            .arg(format!("--webhook-address=127.0.0.1:{}", self.webhook))
            .args(["--log-format=text", "--allow-http-repositories"])
            .args(&self.options.flags)
            // As config/manager sets it.
            .env("MALLOC_ARENA_MAX", "1");
        for variable in ["RUST_LOG", "RUST_BACKTRACE"] {
            command.envs(std::env::var_os(variable).map(|value| (variable, value)));
        }
        self.process = Some(Process::start_watched(
            "flux-controller",
            &command,
            &self.log_file(),
        )?);
        self.wait_until_ready().await
    }

    /// Ends it in order (SIGTERM) and waits for its end.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.stop(GRACE);
        }
    }

    /// Kills it in the middle of what it does (SIGKILL).
    pub fn kill(&mut self) {
        drop(self.process.take());
    }

    /// Tells whether it runs.
    pub fn is_running(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|process| process.exit_status().is_none())
    }

    /// The process, to freeze, signal or measure it.
    pub fn process(&self) -> Result<&Process> {
        self.process.as_ref().context("the controller is stopped")
    }

    /// Returns what it has used since it was started.
    pub fn usage(&self) -> Result<Usage> {
        self.process()?.usage()
    }

    /// The directory of its object stores.
    pub fn data_directory(&self) -> PathBuf {
        self.options
            .data_directory
            .clone()
            .unwrap_or_else(|| self.directory.path().join("data"))
    }

    /// The file with everything that it has printed, also before a restart.
    pub fn log_file(&self) -> PathBuf {
        self.directory.path().join("flux-controller.log")
    }

    /// Returns everything that it has printed, also before a restart.
    pub fn log(&self) -> Result<String> {
        let bytes = std::fs::read(self.log_file()).context("read the controller's log")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Returns its metrics in their text form.
    pub async fn metrics(&self) -> Result<String> {
        let (status, text) = endpoint::get(self.metrics, "/metrics").await?;
        if status != 200 {
            bail!("/metrics answers {status}: {text}");
        }
        Ok(text)
    }

    /// Returns the address of its webhook server, such as `http://127.0.0.1:9292`.
    pub fn webhook_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.webhook)
    }

    /// Returns the HTTP status of `/healthz` or `/readyz`.
    pub async fn probe(&self, path: &str) -> Result<u16> {
        Ok(endpoint::get(self.health, path).await?.0)
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self
            .probe("/readyz")
            .await
            .is_ok_and(|status| status == 200)
        {
            let process = self.process.as_mut().context("the controller is stopped")?;
            if let Some(status) = process.exit_status() {
                bail!(
                    "the controller ended ({status}); its last words:{}",
                    process.last_words()
                );
            }
            if Instant::now() > deadline {
                bail!(
                    "the controller is not ready after {PATIENCE:?}; its last words:{}",
                    process.last_words()
                );
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        if let Some(process) = self.process.as_ref().filter(|_| std::thread::panicking()) {
            let words = format!("the controller's last words:{}\n", process.last_words());
            std::io::stderr().write_all(words.as_bytes()).ok();
        }
    }
}
