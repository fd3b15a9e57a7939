use rstest::rstest;

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn later() -> Timestamp {
    NOW + jiff::SignedDuration::from_secs(60)
}

fn finding() -> Finding {
    Finding::new(Reason::FetchFailed, "no route to host")
}

fn pace(failures: u32) -> Pace {
    Pace {
        interval: Duration::from_mins(10),
        retry_interval: None,
        failures,
        jitter: 0.0,
    }
}

#[rstest]
#[case(Outcome::Ready(finding()), "True", false, false)]
#[case(Outcome::Progressing(finding()), "Unknown", true, false)]
#[case(Outcome::Waiting(finding()), "False", true, false)]
#[case(Outcome::Transient(finding()), "False", true, false)]
#[case(Outcome::Failed(finding()), "False", true, false)]
#[case(Outcome::Stalled(finding()), "False", false, true)]
fn conditions_follow_kstatus(
    #[case] outcome: Outcome,
    #[case] ready: &str,
    #[case] reconciling: bool,
    #[case] stalled: bool,
) {
    let before = conditions(&[], &Outcome::Stalled(finding()), Some(1), NOW);
    let after = conditions(&before, &outcome, Some(2), NOW);
    assert_eq!(
        condition(&after, ConditionType::Ready).unwrap().status,
        ready
    );
    assert_eq!(
        condition(&after, ConditionType::Reconciling).is_some(),
        reconciling
    );
    assert_eq!(condition(&after, ConditionType::Stalled).is_some(), stalled);
    assert!(
        after
            .iter()
            .all(|condition| condition.observed_generation == Some(2))
    );
}

#[test]
fn the_transition_time_moves_only_with_the_status() {
    let first = conditions(&[], &Outcome::Failed(finding()), None, NOW);
    let again = conditions(
        &first,
        &Outcome::Failed(Finding::new(Reason::TimedOut, "slow")),
        None,
        later(),
    );
    assert_eq!(again[0].last_transition_time.0, NOW);
    let ready = conditions(&again, &Outcome::Ready(finding()), None, later());
    assert_eq!(ready[0].last_transition_time.0, later());
}

#[test]
fn other_conditions_stay() {
    let mut first = conditions(&[], &Outcome::Ready(finding()), None, NOW);
    set_condition(
        &mut first,
        ConditionType::Healthy,
        ("True", &finding()),
        None,
        NOW,
    );
    let after = conditions(&first, &Outcome::Failed(finding()), None, NOW);
    assert!(condition(&after, ConditionType::Healthy).is_some());
    assert_eq!(after[0].type_, "Ready");
}

#[rstest]
#[case(1, 1)]
#[case(2, 2)]
#[case(5, 16)]
#[case(60, 120)]
fn a_transient_failure_is_tried_again_less_and_less_often(
    #[case] failures: u32,
    #[case] seconds: u64,
) {
    assert_eq!(
        pace(failures).next(&Outcome::Transient(finding())),
        Some(Duration::from_secs(seconds))
    );
}

#[test]
fn a_retry_interval_of_the_spec_is_kept() {
    let pace = Pace {
        retry_interval: Some(Duration::from_secs(7)),
        ..pace(60)
    };
    assert_eq!(
        pace.next(&Outcome::Failed(finding())),
        Some(Duration::from_secs(7))
    );
    assert_eq!(
        pace.next(&Outcome::Transient(finding())),
        Some(Duration::from_secs(7))
    );
}

#[test]
fn a_stalled_object_is_left_until_its_spec_changes() {
    assert_eq!(pace(1).next(&Outcome::Stalled(finding())), None);
}

#[test]
fn events_tell_transitions_and_never_repeat() {
    let failed = Outcome::Failed(finding());
    let before = conditions(&[], &failed, None, NOW);
    assert!(event(&[], &failed).unwrap().warning);
    assert_eq!(event(&before, &failed), None);
    assert!(!event(&before, &Outcome::Ready(finding())).unwrap().warning);
    assert_eq!(event(&before, &Outcome::Progressing(finding())), None);
}

#[test]
fn a_text_is_cut_at_a_character() {
    assert_eq!(truncate("größe", 6), "gr…");
    assert_eq!(truncate("short", 6), "short");
}
