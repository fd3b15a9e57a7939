//! TLS to servers of users: whom to trust besides the authorities of the system, and what to show.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, LazyLock},
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// What is wrong with the certificates in a Secret. Names keys, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A key that is needed is not there.
    #[error("the Secret has no key {key:?}, which a client certificate needs")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// A value cannot be read.
    #[error("the value of {key:?} in the Secret {what}")]
    Malformed {
        /// The key.
        key: &'static str,
        /// What is wrong with its value.
        what: &'static str,
    },
    /// The values cannot be used together.
    #[error("the certificates in the Secret cannot be used: {message}")]
    Unusable {
        /// What is wrong.
        message: String,
    },
}

/// PEM texts, checked when the Secret is read.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Tls {
    authorities: Vec<u8>,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(…)")
    }
}

struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// The authorities of the system. A machine without any is fine: then only those of Secrets count.
static SYSTEM_ROOTS: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Arc::new(roots)
});

impl Tls {
    /// Reads `ca.crt`, `tls.crt` and `tls.key`; none of them has to be there.
    pub(crate) fn from_secret(data: &BTreeMap<String, Vec<u8>>) -> Result<Self, Error> {
        let get = |names: [&str; 2]| names.iter().find_map(|name| data.get(*name)).cloned();
        // The second names are those of Flux v2's older Secrets.
        let tls = Self {
            authorities: get(["ca.crt", "caFile"]).unwrap_or_default(),
            certificate: get(["tls.crt", "certFile"]).unwrap_or_default(),
            key: get(["tls.key", "keyFile"]).unwrap_or_default(),
        };
        match (tls.certificate.is_empty(), tls.key.is_empty()) {
            (true, false) => return Err(Error::Missing { key: "tls.crt" }),
            (false, true) => return Err(Error::Missing { key: "tls.key" }),
            (true, true) | (false, false) => {}
        }
        tls.authorities()?;
        tls.identity()?;
        Ok(tls)
    }

    /// Returns what holds for servers that are not to see the client certificate.
    pub(crate) fn without_identity(&self) -> Self {
        Self {
            authorities: self.authorities.clone(),
            ..Self::default()
        }
    }

    /// Returns the configuration of a connection.
    pub(crate) fn config(&self) -> Result<ClientConfig, Error> {
        let unusable = |error: rustls::Error| Error::Unusable {
            message: error.to_string(),
        };
        let mut roots = Arc::clone(&SYSTEM_ROOTS);
        for authority in self.authorities()? {
            let own = Arc::make_mut(&mut roots);
            own.add(authority).map_err(unusable)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_root_certificates(roots);
        match self.identity()? {
            Some(Identity { chain, key }) => {
                builder.with_client_auth_cert(chain, key).map_err(unusable)
            }
            None => Ok(builder.with_no_client_auth()),
        }
    }

    fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        certificates(&self.authorities, "ca.crt")
    }

    fn identity(&self) -> Result<Option<Identity>, Error> {
        if self.certificate.is_empty() {
            return Ok(None);
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| Error::Malformed {
            key: "tls.key",
            what: "is not a private key in PEM form",
        })?;
        let chain = certificates(&self.certificate, "tls.crt")?;
        Ok(Some(Identity { chain, key }))
    }
}

fn certificates(pem: &[u8], key: &'static str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let what = "holds no certificate in PEM form";
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(list) if !list.is_empty() || pem.is_empty() => Ok(list),
        Ok(_) | Err(_) => Err(Error::Malformed { key, what }),
    }
}
