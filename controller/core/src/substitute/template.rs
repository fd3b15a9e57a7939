//! The expressions of one text.

use super::LIMIT;
use super::functions::{Case, End, Extent, Occurrence, change_case, cut, replace, slice};
use super::variables::{Variables, is_name};

/// Bytes of a value that is cut at a pattern, and of the pattern: it is tried at each of them.
const TO_CUT: usize = 8 << 10;
/// Expressions in expressions.
const DEPTH: usize = 16;

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    #[error(
        "variable {0} has no value: set it in spec.substitute of the Sync, give it a default (${{{0}:=…}}), or write $${{{0}}} for the text itself"
    )]
    Unset(String),
    #[error("variable {name}: {words}")]
    Required { name: String, words: String },
    #[error(
        "{0:?} is no expression: write $${{…}} for the text itself, or annotate the object with flux.rs/substitute: disabled"
    )]
    Unknown(String),
    #[error("{0:?} has no closing brace: write $${{…}} for the text itself")]
    Open(String),
    #[error("variable {0}: where to cut is not a number")]
    NoNumber(String),
    #[error("variable {0}: the pattern cannot be read")]
    Pattern(String),
    #[error("expressions are nested more than 16 deep")]
    Deep,
    #[error("after substitution the key stands twice")]
    SameKey,
    #[error("the object becomes larger than 8 MiB")]
    TooLarge,
    #[error("variable {0}: its value is too long to cut at a pattern: 8 KiB at the most")]
    TooLong(String),
}

impl Error {
    /// Returns the variable that it is about.
    pub(super) fn variable(&self) -> Option<&str> {
        match self {
            Self::Unset(name)
            | Self::Required { name, .. }
            | Self::NoNumber(name)
            | Self::Pattern(name)
            | Self::TooLong(name) => Some(name),
            Self::Unknown(_) | Self::Open(_) | Self::Deep | Self::SameKey | Self::TooLarge => None,
        }
    }
}

/// A text with expressions.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable { name: String, form: Form },
}

#[derive(Debug, PartialEq, Eq)]
enum Form {
    Value,
    Length,
    Default(Template),
    Alternative(Template),
    /// The words as written: what they would expand to may be secret.
    Required(String),
    Case(Case, Extent),
    Slice(Template, Option<Template>),
    Cut(End, Extent, Template),
    Replace(Occurrence, Template, Template),
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut reader = Reader { rest: text };
        let template = reader.template(&[], 0)?;
        Ok(template)
    }

    pub(super) fn expand(&self, variables: &Variables) -> Result<String, Error> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Variable { name, form } => out.push_str(&form.expand(name, variables)?),
            }
            if out.len() > LIMIT {
                return Err(Error::TooLarge);
            }
        }
        Ok(out)
    }
}

