//! YAML: the values change where they stand, everything else stays.

use std::ops::Range;

use flux_kustomize::{Content, NodeId, Outline, Style, parse_yaml, write_scalar};
use serde_json::{Map, Value as Json};

use super::keys::Keyring;
use super::metadata::Metadata;
use super::session::{Session, Value};
use super::{Error, Plain, objects};

/// Places that an encrypted comment is tried for: which one it stands at is not known, and each costs a little.
const PLACES: usize = 200;

pub(super) fn decrypt(bytes: &[u8], keyring: &Keyring) -> Result<Option<Plain>, Error> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Ok(None);
    };
    // What is broken is for the build to tell.
    let Ok(outline) = Outline::new(text, "") else {
        return Ok(None);
    };
    let mut file = File {
        text,
        outline: &outline,
        edits: Vec::new(),
        places: Vec::new(),
        path: Vec::new(),
    };
    let mut secrets = Vec::new();
    let mut documents = outline.documents().iter().copied().peekable();
    let mut is_encrypted = false;
    while let Some(document) = documents.next() {
        let Some((metadata, mac)) = file.metadata(document) else {
            continue;
        };
        if file.stays_encrypted(document) {
            continue;
        }
        is_encrypted = true;
        let mut session = Session::new(metadata, keyring)?;
        file.document(&mut session, document)?;
        // Documents that were encrypted together have one MAC over all of them.
        while let Some(next) = documents.peek().copied()
            && file.metadata(next).is_some_and(|(_, other)| other == mac)
        {
            file.document(&mut session, next)?;
            documents.next();
        }
        file.comments(&session);
        secrets.extend(session.finish()?);
    }
    if !is_encrypted {
        return Ok(None);
    }
    Ok(Some(Plain {
        bytes: edited(text, file.edits).into_bytes(),
        secrets,
    }))
}

struct File<'t> {
    text: &'t str,
    outline: &'t Outline,
    edits: Vec<(Range<usize>, String)>,
    /// Where comments may stand.
    places: Vec<String>,
    path: Vec<String>,
}

