//! etcd and a real API server, and what it takes to run workloads on them.

mod audit;
mod door;
mod files;
mod nodes;
mod programs;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use tokio::sync::OnceCell;

pub use audit::{AuditLog, Request};
pub use door::{Asked, Door, Fault};

use crate::{
    binaries::{Binaries, Program},
    process::{Process, Usage},
    scratch::Scratch,
};
use files::Files;

/// How often a control plane is started anew because another program took one of its ports.
const ATTEMPTS: usize = 4;

/// How long a start may take on a machine that is busy with many tests.
const PATIENCE: Duration = Duration::from_mins(4);

/// How long the API server may take to close its connections in an orderly end.
const GRACE: Duration = Duration::from_secs(10);

/// What runs beside etcd and the API server, and where.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Run the controllers of the built-in kinds, the scheduler, and this many nodes on which pods become Ready.
    pub nodes: u16,
    /// Keep everything in this directory, also afterwards; default: one that goes away.
    pub directory: Option<PathBuf>,
}

impl Options {
    /// A cluster on which Deployments become Ready: controllers, scheduler and two nodes.
    pub fn with_workloads() -> Self {
        Self {
            nodes: 2,
            ..Self::default()
        }
    }
}

/// A running Kubernetes control plane; it stops when it is dropped.
#[derive(Debug)]
pub struct ControlPlane {
    // Fields are dropped in this order: clients of the API server, the API server, its store, the directory.
    others: Mutex<Vec<Process>>,
    api_server: Mutex<Option<Process>>,
    etcd: Mutex<Process>,
    files: Files,
    ports: Ports,
    binaries: Binaries,
    nodes: u16,
    scratch: Scratch,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    etcd: u16,
    etcd_peer: u16,
    api_server: u16,
}

impl ControlPlane {
    /// Starts a control plane and waits until it serves; builds its executables first if need be.
    pub async fn start(options: Options) -> Result<Self> {
        let binaries = tokio::task::spawn_blocking(Binaries::ready)
            .await
            .context("build the control plane")??;
        let mut attempt = 1;
        loop {
            match Self::try_start(&binaries, &options).await {
                Err(error) if attempt < ATTEMPTS && lost_a_port(&error) => attempt += 1,
                result => return result,
            }
        }
    }

