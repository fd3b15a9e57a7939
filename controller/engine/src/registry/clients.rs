//! Connections that stay open between requests, one set for each set of certificates.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{git::chain, tls::Tls};

use super::Error;

const CONNECT: Duration = Duration::from_secs(15);
/// A server that sends nothing for so long is given up.
const SILENCE: Duration = Duration::from_secs(20);
/// Connections that no one used for this long are closed: before load balancers do it, which is often after a minute,
/// and just when the next scan is due.
const IDLE: Duration = Duration::from_secs(30);
/// So many different sets of certificates are kept ready.
const MAX_CLIENTS: usize = 64;

#[derive(Default)]
pub(super) struct Clients(Mutex<HashMap<Tls, reqwest::Client>>);

impl Clients {
    /// Returns the client that trusts, and shows, what is in `tls`.
    pub(super) fn get(&self, tls: &Tls) -> Result<reqwest::Client, Error> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(tls) {
            return Ok(client.clone());
        }
        let client = build(tls)?;
        if clients.len() >= MAX_CLIENTS {
            clients.clear();
        }
        clients.insert(tls.clone(), client.clone());
        Ok(client)
    }
}

fn build(tls: &Tls) -> Result<reqwest::Client, Error> {
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls.config()?)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("flux/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(4)
        .tcp_nodelay(true)
        .no_proxy()
        .build();
    client.map_err(|error| {
        let message = chain(&error.without_url());
        Error::Certificates(crate::tls::Error::Unusable { message })
    })
}
