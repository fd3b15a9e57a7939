//! Takes a signed object apart into the signature and the bytes that it is about.

/// A commit or tag without its signature, and the signature.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) payload: Vec<u8>,
    pub(super) signature: Option<String>,
}

const HEADER: &[u8] = b"gpgsig ";
const MARKS: [&[u8]; 3] = [
    b"-----BEGIN PGP SIGNATURE-----",
    b"-----BEGIN PGP MESSAGE-----",
    b"-----BEGIN SSH SIGNATURE-----",
];

impl Signed {
    /// The signature of a commit is the header `gpgsig`, whose further lines start with a blank.
    ///
    /// A second one is refused: it could be about other bytes than a reader believes.
    pub(super) fn of_commit(data: &[u8]) -> Result<Self, String> {
        let mut payload = Vec::with_capacity(data.len());
        let mut signature: Option<Vec<u8>> = None;
        let mut lines = data.split_inclusive(|byte| *byte == b'\n');
        let mut is_within = false;
        for line in lines.by_ref() {
            if line == b"\n" {
                payload.extend_from_slice(line);
                break;
            }
            if is_within && let Some(more) = line.strip_prefix(b" ") {
                signature.get_or_insert_default().extend_from_slice(more);
            } else if let Some(first) = line.strip_prefix(HEADER) {
                if signature.replace(first.to_vec()).is_some() {
                    return Err("there is more than one".to_owned());
                }
                is_within = true;
            } else {
                is_within = false;
                payload.extend_from_slice(line);
            }
        }
        lines.for_each(|line| payload.extend_from_slice(line));
        Ok(Self {
            payload,
            signature: signature.map(text).transpose()?,
        })
    }

    /// The signature of a tag stands at the end of its message.
    pub(super) fn of_tag(data: &[u8]) -> Result<Self, String> {
        let mut start = None;
        let mut at = 0;
        for line in data.split_inclusive(|byte| *byte == b'\n') {
            if MARKS.iter().any(|mark| line.starts_with(mark)) {
                start = Some(at);
            }
            at += line.len();
        }
        let (payload, signature) = data.split_at(start.unwrap_or(data.len()));
        let signature = start.map(|_| text(signature.to_vec())).transpose()?;
        Ok(Self {
            payload: payload.to_vec(),
            signature,
        })
    }

    /// Returns the name that a signed tag gives itself.
    pub(super) fn tag_name(&self) -> Option<&str> {
        let mut headers = self
            .payload
            .split(|byte| *byte == b'\n')
            .take_while(|line| !line.is_empty());
        let name = headers.find_map(|line| line.strip_prefix(b"tag "))?;
        std::str::from_utf8(name).ok()
    }
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "it is not text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "tree 1\nauthor a\n\nmessage\n gpgsig x\n";

    #[test]
    fn a_commit_without_signature_is_left_as_it_is() {
        let signed = Signed::of_commit(PLAIN.as_bytes()).unwrap();
        assert_eq!(
            signed,
            Signed {
                payload: PLAIN.into(),
                signature: None
            }
        );
    }

    #[test]
    fn the_header_of_a_commit_is_taken_out() {
        let data = "tree 1\nauthor a\ngpgsig -----BEGIN\n \n abc\n -----END\nother x\n\nmessage\n gpgsig x\n";
        let signed = Signed::of_commit(data.as_bytes()).unwrap();
        assert_eq!(
            signed.signature.as_deref(),
            Some("-----BEGIN\n\nabc\n-----END\n")
        );
        assert_eq!(
            signed.payload,
            "tree 1\nauthor a\nother x\n\nmessage\n gpgsig x\n".as_bytes()
        );
    }

    #[test]
    fn two_signatures_are_refused() {
        assert!(Signed::of_commit(b"tree 1\ngpgsig a\ngpgsig b\n\nm").is_err());
    }

    #[test]
    fn a_header_that_continues_another_one_is_no_signature() {
        let data = b"tree 1\nmergetag object 1\n gpgsig a\n\nm\n";
        assert_eq!(Signed::of_commit(data).unwrap().signature, None);
    }

    #[test]
    fn the_last_signature_of_a_tag_counts_and_its_name_is_read() {
        let data = "object 1\ntype commit\ntag v1\n\nmessage\ntag v2\n-----BEGIN SSH SIGNATURE-----\nabc\n";
        let signed = Signed::of_tag(data.as_bytes()).unwrap();
        assert!(signed.payload.ends_with(b"message\ntag v2\n"));
        assert_eq!(
            signed.signature.as_deref(),
            Some("-----BEGIN SSH SIGNATURE-----\nabc\n")
        );
        assert_eq!(signed.tag_name(), Some("v1"));
    }
}
