//! What a registry is started with, and its configuration file.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{storage, tokens::Tokens};

/// `jane` with the password `pa:ss`, at bcrypt's least cost.
const HTPASSWD: &str = "jane:$2a$04$NqTVGiTTbiE7A73YHjVlFeY8YGqjNEnWIkhHH8tfJ2/exh9M/EHuG\n";

/// How a registry is set up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Who may read.
    pub auth: Auth,
    /// What is spoken.
    pub door: Door,
    /// How many tags a page has at the most; 1000 if not said.
    pub page: Option<u32>,
    /// Who is told of pushes.
    pub notify: Option<Notify>,
}

/// Who may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Auth {
    /// Everybody.
    #[default]
    Open,
    /// Who knows user and password.
    Password,
    /// Who has a token of the token server, which gives one to who knows user and password, and for repositories
    /// below `public/` to everybody.
    Token,
}

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Door {
    /// HTTP without TLS.
    #[default]
    Http,
    /// HTTPS with a certificate of the registry's own authority.
    Https,
    /// HTTPS where the client must show a certificate too. The token server does not want to see one.
    Mutual,
}

/// Who is told of pushes: distribution's own notifications.
#[derive(Debug, Clone)]
pub struct Notify {
    /// Where they are posted to.
    pub url: String,
    /// The value of their `Authorization` header.
    pub authorization: Option<String>,
}

/// Where a registry listens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) backend: u16,
    pub(super) front: u16,
    pub(super) tokens: u16,
}

impl Ports {
    pub(super) fn free() -> Result<Self> {
        Ok(Self {
            backend: crate::ports::free()?,
            front: crate::ports::free()?,
            tokens: crate::ports::free()?,
        })
    }
}

/// The address of the token server.
pub(super) fn token_server(scheme: &str, port: u16) -> String {
    format!("{scheme}://127.0.0.1:{port}/token")
}

impl Door {
    pub(super) fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https | Self::Mutual => "https",
        }
    }
}

/// Writes `config.yml` and what it refers to.
pub(super) fn write(
    directory: &Path,
    options: &Options,
    ports: Ports,
    tokens: &Tokens,
) -> Result<()> {
    let put = |name: &str, text: String| {
        let path = directory.join(name);
        std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))
    };
    put("htpasswd", HTPASSWD.to_owned())?;
    put("jwks.json", tokens.key_set().to_string())?;
    // JSON is YAML too.
    put("config.yml", config(directory, options, ports).to_string())
}

fn config(directory: &Path, options: &Options, ports: Ports) -> Value {
    let mut config = json!({
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": true}},
        "storage": {
            "filesystem": {"rootdirectory": storage(directory)},
            "delete": {"enabled": true},
            "maintenance": {"uploadpurging": {"enabled": false}},
        },
        "http": {"addr": format!("127.0.0.1:{}", ports.backend), "relativeurls": true, "secret": "e2e"},
    });
    let auth = match options.auth {
        Auth::Open => None,
        Auth::Password => {
            Some(json!({"htpasswd": {"realm": "e2e", "path": directory.join("htpasswd")}}))
        }
        Auth::Token => Some(json!({"token": {
            // Another port is another host to a client; its credentials go there all the same.
            "realm": token_server(options.door.scheme(), ports.tokens),
            "service": super::tokens::SERVICE,
            "issuer": super::tokens::ISSUER,
            "jwks": directory.join("jwks.json"),
        }})),
    };
    let tags = options.page.map(|page| json!({"maxtags": page}));
    let notifications = options.notify.as_ref().map(|notify| {
        let headers = notify
            .authorization
            .as_ref()
            .map(|value| json!({"Authorization": [value]}));
        json!({"endpoints": [{
            "name": "flux", "url": notify.url, "headers": headers,
            "timeout": "5s", "threshold": 5, "backoff": "1s",
        }]})
    });
    let sections = [
        ("auth", auth),
        ("tags", tags),
        ("notifications", notifications),
    ];
    for (key, section) in sections {
        if let (Some(map), Some(section)) = (config.as_object_mut(), section) {
            map.insert(key.to_owned(), section);
        }
    }
    config
}
