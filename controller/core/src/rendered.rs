//! What templates give, of bounded length.

use std::io;

use minijinja::Template;
use minijinja::value::Serde;
use serde::Serialize;

/// Renders a template; an error of the kind `WriteFailure` when that gives more than `limit` bytes.
pub(crate) fn rendered(
    template: &Template<'_, '_>,
    fields: impl Serialize,
    limit: usize,
) -> Result<String, minijinja::Error> {
    let mut bounded = Bounded {
        bytes: Vec::new(),
        limit,
    };
    template.render_captured_to(Serde(fields), &mut bounded)?;
    Ok(String::from_utf8_lossy(&bounded.bytes).into_owned())
}

struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
