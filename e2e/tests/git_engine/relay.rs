//! Something between client and server: it counts connections, changes requests, redirects, or is a proxy.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// A listener on a port of its own. Its threads end with the test.
pub(crate) struct Relay {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

/// What is done with a connection after its first request came in.
#[derive(Clone)]
pub(crate) enum Kind {
    /// Passes everything on to the address; of requests, one text is replaced by another.
    Forward(String, Option<(&'static str, &'static str)>),
    /// Answers each request with a redirect to the same path below this address.
    Redirect(String),
    /// Is an HTTP proxy that knows `CONNECT`.
    Proxy,
}

impl Relay {
    pub(crate) fn start(kind: Kind) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self {
            port: listener.local_addr().unwrap().port(),
            connections: Arc::default(),
            heads: Arc::default(),
        };
        let (connections, heads) = (relay.connections.clone(), relay.heads.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::SeqCst);
                let (kind, heads) = (kind.clone(), heads.clone());
                thread::spawn(move || kind.serve(stream, &heads));
            }
        });
        relay
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The first request of each connection, without its body.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Kind {
    fn serve(self, mut client: TcpStream, heads: &Mutex<Vec<String>>) -> Option<()> {
        let head = read_head(&mut client)?;
        heads.lock().unwrap().push(head.clone());
        let target = head.split(' ').nth(1)?;
        match &self {
            Self::Redirect(base) => {
                let answer = format!(
                    "HTTP/1.1 302 Found\r\nlocation: {base}{target}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                );
                client.write_all(answer.as_bytes()).ok()
            }
            Self::Proxy => {
                let server = TcpStream::connect(target).ok()?;
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
                join(client, server, None)
            }
            Self::Forward(address, replace) => {
                let mut server = TcpStream::connect(address).ok()?;
                server
                    .write_all(&replaced(head.into_bytes(), *replace))
                    .ok()?;
                join(client, server, *replace)
            }
        }
    }
}

/// Reads to the blank line. The requests of these tests have no body on their first one.
fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.extend_from_slice(&byte);
    }
    String::from_utf8(head).ok()
}

fn join(
    client: TcpStream,
    server: TcpStream,
    replace: Option<(&'static str, &'static str)>,
) -> Option<()> {
    let (client_reader, server_reader) = (client.try_clone().ok()?, server.try_clone().ok()?);
    let back = thread::spawn(move || copy(server_reader, client, None));
    copy(client_reader, server, replace);
    back.join().ok()
}

fn copy(mut from: TcpStream, mut to: TcpStream, replace: Option<(&'static str, &'static str)>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let bytes = replaced(buffer.get(..length).unwrap_or_default().to_vec(), replace);
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    // The other side may be gone already.
    to.shutdown(Shutdown::Write).ok();
}

fn replaced(bytes: Vec<u8>, replace: Option<(&'static str, &'static str)>) -> Vec<u8> {
    let Some((old, new)) = replace else {
        return bytes;
    };
    match bytes
        .windows(old.len())
        .position(|window| window.eq_ignore_ascii_case(old.as_bytes()))
    {
        Some(at) => [
            bytes.get(..at),
            Some(new.as_bytes()),
            bytes.get(at + old.len()..),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .concat(),
        None => bytes,
    }
}
