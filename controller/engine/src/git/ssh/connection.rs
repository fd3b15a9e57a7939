//! An SSH connection with `git-upload-pack` or `git-receive-pack` at its other end, as a blocking reader and writer.

use std::{
    borrow::Cow,
    io::{self, Read, Write},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::{Buf, Bytes};
use flux_core::git::RepositoryUrl;
use gix_transport::{
    Protocol, Service,
    client::git::{ConnectMode, blocking_io::Connection},
};
use russh::{
    ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Preferred,
    client::{self, Handle, Msg},
    keys::{PrivateKeyWithHashAlg, PublicKeyOrCertificate},
};

use super::{super::credentials::Ssh, KnownHosts};
use crate::git::{
    error::{Error, chain},
    line::Line,
};

/// What a server says on its error stream is shown, but not without end.
const MAX_TALK: usize = 2000;

/// Connects, checks the host key, proves who we are, and starts the service.
pub(crate) fn connect(
    line: &Line,
    url: &RepositoryUrl,
    ssh: &Ssh,
    service: Service,
) -> Result<Connection<Reader, Writer>, Error> {
    let opened = line.wait(open(url, ssh, service));
    let opened = opened.map_err(|error| line.explain("connecting", &error))?;
    let Opened {
        handle,
        reader,
        writer,
    } = opened?;
    let handle = Arc::new(handle);
    let reader = Reader {
        line: line.clone(),
        half: reader,
        chunk: Bytes::new(),
        talk: Vec::new(),
        is_over: false,
        server: server(url),
        service,
        _handle: handle.clone(),
    };
    let writer = Writer {
        line: line.clone(),
        half: writer,
        buffer: Vec::new(),
        _handle: handle,
    };
    let connection = Connection::new(
        reader,
        writer,
        Protocol::V2,
        url.path(),
        None::<(&str, _)>,
        ConnectMode::Process,
        false,
    );
    Ok(connection.custom_url(Some(url.to_string().into())))
}

struct Opened {
    handle: Handle<Host>,
    reader: ChannelReadHalf,
    writer: ChannelWriteHalf<Msg>,
}

fn server(url: &RepositoryUrl) -> String {
    format!("{}:{}", url.host(), url.port())
}

async fn open(url: &RepositoryUrl, ssh: &Ssh, service: Service) -> Result<Opened, Error> {
    let server = server(url);
    let failed = |message: String| Error::Connect {
        server: server.clone(),
        message,
    };
    let refusal = Arc::default();
    let host = Host {
        known_hosts: ssh.known_hosts.clone(),
        name: url.host().to_owned(),
        port: url.port(),
        refusal: Arc::clone(&refusal),
    };
    let stream = tokio::net::TcpStream::connect((url.host(), url.port())).await;
    let stream = stream.map_err(|error| failed(error.to_string()))?;
    stream
        .set_nodelay(true)
        .map_err(|error| failed(error.to_string()))?;
    let connected = client::connect_stream(Arc::new(config(url, ssh)), stream, host).await;
    let mut handle = connected.map_err(|error| {
        let refusal = refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        refusal.map_or_else(|| failed(chain(&error)), Error::HostKey)
    })?;
    authenticate(&mut handle, url, ssh).await?;
    let channel = handle.channel_open_session().await;
    let channel = channel.map_err(|error| failed(chain(&error)))?;
    // Servers that do not take the variable speak the older protocol, which is understood too.
    let started = async {
        if service == Service::UploadPack {
            channel.set_env(false, "GIT_PROTOCOL", "version=2").await?;
        }
        let command = format!("{} {}", service.as_str(), quote(url.path()));
        channel.exec(false, command).await
    };
    started.await.map_err(|error| failed(chain(&error)))?;
    let (reader, writer) = channel.split();
    Ok(Opened {
        handle,
        reader,
        writer,
    })
}

fn config(url: &RepositoryUrl, ssh: &Ssh) -> client::Config {
    let default = Preferred::default();
    let known = ssh.known_hosts.algorithms(url.host(), url.port());
    // With an unknown host everything is offered, so that the refusal can show its key.
    let key = if known.is_empty() {
        default.key.clone()
    } else {
        Cow::Owned(known)
    };
    client::Config {
        preferred: Preferred { key, ..default },
        nodelay: true,
        ..client::Config::default()
    }
}

async fn authenticate(
    handle: &mut Handle<Host>,
    url: &RepositoryUrl,
    ssh: &Ssh,
) -> Result<(), Error> {
    let server = server(url);
    let failed = |error: russh::Error| Error::Connect {
        server: server.clone(),
        message: chain(&error),
    };
    // RSA keys sign with SHA-2; SHA-1 is never used, unless that is all the server says it takes.
    let hash = handle
        .best_supported_rsa_hash()
        .await
        .map_err(failed)?
        .flatten();
    let hash = hash.or(Some(russh::keys::HashAlg::Sha512));
    let key = PrivateKeyWithHashAlg::new(ssh.identity.key(), hash);
    let user = url.user().unwrap_or("git");
    let outcome = handle
        .authenticate_publickey(user, key)
        .await
        .map_err(failed)?;
    if outcome.success() {
        return Ok(());
    }
    Err(Error::Unauthorized {
        server,
        hint: "the public key of the identity in the Secret has to be a deploy key of the repository",
    })
}

/// Quotes a path for the shell of the server, as git does.
fn quote(path: &str) -> String {
    format!("'{}'", path.replace('\'', r"'\''").replace('!', r"'\!'"))
}

struct Host {
    known_hosts: KnownHosts,
    name: String,
    port: u16,
    refusal: Arc<Mutex<Option<String>>>,
}

impl client::Handler for Host {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        let checked = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                self.known_hosts.check(&self.name, self.port, key)
            }
            PublicKeyOrCertificate::Certificate(_) => {
                Err("the server shows a certificate, which was not asked for".to_owned())
            }
        };
        let Err(message) = checked else {
            return Ok(true);
        };
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
        Ok(false)
    }
}

