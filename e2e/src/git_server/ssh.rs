//! SSH: one host key, one authorised key, and the real git commands.

use std::{collections::HashMap, process::Stdio, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use russh::{
    Channel, ChannelId, MethodKind, MethodSet,
    keys::{
        PrivateKey, PublicKey,
        ssh_key::{LineEnding, private::Ed25519Keypair},
    },
    server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session, VerifiedPublicKey},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    process::Command,
};

use super::{
    Conduct, Shared,
    conduct::{self, Pace},
    traffic::add,
};
use crate::git_repo::hermetic_environment;

/// The server's and the client's keys.
#[derive(Debug)]
pub(super) struct Keys {
    host: PrivateKey,
    client: PrivateKey,
}

impl Keys {
    pub(super) fn generate() -> Result<Self> {
        Ok(Self {
            host: random_key()?,
            client: random_key()?,
        })
    }

    pub(super) fn authorised(&self) -> PublicKey {
        self.client.public_key().clone()
    }

    pub(super) fn host_public(&self) -> Result<String> {
        self.host
            .public_key()
            .to_openssh()
            .context("write the host key")
    }

    pub(super) fn client_private(&self) -> Result<String> {
        let text = self
            .client
            .to_openssh(LineEnding::LF)
            .context("write the client's key")?;
        Ok(text.as_str().to_owned())
    }

    pub(super) fn server_config(&self) -> Arc<Config> {
        Arc::new(Config {
            keys: vec![self.host.clone()],
            methods: MethodSet::from(&[MethodKind::PublicKey, MethodKind::Password][..]),
            // Tests try wrong keys and need not wait for it.
            auth_rejection_time: Duration::from_millis(5),
            nodelay: true,
            ..Config::default()
        })
    }
}

/// Returns a new Ed25519 key.
pub(crate) fn random_key() -> Result<PrivateKey> {
    Ok(PrivateKey::from(Ed25519Keypair::from_seed(
        &crate::secret()?
    )))
}

/// Serves one connection.
pub(super) async fn serve(
    stream: TcpStream,
    config: Arc<Config>,
    authorised: PublicKey,
    shared: Arc<Shared>,
) {
    let visitor = Visitor {
        authorised,
        shared,
        channels: HashMap::new(),
    };
    if let Ok(session) = russh::server::run_stream(config, stream, visitor).await {
        // A broken connection is the client's to notice.
        session.await.ok();
    }
}

struct Visitor {
    authorised: PublicKey,
    shared: Arc<Shared>,
    channels: HashMap<ChannelId, Visit>,
}

/// A channel on which no command runs yet.
struct Visit {
    channel: Channel<Msg>,
    protocol: Option<String>,
}

impl Handler for Visitor {
    type Error = anyhow::Error;

