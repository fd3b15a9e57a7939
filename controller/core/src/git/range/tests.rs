use rstest::rstest;

use super::*;

#[rstest]
#[case("1.2.3", "1.2.3 1.2.3+b", "1.2.4 1.2.3-rc.1")]
#[case("=1.2", "1.2.0 1.2.9", "1.3.0 1.1.9 1.2.1-rc.1")]
#[case("1", "1.0.0 1.9.9", "2.0.0 0.9.9")]
#[case("*", "0.0.0 1.2.3 99.0.0", "1.0.0-rc.1")]
#[case("x", "0.0.0 1.2.3", "1.0.0-alpha")]
#[case("1.x", "1.0.0 1.99.0", "2.0.0")]
#[case("1.2.x", "1.2.0 1.2.7", "1.3.0")]
#[case("v1.2.*", "1.2.7", "1.3.0")]
#[case(">1", "2.0.0 11.0.0", "1.0.0 1.9.9")]
#[case(">1.1", "1.2.0 2.0.0", "1.1.1 1.1.0")]
#[case(">1.1.1", "1.1.2", "1.1.1 1.1.2-rc.1")]
#[case(">*", "0.0.1 1.0.0", "0.0.0")]
#[case("~*", "0.0.0 2.1.1", "2.1.1-rc.1")]
#[case(">=1.1", "1.1.0 4.1.0", "1.0.9")]
#[case(">=1.1\n<2", "1.1.0", "2.0.0")]
#[case("=> 1.1", "1.1.0", "1.0.9")]
#[case("<1.1", "1.0.9 0.1.0", "1.1.0")]
#[case("<=1.1", "1.1.9 1.1.0", "1.2.0")]
#[case("<=11", "11.9.9 10.0.0", "12.0.0")]
#[case("!=1.2.3", "1.2.4 1.2.2", "1.2.3")]
#[case("!=1.2", "1.3.0 2.2.0", "1.2.0 1.2.9")]
#[case("~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2")]
#[case("~>1", "1.9.0", "2.0.0")]
#[case("~1.1.x", "1.1.0 1.1.5", "1.2.0")]
#[case("~0.0.0", "0.0.0 5.0.0", "1.0.0-rc.1")]
#[case("^1.2.3", "1.2.3 1.9.0", "2.0.0 1.2.2")]
#[case("^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2")]
#[case("^0.2", "0.2.0 0.2.5", "0.3.0")]
#[case("^0.0.3", "0.0.3", "0.0.4 0.1.0")]
#[case("^0.0", "0.0.0 0.0.9", "0.1.0")]
#[case("^0", "0.0.1 0.9.0", "1.0.0")]
#[case("^0.1", "0.1.5", "1.1.5 1.1.0")]
#[case(">=1.2.0 <2.0.0", "1.2.0 1.9.9", "2.0.0 1.1.9")]
#[case(">=1.2.0, <2.0.0", "1.2.0 1.9.9", "2.0.0 1.1.9")]
#[case("1.2 - 1.4.5", "1.2.0 1.4.5", "1.4.6 1.1.9")]
#[case("1.0.0 - 2", "1.0.0 2.9.9", "3.0.0")]
#[case("<1.0.0 || >=2.0.0", "0.9.0 2.0.1", "1.5.0")]
#[case(">=1.0.0-0", "1.0.0-rc.1 1.1.0-alpha 1.0.0", "0.9.9")]
#[case(">=1.0.0-rc.1 <2.0.0", "1.0.0-rc.2 1.5.0-beta", "1.0.0-alpha 2.0.0")]
#[case("^1.0.0-0", "1.0.0-rc.1 1.4.0-beta", "2.0.0")]
fn a_range_means_what_masterminds_means(
    #[case] range: &str,
    #[case] inside: &str,
    #[case] outside: &str,
) {
    let parsed: Range = range.parse().unwrap();
    let matches = |text: &str| parsed.matches(&Version::parse(text).unwrap());
    for text in inside.split(' ') {
        assert!(matches(text), "{text} lies within {range}");
    }
    for text in outside.split(' ') {
        assert!(!matches(text), "{text} lies outside of {range}");
    }
}

#[rstest]
#[case("")]
#[case("latest")]
#[case("1.2.3.4")]
#[case(">=")]
#[case("1.2 -")]
#[case("|| 1")]
#[case(">=1.0.0 <<2")]
#[case("99999999999999999999999")]
fn a_text_that_is_no_range_is_refused(#[case] text: &str) {
    assert!(text.parse::<Range>().is_err(), "{text:?}");
}

#[rstest]
#[case("1.2.3", true)]
#[case("v1.2.3-rc.1+b", true)]
#[case("v1.2", false)]
#[case("vv1.2.3", false)]
#[case("release-1.2.3", false)]
#[case("01.2.3", false)]
fn a_tag_is_a_version_only_with_three_numbers(#[case] tag: &str, #[case] is_version: bool) {
    assert_eq!(version(tag).is_some(), is_version);
}

#[test]
fn a_wildcard_with_a_pre_release_takes_in_all_pre_releases() {
    let range: Range = "*-0".parse().unwrap();

    assert!(range.matches(&Version::parse("1.2.3-alpha.1").unwrap()));
}

#[rstest]
#[case("1", Some("1.0.0"))]
#[case("v1.2", Some("1.2.0"))]
#[case("1.2.3", Some("1.2.3"))]
#[case("16.1-alpine", Some("16.1.0-alpine"))]
#[case("2024.05.01", Some("2024.5.1"))]
#[case("1.2.3.4", None)]
#[case("1.", None)]
#[case("", None)]
#[case("v", None)]
#[case("latest", None)]
#[case("1.2-01", None)]
#[case("99999999999999999999999", None)]
fn a_short_version_is_filled_with_zeros(#[case] tag: &str, #[case] expected: Option<&str>) {
    let expected = expected.map(|text| Version::parse(text).unwrap());

    assert_eq!(short_version(tag), expected);
}
