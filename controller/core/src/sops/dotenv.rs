//! dotenv: `NAME=value` lines, the metadata under names that begin with `sops_`.

use super::keys::Keyring;
use super::metadata::Metadata;
use super::session::{Session, Value};
use super::{Error, Plain};

pub(super) fn decrypt(bytes: &[u8], keyring: &Keyring) -> Result<Option<Plain>, Error> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Ok(None);
    };
    let pairs = text.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("sops_")?.split_once('=')?;
        Some((name, value))
    });
    let Some(metadata) = Metadata::from_flat(pairs) else {
        return Ok(None);
    };
    let mut session = Session::new(metadata, keyring)?;
    let mut out = String::new();
    for line in text.lines().filter(|line| !line.starts_with("sops_")) {
        let new = if let Some(comment) = line.strip_prefix('#') {
            let clear = session.comment(comment, &[":".to_owned()]);
            format!("#{}", clear.as_ref().map_or(comment, |clear| clear))
        } else if let Some((name, value)) = line.split_once('=') {
            let value = value.replace("\\n", "\n");
            let clear = session.text(&[name.to_owned()], &value)?;
            let clear = clear.as_ref().map(Value::to_text);
            let value = clear.as_ref().map_or(&value, |clear| &**clear);
            format!("{name}={}", value.replace('\n', "\\n"))
        } else {
            line.to_owned()
        };
        out.push_str(&new);
        out.push('\n');
    }
    session.plain(out.into_bytes())
}