impl<'t> File<'t> {
    fn entries(&self, id: NodeId) -> &'t [(NodeId, NodeId)] {
        match &self.outline.node(id).content {
            Content::Mapping { entries, .. } => entries,
            Content::Scalar { .. } | Content::List { .. } | Content::Alias(_) => &[],
        }
    }

    fn scalar(&self, id: NodeId) -> Option<&'t str> {
        match &self.outline.node(id).content {
            Content::Scalar { text, .. } => Some(text),
            Content::List { .. } | Content::Mapping { .. } | Content::Alias(_) => None,
        }
    }

    fn get(&self, id: NodeId, key: &str) -> Option<NodeId> {
        let mut entries = self.entries(id).iter();
        let (_, value) = entries.find(|(name, _)| self.scalar(*name) == Some(key))?;
        Some(*value)
    }

    /// Returns the metadata of a document, if it is encrypted, and the text of its MAC.
    fn metadata(&self, document: NodeId) -> Option<(Metadata, &'t str)> {
        let sops = self.get(document, "sops")?;
        let mac = self.scalar(self.get(sops, "mac")?)?;
        Some((Metadata::new(self.json(sops))?, mac))
    }

    /// The metadata knows how to read texts only: dates, numbers and regular expressions stay what they are.
    fn json(&self, id: NodeId) -> Json {
        match &self.outline.node(id).content {
            Content::Scalar { text, .. } => Json::from(text.as_str()),
            Content::List { items, .. } => items.iter().map(|item| self.json(*item)).collect(),
            Content::Mapping { entries, .. } => {
                let field = |(key, value): &(NodeId, NodeId)| {
                    Some((self.scalar(*key)?.to_owned(), self.json(*value)))
                };
                Json::Object(entries.iter().filter_map(field).collect::<Map<_, _>>())
            }
            Content::Alias(_) => Json::Null,
        }
    }

    fn stays_encrypted(&self, document: NodeId) -> bool {
        let metadata = self.get(document, "metadata");
        metadata.is_some_and(|metadata| {
            let kept = serde_json::json!({"metadata": self.json(metadata)});
            objects::stays_encrypted(&kept)
        })
    }

    fn document(&mut self, session: &mut Session, document: NodeId) -> Result<(), Error> {
        let node = self.outline.node(document);
        if matches!(node.content, Content::Mapping { is_flow: true, .. }) {
            return Err(Error::Form {
                line: node.line,
                what: "an encrypted YAML document in braces is not supported: write it as JSON or without them",
            });
        }
        for (key, value) in self.entries(document) {
            let (key, value) = (*key, *value);
            if self.scalar(key) == Some("sops") {
                let range = self.outline.node(key).range.start..self.outline.node(value).range.end;
                let lines = self
                    .text
                    .get(range.clone())
                    .map_or(0, |text| text.matches('\n').count());
                // A comment keeps the lines behind it where they were, and ends a block before it.
                self.edits.push((range, format!("#{}", "\n".repeat(lines))));
            } else {
                self.entry(session, key, value)?;
            }
        }
        self.place();
        Ok(())
    }

    fn place(&mut self) {
        let place = if self.path.is_empty() {
            ":".to_owned()
        } else {
            format!("{}:", self.path.join(":"))
        };
        if self.places.len() < PLACES && !self.places.contains(&place) {
            self.places.push(place);
        }
    }

    fn entry(&mut self, session: &mut Session, key: NodeId, value: NodeId) -> Result<(), Error> {
        let line = self.outline.node(key).line;
        let name = self.scalar(key).map(str::to_owned).ok_or(Error::Form {
            line,
            what: "a key that is not text cannot be in an encrypted file",
        })?;
        self.path.push(name);
        self.value(session, value)?;
        self.path.pop();
        Ok(())
    }

    fn value(&mut self, session: &mut Session, id: NodeId) -> Result<(), Error> {
        let node = self.outline.node(id);
        match &node.content {
            Content::Scalar { text, style } => self.leaf(session, id, text, *style),
            Content::List { items, .. } => {
                for item in items {
                    self.value(session, *item)?;
                }
                self.place();
                Ok(())
            }
            Content::Mapping { entries, .. } => {
                for (key, value) in entries {
                    self.entry(session, *key, *value)?;
                }
                self.place();
                Ok(())
            }
            Content::Alias(_) => Err(Error::Form {
                line: node.line,
                what: "sops writes no aliases: encrypt the file again",
            }),
        }
    }

    fn leaf(
        &mut self,
        session: &mut Session,
        id: NodeId,
        text: &str,
        style: Style,
    ) -> Result<(), Error> {
        let node = self.outline.node(id);
        match words(text, style, node.is_tagged) {
            Words::Nothing => return Ok(()),
            Words::Other(words) => return session.other(&self.path, &words),
            Words::Text => {}
        }
        let Some(value) = session.text(&self.path, text)? else {
            return Ok(());
        };
        if style == Style::Block {
            return Err(Error::Form {
                line: node.line,
                what: "an encrypted value must not stand in a block",
            });
        }
        let written = match &value {
            Value::Text(text) => write_scalar(text, Style::DoubleQuoted).ok_or(Error::Form {
                line: node.line,
                what: "the decrypted text has no form in YAML",
            })?,
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => value.to_text().to_string(),
        };
        self.edits.push((node.range.clone(), written));
        Ok(())
    }

    fn comments(&mut self, session: &Session) {
        for comment in self.outline.comments() {
            if let Some(text) = session.comment(&comment.text, &self.places) {
                self.edits
                    .push((comment.range.clone(), format!("#{}", text.as_str())));
            }
        }
    }
}

/// What a scalar is for the MAC.
enum Words {
    /// Null, which SOPS leaves out.
    Nothing,
    Text,
    /// A number, a boolean or a date, in these words.
    Other(String),
}

fn words(text: &str, style: Style, is_tagged: bool) -> Words {
    let is_word = text
        .chars()
        .all(|next| next.is_ascii_alphanumeric() || "+-._~".contains(next));
    if style != Style::Plain || is_tagged || !is_word {
        return Words::Text;
    }
    let read = parse_yaml(format!("v: {text}\n").as_bytes(), "");
    let value = read
        .ok()
        .and_then(|documents| Some(documents.into_iter().next()?.value["v"].clone()));
    match value {
        Some(Json::Null) => Words::Nothing,
        Some(Json::Bool(true)) => Words::Other("True".to_owned()),
        Some(Json::Bool(false)) => Words::Other("False".to_owned()),
        Some(Json::Number(number)) => Words::Other(number_words(&number)),
        Some(Json::String(read)) if read != text => Words::Other(read),
        _ => Words::Text,
    }
}

/// A number as Go prints it without an exponent.
pub(super) fn number_words(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(value) if number.is_f64() => value.to_string(),
        _ => number.to_string(),
    }
}

fn edited(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, new) in edits {
        out.push_str(text.get(at..range.start).unwrap_or_default());
        out.push_str(&new);
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}
