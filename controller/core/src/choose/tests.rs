use flux_crds::image_policy::{Filter, NewestPolicy, OrderPolicy, SemverPolicy};
use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn tags(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn semver(range: &str) -> Policy {
    let range = range.to_owned();
    Policy {
        semver: Some(SemverPolicy { range }),
        ..Policy::default()
    }
}

fn numerical(order: Order) -> Policy {
    Policy {
        numerical: Some(OrderPolicy { order: Some(order) }),
        ..Policy::default()
    }
}

fn alphabetical(order: Order) -> Policy {
    Policy {
        alphabetical: Some(OrderPolicy { order: Some(order) }),
        ..Policy::default()
    }
}

fn newest() -> Policy {
    Policy {
        newest: Some(NewestPolicy {}),
        ..Policy::default()
    }
}

fn filter(include: &str, extract: &str) -> Filter {
    Filter {
        include: Some(include.to_owned()),
        extract: Some(extract.to_owned()),
        exclude: Vec::new(),
    }
}

fn choose(policy: &Policy, filter: Option<&Filter>, list: &str) -> Option<String> {
    let rules = Rules::compile(filter, policy).unwrap();
    rules.choose(&rules.matching(&tags(list)), &Created::new())
}

fn created(times: &[(&str, &str)]) -> Created {
    let entry = |(tag, time): &(&str, &str)| ((*tag).to_owned(), time.parse().unwrap());
    times.iter().map(entry).collect()
}

#[rstest]
#[case::highest("*", "1.0.0 1.10.0 1.9.0", "1.10.0")]
#[case::range("^1.0", "1.0.0 1.10.0 2.0.0", "1.10.0")]
#[case::v("*", "v1.0.0 v1.1.0 1.0.5", "v1.1.0")]
#[case::release_above_pre_release("*-0", "1.0.0-rc.1 1.0.0 1.0.0-alpha", "1.0.0")]
#[case::pre_release_only_by_name("*", "1.0.0 1.1.0-rc.1", "1.0.0")]
#[case::pre_release_numbers(">=1.0.0-0", "1.0.0-rc.9 1.0.0-rc.10", "1.0.0-rc.10")]
#[case::moving_tags("^1", "1 1.2 1.2.3 1.2.2 latest", "1.2.3")]
#[case::moving_tag_before_its_version("*", "2 2.0 1.9.9", "1.9.9")]
#[case::dates_are_no_full_versions(">=1.0.0", "1.4.0 20240501 2024.05.01", "1.4.0")]
#[case::short_tags_alone("~16", "15.4 16 16.1 16.0 latest", "16.1")]
#[case::short_against_long(">=1", "1.10 1.9", "1.10")]
#[case::calendar("*", "2024.05.01 2024.04.30", "2024.05.01")]
#[case::large("*", "1.0.18446744073709551615 1.0.2", "1.0.18446744073709551615")]
fn semver_chooses_the_highest_version_in_the_range(
    #[case] range: &str,
    #[case] list: &str,
    #[case] expected: &str,
) {
    assert_eq!(
        choose(&semver(range), None, list).as_deref(),
        Some(expected)
    );
}

#[rstest]
#[case("*", "latest main-1 nightly")]
#[case(">=2.0.0", "1.0.0 1.5.0")]
#[case("*", "1.0.0-rc.1")]
#[case("*", "")]
fn nothing_is_chosen_where_nothing_matches(#[case] range: &str, #[case] list: &str) {
    assert_eq!(choose(&semver(range), None, list), None);
}

#[test]
fn equal_versions_are_chosen_by_the_text_of_the_tag_in_any_order_of_the_list() {
    let builds = filter(r"(.*)_(.*)", "$1+$2");

    for list in ["1.0.0 v1.0.0", "v1.0.0 1.0.0"] {
        assert_eq!(choose(&semver("*"), None, list).as_deref(), Some("v1.0.0"));
    }
    for list in ["1.0.0_b1 1.0.0_b2", "1.0.0_b2 1.0.0_b1"] {
        let chosen = choose(&semver("*"), Some(&builds), list);
        assert_eq!(chosen.as_deref(), Some("1.0.0_b2"));
    }
}

#[rstest]
#[case(Order::Ascending, "9 10 8", "10")]
#[case(Order::Descending, "9 10 8", "8")]
#[case(
    Order::Ascending,
    "9007199254740993 9007199254740992",
    "9007199254740993"
)]
#[case(Order::Ascending, "1.5 1.25 latest", "1.5")]
#[case(Order::Ascending, "01 1", "1")]
#[case(Order::Descending, "01 1", "1")]
fn numerical_chooses_an_end_of_the_order(
    #[case] order: Order,
    #[case] list: &str,
    #[case] expected: &str,
) {
    assert_eq!(
        choose(&numerical(order), None, list).as_deref(),
        Some(expected)
    );
}

