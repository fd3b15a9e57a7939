//! A kubeconfig that somebody else wrote: which cluster and identity it means, if it does no more than to say so.
//!
//! The file comes from a tenant, and is used by a process that has rights of its own. So nothing in it may run a program,
//! read a file, send credentials in the clear or talk to a server that cannot prove who it is: such entries are refused, not
//! skipped (CVE-2022-24817 of Flux v2). Only the current context counts; what other contexts use is not looked at.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::hash::desired_hash;

#[cfg(test)]
mod tests;

/// The keys of a Secret under which a kubeconfig is looked for when none is named.
const KEYS: [&str; 2] = ["value", "value.yaml"];
/// Bytes of a name that a message shows.
const SHOWN: usize = 64;

/// Entries of a cluster that are refused, and why.
const CLUSTER: [(&str, &str); 3] = [
    (
        "certificate-authority",
        "files of the controller are never read: put the certificate into certificate-authority-data",
    ),
    (
        "insecure-skip-tls-verify",
        "a cluster must prove who it is: give its certificate-authority-data instead",
    ),
    (
        "proxy-url",
        "clusters are reached without a proxy: name an address that the controller can reach",
    ),
];

/// Entries of a user that are refused, and why.
const USER: [(&str, &str); 9] = [
    (
        "exec",
        "programs are never run: use a token or a client certificate",
    ),
    (
        "auth-provider",
        "auth providers run code: use a token or a client certificate",
    ),
    (
        "tokenFile",
        "files of the controller are never read: put the token into token",
    ),
    (
        "client-certificate",
        "files of the controller are never read: put the certificate into client-certificate-data",
    ),
    (
        "client-key",
        "files of the controller are never read: put the key into client-key-data",
    ),
    ("as", IMPERSONATION),
    ("as-uid", IMPERSONATION),
    ("as-groups", IMPERSONATION),
    ("as-user-extra", IMPERSONATION),
];

const IMPERSONATION: &str = "set spec.serviceAccountName to act as another account";

/// Why a kubeconfig is not used. Names the entry, never what stands in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The Secret has no such key.
    #[error("has no key {}", quoted(keys))]
    Missing {
        /// The keys that were looked for.
        keys: Vec<String>,
    },
    /// The value is no YAML of one document.
    #[error("is no kubeconfig: {}", place(*line))]
    Syntax {
        /// The line in question.
        line: Option<usize>,
    },
    /// An entry is missing.
    #[error("{entry} is missing in the kubeconfig")]
    Absent {
        /// The entry.
        entry: String,
    },
    /// An entry does not have the form that it must have.
    #[error("{entry} in the kubeconfig is not {expected}")]
    Invalid {
        /// The entry.
        entry: String,
        /// What it must be.
        expected: &'static str,
    },
    /// An entry is not allowed.
    #[error("{entry} in the kubeconfig is refused; {why}")]
    Refused {
        /// The entry.
        entry: String,
        /// Why, and what to do.
        why: &'static str,
    },
}

fn quoted(keys: &[String]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| format!("{key:?}")).collect();
    keys.join(" or ")
}

fn place(line: Option<usize>) -> String {
    line.map_or_else(
        || "it has to be one YAML document".to_owned(),
        |line| format!("line {line} is not valid YAML"),
    )
}

/// A text that is not printed.
pub type Hidden = Zeroizing<String>;

/// A cluster and an identity there. Prints no credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct KubeConfig {
    /// Address of the API server; always `https`.
    pub server: String,
    /// The name that its certificate must have, if not that of the address.
    pub server_name: Option<String>,
    /// Certificates of its authority: PEM in base64. Without it, those that the machine trusts.
    pub authority: Option<String>,
    /// Who we are there.
    pub identity: Identity,
}

/// The credentials of a kubeconfig; any of them may be missing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// A bearer token.
    pub token: Option<Hidden>,
    /// A client certificate and its key: PEM in base64.
    pub certificate: Option<(String, Hidden)>,
    /// User name and password.
    pub password: Option<(String, Hidden)>,
}

impl fmt::Debug for KubeConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KubeConfig")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl KubeConfig {
    /// Returns a digest of which cluster this is, whoever we are there. Another authority counts as another cluster: one that
    /// was made anew under the same address has nothing of what the former one had.
    pub fn cluster(&self) -> String {
        let Self {
            server,
            server_name,
            authority,
            ..
        } = self;
        let cluster = json!([server, server_name, authority]);
        format!("{:016x}", desired_hash(&cluster))
    }

    /// Reads the kubeconfig of a Secret: under `key`, or under `value` or `value.yaml` when no key is named.
    pub fn from_secret(data: &BTreeMap<String, Vec<u8>>, key: Option<&str>) -> Result<Self, Error> {
        let keys = key.map_or_else(|| KEYS.to_vec(), |key| vec![key]);
        let found = keys.iter().find_map(|key| data.get(*key));
        let bytes = found.ok_or_else(|| Error::Missing {
            keys: keys.iter().map(|&key| key.to_owned()).collect(),
        })?;
        Self::parse(bytes)
    }

    /// Reads what the current context of a kubeconfig names.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        // The parser's own words may quote what stands in the file.
        let documents = flux_kustomize::parse_yaml(bytes, "")
            .map_err(|error| Error::Syntax { line: error.line })?;
        let [document] = documents.as_slice() else {
            return Err(Error::Syntax { line: None });
        };
        let name = text(&document.value, "", "current-context")?
            .ok_or_else(|| absent("current-context"))?;
        let context = Entry::find(&document.value, ("contexts", "context"), name)?;
        let cluster = Entry::find(
            &document.value,
            ("clusters", "cluster"),
            context.required("cluster")?,
        )?;
        let user = Entry::find(
            &document.value,
            ("users", "user"),
            context.required("user")?,
        )?;
        cluster.refuse(&CLUSTER)?;
        user.refuse(&USER)?;
        Ok(Self {
            server: server(&cluster)?,
            server_name: cluster.text("tls-server-name")?.map(str::to_owned),
            authority: cluster.base64("certificate-authority-data")?,
            identity: identity(&user)?,
        })
    }
}

