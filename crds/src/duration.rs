//! Durations as users write them: `30s`, `10m`, `1h30m`.

use std::{borrow::Cow, fmt, time};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// What the API server accepts; [`Duration::get`] reads exactly this language.
pub const PATTERN: &str = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$";

/// A span of time, kept as the text that the user wrote.
///
/// Decoding never fails, whatever the text: a list with one bad object must still decode. The text is read by
/// [`Duration::get`], where the error belongs to that object alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Duration(String);

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text does not follow the pattern.
    #[error(
        "\"{text}\" is not a duration: write numbers with the units ms, s, m or h, as in 30s or 1h30m"
    )]
    Syntax {
        /// What was written.
        text: String,
    },
    /// The text follows the pattern and is longer than a century.
    #[error("\"{text}\" is too long a duration")]
    TooLong {
        /// What was written.
        text: String,
    },
}

const CENTURY_SECONDS: f64 = 100.0 * 365.25 * 24.0 * 3600.0;

impl Duration {
    /// Keeps a text as a duration, unread.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the text.
    pub fn get(&self) -> Result<time::Duration, Error> {
        let syntax = || Error::Syntax {
            text: self.0.clone(),
        };
        if self.0.is_empty() {
            return Err(syntax());
        }
        let mut rest = self.0.as_str();
        let mut seconds = 0.0;
        while !rest.is_empty() {
            let (part, left) = leading_part(rest).ok_or_else(syntax)?;
            seconds += part;
            rest = left;
        }
        if seconds > CENTURY_SECONDS {
            return Err(Error::TooLong {
                text: self.0.clone(),
            });
        }
        Ok(time::Duration::from_secs_f64(seconds))
    }
}

/// Splits `1.5h30m` into the seconds of `1.5h` and the rest, `30m`.
fn leading_part(text: &str) -> Option<(f64, &str)> {
    let end_of_number = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, rest) = text.split_at(end_of_number);
    if number.starts_with('.') || number.ends_with('.') {
        return None;
    }
    let number: f64 = number.parse().ok()?;
    // `ms` stands before `m` and `s`, of which it is made.
    [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)]
        .into_iter()
        .find_map(|(unit, seconds)| Some((number * seconds, rest.strip_prefix(unit)?)))
}

impl From<&str> for Duration {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Duration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": PATTERN,
            "maxLength": 32,
            "x-kubernetes-validations": [{
                "rule": "duration(self) >= duration('1s')",
                "message": "must be one second or longer",
            }],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_and_their_sum_is_read() {
        for (text, milliseconds) in [
            ("250ms", 250),
            ("30s", 30_000),
            ("10m", 600_000),
            ("1h30m", 5_400_000),
            ("1.5h", 5_400_000),
            ("1m1s1ms", 61_001),
        ] {
            assert_eq!(
                Duration::new(text).get(),
                Ok(time::Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_text_outside_the_pattern_is_an_error_that_names_it() {
        for text in [
            "", "10", "m", "1d", "-5m", "5 m", "1..5h", ".5h", "5.h", "1e3s", "10m!", "∞s",
        ] {
            let error = Duration::new(text).get().expect_err(text);
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn a_number_without_end_is_refused_and_does_not_overflow() {
        let nines = "9".repeat(400) + "h";
        assert!(matches!(
            Duration::new(nines).get(),
            Err(Error::TooLong { .. })
        ));
    }

    #[test]
    fn decoding_keeps_a_bad_text() {
        let duration: Duration = serde_json::from_str("\"soon\"").expect("any string decodes");
        assert_eq!(duration.as_str(), "soon");
    }
}
