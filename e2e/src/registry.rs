//! An image registry for tests: the real distribution, with a front that counts, fails and hangs as it is told.
//!
//! ```text
//!  client ──http | https | https with client certificate──► front: count, conduct ──► distribution ──► files
//!         ──token──────────────────────────────────────────► token server (signs what distribution checks)
//!  push ───────────────────────────────────────────────────────────────────────────► distribution
//! ```
//!
//! Pushes go past the front: they are never counted and never fail as reads are told to.

mod conduct;
mod front;
mod image;
mod push;
mod settings;
mod tokens;

use std::{
    net::{Ipv4Addr, TcpStream},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use tokio::runtime::Runtime;

pub use conduct::Conduct;
pub use front::Seen;
pub(crate) use front::http_client;
pub use image::Image;
pub use settings::{Auth, Door, Notify, Options};

use crate::{
    certificates::{Authority, Identity},
    process::Process,
    scratch::Scratch,
};
use front::Front;
use push::Pusher;
use tokens::Tokens;

/// The user whom a closed registry lets in.
pub const USER: &str = "jane";
/// An identity token that stands for her.
pub const IDENTITY_TOKEN: &str = "identity-of-jane";
/// Her password.
pub const PASSWORD: &str = "pa:ss";

/// How long the registry may take to open its port.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running registry; it stops when it is dropped.
#[derive(Debug)]
pub struct Registry {
    runtime: Threads,
    front: Arc<Front>,
    pusher: Pusher,
    authority: Authority,
    options: Options,
    // Before the directory: the process ends before its files go.
    backend: Process,
    directory: Scratch,
}

impl Registry {
    /// Starts a registry without images that is open to everybody, without TLS.
    pub fn start() -> Result<Self> {
        Self::start_with(&Options::default())
    }

    /// Starts a registry without images. Blocks while its executable is built for the first time.
    pub fn start_with(options: &Options) -> Result<Self> {
        let executable = crate::binaries::registry()?;
        // A free port can be taken before the registry opens it.
        let mut attempts = (0..3).map(|_| Self::attempt(&executable, options));
        let started = attempts.by_ref().find(Result::is_ok);
        started.unwrap_or_else(|| Self::attempt(&executable, options))
    }

    fn attempt(executable: &Path, options: &Options) -> Result<Self> {
        let directory = Scratch::fresh("registry")?;
        let authority = Authority::new("flux-e2e registry")?;
        let tokens = Arc::new(Tokens::generate()?);
        let runtime = Threads::start()?;
        let ports = settings::Ports::free()?;
        settings::write(directory.path(), options, ports, &tokens)?;
        let log = directory.path().join("log");
        let mut command = Command::new(executable);
        command
            .arg("serve")
            .arg(directory.path().join("config.yml"))
            .env("CONTROLPLANE_EXIT_WITH_STDIN", "1")
            .env("OTEL_TRACES_EXPORTER", "none");
        let mut backend = Process::start("registry", command, &log)?;
        wait_for_port(&mut backend, ports.backend)?;
        let front = Front::open(
            runtime.get()?,
            &authority,
            options.door,
            ports,
            Arc::clone(&tokens),
        )?;
        Ok(Self {
            pusher: Pusher::new(ports.backend, options.auth, tokens)?,
            runtime,
            front,
            authority,
            options: options.clone(),
            backend,
            directory,
        })
    }

    /// The name of a repository's images: `127.0.0.1:<port>/<repository>`.
    pub fn name(&self, repository: &str) -> String {
        format!("{}/{repository}", self.host())
    }

    /// Host and port of the registry.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.front.port())
    }

    /// The address of the token server.
    pub fn token_server(&self) -> String {
        let scheme = self.options.door.scheme();
        settings::token_server(scheme, self.front.token_port())
    }

    /// The certificate that signs the registry's, as PEM (`ca.crt`).
    pub fn authority(&self) -> &str {
        self.authority.certificate()
    }

    /// Issues a client certificate for [`Door::Mutual`].
    pub fn client_identity(&self, name: &str) -> Result<Identity> {
        self.authority.client(name, None)
    }

    /// A `.dockerconfigjson` that opens this registry.
    pub fn docker_config(&self) -> String {
        let login = serde_json::json!({"username": USER, "password": PASSWORD});
        serde_json::json!({"auths": {self.host(): login}}).to_string()
    }

    /// Says how the registry answers everything from now on, but for its token server.
    pub fn set_conduct(&self, conduct: Conduct) {
        self.front.set_conduct("/v2/", conduct);
    }

    /// Says how requests are answered from now on whose path holds this text; the latest word counts.
    /// The token server is at `/token`.
    pub fn set_conduct_of(&self, part: &str, conduct: Conduct) {
        self.front.set_conduct(part, conduct);
    }

    /// Returns what was asked since the start, or since it was last forgotten, in the order in which it was answered.
    pub fn requests(&self) -> Vec<Seen> {
        self.front.seen()
    }

    /// Forgets what was asked so far.
    pub fn forget_requests(&self) {
        self.front.forget();
    }

    /// Declares all tokens void that were given so far.
    pub fn void_tokens(&self) {
        self.front.tokens().void();
    }

    /// Pushes an image under a tag, and returns its digest.
    pub async fn push(&self, repository: &str, tag: &str, image: &Image) -> Result<String> {
        self.push_tags(repository, [tag], image).await
    }

    /// Pushes an image under many tags, and returns its digest.
    pub async fn push_tags(
        &self,
        repository: &str,
        tags: impl IntoIterator<Item = impl AsRef<str>>,
        image: &Image,
    ) -> Result<String> {
        let tags: Vec<String> = tags
            .into_iter()
            .map(|tag| tag.as_ref().to_owned())
            .collect();
        let (pusher, repository, image) =
            (self.pusher.clone(), repository.to_owned(), image.clone());
        let pushing = async move { pusher.push(&repository, &tags, &image).await };
        self.runtime
            .get()?
            .spawn(pushing)
            .await
            .context("push an image")?
    }

    /// Takes tags away.
    pub fn remove_tags(
        &self,
        repository: &str,
        tags: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<()> {
        for tag in tags {
            let path = self.manifests(repository).join("tags").join(tag.as_ref());
            std::fs::remove_dir_all(&path)
                .with_context(|| format!("remove the tag {}", path.display()))?;
        }
        Ok(())
    }

    /// Lets other repositories have the same tags and images as one, now and later: many repositories with many tags
    /// at the cost of one.
    pub fn mirror(
        &self,
        repository: &str,
        names: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<()> {
        let source = self.repository(repository);
        for name in names {
            let mirror = self.repository(name.as_ref());
            std::fs::create_dir_all(&mirror)
                .with_context(|| format!("create {}", mirror.display()))?;
            for part in ["_manifests", "_layers"] {
                symlink(source.join(part), mirror.join(part))
                    .with_context(|| format!("mirror {repository} as {}", name.as_ref()))?;
            }
        }
        Ok(())
    }

    /// Closes the port and all connections: clients are refused.
    pub fn go_away(&self) -> Result<()> {
        self.front.set_open(false)
    }

    /// Opens the same port again.
    pub fn come_back(&self) -> Result<()> {
        self.front.set_open(true)
    }

    /// Returns the last lines of the registry's log.
    pub fn last_words(&self) -> String {
        self.backend.last_words()
    }

    /// Returns what it was started with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    fn repository(&self, name: &str) -> PathBuf {
        storage(self.directory.path())
            .join("docker/registry/v2/repositories")
            .join(name)
    }

    fn manifests(&self, name: &str) -> PathBuf {
        self.repository(name).join("_manifests")
    }
}

/// Threads that go on when they are dropped: waiting for them would be a panic inside a test's own runtime.
#[derive(Debug)]
struct Threads(Option<Runtime>);

impl Threads {
    fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        Ok(Self(Some(runtime.context("start the registry's threads")?)))
    }

    fn get(&self) -> Result<&Runtime> {
        self.0.as_ref().context("the registry has stopped")
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Where the registry keeps its files.
fn storage(directory: &Path) -> PathBuf {
    directory.join("storage")
}

fn wait_for_port(process: &mut Process, port: u16) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if process.exit_status().is_some() || Instant::now() > deadline {
            bail!("the registry did not start:{}", process.last_words());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
