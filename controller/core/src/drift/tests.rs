use std::collections::HashSet;
use std::time::{Duration, Instant};

use flux_crds::sync::{DriftIgnore, Selector};
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::object::Origin;

fn deployment() -> Desired {
    let value = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"flux.rs/sync": "apps", "app": "web"}},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [
            {"name": "app", "image": "app:1", "args": ["a"], "ports": [{"containerPort": 80}]}]}}}});
    Desired::new(value, Origin::default()).unwrap()
}

/// What our entry holds right after an apply of [`deployment`].
fn ours() -> Value {
    json!({"f:metadata": {"f:labels": {"f:flux.rs/sync": {}, "f:app": {}}},
        "f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {
            "k:{\"name\":\"app\"}": {".": {}, "f:name": {}, "f:image": {}, "f:args": {},
                "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}}}}}}})
}

fn without(pointer: &str) -> Value {
    let mut fields = ours();
    let (parent, leaf) = pointer.rsplit_once('/').unwrap();
    let parent = fields.pointer_mut(parent).unwrap();
    parent
        .as_object_mut()
        .unwrap()
        .shift_remove(&leaf.replace("~1", "/"));
    fields
}

fn live(ours: &Value, other: Option<(&str, &str, &Value)>) -> Metadata {
    let mut entries = vec![
        json!({"manager": "flux", "operation": "Apply", "time": "2026-01-01T00:00:00Z", "fieldsV1": ours}),
    ];
    entries.extend(other.map(|(manager, subresource, fields)| {
        json!({"manager": manager, "operation": "Update", "subresource": subresource,
            "time": "2026-01-02T00:00:00Z", "fieldsV1": fields})
    }));
    Metadata::of(&json!({"metadata": {"name": "web", "managedFields": entries}})).unwrap()
}

fn rules(pointers: &[&str], managers: &[&str]) -> Ignore {
    Ignore::new(&[DriftIgnore {
        target: None,
        pointers: pointers.iter().map(|text| (*text).to_owned()).collect(),
        managers: managers.iter().map(|text| (*text).to_owned()).collect(),
    }])
    .unwrap()
}

fn found(live: &Metadata, ignore: &Ignore) -> Option<(Vec<String>, Vec<String>)> {
    let drift = examine(&deployment(), live, ignore).drift?;
    Some((drift.managers().to_vec(), drift.paths().to_vec()))
}

const IMAGE: &str = "/f:spec/f:template/f:spec/f:containers/k:{\"name\":\"app\"}/f:image";

#[rstest]
#[case::scalar("/f:spec/f:replicas", "spec.replicas")]
#[case::label(
    "/f:metadata/f:labels/f:flux.rs~1sync",
    "metadata.labels[flux.rs/sync]"
)]
#[case::item(IMAGE, "spec.template.spec.containers[name=app].image")]
#[case::whole_list(
    "/f:spec/f:template/f:spec/f:containers/k:{\"name\":\"app\"}/f:args",
    "spec.template.spec.containers[name=app].args"
)]
#[case::everything_of_a_list("/f:spec/f:template", "spec.template.spec.containers")]
fn a_field_that_left_our_entry_is_named(#[case] gone: &str, #[case] path: &str) {
    let live = live(&without(gone), None);
    let (managers, paths) = found(&live, &Ignore::default()).unwrap();
    assert_eq!(paths, [path]);
    assert_eq!(
        managers,
        Vec::<String>::new(),
        "who removes a field owns nothing by it"
    );
}

#[test]
fn whoever_holds_the_field_now_is_named_and_nobody_else() {
    let taken = json!({"f:spec": {"f:replicas": {}}});
    let live = live(
        &without("/f:spec/f:replicas"),
        Some(("kubectl", "scale", &taken)),
    );
    let (managers, paths) = found(&live, &Ignore::default()).unwrap();
    assert_eq!(
        (managers, paths),
        (vec!["kubectl".to_owned()], vec!["spec.replicas".to_owned()])
    );

    let beside = json!({"f:spec": {"f:paused": {}}});
    let live = self::live(&without("/f:spec/f:replicas"), Some(("other", "", &beside)));
    assert_eq!(
        found(&live, &Ignore::default()).unwrap().0,
        Vec::<String>::new()
    );
}

