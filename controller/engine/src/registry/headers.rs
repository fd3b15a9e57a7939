//! What the headers of an answer say.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// A registry that asks for more patience than this is asked again after it.
const LONGEST_WAIT: Duration = Duration::from_hours(24);
const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// Returns how long the answer asks us to wait, if it does.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => until(
            timestamp(value)?,
            // The clock that wrote the one date wrote the other.
            date(headers).unwrap_or(now),
        ),
    };
    Some(wait.min(LONGEST_WAIT))
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    timestamp(headers.get(DATE)?.to_str().ok()?)
}

fn timestamp(value: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(value).ok()
}

fn until(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default()
}

/// Returns the digest that the registry names, if it looks like one.
pub(super) fn digest(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(DIGEST)?.to_str().ok()?;
    is_digest(value).then(|| value.to_owned())
}

/// Tells whether a text is an algorithm and that many lower-case hexadecimal digits.
pub(super) fn is_digest(text: &str) -> bool {
    let length = match text.split_once(':') {
        Some(("sha256", _)) => 64,
        Some(("sha384", _)) => 96,
        Some(("sha512", _)) => 128,
        Some(_) | None => return false,
    };
    let hex = text.split_once(':').map_or("", |(_, hex)| hex);
    hex.len() == length
        && hex
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(entries: &[(&'static str, &str)]) -> Option<u64> {
        let headers = entries.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                value.parse().expect("a header"),
            )
        });
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        retry_after(&headers.collect(), now).map(|wait| wait.as_secs())
    }

    #[test]
    fn patience_is_asked_for_in_seconds_or_as_a_date() {
        assert_eq!(wait(&[("retry-after", "17")]), Some(17));
        let date = "Mon, 23 Nov 2026 12:01:30 GMT";
        assert_eq!(wait(&[("retry-after", date)]), Some(90));
        let servers_now = ("date", "Mon, 23 Nov 2026 12:01:20 GMT");
        assert_eq!(wait(&[("retry-after", date), servers_now]), Some(10));
        let past = "Mon, 23 Nov 2026 11:00:00 GMT";
        assert_eq!(wait(&[("retry-after", past)]), Some(0));
    }

    #[test]
    fn nonsense_asks_for_nothing_and_no_wait_is_for_ever() {
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(wait(&[("retry-after", "-1")]), None);
        let day = LONGEST_WAIT.as_secs();
        assert_eq!(wait(&[("retry-after", "9999999999")]), Some(day));
    }

    #[test]
    fn a_digest_has_an_algorithm_and_its_length() {
        assert!(is_digest(&format!("sha256:{}", "0a".repeat(32))));
        assert!(is_digest(&format!("sha512:{}", "0a".repeat(64))));
        for wrong in [
            format!("sha256:{}", "0A".repeat(32)),
            format!("sha256:{}", "0a".repeat(31)),
            format!("md5:{}", "0a".repeat(16)),
            "sha256".to_owned(),
            String::new(),
        ] {
            assert!(!is_digest(&wrong), "{wrong}");
        }
    }
}
