//! Keeps credentials out of logs, events, errors and status.
//!
//! Types first: what is secret lives in [`Redacted`] or [`Url`], which cannot be printed by
//! accident. [`scrub`] is the second line, for texts of others that may repeat a secret.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

#[cfg(test)]
mod tests;

const MASK: &str = "***";

/// A value that prints as `***`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    /// Takes a secret.
    pub fn new(secret: T) -> Self {
        Self(secret)
    }

    /// Returns the secret, for the one place that needs it.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// Returns the secret and gives up its protection.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> From<T> for Redacted<T> {
    fn from(secret: T) -> Self {
        Self(secret)
    }
}

impl<T> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<T> fmt::Display for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// A URL that prints without its credentials.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Url(String);

impl Url {
    /// Takes a URL as the user wrote it.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// Returns the URL with its credentials, for the connection itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", url(&self.0))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&url(&self.0))
    }
}

/// Returns a URL without its credentials.
///
/// The user of an `ssh` URL stays (it is `git`); elsewhere the user may be a token and goes with
/// the password. Of the query, values of parameters that sound secret go.
pub fn url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (userinfo, rest) = split_userinfo(rest);
    let is_ssh =
        scheme.eq_ignore_ascii_case("ssh") || scheme.to_ascii_lowercase().ends_with("+ssh");
    let userinfo = match userinfo.map(|userinfo| userinfo.split_once(':').ok_or(userinfo)) {
        None => String::new(),
        Some(Err(user)) if is_ssh => format!("{user}@"),
        Some(Ok((user, _))) if is_ssh => format!("{user}:{MASK}@"),
        Some(_) => format!("{MASK}@"),
    };
    format!("{scheme}://{userinfo}{}", redact_query(rest))
}

/// Splits off what stands before the `@`.
///
/// A password with an unescaped `/` ends the authority too early. What is left of it is then no
/// host, and everything up to the last `@` is taken as userinfo.
fn split_userinfo(rest: &str) -> (Option<&str>, &str) {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, _) = rest.split_at(end);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let scope = if is_host(host) { authority } else { rest };
    match scope.rsplit_once('@') {
        Some((userinfo, _)) => (Some(userinfo), rest.split_at(userinfo.len() + 1).1),
        None => (None, rest),
    }
}

/// Says whether this is `host`, `host:port` or `[address]:port`.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_address = host.starts_with('[') && host.ends_with(']');
    port.is_none_or(is_port) && !host.is_empty() && (is_address || !host.contains(':'))
}

fn redact_query(rest: &str) -> String {
    let Some((head, query)) = rest.split_once('?') else {
        return rest.to_owned();
    };
    let (query, fragment) = match query.split_once('#') {
        Some((query, fragment)) => (query, format!("#{fragment}")),
        None => (query, String::new()),
    };
    let parameters: Vec<String> = query.split('&').map(redact_parameter).collect();
    format!("{head}?{}{fragment}", parameters.join("&"))
}

fn redact_parameter(parameter: &str) -> String {
    const SECRET: [&str; 7] = [
        "token", "secret", "password", "passwd", "key", "sig", "auth",
    ];
    match parameter.split_once('=') {
        Some((name, _))
            if SECRET
                .iter()
                .any(|word| name.to_ascii_lowercase().contains(word)) =>
        {
            format!("{name}={MASK}")
        }
        _ => parameter.to_owned(),
    }
}

/// Returns a text of others without the given secrets and without credentials in URLs.
///
/// Secrets are found as they are, without surrounding space, line by line, and as base64. One
/// with fewer than four characters is masked only where it stands alone, or it would tear every
/// word apart.
pub fn scrub(text: &str, secrets: &[impl AsRef<str>]) -> String {
    let mut needles: Vec<String> = secrets
        .iter()
        .flat_map(|secret| needles(secret.as_ref()))
        .collect();
    needles.sort_by(|one, two| two.len().cmp(&one.len()).then_with(|| one.cmp(two)));
    needles.dedup();
    let text = scrub_urls(text);
    needles
        .iter()
        .fold(text, |text, needle| replace(&text, needle))
}

fn needles(secret: &str) -> Vec<String> {
    const SHORTEST_LINE: usize = 8;
    let trimmed = secret.trim();
    if trimmed.is_empty() {
        return Vec::new();
    }
    let lines = trimmed
        .lines()
        .map(str::trim)
        .filter(|line| line.len() >= SHORTEST_LINE && !line.starts_with("-----"));
    let mut needles: Vec<String> = lines.map(str::to_owned).collect();
    needles.push(trimmed.to_owned());
    for form in [secret, trimmed] {
        needles.push(STANDARD.encode(form));
        needles.extend(quoted(form));
    }
    needles
}

/// Returns a text as it stands in quotes, if that is another: as in JSON, and as the API server's JSON has it.
fn quoted(text: &str) -> Vec<String> {
    let quoted = Value::from(text).to_string();
    let inner = quoted.strip_prefix('"').unwrap_or(&quoted);
    let inner = inner.strip_suffix('"').unwrap_or(inner).to_owned();
    let of_go = inner
        .replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e");
    [inner, of_go]
        .into_iter()
        .filter(|form| form != text)
        .collect()
}

fn replace(text: &str, needle: &str) -> String {
    const SHORT: usize = 4;
    if needle.len() >= SHORT {
        return text.replace(needle, MASK);
    }
    let mut scrubbed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(needle) {
        let last = before.chars().last().or(scrubbed.chars().last());
        let is_alone = [last, after.chars().next()]
            .into_iter()
            .flatten()
            .all(|c| !c.is_alphanumeric());
        scrubbed.push_str(before);
        scrubbed.push_str(if is_alone { MASK } else { needle });
        rest = after;
    }
    scrubbed + rest
}

fn scrub_urls(text: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`');
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let mut scrubbed = String::with_capacity(text.len());
    for word in text.split_inclusive(is_end) {
        let Some((head, _)) = word.split_once("://") else {
            scrubbed.push_str(word);
            continue;
        };
        let (lead, address) = word.split_at(head.trim_end_matches(is_scheme).len());
        let (address, end) = address.split_at(address.trim_end_matches(is_end).len());
        scrubbed.push_str(lead);
        scrubbed.push_str(&url(address));
        scrubbed.push_str(end);
    }
    scrubbed
}

/// Returns every secret value of a Secret, plain and as base64, for [`scrub`].
///
/// The API server repeats values in its errors ("Invalid value: …").
pub fn values_of(object: &Value) -> Vec<String> {
    if object["kind"] != "Secret" || object["apiVersion"] != "v1" {
        return Vec::new();
    }
    let texts = |field: &str| {
        let entries = object[field].as_object();
        let values = entries.into_iter().flatten().map(|(_, value)| value);
        values.filter_map(Value::as_str).map(str::to_owned)
    };
    let encoded: Vec<String> = texts("data").collect();
    let decoded = encoded.iter().filter_map(|text| {
        let bytes = STANDARD.decode(text).ok()?;
        String::from_utf8(bytes).ok()
    });
    decoded
        .chain(encoded.iter().cloned())
        .chain(texts("stringData"))
        .filter(|text| !text.trim().is_empty())
        .collect()
}