#[rstest]
#[case(Order::Ascending, "c")]
#[case(Order::Descending, "B")]
fn alphabetical_chooses_an_end_of_the_order_of_bytes(#[case] order: Order, #[case] expected: &str) {
    assert_eq!(
        choose(&alphabetical(order), None, "a c B b").as_deref(),
        Some(expected)
    );
}

#[test]
fn the_extracted_part_is_compared_and_the_tag_is_the_answer() {
    let builds = filter("main-[0-9a-f]+-(?P<ts>[0-9]+)", "$ts");
    let list = "main-ffff-100 main-0000-200 main-abcd-150 dev-ffff-900";

    let chosen = choose(&numerical(Order::Ascending), Some(&builds), list);

    assert_eq!(chosen.as_deref(), Some("main-0000-200"));
}

#[test]
fn tags_with_the_same_extracted_part_all_stay_candidates() {
    let rules = Rules::compile(
        Some(&filter("[a-z]+-([0-9]+)", "$1")),
        &numerical(Order::Ascending),
    )
    .unwrap();

    let matching = rules.matching(&tags("b-1 a-1 c-1"));

    assert_eq!(matching.candidates.len(), 3);
    let chosen = rules.choose(&matching, &Created::new());
    assert_eq!(chosen.as_deref(), Some("c-1"), "the tag that sorts last");
}

#[test]
fn tags_that_are_no_number_are_counted_and_never_block() {
    let rules = Rules::compile(None, &numerical(Order::Ascending)).unwrap();

    let matching = rules.matching(&tags("12 latest v1 3 12e4 12"));

    assert_eq!(matching.candidates.len(), 2, "12 once, and 3");
    assert_eq!(matching.skipped, 3);
}

#[test]
fn newest_goes_by_the_creation_time_and_then_by_the_tag() {
    let rules = Rules::compile(None, &newest()).unwrap();
    let created = created(&[
        ("a", "2024-05-01T00:00:00Z"),
        ("c", "2024-05-02T00:00:00Z"),
        ("b", "2024-05-02T00:00:00Z"),
        ("latest", "2024-06-01T00:00:00Z"),
    ]);
    let matching = rules.matching(&tags("unknown b a c latest"));

    assert!(rules.needs_created());
    assert_eq!(rules.choose(&matching, &created).as_deref(), Some("c"));
    assert_eq!(rules.sort(&matching, &created), ["c", "b", "a", "unknown"]);
}

#[test]
fn a_time_that_a_build_tool_made_up_is_none() {
    let rules = Rules::compile(None, &newest()).unwrap();
    let created = created(&[("a", "1970-01-01T00:00:00Z"), ("b", "1980-01-01T00:00:01Z")]);

    assert_eq!(rules.choose(&rules.matching(&tags("a b")), &created), None);
    assert_eq!(rules.rank("a", "b", &created), None);
}

#[test]
fn the_best_tag_is_sorted_first() {
    let rules = Rules::compile(None, &semver(">=1.0.0")).unwrap();
    let matching = rules.matching(&tags("0.9.0 1.0.0 1.2.0 2 1.1.0"));

    let sorted = rules.sort(&matching, &Created::new());

    assert_eq!(sorted, ["1.2.0", "1.1.0", "1.0.0", "2"]);
    assert_eq!(
        rules.choose(&matching, &Created::new()).as_deref(),
        Some("1.2.0")
    );
}

