//! Ports that open and close on demand.

use std::{
    net::Ipv4Addr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::{Context, Result};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::{Shared, http, ssh};
use crate::certificates::Identity;

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

/// Returns what a TLS port needs; with `clients_signed_by` it lets in only clients with such a certificate.
pub(super) fn tls(identity: &Identity, clients_signed_by: Option<&str>) -> Result<TlsAcceptor> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions();
    let config = config.context("choose the versions of TLS")?;
    let config = match clients_signed_by {
        None => config.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(authority.as_bytes())?)?;
            config.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?,
            )
        }
    };
    let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())?;
    let config = config
        .with_single_cert(vec![certificate], key)
        .context("use the server's certificate")?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
