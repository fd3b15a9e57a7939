//! The address of a repository, checked once and safe to print ever after.

use std::{fmt, str::FromStr};

/// How a repository is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// TLS.
    Https,
    /// Plain text, only by an explicit option.
    Http,
    /// SSH, also written `user@host:path`.
    Ssh,
    /// A directory on this machine, only by an explicit option.
    File,
}

/// The address of a git repository.
///
/// *Guarantee*: it holds no password, so that it can be printed: an address with credentials is
/// refused, and the refusal does not repeat them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RepositoryUrl {
    scheme: Scheme,
    user: Option<String>,
    host: String,
    port: Option<u16>,
    path: String,
    scp: bool,
}

/// Why an address was refused. Nothing here repeats the address: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Empty text.
    #[error("the repository url is empty")]
    Empty,
    /// A control character, a blank or a backslash.
    #[error("the repository url has a blank, a backslash or a control character")]
    Character,
    /// An option or a remote helper in disguise.
    #[error(
        "the repository url starts with '-' or names a remote helper (helper::address): only https, http, ssh and file are supported"
    )]
    Unsafe,
    /// An unknown scheme, or none.
    #[error(
        "the repository url needs one of the schemes https, ssh, http or file, or the form user@host:path"
    )]
    Scheme,
    /// User name or password within the address.
    #[error(
        "the repository url holds credentials: take them out and put them into the Secret that spec.secretRef names"
    )]
    Credentials,
    /// No host, or a malformed one.
    #[error("the repository url has no valid host name")]
    Host,
    /// A malformed port.
    #[error("the repository url has an invalid port")]
    Port,
    /// No path, or one that starts with `-`.
    #[error("the repository url has no valid path")]
    Path,
    /// `?` or `#`.
    #[error("the repository url has a query or a fragment, which git does not know")]
    Query,
}

impl RepositoryUrl {
    /// Returns how the repository is reached.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the user of an SSH address.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Returns the host name without brackets; empty for a file address.
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Returns the port: the written one or the scheme's own.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.scheme {
            Scheme::Https => 443,
            Scheme::Http => 80,
            Scheme::Ssh => 22,
            Scheme::File => 0,
        })
    }

    /// Returns the path as the server is to see it.
    pub fn path(&self) -> &str {
        // ssh://host/~user/repo means the home directory of that user, as in git.
        match self.scheme {
            Scheme::Ssh if self.path.starts_with("/~") => self.path.get(1..).unwrap_or(&self.path),
            _ => &self.path,
        }
    }

    /// Whether credentials for one may be sent to the other: same scheme, host and port.
    pub fn same_server(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && self.host.eq_ignore_ascii_case(&other.host)
            && self.port() == other.port()
    }

    /// Resolves the address of a submodule: `./` and `../` are relative to this repository.
    pub fn join(&self, address: &str) -> Result<Self, Error> {
        if !(address.starts_with("./") || address.starts_with("../")) {
            return address.parse();
        }
        check_characters(address)?;
        let mut path = self.path.trim_end_matches('/').to_owned();
        let mut rest = address;
        loop {
            if let Some(after) = rest.strip_prefix("./") {
                rest = after;
            } else if let Some(after) = rest.strip_prefix("../") {
                if path.is_empty() {
                    return Err(Error::Path);
                }
                path.truncate(path.rfind('/').unwrap_or(0));
                rest = after;
            } else {
                break;
            }
        }
        if rest.split('/').any(|part| part == "..") {
            return Err(Error::Path);
        }
        let path = if path.is_empty() && self.scp {
            rest.to_owned()
        } else {
            format!("{path}/{rest}")
        };
        Self {
            path,
            ..self.clone()
        }
        .checked()
    }

    fn checked(self) -> Result<Self, Error> {
        if self.path.trim_matches('/').is_empty() || self.path.starts_with('-') {
            return Err(Error::Path);
        }
        if self.path.contains(['?', '#']) && self.scheme != Scheme::File {
            return Err(Error::Query);
        }
        let host = self.host();
        let allowed =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
        let has_host = !host.is_empty() && !host.starts_with('-') && host.chars().all(allowed);
        match (self.scheme, has_host) {
            (Scheme::File, _) if self.host.is_empty() => {}
            (Scheme::File, _) | (_, false) => return Err(Error::Host),
            (_, true) => {}
        }
        match self.user.as_deref() {
            Some(user) if user.is_empty() || user.starts_with('-') => Err(Error::Host),
            _ => Ok(self),
        }
    }
}