#[rstest]
#[case("1.2.0", "1.1.0", Some(Ordering::Greater))]
#[case("1.2", "1.2.0", Some(Ordering::Equal))]
#[case("0.1.0", "9.0.0", Some(Ordering::Less))]
#[case("1.2.0", "latest", None)]
fn rank_knows_tags_that_are_in_no_list_and_no_range(
    #[case] tag: &str,
    #[case] other: &str,
    #[case] expected: Option<Ordering>,
) {
    let rules = Rules::compile(None, &semver("~5")).unwrap();

    assert_eq!(rules.rank(tag, other, &Created::new()), expected);
}

#[test]
fn rank_turns_with_the_order() {
    let rules = Rules::compile(None, &numerical(Order::Descending)).unwrap();

    assert_eq!(
        rules.rank("1", "2", &Created::new()),
        Some(Ordering::Greater)
    );
}

#[test]
fn a_range_that_does_not_parse_is_an_error_and_never_any_version() {
    let error = Rules::compile(None, &semver("one")).unwrap_err();

    insta::assert_snapshot!(error, @r#"policy.semver.range "one" is not a range of versions: write for example ">=1.2.0 <2.0.0", "~1.4", "^1.0" or "1.x""#);
}

#[test]
fn a_policy_without_a_field_is_an_error() {
    assert_eq!(
        Rules::compile(None, &Policy::default()).unwrap_err(),
        Error::NoPolicy
    );
}

#[rstest]
#[case("semver:~1.3", "1.2.9 1.3.1 1.4.0", "1.3.1")]
#[case("semver: ^1", "1.2 1.2.9 2.0.0", "1.2.9")]
#[case("glob:main-*", "main-1 main-2 dev-3 latest", "main-2")]
#[case("main-*", "main-1 main-2 dev-3", "main-2")]
#[case("glob:*", "main-1 dev-3 latest", "dev-3")]
#[case("glob:latest", "main-1 dev-3 latest", "latest")]
#[case("regexp:^3.10.*", "3.10-slim 3.11", "3.10-slim")]
#[case("regex:slim", "3.10-slim 3.11", "3.10-slim")]
fn a_filter_of_flux_v1_means_what_it_meant(
    #[case] pattern: &str,
    #[case] list: &str,
    #[case] expected: &str,
) {
    let rules = Rules::from_flux_v1(pattern).unwrap();
    let list = tags(list);
    let time = |index: usize| {
        Timestamp::from_second(1_700_000_000 + i64::try_from(index).unwrap()).unwrap()
    };
    let created = list
        .iter()
        .enumerate()
        .map(|(index, tag)| (tag.clone(), time(index)))
        .collect();

    let chosen = rules.choose(&rules.matching(&list), &created);

    assert_eq!(chosen.as_deref(), Some(expected));
}

proptest! {
    #[test]
    fn the_order_of_the_list_never_matters(mut list in proptest::collection::vec("v?[0-2](\\.[0-2]){0,3}(-rc)?", 0..20), by in 0..3) {
        let policy = match by {
            0 => semver("*-0"),
            1 => numerical(Order::Descending),
            _ => alphabetical(Order::Ascending),
        };
        let rules = Rules::compile(None, &policy).unwrap();
        let chosen = rules.choose(&rules.matching(&list), &Created::new());

        list.reverse();

        prop_assert_eq!(rules.choose(&rules.matching(&list), &Created::new()), chosen.clone());
        let half = list.len() / 2;
        list.rotate_left(half);
        let matching = rules.matching(&list);
        prop_assert_eq!(rules.choose(&matching, &Created::new()), chosen.clone());
        let first = rules.sort(&matching, &Created::new()).first().map(|&tag| tag.to_owned());
        prop_assert_eq!(first, chosen);
    }
}