#[test]
fn an_untouched_entry_of_another_time_is_drift_of_nobody_knows_what() {
    let live = live(&ours(), None);
    assert_eq!(found(&live, &Ignore::default()), Some((vec![], vec![])));
}

#[test]
fn without_an_entry_of_ours_every_field_is_lost() {
    let live = live(&json!({}), None);
    let (_, paths) = found(&live, &Ignore::default()).unwrap();
    assert!(paths.contains(&"spec.replicas".to_owned()), "{paths:?}");
}

#[rstest]
#[case::pointer(&["/spec/replicas"], &[], true)]
#[case::parent(&["/spec"], &[], true)]
#[case::sibling(&["/spec/replica"], &[], false)]
#[case::manager(&[], &["kubectl"], true)]
#[case::other_manager(&[], &["hpa"], false)]
#[case::both(&["/spec/replicas"], &["kubectl"], true)]
#[case::one_of_both(&["/spec/paused"], &["kubectl"], false)]
fn a_rule_covers_what_it_points_at_by_whom_it_names(
    #[case] pointers: &[&str],
    #[case] managers: &[&str],
    #[case] covered: bool,
) {
    let taken = json!({"f:spec": {"f:replicas": {}}});
    let live = live(
        &without("/f:spec/f:replicas"),
        Some(("kubectl", "scale", &taken)),
    );
    let examined = examine(&deployment(), &live, &rules(pointers, managers));
    assert_eq!(examined.drift.is_none(), covered);
    assert_eq!(!examined.yielded.is_empty(), covered);
}

#[test]
fn a_pointer_into_a_list_goes_by_the_place() {
    let live = live(&without(IMAGE), None);
    let ignore = rules(&["/spec/template/spec/containers/0/image"], &[]);
    assert_eq!(found(&live, &ignore), None);
}

#[test]
fn a_rule_is_about_its_target_alone() {
    let rule = |selector| {
        Ignore::new(&[DriftIgnore {
            target: Some(selector),
            ..DriftIgnore::default()
        }])
        .unwrap()
    };
    let text = |text: &str| Some(text.to_owned());
    let (name, label_selector) = (text("we."), text("app=web"));
    let fits = rule(Selector {
        name,
        label_selector,
        ..Selector::default()
    });
    assert!(fits.is_about(&deployment()));
    let name = text("we");
    let of_part = rule(Selector {
        name,
        ..Selector::default()
    });
    assert!(
        !of_part.is_about(&deployment()),
        "the expression is of the whole name"
    );
}

#[test]
fn a_rule_that_cannot_be_read_is_named() {
    let rule = DriftIgnore {
        pointers: vec!["spec.replicas".into()],
        ..DriftIgnore::default()
    };
    assert_eq!(
        Ignore::new(&[DriftIgnore::default(), rule])
            .unwrap_err()
            .to_string(),
        "spec.drift.ignore[1].pointers: spec.replicas is no JSON pointer, such as /spec/replicas"
    );
}

#[test]
fn what_is_yielded_is_left_out_of_the_repair_and_the_rest_stays() {
    let mut fields = without("/f:spec/f:replicas");
    fields.as_object_mut().unwrap().shift_remove("f:metadata");
    let ignore = rules(&["/spec/replicas", "/metadata/labels"], &[]);
    let Examined { drift, yielded } = examine(&deployment(), &live(&fields, None), &ignore);
    assert_eq!(drift, None);
    let hash = deployment().hash;
    let left = yielding(deployment(), &yielded);
    assert_eq!(
        left.value["metadata"],
        json!({"name": "web", "namespace": "shop"})
    );
    assert!(
        left.value["spec"].get("replicas").is_none()
            && left.value["spec"].get("template").is_some()
    );
    assert_eq!(left.hash, hash, "it stays the object of that manifest");
}