/// What the server sends.
pub(crate) struct Reader {
    line: Line,
    half: ChannelReadHalf,
    chunk: Bytes,
    talk: Vec<u8>,
    is_over: bool,
    server: String,
    service: Service,
    _handle: Arc<Handle<Host>>,
}

impl Reader {
    fn next_message(&mut self) -> io::Result<()> {
        match self.line.wait(self.half.wait())? {
            Some(ChannelMsg::Data { data }) => {
                self.line.count(data.len())?;
                self.chunk = data;
            }
            Some(ChannelMsg::ExtendedData { data, .. }) => {
                let room = MAX_TALK.saturating_sub(self.talk.len());
                self.talk.extend(data.iter().take(room));
            }
            Some(ChannelMsg::Failure) => {
                let what = format!("the server does not run {}", self.service.as_str());
                return Err(self.refused(&what));
            }
            Some(ChannelMsg::ExitStatus { exit_status }) if exit_status != 0 => {
                return Err(self.refused("the server refused"));
            }
            None => self.is_over = true,
            Some(_) => {}
        }
        Ok(())
    }

    fn refused(&self, otherwise: &str) -> io::Error {
        let talk = String::from_utf8_lossy(&self.talk);
        let talk: String = talk
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let said = talk.trim();
        let message = if said.is_empty() { otherwise } else { said };
        let (server, message) = (self.server.clone(), message.to_owned());
        if self.service == Service::ReceivePack && denies(&message) {
            let reason = message;
            return self.line.fail(Error::Refused { server, reason });
        }
        self.line.fail(Error::Connect { server, message })
    }
}

/// Whether a server's words say that we may not write, rather than that something broke.
fn denies(message: &str) -> bool {
    let words = [
        "read only",
        "read-only",
        "denied",
        "not allowed",
        "not permitted",
        "archived",
        "forbidden",
        "unauthorized",
        "insufficient",
        "protected",
    ];
    let message = message.to_ascii_lowercase();
    words.iter().any(|word| message.contains(word))
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() && !self.is_over {
            self.next_message()?;
        }
        let amount = self.chunk.len().min(into.len());
        let (start, _) = into.split_at_mut(amount);
        self.chunk.copy_to_slice(start);
        Ok(amount)
    }
}

/// What is sent to the server, in one piece for each request.
pub(crate) struct Writer {
    line: Line,
    half: ChannelWriteHalf<Msg>,
    buffer: Vec<u8>,
    _handle: Arc<Handle<Host>>,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let bytes = Bytes::from(std::mem::take(&mut self.buffer));
        let sent = self.line.wait(self.half.data_bytes(bytes))?;
        sent.map_err(|error| io::Error::other(chain(&error)))
    }
}
