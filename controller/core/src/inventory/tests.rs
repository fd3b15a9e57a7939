use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::object::Origin;

fn desired(name: &str, version: &str) -> Desired {
    let value = json!({"apiVersion": format!("batch/{version}"), "kind": "CronJob",
        "metadata": {"name": name, "namespace": "shop"}});
    Desired::new(value, Origin::default()).unwrap()
}

fn inventory(names: &[String]) -> Inventory {
    let mut inventory = Inventory::default();
    for name in names {
        inventory.record(&desired(name, "v1"), Some(7));
    }
    inventory
}

#[test]
fn the_union_keeps_records_until_something_is_applied() {
    let old = inventory(&["a".into()]);
    let union = old.union(&[desired("a", "v2"), desired("b", "v1")]);
    let a = union.get(&desired("a", "v1").id).unwrap();
    assert_eq!(a.version, "v2");
    assert!(a.record.is_some(), "the record is of the last apply");
    let b = union.get(&desired("b", "v1").id).unwrap();
    assert_eq!(b.record, None, "nothing has been applied yet");
}

#[test]
fn another_version_of_the_api_is_no_reason_to_delete() {
    let old = inventory(&["a".into()]);
    assert_eq!(old.difference(&[desired("a", "v2")]), []);
}

#[test]
fn an_entry_that_names_no_object_stops_everything() {
    let mut status = inventory(&["a".into()]).to_status();
    status.entries[0].id = "a".into();
    let error = Inventory::from_status(&status).unwrap_err();
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn a_damaged_record_costs_one_more_apply_and_nothing_else() {
    let mut status = inventory(&["a".into()]).to_status();
    status.entries[0].h = Some("damaged".into());
    let read = Inventory::from_status(&status).unwrap();
    assert_eq!(read.get(&desired("a", "v1").id).unwrap().record, None);
}

proptest! {
    #[test]
    fn the_status_holds_the_whole_inventory(names in proptest::collection::vec("[a-z:_]{1,4}", 0..6)) {
        let inventory = inventory(&names).union(&[desired("not-yet-applied", "v1")]);
        prop_assert_eq!(Inventory::from_status(&inventory.to_status()).unwrap(), inventory);
    }

    #[test]
    fn what_was_there_is_kept_or_listed_for_deletion_and_nothing_else_is(
        old in proptest::collection::vec("[a-f]", 0..6),
        new in proptest::collection::vec("[a-f]", 0..6),
    ) {
        let before = inventory(&old);
        let wanted: Vec<Desired> = new.iter().map(|name| desired(name, "v1")).collect();
        let union: BTreeSet<ObjectId> = before.union(&wanted).0.into_keys().collect();
        let stale: BTreeSet<ObjectId> = before.difference(&wanted).into_iter().collect();
        let wanted: BTreeSet<ObjectId> = wanted.into_iter().map(|object| object.id).collect();
        prop_assert!(stale.is_disjoint(&wanted));
        prop_assert!(stale.iter().all(|id| before.contains(id)));
        prop_assert_eq!(union.difference(&stale).cloned().collect::<BTreeSet<_>>(), wanted);
    }
}

#[test]
fn what_is_new_is_so_until_a_revision_is_applied_as_a_whole() {
    let old = inventory(&["a".into()]);
    let mut union = old.union(&[desired("a", "v1"), desired("b", "v1")]);
    union.mark_new(&old);
    let read = Inventory::from_status(&union.to_status()).unwrap();
    assert_eq!(read, union, "the status keeps it");
    assert_eq!(read.without_new(), old);
    union.record(&desired("b", "v1"), Some(7));
    assert_eq!(union.without_new(), old, "an apply alone changes nothing");
    union.settle();
    assert_eq!(union.without_new(), union);
}
