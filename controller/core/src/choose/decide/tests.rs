use flux_crds::Time;
use flux_crds::image_policy::{
    Filter, ImageReference, Lock, NewestPolicy, Policy, Scan, SemverPolicy,
};
use rstest::rstest;

use super::*;

const NOW: &str = "2026-01-01T00:00:00Z";

/// A policy over several looks, with the status written as the controller writes it.
struct Policed {
    spec: ImagePolicySpec,
    status: ImagePolicyStatus,
    created: Created,
}

impl Policed {
    fn new() -> Self {
        let mut policed = Self {
            spec: ImagePolicySpec {
                image: "ghcr.io/org/app".into(),
                ..ImagePolicySpec::default()
            },
            status: ImagePolicyStatus::default(),
            created: Created::new(),
        };
        policed.set_range(">=1.0.0");
        policed
    }

    fn set_range(&mut self, range: &str) {
        let range = range.to_owned();
        self.spec.policy = Policy {
            semver: Some(SemverPolicy { range }),
            ..Policy::default()
        };
    }

    fn lock(&mut self) {
        self.spec.lock = Some(Lock {
            by: "ada".into(),
            reason: None,
        });
    }

    /// Looks once, and keeps what the next look must know. All else is forgotten, as by a restart.
    fn look(&mut self, tags: &str) -> Decision {
        let tags: Vec<String> = tags.split_whitespace().map(str::to_owned).collect();
        let rules = Rules::compile(self.spec.filter.as_ref(), &self.spec.policy).unwrap();
        let matching = rules.matching(&tags);
        let look = Look {
            tags: &tags,
            matching: &matching,
            created: &self.created,
        };
        let decision = decide(&rules, &self.spec, &self.status, look);
        let reference = |tag: &String| ImageReference {
            image: self.spec.image.clone(),
            tag: tag.clone(),
            created_at: self.created.get(tag).copied().map(Time),
            ..ImageReference::default()
        };
        if self.latest() != decision.latest.as_deref() {
            self.status.latest = decision.latest.as_ref().map(reference);
        }
        self.status.pending = decision.pending.as_ref().map(reference);
        self.status.rules.clone_from(&decision.rules);
        self.status.scan = Some(Scan {
            tags: i64::try_from(tags.len()).unwrap(),
            time: Time(NOW.parse().unwrap()),
            digest: String::new(),
            choice: decision.choice.clone(),
        });
        decision
    }

    fn latest(&self) -> Option<&str> {
        Some(self.status.latest.as_ref()?.tag.as_str())
    }
}

#[test]
fn the_first_choice_is_believed() {
    let mut policed = Policed::new();

    let decision = policed.look("1.0.0 1.1.0");

    assert_eq!(
        (decision.latest.as_deref(), decision.reason),
        (Some("1.1.0"), Reason::Fresh)
    );
}

#[test]
fn a_higher_version_is_taken_at_once() {
    let mut policed = Policed::new();
    policed.look("1.0.0");

    let decision = policed.look("1.0.0 1.1.0");

    assert_eq!(
        (decision.latest.as_deref(), decision.reason),
        (Some("1.1.0"), Reason::Newer)
    );
}

#[test]
fn the_same_answer_changes_nothing() {
    let mut policed = Policed::new();
    policed.look("1.0.0");

    assert_eq!(policed.look("1.0.0 0.9.0").reason, Reason::Unchanged);
}

#[test]
fn an_emptied_list_changes_nothing_however_often_it_comes() {
    let mut policed = Policed::new();
    policed.spec.allow_downgrade = Some(true);
    policed.look("1.0.0 1.1.0");

    for _ in 0..3 {
        assert_eq!(policed.look("").reason, Reason::Empty);
        assert_eq!(policed.latest(), Some("1.1.0"));
    }
}

#[test]
fn a_list_without_a_match_changes_nothing_and_says_what_was_there() {
    let mut policed = Policed::new();
    policed.look("1.0.0");

    let decision = policed.look("0.1.0 latest");

    assert_eq!(
        decision.reason,
        Reason::NoMatch {
            tags: 2,
            skipped: 1
        }
    );
    assert_eq!(policed.latest(), Some("1.0.0"));
}

