//! The types of scalars, as the Go libraries that Kubernetes tools use decide them.

use std::borrow::Cow;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use granit_parser::Tag;
use serde_json::{Number, Value};

use super::Dialect;

/// Why a scalar has no JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotJson;

/// Returns the value of a plain scalar (no quotes, no tag).
pub(super) fn resolve(text: &str, dialect: Dialect) -> Result<Value, NotJson> {
    let Some(first) = text.bytes().next() else {
        return Ok(Value::Null);
    };
    match first {
        b'0'..=b'9' | b'+' | b'-' => number_like(text, dialect),
        b'.' => dotted(text),
        b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'y' | b'Y' | b'o' | b'O' => {
            Ok(word(text, dialect).unwrap_or_else(|| Value::String(text.to_owned())))
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}

/// The tag of YAML's own that a plain scalar of a manifest has without one.
pub(super) fn plain_tag(text: &str) -> &'static str {
    match resolve(text, Dialect::Manifest) {
        Ok(Value::Null) => "!!null",
        Ok(Value::Bool(_)) => "!!bool",
        Ok(Value::Number(_)) if integer(&text.replace('_', "")).is_some() => "!!int",
        Ok(Value::Number(_)) | Err(NotJson) => "!!float",
        Ok(_) if text == "<<" => "!!merge",
        Ok(_) if is_date(text) || is_moment(text) => "!!timestamp",
        Ok(_) => "!!str",
    }
}

/// The name of a type of YAML's own that a tag gives.
pub(super) fn core_type(tag: &Tag) -> Option<&str> {
    let is_binary = || tag.suffix_in_namespace("tag:yaml.org,2002:").as_deref() == Some("binary");
    tag.core_suffix()
        .or_else(|| is_binary().then_some("binary"))
}

/// Returns the value of a scalar with one of YAML's own tags, by the tag's name.
pub(super) fn resolve_tagged(tag: &str, text: &str, dialect: Dialect) -> Result<Value, NotJson> {
    match tag {
        "null" => Ok(Value::Null),
        "int" | "float" | "bool" => {
            let value = resolve(text, dialect)?;
            let fits = match tag {
                "bool" => value.is_boolean(),
                _ => value.is_number(),
            };
            fits.then_some(value).ok_or(NotJson)
        }
        "binary" => binary(text).map(Value::String).ok_or(NotJson),
        _ => Ok(Value::String(text.to_owned())),
    }
}

/// The text behind base64.
fn binary(text: &str) -> Option<String> {
    let compact: String = text.chars().filter(|c| !"\r\n".contains(*c)).collect();
    let bytes = BASE64_STANDARD.decode(compact).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn word(text: &str, dialect: Dialect) -> Option<Value> {
    match text {
        "~" | "null" | "Null" | "NULL" => Some(Value::Null),
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON"
            if dialect == Dialect::Configuration =>
        {
            Some(Value::Bool(true))
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF"
            if dialect == Dialect::Configuration =>
        {
            Some(Value::Bool(false))
        }
        _ => None,
    }
}

fn dotted(text: &str) -> Result<Value, NotJson> {
    match text {
        ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN" => Err(NotJson),
        _ if is_float(text) => float(text),
        _ => Ok(Value::String(text.to_owned())),
    }
}

fn number_like(text: &str, dialect: Dialect) -> Result<Value, NotJson> {
    if matches!(
        text,
        "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF"
    ) {
        return Err(NotJson);
    }
    if dialect != Dialect::Configuration && is_date(text) {
        return Ok(Value::String(full_date(text)));
    }
    let plain: Cow<'_, str> = if text.contains('_') {
        text.replace('_', "").into()
    } else {
        text.into()
    };
    if let Some(value) = integer(&plain) {
        return Ok(value);
    }
    if is_float(&plain) {
        return float(&plain);
    }
    Ok(Value::String(text.to_owned()))
}

/// An integer in the notations of Go: `0x`, `0b`, `0o` and a leading `0` for octal.
fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = radix(digits);
    // from_str_radix accepts a sign of its own.
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if !negative {
        return Some(magnitude.into());
    }
    0i64.checked_sub_unsigned(magnitude).map(Value::from)
}

fn radix(digits: &str) -> (u32, &str) {
    let lower = digits.get(..2).map(str::to_ascii_lowercase);
    match lower.as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
pub(super) fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    mantissa && exponent
}

fn float(text: &str) -> Result<Value, NotJson> {
    let value: f64 = text.parse().map_err(|_| NotJson)?;
    if value.is_infinite() {
        return Ok(Value::String(text.to_owned()));
    }
    // A number without a fraction is printed, and so read again, as an integer.
    if let Ok(value) = go_float(value).parse::<i64>() {
        return Ok(value.into());
    }
    if let Ok(value) = go_float(value).parse::<u64>() {
        return Ok(value.into());
    }
    Number::from_f64(value).map(Value::Number).ok_or(NotJson)
}

/// Prints a number as Go's JSON encoder does.
pub(crate) fn go_float(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        return match text.split_once('e') {
            Some((mantissa, exponent)) if !exponent.starts_with('-') => {
                format!("{mantissa}e+{exponent}")
            }
            _ => text,
        };
    }
    format!("{value}")
}