    async fn auth_publickey(&mut self, _user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth> {
        let known = key.public_key.key_data() == self.authorised.key_data();
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth> {
        let known = self.shared.access().admits_password(user, password);
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<()> {
        self.channels.insert(
            channel.id(),
            Visit {
                channel,
                protocol: None,
            },
        );
        reply.accept().await;
        Ok(())
    }

    async fn env_request(
        &mut self,
        id: ChannelId,
        name: &str,
        value: &str,
        session: &mut Session,
    ) -> Result<()> {
        match self.channels.get_mut(&id) {
            Some(visit) if name == "GIT_PROTOCOL" => {
                visit.protocol = Some(value.to_owned());
                session.channel_success(id)?;
            }
            _ => session.channel_failure(id)?,
        }
        Ok(())
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<()> {
        let command = parse(&String::from_utf8_lossy(command));
        match (self.channels.remove(&id), command) {
            (Some(visit), Some(command)) => {
                session.channel_success(id)?;
                tokio::spawn(run(visit, command, Arc::clone(&self.shared)));
            }
            _ => session.channel_failure(id)?,
        }
        Ok(())
    }
}

/// What a client may run.
#[derive(Debug, PartialEq, Eq)]
struct GitCommand {
    service: &'static str,
    repository: String,
}

/// Reads `git-upload-pack '/name.git'`; anything else, and any way out of the directory, is refused.
fn parse(command: &str) -> Option<GitCommand> {
    let (name, argument) = command.trim().split_once(' ')?;
    let service = ["upload-pack", "receive-pack", "upload-archive"]
        .into_iter()
        .find(|service| name.strip_prefix("git-") == Some(*service))?;
    let repository = argument.trim().trim_matches('\'').trim_start_matches('/');
    let inside = !repository.is_empty()
        && repository
            .split('/')
            .all(|part| !part.is_empty() && part != "..");
    inside.then(|| GitCommand {
        service,
        repository: repository.to_owned(),
    })
}

/// Runs the command and connects it with the channel.
async fn run(visit: Visit, command: GitCommand, shared: Arc<Shared>) {
    add(&shared.counters.commands, 1);
    let (mut reader, writer) = visit.channel.split();
    let conduct = conduct::before_answer(shared.conduct.subscribe()).await;
    let is_push = command.service == "receive-pack";
    let access = shared.access();
    let refusal = match access.read_only().filter(|_| is_push) {
        Some(why) => Some(format!("ERROR: {why}\n")),
        None if matches!(conduct, Conduct::Failing(_)) => {
            Some("the server fails on purpose\n".to_owned())
        }
        None => None,
    };
    let code = if let Some(refusal) = refusal {
        writer.extended_data_bytes(1, refusal).await.ok();
        1
    } else {
        let pace = Pace::new(conduct);
        let streams = (
            reader.make_reader(),
            writer.make_writer(),
            writer.make_writer_ext(Some(1)),
        );
        execute(command, visit.protocol, streams, (&shared, pace))
            .await
            .unwrap_or(1)
    };
    // The client may be gone already.
    writer.exit_status(code).await.ok();
    writer.eof().await.ok();
    writer.close().await.ok();
}

async fn execute(
    command: GitCommand,
    protocol: Option<String>,
    (mut input, mut output, mut errors): (
        impl AsyncRead + Unpin,
        impl AsyncWrite + Unpin,
        impl AsyncWrite + Unpin,
    ),
    (shared, mut pace): (&Arc<Shared>, Pace),
) -> Result<u32> {
    let is_push = command.service == "receive-pack";
    let mut process = Command::new("git");
    process
        .arg(command.service)
        .arg(shared.repositories.join(&command.repository));
    process
        .env_clear()
        .envs(hermetic_environment())
        .envs(protocol.map(|value| ("GIT_PROTOCOL", value)));
    process
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = process.spawn().context("start git")?;
    let mut child_input = child.stdin.take().context("write to git")?;
    let mut child_output = child.stdout.take().context("read from git")?;
    let mut child_errors = child.stderr.take().context("read git's errors")?;

    let feed = async {
        let copied = tokio::io::copy(&mut input, &mut child_input)
            .await
            .unwrap_or_default();
        add(
            &shared.counters.received,
            usize::try_from(copied).unwrap_or_default(),
        );
        drop(child_input);
        // git ends by itself; until then its output goes on.
        std::future::pending::<()>().await;
    };
    let drain = async {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(length @ 1..) = child_output.read(&mut buffer).await {
            let admitted = pace.admit(length).await;
            add(&shared.counters.sent, admitted);
            output
                .write_all(buffer.get(..admitted).unwrap_or_default())
                .await?;
            if admitted < length {
                break;
            }
            // The list of references of a push ends so; what comes then is the answer.
            if is_push
                && buffer
                    .get(..length)
                    .is_some_and(|sent| sent.ends_with(b"0000"))
            {
                pace.begin_answer();
            }
        }
        tokio::io::copy(&mut child_errors, &mut errors).await?;
        output.flush().await?;
        child.wait().await
    };
    tokio::select! {
        () = feed => Ok(1),
        status = drain => Ok(u32::try_from(status?.code().unwrap_or(1)).unwrap_or(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_git_commands_inside_the_directory_run() {
        let upload = |repository: &str| {
            Some(GitCommand {
                service: "upload-pack",
                repository: repository.to_owned(),
            })
        };
        assert_eq!(
            parse("git-upload-pack '/team/app.git'"),
            upload("team/app.git")
        );
        assert_eq!(parse("git-upload-pack 'app.git'"), upload("app.git"));
        for refused in [
            "sh -c true",
            "git-upload-pack '/../etc'",
            "git-upload-pack ''",
            "git-upload-pack",
            "rm -rf /",
        ] {
            assert_eq!(parse(refused), None, "{refused}");
        }
    }
}