#[test]
fn a_lost_version_never_downgrades() {
    let mut policed = Policed::new();
    policed.look("1.0.0 1.1.0");

    for _ in 0..3 {
        let reason = policed.look("1.0.0").reason;
        assert_eq!(
            reason,
            Reason::Downgrade {
                running: "1.1.0".into(),
                choice: "1.0.0".into()
            }
        );
        assert_eq!(policed.latest(), Some("1.1.0"));
    }
}

#[test]
fn an_allowed_downgrade_needs_the_same_answer_twice() {
    let mut policed = Policed::new();
    policed.spec.allow_downgrade = Some(true);
    policed.look("1.0.0 1.1.0");

    let first = policed.look("1.0.0");
    assert!(first.wants_second_look());
    assert_eq!(policed.latest(), Some("1.1.0"));
    let second = policed.look("1.0.0");

    assert_eq!(
        (second.latest.as_deref(), second.reason),
        (Some("1.0.0"), Reason::Confirmed)
    );
}

#[test]
fn two_different_answers_in_a_row_confirm_nothing() {
    let mut policed = Policed::new();
    policed.spec.allow_downgrade = Some(true);
    policed.look("1.0.0 1.1.0 1.2.0");

    for tags in ["1.0.0", "1.0.0 1.1.0", "", "1.0.0 1.1.0", "1.0.0"] {
        policed.look(tags);
        assert_eq!(policed.latest(), Some("1.2.0"));
    }
}

#[test]
fn a_list_that_recovers_was_only_doubted() {
    let mut policed = Policed::new();
    policed.spec.allow_downgrade = Some(true);
    policed.look("1.0.0 1.1.0");
    policed.look("1.0.0");

    assert_eq!(policed.look("1.0.0 1.1.0").reason, Reason::Unchanged);
}

#[test]
fn a_shorter_list_without_the_running_tag_must_say_it_twice_even_upwards() {
    let mut policed = Policed::new();
    policed.look("1.0.0 1.1.0 1.2.0");

    assert!(policed.look("1.0.0 1.3.0").wants_second_look());
    assert_eq!(policed.latest(), Some("1.2.0"));
    assert_eq!(policed.look("1.0.0 1.3.0").latest.as_deref(), Some("1.3.0"));
}

#[test]
fn a_shorter_list_with_the_running_tag_is_believed() {
    let mut policed = Policed::new();
    policed.look("1.0.0 1.1.0 1.2.0");

    assert_eq!(policed.look("1.2.0 1.3.0").reason, Reason::Newer);
}

#[test]
fn an_equal_version_under_another_name_must_come_twice() {
    let mut policed = Policed::new();
    policed.look("1.0.0");

    assert!(policed.look("1.0.0 v1.0.0").wants_second_look());
    assert_eq!(
        policed.look("1.0.0 v1.0.0").latest.as_deref(),
        Some("v1.0.0")
    );
}

#[test]
fn a_narrower_range_is_believed_though_it_goes_down() {
    let mut policed = Policed::new();
    policed.look("1.0.0 2.0.0");
    policed.set_range("^1");

    let decision = policed.look("1.0.0 2.0.0");

    assert_eq!(
        (decision.latest.as_deref(), decision.reason),
        (Some("1.0.0"), Reason::Fresh)
    );
    assert_eq!(
        policed.look("0.9.0 2.0.0").reason,
        Reason::NoMatch {
            tags: 2,
            skipped: 0
        }
    );
}

#[test]
fn a_changed_spec_waits_for_a_match_and_is_believed_then() {
    let mut policed = Policed::new();
    policed.look("2.0.0");
    policed.set_range("^1");

    policed.look("2.0.0");
    assert_eq!(policed.latest(), Some("2.0.0"));

    assert_eq!(policed.look("2.0.0 1.0.0").latest.as_deref(), Some("1.0.0"));
}

