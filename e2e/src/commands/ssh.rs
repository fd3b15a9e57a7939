//! An SSH client as git calls one: it runs one command on the other side.

use std::{
    io::{Read as _, Write as _},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use russh::{
    ChannelMsg,
    client::{self, Handle},
    keys::{
        PrivateKeyWithHashAlg, PublicKeyOrCertificate, check_known_hosts_path, load_secret_key,
    },
};
use tokio::sync::mpsc;

/// Arguments of the SSH client: ours first, then what git adds.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The private key
    #[arg(long)]
    identity: PathBuf,
    /// The file with the host's key
    #[arg(long)]
    known_hosts: PathBuf,
    #[arg(short = 'p', default_value_t = 22)]
    port: u16,
    /// What git wants to be set; the one thing that it needs we do anyway
    #[arg(short = 'o')]
    options: Vec<String>,
    /// user@host
    destination: String,
    command: String,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Some((user, host)) = arguments.destination.split_once('@') else {
        bail!("{} is not user@host", arguments.destination);
    };
    let trust = Trust {
        host: host.to_owned(),
        port: arguments.port,
        known_hosts: arguments.known_hosts,
    };
    let address = (host.to_owned(), arguments.port);
    let mut session = client::connect(Arc::default(), address, trust)
        .await
        .context("connect")?;
    let key = load_secret_key(&arguments.identity, None).context("read the identity")?;
    let key = PrivateKeyWithHashAlg::new(Arc::new(key), None);
    if !session
        .authenticate_publickey(user, key)
        .await
        .context("log in")?
        .success()
    {
        bail!("permission denied: the server does not know the key");
    }
    execute(&session, &arguments.command).await
}

async fn execute(session: &Handle<Trust>, command: &str) -> Result<ExitCode> {
    let channel = session
        .channel_open_session()
        .await
        .context("open a channel")?;
    if let Ok(protocol) = std::env::var("GIT_PROTOCOL") {
        channel
            .set_env(false, "GIT_PROTOCOL", protocol)
            .await
            .context("say which protocol git speaks")?;
    }
    channel
        .exec(true, command)
        .await
        .context("run the command")?;
    let (mut from_server, to_server) = channel.split();
    let mut input = read_input();
    let feed = tokio::spawn(async move {
        while let Some(data) = input.recv().await {
            to_server.data_bytes(data).await?;
        }
        to_server.eof().await
    });
    let mut code = 255;
    let mut stdout = std::io::stdout();
    while let Some(message) = from_server.wait().await {
        match message {
            ChannelMsg::Data { data } => {
                stdout.write_all(&data).context("write the answer")?;
                stdout.flush().context("write the answer")?;
            }
            ChannelMsg::ExtendedData { data, .. } => std::io::stderr().write_all(&data)?,
            ChannelMsg::ExitStatus { exit_status } => {
                code = u8::try_from(exit_status).unwrap_or(255);
            }
            _ => {}
        }
    }
    feed.abort();
    Ok(ExitCode::from(code))
}

/// Reads standard input on a thread of its own: the runtime would wait for a read that never ends.
fn read_input() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(4);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(length @ 1..) = std::io::stdin().read(&mut buffer) {
            let data = buffer.get(..length).unwrap_or_default().to_vec();
            if sender.blocking_send(data).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Trusts the one host whose key is in the file.
struct Trust {
    host: String,
    port: u16,
    known_hosts: PathBuf,
}

impl client::Handler for Trust {
    type Error = anyhow::Error;

    async fn check_server_key(&mut self, offered: &PublicKeyOrCertificate) -> Result<bool> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = offered else {
            return Ok(false);
        };
        check_known_hosts_path(&self.host, self.port, key, &self.known_hosts)
            .context("read the known hosts")
    }
}
