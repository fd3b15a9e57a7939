//! Ports that open and close on demand.

use std::{
    net::Ipv4Addr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::{Shared, http, ssh};

/// What is spoken on a port.
#[derive(Clone)]
pub(super) enum Door {
    Http,
    Https(TlsAcceptor),
    Ssh(Arc<russh::server::Config>, russh::keys::PublicKey),
}

/// Serves a port as long as the server is open; closes it and cuts its connections while it is not.
pub(super) async fn keep(port: u16, door: Door, shared: Arc<Shared>) {
    let mut open = shared.open.subscribe();
    while open.wait_for(|open| *open).await.is_ok() {
        // The port can still be in the hands of a connection that is being closed.
        let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        shared.counters.listeners.fetch_add(1, Ordering::SeqCst);
        accept(&listener, &door, &shared, &mut open).await;
        drop(listener);
        shared.counters.listeners.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn accept(
    listener: &TcpListener,
    door: &Door,
    shared: &Arc<Shared>,
    open: &mut watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(serve(stream, door.clone(), Arc::clone(shared)));
            }
            // Ended connections are forgotten as they come.
            Some(_) = connections.join_next() => {}
            closed = open.wait_for(|open| !*open) => {
                drop(closed);
                break;
            }
        }
    }
    connections.shutdown().await;
}

/// Serves one connection; what goes wrong with it is the client's to notice.
async fn serve(stream: TcpStream, door: Door, shared: Arc<Shared>) {
    stream.set_nodelay(true).ok();
    match door {
        Door::Http => http::serve(stream, shared).await,
        Door::Https(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                http::serve(stream, shared).await;
            }
        }
        Door::Ssh(config, authorised) => ssh::serve(stream, config, authorised, shared).await,
    }
}