#[rstest]
#[case::filter(|spec: &mut ImagePolicySpec| spec.filter = Some(Filter { exclude: vec!["^2".into()], ..Filter::default() }), true)]
#[case::interval(|spec: &mut ImagePolicySpec| spec.interval = Some("9m".into()), false)]
#[case::name_of_docker_hub(|spec: &mut ImagePolicySpec| spec.image = "docker.io/library/nginx".into(), false)]
fn only_a_change_of_what_is_chosen_makes_the_choice_afresh(
    #[case] change: fn(&mut ImagePolicySpec),
    #[case] is_fresh: bool,
) {
    let mut policed = Policed::new();
    policed.spec.image = "nginx".into();
    policed.look("1.0.0 2.0.0");
    change(&mut policed.spec);

    assert_eq!(policed.look("1.0.0").reason == Reason::Fresh, is_fresh);
}

#[test]
fn another_image_forgets_the_tag_of_the_one_before() {
    let mut policed = Policed::new();
    policed.look("2.0.0");
    policed.spec.image = "ghcr.io/org/other".into();

    assert_eq!(policed.look("").latest, None);
    assert_eq!(policed.look("1.0.0").latest.as_deref(), Some("1.0.0"));
}

#[test]
fn a_lock_holds_the_image_and_shows_what_waits() {
    let mut policed = Policed::new();
    policed.look("1.0.0");
    policed.lock();

    let decision = policed.look("1.0.0 1.1.0");

    assert_eq!(decision.latest.as_deref(), Some("1.0.0"));
    assert_eq!(decision.pending.as_deref(), Some("1.1.0"));
    assert_eq!(
        decision.reason,
        Reason::Locked {
            by: "ada".into(),
            choice: "1.1.0".into()
        }
    );
    assert_eq!(
        policed.look("").pending.as_deref(),
        Some("1.1.0"),
        "an empty list takes nothing away"
    );
}

#[test]
fn a_lock_holds_a_changed_spec_until_it_is_opened() {
    let mut policed = Policed::new();
    policed.look("1.0.0 2.0.0");
    policed.lock();
    policed.set_range("^1");
    policed.look("1.0.0 2.0.0");
    assert_eq!(policed.latest(), Some("2.0.0"));
    policed.spec.lock = None;

    let decision = policed.look("1.0.0 2.0.0");

    assert_eq!(
        (decision.latest.as_deref(), decision.pending),
        (Some("1.0.0"), None)
    );
}

#[test]
fn a_lock_with_nothing_new_shows_nothing() {
    let mut policed = Policed::new();
    policed.look("1.0.0");
    policed.lock();
    policed.set_range("1.0.0");

    let decision = policed.look("1.0.0");

    assert_eq!(
        (decision.pending, decision.reason),
        (None, Reason::Unchanged)
    );
}

#[test]
fn the_time_of_a_tag_that_is_gone_is_known_from_the_status() {
    let mut policed = Policed::new();
    policed.spec.policy = Policy {
        newest: Some(NewestPolicy {}),
        ..Policy::default()
    };
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    policed
        .created
        .insert("b".into(), time("2026-02-01T00:00:00Z"));
    policed.look("b");
    policed.created.clear();
    policed
        .created
        .insert("a".into(), time("2026-01-01T00:00:00Z"));
    policed
        .created
        .insert("c".into(), time("2026-03-01T00:00:00Z"));

    assert!(matches!(policed.look("a").reason, Reason::Downgrade { .. }));
    assert_eq!(policed.look("a c").reason, Reason::Newer);
}

#[test]
fn reasons_read_as_sentences() {
    let (running, choice) = ("1.1.0".to_owned(), "1.0.0".to_owned());
    let reasons = [
        Reason::NoMatch {
            tags: 12,
            skipped: 3,
        },
        Reason::Doubted {
            running: running.clone(),
            choice: choice.clone(),
        },
        Reason::Downgrade {
            running,
            choice: choice.clone(),
        },
        Reason::Locked {
            by: "ada".into(),
            choice,
        },
    ];

    insta::assert_snapshot!(reasons.map(|reason| reason.to_string()).join("\n"), @r"
    none of 12 tags matches the filter and the policy, 3 pass the filter and are not what the policy compares
    the list of tags may be incomplete: 1.0.0 follows 1.1.0 if the next scan says the same
    the best tag is 1.0.0, which is below 1.1.0: it stays, unless allowDowngrade is set
    locked by ada, 1.0.0 waits
    ");
}