    /// Returns the API server that all tests of this executable share: nothing but etcd and the API server.
    ///
    /// # Panics
    /// When it cannot start: no test can go on without it.
    pub async fn shared() -> &'static Arc<Self> {
        static SHARED: OnceCell<Arc<ControlPlane>> = OnceCell::const_new();
        SHARED
            .get_or_init(|| Self::start_or_panic(Options::default()))
            .await
    }

    /// Returns the control plane with nodes that all tests of this executable share.
    ///
    /// # Panics
    /// When it cannot start: no test can go on without it.
    pub async fn shared_with_workloads() -> &'static Arc<Self> {
        static SHARED: OnceCell<Arc<ControlPlane>> = OnceCell::const_new();
        SHARED
            .get_or_init(|| Self::start_or_panic(Options::with_workloads()))
            .await
    }

    #[expect(
        clippy::panic,
        reason = "a test without its control plane has failed, and OnceCell wants a value"
    )]
    async fn start_or_panic(options: Options) -> Arc<Self> {
        match Self::start(options).await {
            Ok(started) => Arc::new(started),
            Err(error) => panic!("the shared control plane does not start: {error:#}"),
        }
    }

    async fn try_start(binaries: &Binaries, options: &Options) -> Result<Self> {
        let scratch = match &options.directory {
            Some(directory) => Scratch::given(directory.clone())?,
            None => Scratch::fresh("cluster")?,
        };
        let ports = Ports {
            etcd: crate::ports::free()?,
            etcd_peer: crate::ports::free()?,
            api_server: crate::ports::free()?,
        };
        let files = Files::write(scratch.path(), ports.api_server)?;
        let etcd = programs::etcd(&files, ports);
        let etcd = binaries.start(Program::Etcd, &etcd, &files.log("etcd"))?;
        let control_plane = Self {
            others: Mutex::default(),
            api_server: Mutex::default(),
            etcd: Mutex::new(etcd),
            files,
            ports,
            binaries: binaries.clone(),
            nodes: options.nodes,
            scratch,
        };
        control_plane.start_api_server().await?;
        if options.nodes > 0 {
            control_plane.start_workloads().await?;
        }
        Ok(control_plane)
    }

    /// Starts the API server, if it is not running, and waits until it is ready.
    pub async fn start_api_server(&self) -> Result<()> {
        if lock(&self.api_server).is_none() {
            let arguments = programs::api_server(&self.files, self.ports, self.nodes > 0);
            let process = self.binaries.start(
                Program::ApiServer,
                &arguments,
                &self.files.log("kube-apiserver"),
            )?;
            *lock(&self.api_server) = Some(process);
        }
        let client = self.client().await?;
        self.wait_until("the API server is ready", async || {
            nodes::serves(&client).await
        })
        .await
    }

    /// Ends the API server in order (SIGTERM); etcd and the data stay.
    pub fn stop_api_server(&self) {
        if let Some(mut process) = lock(&self.api_server).take() {
            process.stop(GRACE);
        }
    }

    /// Kills the API server in the middle of what it does (SIGKILL); etcd and the data stay.
    pub fn kill_api_server(&self) {
        drop(lock(&self.api_server).take());
    }

    /// Ends the API server and starts it again on the same port with the same data.
    pub async fn restart_api_server(&self) -> Result<()> {
        self.stop_api_server();
        self.start_api_server().await
    }

    /// Ends everything now; dropping does the same.
    pub fn stop(&self) {
        lock(&self.others).clear();
        self.kill_api_server();
        lock(&self.etcd).kill();
    }

    /// Returns a new client as cluster administrator, bound to the current runtime.
    pub async fn client(&self) -> Result<Client> {
        client(&self.files.admin_kubeconfig()).await
    }

    /// Returns a client as any user, known to the API server by a client certificate, without any rights by itself.
    pub async fn client_as(&self, user: &str, group: Option<&str>) -> Result<Client> {
        client(&self.kubeconfig_as(user, group)?).await
    }

    /// Writes a kubeconfig for any user, known by a client certificate, and returns its path.
    pub fn kubeconfig_as(&self, user: &str, group: Option<&str>) -> Result<PathBuf> {
        self.files.write_kubeconfig(user, group)
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.files.admin_kubeconfig()
    }

    /// The API server's address.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.api_server)
    }

    /// The certificate with which the API server's is signed, as PEM.
    pub fn authority(&self) -> &str {
        self.files.authority.certificate()
    }

    /// A bearer token of the administrator.
    pub fn admin_token(&self) -> &str {
        &self.files.admin_token
    }

    /// The directory with logs, keys and data of this control plane.
    pub fn directory(&self) -> &Path {
        self.scratch.path()
    }

    /// The audit log: one line for each request that the API server has answered.
    pub fn audit_log(&self) -> AuditLog {
        AuditLog::new(self.files.audit_log())
    }

    /// Returns a `kubectl` command for this control plane.
    pub fn kubectl(&self) -> Result<Command> {
        let mut command = self.binaries.command(Program::Kubectl)?;
        command
            .env("KUBECONFIG", self.kubeconfig())
            .env("HOME", self.directory());
        Ok(command)
    }

    /// Returns what the API server has used since it was started.
    pub fn api_server_usage(&self) -> Result<Usage> {
        lock(&self.api_server)
            .as_ref()
            .context("the API server is stopped")?
            .usage()
    }

    /// Returns what etcd has used.
    pub fn etcd_usage(&self) -> Result<Usage> {
        lock(&self.etcd).usage()
    }

    /// Returns name and process id of everything that runs.
    pub fn processes(&self) -> Vec<(String, u32)> {
        let mut all = Vec::new();
        let mut note = |process: &Process| all.push((process.name().to_owned(), process.id()));
        note(&lock(&self.etcd));
        lock(&self.api_server).iter().for_each(&mut note);
        lock(&self.others).iter().for_each(&mut note);
        all
    }

    async fn start_workloads(&self) -> Result<()> {
        std::fs::write(self.files.kwok_stages(), self.binaries.kwok_stages()?)
            .context("write kwok's stages")?;
        for (program, arguments) in [
            (
                Program::ControllerManager,
                programs::controller_manager(&self.files),
            ),
            (Program::Scheduler, programs::scheduler(&self.files)),
            (Program::Kwok, programs::kwok(&self.files)),
        ] {
            let process =
                self.binaries
                    .start(program, &arguments, &self.files.log(program.name()))?;
            lock(&self.others).push(process);
        }
        let client = self.client().await?;
        nodes::create(&client, self.nodes).await?;
        self.wait_until("its nodes are Ready", async || {
            nodes::are_ready(&client).await
        })
        .await
    }

    /// Waits for `condition`, or for one of the processes to end.
    async fn wait_until(&self, what: &str, condition: impl AsyncFn() -> bool) -> Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !condition().await {
            self.check_alive()?;
            if tokio::time::Instant::now() > deadline {
                let logs = self.directory().join("logs");
                bail!(
                    "the control plane does not come to where {what}; see the logs in {}",
                    logs.display()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    fn check_alive(&self) -> Result<()> {
        check_alive(&mut lock(&self.etcd))?;
        lock(&self.api_server)
            .as_mut()
            .map_or(Ok(()), check_alive)?;
        lock(&self.others).iter_mut().try_for_each(check_alive)
    }
}

fn check_alive(process: &mut Process) -> Result<()> {
    match process.exit_status() {
        Some(status) => bail!(
            "{} ended ({status}); its last words:{}",
            process.name(),
            process.last_words()
        ),
        None => Ok(()),
    }
}

pub(crate) async fn client(kubeconfig: &Path) -> Result<Client> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).context("read the kubeconfig")?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    Client::try_from(config.context("load the kubeconfig")?).context("make a client")
}

/// Whether a start failed because somebody else bound one of the ports first.
fn lost_a_port(error: &anyhow::Error) -> bool {
    format!("{error:#}").contains("address already in use")
}

/// Locks, also after another test has panicked with the lock held: what is behind it is a list of processes.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