#[expect(
    clippy::disallowed_methods,
    reason = "there is no other way to an instant to count from"
)]
fn beginning() -> Instant {
    Instant::now()
}

#[test]
fn each_round_of_a_fight_waits_longer_up_to_five_minutes() {
    let mut now = beginning();
    let mut fight = None;
    let delays: Vec<u64> = (0..9)
        .map(|_| {
            let next = Fight::after(fight, now);
            let delay = next.due().duration_since(now);
            (fight, now) = (Some(next), next.due() + Duration::from_secs(1));
            delay.as_secs()
        })
        .collect();
    assert_eq!(delays, [0, 2, 6, 18, 54, 162, 300, 300, 300]);
}

#[test]
fn a_fight_is_contested_from_the_third_round_and_over_after_a_calm() {
    let now = beginning();
    let first = Fight::after(None, now);
    let second = Fight::after(Some(first), now + Duration::from_secs(1));
    let third = Fight::after(Some(second), now + Duration::from_secs(4));
    assert_eq!(
        [first, second, third].map(|fight| fight.is_contested()),
        [false, false, true]
    );
    let calm = third.due() + Duration::from_secs(61);
    assert!(third.is_over(calm));
    assert!(!Fight::after(Some(third), calm).is_contested());
}

#[test]
fn only_an_object_whose_hash_is_another_is_worth_a_look() {
    let mut records = Records::default();
    records.replace([(1, 10), (2, 20)]);
    assert!(!records.see(1, Some(10)), "status noise");
    assert!(!records.see(3, Some(1)), "not ours");
    assert!(records.see(1, Some(11)) && records.see(2, None));
    assert!(!records.see(2, Some(20)), "somebody put it back");
    assert_eq!(
        records.take_sightings(),
        [(1, Sighting::Changed(Some(11)))].into()
    );
}

#[test]
fn an_apply_of_ours_explains_what_was_seen_while_it_ran() {
    let mut records = Records::default();
    records.replace([(1, 10), (2, 20), (3, 30)]);
    records.see(1, Some(11));
    records.see(2, Some(99));
    records.miss(3);
    records.replace([(1, 11), (2, 21)]);
    assert_eq!(
        records.take_sightings(),
        [(2, Sighting::Changed(Some(99)))].into()
    );
}

#[test]
fn what_a_full_list_does_not_hold_is_gone() {
    let mut records = Records::default();
    records.replace([(1, 10), (2, 20)]);
    assert!(records.end_list(&HashSet::from([1, 7])));
    assert_eq!(records.take_sightings(), [(2, Sighting::Gone)].into());
}

#[test]
fn what_is_accepted_is_no_drift_until_it_changes_again() {
    let accepted = Sighting::Changed(Some(11));
    let mut records = Records::default();
    records.replace([(1, 10), (2, 20)]);
    records.see(1, Some(11));
    records.accept(1, accepted);
    records.accept(2, Sighting::Gone);
    assert!(!records.has_sightings() && !records.see(1, Some(11)) && !records.miss(2));
    assert!(!records.end_list(&HashSet::from([1])));
    assert!(records.see(1, Some(12)) && records.see(2, Some(20)));
}

#[test]
fn what_is_accepted_stays_so_until_the_object_is_applied_again() {
    let mut records = Records::default();
    records.replace([(1, 10), (2, 20)]);
    records.accept(1, Sighting::Changed(Some(11)));
    records.accept(2, Sighting::Gone);
    records.replace([(1, 10), (2, 21)]);
    assert!(!records.see(1, Some(11)), "nobody applied it");
    assert!(records.miss(2), "it was applied since");
}

#[test]
fn what_is_seen_after_the_look_at_an_object_is_not_accepted_with_it() {
    let mut records = Records::default();
    records.replace([(1, 10)]);
    records.see(1, Some(12));
    records.accept(1, Sighting::Changed(Some(11)));
    assert_eq!(
        records.take_sightings(),
        [(1, Sighting::Changed(Some(12)))].into()
    );
}
