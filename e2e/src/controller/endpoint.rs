//! One HTTP request to a port of this machine.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Returns status and body.
pub(super) async fn get(port: u16, path: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .context("connect")?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.context("ask")?;
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .context("read the answer")?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .context("find the answer's body")?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .context("find the answer's status")?;
    Ok((status, body.to_owned()))
}