impl Form {
    fn expand(&self, name: &str, variables: &Variables) -> Result<String, Error> {
        let set = variables.get(name);
        let filled = set.filter(|value| !value.is_empty());
        let value = || match set {
            Some(value) => Ok(value),
            None if variables.is_strict() => Err(Error::Unset(name.to_owned())),
            None => Ok(""),
        };
        match self {
            Self::Value => value().map(str::to_owned),
            Self::Length => value().map(|value| value.chars().count().to_string()),
            Self::Default(other) => {
                filled.map_or_else(|| other.expand(variables), |value| Ok(value.to_owned()))
            }
            Self::Alternative(other) => {
                filled.map_or_else(|| Ok(String::new()), |_| other.expand(variables))
            }
            Self::Required(words) => filled.map(str::to_owned).ok_or_else(|| Error::Required {
                name: name.to_owned(),
                words: if words.is_empty() {
                    "is required".to_owned()
                } else {
                    words.clone()
                },
            }),
            Self::Case(case, extent) => value().map(|value| change_case(value, *case, *extent)),
            Self::Slice(from, length) => {
                let number = |template: &Template| -> Result<i64, Error> {
                    let text = template.expand(variables)?;
                    let number = text.trim().parse();
                    number.map_err(|_| Error::NoNumber(name.to_owned()))
                };
                let length = length.as_ref().map(&number).transpose()?;
                slice(value()?, number(from)?, length)
                    .ok_or_else(|| Error::NoNumber(name.to_owned()))
            }
            Self::Cut(end, extent, pattern) => {
                let pattern = pattern.expand(variables)?;
                if value()?.len().max(pattern.len()) > TO_CUT {
                    return Err(Error::TooLong(name.to_owned()));
                }
                cut(value()?, &pattern, *end, *extent)
                    .ok_or_else(|| Error::Pattern(name.to_owned()))
            }
            Self::Replace(occurrence, old, new) => {
                let (old, new) = (old.expand(variables)?, new.expand(variables)?);
                replace(value()?, (&old, &new), *occurrence, LIMIT).ok_or(Error::TooLarge)
            }
        }
    }
}

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    fn take(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Reads up to one of `ends`, which is not taken, or to the end of the text.
    fn template(&mut self, ends: &[char], depth: usize) -> Result<Template, Error> {
        if depth > DEPTH {
            return Err(Error::Deep);
        }
        let mut parts = Vec::new();
        let mut text = String::new();
        while let Some(first) = self.rest.chars().next() {
            if ends.contains(&first) {
                break;
            }
            if self.take("$$") {
                text.push('$');
            } else if self.rest.starts_with("${") {
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                parts.push(self.variable(depth)?);
            } else if depth > 0 && self.take("\\/") {
                text.push('/');
            } else if depth > 0 && self.take("\\\\") {
                text.push('\\');
            } else {
                text.extend(self.next());
            }
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(Template(parts))
    }

    fn variable(&mut self, depth: usize) -> Result<Part, Error> {
        let start = self.rest;
        self.take("${");
        let is_length = self.take("#");
        let name = self.name();
        if !is_name(name) {
            return Err(wrong(start));
        }
        let form = if is_length {
            Form::Length
        } else {
            self.form(depth + 1, start)?
        };
        match self.rest.chars().next() {
            None => Err(Error::Open(shorten(start))),
            Some(_) if self.take("}") => Ok(Part::Variable {
                name: name.to_owned(),
                form,
            }),
            Some(_) => Err(wrong(start)),
        }
    }

    fn name(&mut self) -> &'t str {
        let end = self
            .rest
            .find(|next: char| !(next.is_ascii_alphanumeric() || next == '_'))
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name
    }

    fn form(&mut self, depth: usize, start: &str) -> Result<Form, Error> {
        const FORMS: [&str; 18] = [
            ":-", ":=", "=", ":?", ":+", "^^", "^", ",,", ",", "##", "#", "%%", "%", "//", "/#",
            "/%", "/", ":",
        ];
        let Some(found) = FORMS.into_iter().find(|form| self.take(form)) else {
            return Ok(Form::Value);
        };
        Ok(match found {
            ":-" | ":=" | "=" => Form::Default(self.argument(depth)?),
            ":+" => Form::Alternative(self.argument(depth)?),
            ":?" => Form::Required(self.words(depth)?),
            "^^" => Form::Case(Case::Upper, Extent::All),
            "^" => Form::Case(Case::Upper, Extent::Least),
            ",," => Form::Case(Case::Lower, Extent::All),
            "," => Form::Case(Case::Lower, Extent::Least),
            "##" => Form::Cut(End::Start, Extent::All, self.argument(depth)?),
            "#" => Form::Cut(End::Start, Extent::Least, self.argument(depth)?),
            "%%" => Form::Cut(End::End, Extent::All, self.argument(depth)?),
            "%" => Form::Cut(End::End, Extent::Least, self.argument(depth)?),
            "//" => self.replacement(Occurrence::Every, depth)?,
            "/#" => self.replacement(Occurrence::Leading, depth)?,
            "/%" => self.replacement(Occurrence::Trailing, depth)?,
            "/" => self.replacement(Occurrence::First, depth)?,
            _ => self.slice(depth, start)?,
        })
    }

    fn argument(&mut self, depth: usize) -> Result<Template, Error> {
        self.template(&['}'], depth)
    }

    /// Returns the argument as it is written.
    fn words(&mut self, depth: usize) -> Result<String, Error> {
        let start = self.rest;
        self.argument(depth)?;
        let (words, _) = start.split_at(start.len() - self.rest.len());
        Ok(words.to_owned())
    }

    fn replacement(&mut self, occurrence: Occurrence, depth: usize) -> Result<Form, Error> {
        let old = self.template(&['/', '}'], depth)?;
        self.take("/");
        Ok(Form::Replace(occurrence, old, self.argument(depth)?))
    }

    fn slice(&mut self, depth: usize, start: &str) -> Result<Form, Error> {
        let from = self.template(&[':', '}'], depth)?;
        if from.0.is_empty() {
            return Err(wrong(start));
        }
        let length = if self.take(":") {
            Some(self.argument(depth)?)
        } else {
            None
        };
        Ok(Form::Slice(from, length))
    }
}

fn wrong(start: &str) -> Error {
    if start.contains('}') {
        Error::Unknown(shorten(start))
    } else {
        Error::Open(shorten(start))
    }
}

/// The expression itself, as it stands in the file.
fn shorten(start: &str) -> String {
    const LONGEST: usize = 60;
    let end = start.find(['}', '\n']).map_or(start.len(), |end| end + 1);
    let mut text: String = start.split_at(end).0.trim_end().chars().collect();
    if text.chars().count() > LONGEST {
        text = text.chars().take(LONGEST).chain(['…']).collect();
    }
    text
}