fn check_characters(text: &str) -> Result<(), Error> {
    if text.is_empty() {
        return Err(Error::Empty);
    }
    if text
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || c == '\\')
    {
        return Err(Error::Character);
    }
    if text.starts_with('-') {
        return Err(Error::Unsafe);
    }
    Ok(())
}

impl FromStr for RepositoryUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        check_characters(text)?;
        let Some((scheme, rest)) = text.split_once("://") else {
            return parse_scp(text);
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            "ssh" | "git+ssh" | "ssh+git" => Scheme::Ssh,
            "file" => Scheme::File,
            other if other.contains("::") => return Err(Error::Unsafe),
            _ => return Err(Error::Scheme),
        };
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (user, address) = split_user(scheme, authority)?;
        let (host, port) = split_port(address)?;
        Self {
            scheme,
            user,
            host,
            port,
            path: path.to_owned(),
            scp: false,
        }
        .checked()
    }
}

/// Reads `[user@]host:path`.
fn parse_scp(text: &str) -> Result<RepositoryUrl, Error> {
    if text.contains("::") && !text.contains('[') {
        return Err(Error::Unsafe);
    }
    let before_host = text.find('[').unwrap_or(0);
    let after_host = text
        .get(before_host..)
        .and_then(|rest| rest.find(']'))
        .map_or(0, |at| before_host + at);
    let colon = text
        .get(after_host..)
        .and_then(|rest| rest.find(':'))
        .ok_or(Error::Scheme)?
        + after_host;
    let (authority, path) = text.split_at(colon);
    let path = path.trim_start_matches(':');
    if authority.contains('/') {
        return Err(Error::Scheme);
    }
    // user:password@host:path would end up as a path that holds the password.
    if path
        .split('/')
        .next()
        .is_some_and(|first| first.contains('@'))
    {
        return Err(Error::Credentials);
    }
    let (user, host) = split_user(Scheme::Ssh, authority)?;
    RepositoryUrl {
        scheme: Scheme::Ssh,
        user,
        host: host.to_owned(),
        port: None,
        path: path.to_owned(),
        scp: true,
    }
    .checked()
}

fn split_user(scheme: Scheme, authority: &str) -> Result<(Option<String>, &str), Error> {
    let Some((user, address)) = authority.rsplit_once('@') else {
        return Ok((None, authority));
    };
    if scheme != Scheme::Ssh || user.contains([':', '@']) {
        return Err(Error::Credentials);
    }
    Ok((Some(user.to_owned()), address))
}

fn split_port(address: &str) -> Result<(String, Option<u16>), Error> {
    let after_brackets = address.rfind(']').map_or(0, |at| at + 1);
    match address
        .get(after_brackets..)
        .and_then(|rest| rest.find(':'))
    {
        None => Ok((address.to_owned(), None)),
        Some(at) => {
            let (host, port) = address.split_at(after_brackets + at);
            let port = port
                .trim_start_matches(':')
                .parse()
                .map_err(|_| Error::Port)?;
            Ok((host.to_owned(), Some(port)))
        }
    }
}

impl fmt::Display for RepositoryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self
            .user
            .as_ref()
            .map(|user| format!("{user}@"))
            .unwrap_or_default();
        if self.scp {
            return write!(f, "{user}{}:{}", self.host, self.path);
        }
        let scheme = match self.scheme {
            Scheme::Https => "https",
            Scheme::Http => "http",
            Scheme::Ssh => "ssh",
            Scheme::File => "file",
        };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        write!(f, "{scheme}://{user}{}{port}{}", self.host, self.path)
    }
}

impl fmt::Debug for RepositoryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests;