/// `YYYY-M-D`, the one form of a timestamp that is rewritten.
fn is_date(text: &str) -> bool {
    date_parts(text).is_some()
}

/// A date and a time of day: `2001-12-14t21:59:43.10-05:00`, or without a zone behind a blank.
fn is_moment(text: &str) -> bool {
    let digits = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    let is_zone = |zone: &str| match zone.strip_prefix(['+', '-']) {
        Some(zone) => zone.len() == 5 && zone.split(':').all(|part| digits(part, 2)),
        None => zone == "Z",
    };
    let Some((day, time)) = text.split_once(['T', 't', ' ']) else {
        return false;
    };
    let (time, zone) = time.split_at(time.find(['Z', '+', '-']).unwrap_or(time.len()));
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let has_zone = !text.contains(' ');
    is_date(day)
        && time.split(':').count() == 3
        && time.split(':').all(|part| digits(part, 2))
        && digits(fraction, 9)
        && if has_zone {
            is_zone(zone)
        } else {
            zone.is_empty()
        }
}

fn date_parts(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let short = |part: &str| (1..=2).contains(&part.len()) && digits(part);
    if parts.next().is_some() || year.len() != 4 || !digits(year) || !short(month) || !short(day) {
        return None;
    }
    let (year, month, day) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&day).then_some((year, month, day))
}

fn full_date(text: &str) -> String {
    match date_parts(text) {
        Some((year, month, day)) => format!("{year:04}-{month:02}-{day:02}T00:00:00Z"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("0755", json!(493))]
    #[case("0o755", json!(493))]
    #[case("0x1F", json!(31))]
    #[case("0b11", json!(3))]
    #[case("-0b11", json!(-3))]
    #[case("1_000", json!(1000))]
    #[case("089", json!(89))]
    #[case("1.0", json!(1))]
    #[case("1e3", json!(1000))]
    #[case("-1.5", json!(-1.5))]
    #[case(".5", json!(0.5))]
    #[case("18446744073709551615", json!(u64::MAX))]
    #[case("-9223372036854775808", json!(i64::MIN))]
    #[case("2001-01-01", json!("2001-01-01T00:00:00Z"))]
    #[case("2001-02-30", json!("2001-02-30"))]
    #[case("2001-12-14t21:59:43.10-05:00", json!("2001-12-14t21:59:43.10-05:00"))]
    #[case("yes", json!("yes"))]
    #[case("y", json!("y"))]
    #[case("True", json!(true))]
    #[case("~", json!(null))]
    #[case("", json!(null))]
    #[case("1.2.3", json!("1.2.3"))]
    #[case("12:30", json!("12:30"))]
    #[case("-", json!("-"))]
    #[case("1e", json!("1e"))]
    #[case("0x", json!("0x"))]
    #[case("1e400", json!("1e400"))]
    fn plain_scalars_of_manifests_have_the_types_of_go_yaml(
        #[case] text: &str,
        #[case] expected: Value,
    ) {
        assert_eq!(resolve(text, Dialect::Manifest), Ok(expected));
    }

    #[rstest]
    #[case("yes", json!(true))]
    #[case("n", json!(false))]
    #[case("Off", json!(false))]
    #[case("2001-01-01", json!("2001-01-01"))]
    fn configuration_files_know_more_booleans(#[case] text: &str, #[case] expected: Value) {
        assert_eq!(resolve(text, Dialect::Configuration), Ok(expected));
    }

    #[rstest]
    #[case(1e21, "1e+21")]
    #[case(1e-7, "1e-7")]
    #[case(0.1, "0.1")]
    #[case(1e20, "100000000000000000000")]
    fn floats_are_printed_as_go_prints_them(#[case] value: f64, #[case] expected: &str) {
        assert_eq!(go_float(value), expected);
    }
}
