//! How a registry is reached: credentials, certificates, or without TLS.

use std::{collections::BTreeMap, fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use flux_core::image::Name;

use super::docker_config;
use crate::tls::{self, Tls};

/// What is shown to a registry, and what it has to show. Cheap to clone; prints nothing secret.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Access(Arc<Parts>);

#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Parts {
    login: Option<Login>,
    tls: Tls,
    insecure: bool,
}

/// Who we are to a registry.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Login {
    /// A user with a password.
    Password {
        /// The user.
        user: String,
        /// The password, often a token in truth.
        password: String,
    },
    /// A token to get tokens with (OAuth 2's refresh token).
    Identity(String),
    /// A token that opens the registry itself.
    Registry(String),
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts {
            login,
            tls: _,
            insecure,
        } = self.0.as_ref();
        f.debug_struct("Access")
            .field("login", login)
            .field("insecure", insecure)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Password(…)",
            Self::Identity(_) => "Identity(…)",
            Self::Registry(_) => "Registry(…)",
        })
    }
}

impl Access {
    /// Everyone's way: TLS, no credentials.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Reads the credentials for an image from a `.dockerconfigjson`; without an entry for its registry it is
    /// everyone's way.
    pub fn from_docker_config(config: &[u8], image: &Name) -> Result<Self, docker_config::Error> {
        let login = Login::from_docker_config(config, image)?;
        Ok(login.map_or_else(Self::default, |login| Self::default().with_login(login)))
    }

    /// Returns the same with credentials.
    #[must_use]
    pub fn with_login(self, login: Login) -> Self {
        self.with(|parts| parts.login = Some(login))
    }

    /// Returns the same with the `ca.crt`, `tls.crt` and `tls.key` of a Secret.
    pub fn with_certificates(self, data: &BTreeMap<String, Vec<u8>>) -> Result<Self, tls::Error> {
        let tls = Tls::from_secret(data)?;
        Ok(self.with(|parts| parts.tls = tls))
    }

    /// Returns the same with or without TLS. Without, everyone on the way can read and change what is sent, credentials
    /// too.
    #[must_use]
    pub fn insecure(self, insecure: bool) -> Self {
        self.with(|parts| parts.insecure = insecure)
    }

    /// Tells whether there are credentials.
    pub fn has_login(&self) -> bool {
        self.0.login.is_some()
    }

    fn with(mut self, change: impl FnOnce(&mut Parts)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Returns who we are, if we are anyone.
    pub(super) fn login(&self) -> Option<&Login> {
        self.0.login.as_ref()
    }

    pub(super) fn tls(&self) -> &Tls {
        &self.0.tls
    }

    pub(super) fn is_insecure(&self) -> bool {
        self.0.insecure
    }
}

impl Login {
    /// Returns the entry of a Secret of type `kubernetes.io/dockerconfigjson`, or of the older `dockercfg`, that fits
    /// an image best.
    pub fn from_secret(
        data: &BTreeMap<String, Vec<u8>>,
        image: &Name,
    ) -> Result<Option<Self>, docker_config::Error> {
        let keys = [".dockerconfigjson", ".dockercfg"];
        let config = keys.iter().find_map(|key| data.get(*key));
        Self::from_docker_config(config.ok_or(docker_config::Error::Missing)?, image)
    }

    /// Returns the entry of a `.dockerconfigjson` (or of the older `.dockercfg`) that fits an image best.
    pub fn from_docker_config(
        config: &[u8],
        image: &Name,
    ) -> Result<Option<Self>, docker_config::Error> {
        docker_config::find(config, image)
    }

    /// Returns the value of an `Authorization` header for those who take names and passwords.
    pub(super) fn basic(&self) -> Option<String> {
        match self {
            Self::Password { user, password } => Some(format!(
                "Basic {}",
                STANDARD.encode(format!("{user}:{password}"))
            )),
            Self::Identity(_) | Self::Registry(_) => None,
        }
    }
}
