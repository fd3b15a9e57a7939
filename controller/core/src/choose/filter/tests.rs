use rstest::rstest;

use super::*;

fn filter(include: &str, extract: Option<&str>, exclude: &[&str]) -> Result<Filter, Error> {
    let spec = image_policy::Filter {
        include: (!include.is_empty()).then(|| include.to_owned()),
        extract: extract.map(str::to_owned),
        exclude: exclude.iter().map(|&one| one.to_owned()).collect(),
    };
    Filter::compile(Some(&spec))
}

fn text(filter: &Filter, tag: &str) -> Option<String> {
    filter.text(tag, false).map(Cow::into_owned)
}

#[rstest]
#[case("", "anything", true)]
#[case("main-.*", "main-1", true)]
#[case("main-", "main-1", false)]
#[case("ain", "main", false)]
#[case("a|b", "b", true)]
#[case("a|b", "ab", false)]
#[case("^v[0-9]+$", "v1", true)]
#[case("glob:main-*", "main-abc-1", true)]
#[case("glob:main-*", "xmain-1", false)]
#[case("glob:1.?", "1.2", true)]
#[case("glob:1.?", "1x2", false)]
#[case("glob:*", "", true)]
#[case("glob:v1.*.0", "v1.22.0", true)]
fn include_must_match_a_whole_tag(#[case] include: &str, #[case] tag: &str, #[case] counts: bool) {
    let filter = filter(include, None, &[]).unwrap();

    assert_eq!(text(&filter, tag).is_some(), counts);
}

#[rstest]
#[case("main-[a-f0-9]+-(?P<ts>[0-9]+)", "$ts", "main-ab1-170", "170")]
#[case("main-[a-f0-9]+-(?<ts>[0-9]+)", "${ts}", "main-ab1-170", "170")]
#[case("(.*)-(.*)", "$2.$1", "a-b", "b.a")]
#[case("(.*)-rc(.*)", "${1}-rc.$2", "1.2.3-rc4", "1.2.3-rc.4")]
#[case("glob:main-*", "$1", "main-7", "7")]
#[case("glob:*-v*", "$2", "app-v7", "7")]
#[case("", "$0", "app", "app")]
#[case("v(.*)", "$$$1", "v1", "$1")]
fn extract_is_filled_from_the_groups(
    #[case] include: &str,
    #[case] extract: &str,
    #[case] tag: &str,
    #[case] expected: &str,
) {
    let filter = filter(include, Some(extract), &[]).unwrap();

    assert_eq!(text(&filter, tag).as_deref(), Some(expected));
}

#[rstest]
#[case("(.*)", "$2", "2")]
#[case("(?P<ts>.*)", "$time", "time")]
#[case("(?P<ts>.*)", "$ts_", "ts_")]
#[case("(?P<ts>.*)", "${t s}", "t s")]
#[case("", "$ts", "ts")]
fn extract_may_name_only_groups_that_exist(
    #[case] include: &str,
    #[case] extract: &str,
    #[case] group: &str,
) {
    let error = filter(include, Some(extract), &[]).expect_err("the group is unknown");

    assert_eq!(
        error,
        Error::Group {
            extract: extract.to_owned(),
            group: group.to_owned()
        }
    );
}

#[test]
fn exclude_is_found_anywhere_and_stands_above_include() {
    let filter = filter("v.*", None, &["-rc", "^v0"]).unwrap();

    assert_eq!(text(&filter, "v1-rc.1"), None);
    assert_eq!(text(&filter, "v0.1"), None);
    assert_eq!(text(&filter, "v1.0").as_deref(), Some("v1.0"));
}

#[rstest]
#[case(".sig")]
#[case(".att")]
#[case(".sbom")]
#[case("")]
fn signatures_and_attestations_never_count(#[case] end: &str) {
    let tag = format!("sha256-{}{end}", "ab".repeat(32));

    assert_eq!(text(&filter("", None, &["x"]).unwrap(), &tag), None);
}

#[rstest]
#[case("(", "filter.include")]
#[case("a)(b", "filter.include")]
#[case("[z-a]", "filter.include")]
#[case("(?!x)", "filter.include")]
fn an_expression_that_does_not_parse_is_an_error(#[case] include: &str, #[case] place: &str) {
    let error = filter(include, None, &[]).expect_err("no expression");

    let Error::Pattern {
        field,
        pattern,
        reason,
    } = error
    else {
        unreachable!("another error: {error}");
    };
    assert_eq!((field, pattern.as_str()), (place, include));
    assert!(!reason.is_empty() && !reason.contains('\n'), "{reason:?}");
}

#[test]
fn an_expression_that_grows_without_bound_is_an_error() {
    let error = filter("((a{100}){100}){100}", None, &[]).expect_err("too large");

    assert!(error.to_string().contains("too large"), "{error}");
}

#[test]
fn an_exclude_that_does_not_parse_names_its_field() {
    let error = filter("", None, &["ok", "*"]).expect_err("no expression");

    insta::assert_snapshot!(error, @r#"filter.exclude "*" is not a regular expression: repetition operator missing expression"#);
}

#[rstest]
#[case("", false)]
#[case("glob:*", false)]
#[case("latest|v.*", false)]
#[case("latest", true)]
#[case("^latest$", true)]
#[case("glob:latest", true)]
fn latest_counts_by_time_only_when_it_is_named(#[case] include: &str, #[case] counts: bool) {
    let filter = filter(include, None, &[]).unwrap();

    assert_eq!(filter.text("latest", true).is_some(), counts);
}
