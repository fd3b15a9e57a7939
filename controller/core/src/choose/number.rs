//! Decimal numbers of any length, compared exactly.

use std::cmp::Ordering;

/// A decimal number such as `20240501123000`, `1.5` or `-3`.
///
/// Kept as digits: a floating point number holds 15 of them, and build numbers have more.
/// Exponents are not read, since `12e45` is far more often a piece of a commit id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    is_negative: bool,
    /// Without leading zeros.
    whole: String,
    /// Without zeros at the end.
    fraction: String,
}

impl Number {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (is_negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_number =
            are_digits(whole) && are_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        is_number.then(|| Self {
            is_negative: is_negative && !(whole.is_empty() && fraction.is_empty()),
            whole: whole.to_owned(),
            fraction: fraction.to_owned(),
        })
    }

    fn compare_size(&self, other: &Self) -> Ordering {
        (self.whole.len().cmp(&other.whole.len()))
            .then_with(|| self.whole.cmp(&other.whole))
            .then_with(|| self.fraction.cmp(&other.fraction))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_negative, other.is_negative) {
            (false, false) => self.compare_size(other),
            (true, true) => other.compare_size(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1", "2")]
    #[case("9", "10")]
    #[case("-2", "-1")]
    #[case("-1", "0")]
    #[case("1.5", "1.51")]
    #[case(".5", "0.6")]
    #[case("9007199254740992", "9007199254740993")]
    #[case("20240501123000000000000000000001", "20240501123000000000000000000002")]
    fn the_first_number_is_smaller(#[case] small: &str, #[case] large: &str) {
        assert!(Number::parse(small).unwrap() < Number::parse(large).unwrap());
    }

    #[rstest]
    #[case("1", "01")]
    #[case("1", "1.0")]
    #[case("1", "1.")]
    #[case("1", "+1")]
    #[case("0", "-0.0")]
    fn numbers_are_equal_however_they_are_written(#[case] a: &str, #[case] b: &str) {
        assert_eq!(Number::parse(a).unwrap(), Number::parse(b).unwrap());
    }

    #[rstest]
    #[case("")]
    #[case(".")]
    #[case("-")]
    #[case("1e5")]
    #[case("0x10")]
    #[case("1_000")]
    #[case("nan")]
    #[case("--1")]
    #[case("1.2.3")]
    fn what_is_no_decimal_number_is_refused(#[case] text: &str) {
        assert_eq!(Number::parse(text), None);
    }

    proptest! {
        #[test]
        fn numbers_are_ordered_as_integers_are(a: i64, b: i64) {
            let number = |value: i64| Number::parse(&value.to_string()).unwrap();
            prop_assert_eq!(number(a).cmp(&number(b)), a.cmp(&b));
        }
    }
}
