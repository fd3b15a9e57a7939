//! Names of things in git: object ids, and the revision text that people see.

use std::{fmt, str::FromStr};

/// The SHA-1 name of a git object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId([u8; 20]);

/// A text that is no object id or no revision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not 40 hexadecimal digits.
    #[error("{0:?} is not a full commit id: it must have 40 hexadecimal digits")]
    ObjectId(String),
    /// Not `name@sha1:<id>` and not `sha1:<id>`.
    #[error("{0:?} is not a revision: write it as name@sha1:<commit id> or sha1:<commit id>")]
    Revision(String),
}

impl ObjectId {
    /// Makes an id from its 20 bytes.
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// Returns the 20 bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

impl FromStr for ObjectId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::ObjectId(text.chars().take(80).collect());
        if text.len() != 40 {
            return Err(wrong());
        }
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(pair).map_err(|_| wrong())?;
            if !pair.iter().all(u8::is_ascii_hexdigit) {
                return Err(wrong());
            }
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A commit and the name by which it was found, for example `main@sha1:3b1f…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Revision {
    /// Branch, tag or full ref name; `None` when the commit itself was asked for.
    pub name: Option<String>,
    /// The commit.
    pub commit_id: ObjectId,
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name}@sha1:{}", self.commit_id),
            None => write!(f, "sha1:{}", self.commit_id),
        }
    }
}

impl FromStr for Revision {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::Revision(text.chars().take(200).collect());
        let (name, digest) = match text.rsplit_once('@') {
            Some(("", _)) => return Err(wrong()),
            Some((name, digest)) => (Some(name.to_owned()), digest),
            None => (None, text),
        };
        let id = digest.strip_prefix("sha1:").ok_or_else(wrong)?;
        Ok(Self {
            name,
            commit_id: id.parse().map_err(|_| wrong())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3b1f0c2d4e5f60718293a4b5c6d7e8f901234567";

    #[test]
    fn a_revision_reads_back_as_it_was_written() {
        for text in [
            format!("main@sha1:{ID}"),
            format!("sha1:{ID}"),
            format!("release/a@b@sha1:{ID}"),
        ] {
            let revision: Revision = text.parse().unwrap();
            assert_eq!(revision.to_string(), text);
        }
    }

    #[test]
    fn a_text_that_is_no_revision_is_refused() {
        for text in [
            "",
            "main",
            "main@",
            "@sha1:00",
            "main@sha1:zz",
            "main@sha256:00",
        ] {
            assert!(text.parse::<Revision>().is_err(), "{text:?}");
        }
        assert!(format!("@sha1:{ID}").parse::<Revision>().is_err());
    }

    #[test]
    fn an_object_id_needs_forty_hexadecimal_digits() {
        assert!(ID.parse::<ObjectId>().is_ok());
        assert!(ID[1..].parse::<ObjectId>().is_err());
        let signs = format!("+{}", &ID[1..]);
        assert!(signs.parse::<ObjectId>().is_err());
        assert!("ä".repeat(20).parse::<ObjectId>().is_err());
    }
}