fn server(cluster: &Entry<'_>) -> Result<String, Error> {
    let server = cluster.required("server")?;
    let rest = server.strip_prefix("https://");
    let is_address = rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control())
    });
    if is_address {
        Ok(server.to_owned())
    } else {
        Err(cluster.invalid("server", "an address with https:// and without credentials"))
    }
}

fn identity(user: &Entry<'_>) -> Result<Identity, Error> {
    let pair = |one: (&'static str, Option<String>), other: (&'static str, Option<String>)| match (
        one, other,
    ) {
        ((_, Some(one)), (_, Some(other))) => Ok(Some((one, Hidden::new(other)))),
        ((_, None), (_, None)) => Ok(None),
        ((_, Some(_)), (missing, None)) | ((missing, None), (_, Some(_))) => {
            Err(absent(&format!("{}.{missing}", user.path)))
        }
    };
    let owned = |field| Ok::<_, Error>((field, user.header(field)?.map(str::to_owned)));
    let data = |field| Ok::<_, Error>((field, user.base64(field)?));
    Ok(Identity {
        token: user
            .header("token")?
            .map(|token| Hidden::new(token.to_owned())),
        certificate: pair(data("client-certificate-data")?, data("client-key-data")?)?,
        password: pair(owned("username")?, owned("password")?)?,
    })
}

/// A named entry of one of the lists.
struct Entry<'a> {
    /// Where it is, as messages show it.
    path: String,
    value: &'a Value,
}

impl<'a> Entry<'a> {
    /// Returns the first entry of that name, as client-go does.
    fn find(file: &'a Value, (list, field): (&str, &str), name: &str) -> Result<Self, Error> {
        let path = format!(
            "{list}[{}].{field}",
            crate::conclude::truncate(name, SHOWN).escape_debug()
        );
        let mut entries = file[list].as_array().into_iter().flatten();
        let value = entries
            .find(|entry| entry["name"] == name)
            .map(|entry| &entry[field])
            .filter(|value| value.is_object())
            .ok_or_else(|| absent(&path))?;
        Ok(Self { path, value })
    }

    fn text(&self, field: &str) -> Result<Option<&'a str>, Error> {
        text(self.value, &format!("{}.", self.path), field)
    }

    fn required(&self, field: &str) -> Result<&'a str, Error> {
        self.text(field)?
            .ok_or_else(|| absent(&format!("{}.{field}", self.path)))
    }

    /// Returns a text that goes into a header.
    fn header(&self, field: &str) -> Result<Option<&'a str>, Error> {
        let text = self.text(field)?;
        if text.is_some_and(|text| text.contains(char::is_control)) {
            return Err(self.invalid(field, "one line of text"));
        }
        Ok(text)
    }

    fn base64(&self, field: &str) -> Result<Option<String>, Error> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        let data: String = text.split_ascii_whitespace().collect();
        let is_pem = STANDARD.decode(&data).is_ok_and(|bytes| {
            let bytes = Zeroizing::new(bytes);
            bytes.windows(5).any(|window| window == b"-----")
        });
        if is_pem {
            Ok(Some(data))
        } else {
            Err(self.invalid(field, "PEM in base64"))
        }
    }

    /// Refuses fields that say anything: empty texts, `false` and null say nothing.
    fn refuse(&self, refused: &[(&str, &'static str)]) -> Result<(), Error> {
        let says = |value: &Value| !(value.is_null() || value == "" || value == false);
        let found = refused.iter().find(|(field, _)| says(&self.value[*field]));
        found.map_or(Ok(()), |(field, why)| {
            Err(Error::Refused {
                entry: format!("{}.{field}", self.path),
                why,
            })
        })
    }

    fn invalid(&self, field: &str, expected: &'static str) -> Error {
        Error::Invalid {
            entry: format!("{}.{field}", self.path),
            expected,
        }
    }
}

/// Returns a text that is not empty.
fn text<'a>(value: &'a Value, path: &str, field: &str) -> Result<Option<&'a str>, Error> {
    match &value[field] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        _ => Err(Error::Invalid {
            entry: format!("{path}{field}"),
            expected: "text",
        }),
    }
}

fn absent(entry: &str) -> Error {
    Error::Absent {
        entry: entry.to_owned(),
    }
}
