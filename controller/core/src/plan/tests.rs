use std::collections::HashMap;

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::object::Origin;

fn owner() -> Owner {
    Owner {
        namespace: "shop".into(),
        name: "web".into(),
    }
}

fn other() -> Owner {
    Owner {
        namespace: "infra".into(),
        name: "base".into(),
    }
}

fn manifest(name: &str, annotations: &Value) -> Desired {
    let value = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "shop", "annotations": annotations}});
    Desired::new(value, Origin::default()).unwrap()
}

/// An object as it is right after our apply, of the given owner.
fn live(owner: Option<&Owner>) -> Value {
    let labels = owner.map(
        |owner| json!({"flux.rs/sync": owner.name, "flux.rs/sync-namespace": owner.namespace}),
    );
    json!({"uid": "u", "labels": labels, "managedFields": [{"manager": "flux", "operation": "Apply",
        "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:data": {"f:a": {}}}}]})
}

fn metadata(value: &Value) -> Metadata {
    Metadata::of(&json!({ "metadata": value })).unwrap()
}

/// A run with one object in the inventory, which was applied as `applied` says.
struct Run {
    inventory: Inventory,
    live: HashMap<ObjectId, Metadata>,
    drift: DriftMode,
    scope: Scope,
    prune: bool,
    blind: bool,
}

impl Run {
    fn after_apply(applied: &Desired) -> Self {
        let live = metadata(&live(Some(&owner())));
        let mut inventory = Inventory::default();
        inventory.record(applied, hash::owned_hash(&live.managed_fields));
        Self {
            inventory,
            live: HashMap::from([(applied.id.clone(), live)]),
            drift: DriftMode::Repair,
            scope: Scope::Changed,
            prune: true,
            blind: false,
        }
    }

    fn with_live(mut self, id: &ObjectId, value: Option<&Value>) -> Self {
        self.live.remove(id);
        self.live
            .extend(value.map(|value| (id.clone(), metadata(value))));
        self
    }

    fn plan<'a>(&'a self, desired: &'a [Desired]) -> Plan<'a> {
        let context = Context {
            owner: &owner(),
            inventory: &self.inventory,
            look: &|id| match self.live.get(id) {
                _ if self.blind => Sight::Unseen,
                Some(live) => Sight::Live(live),
                None => Sight::Absent,
            },
            owner_exists: &|found| *found == other(),
            drift: self.drift,
            ignore: &Ignore::default(),
            scope: self.scope,
            prune: self.prune,
        };
        plan(desired, &context)
    }

    fn action(&self, object: &Desired) -> Action {
        let desired = [object.clone()];
        self.plan(&desired).steps[0].action.clone()
    }

    fn decision(&self) -> Decision {
        self.plan(&[]).deletions[0].decision.clone()
    }
}

fn stolen() -> Value {
    let mut value = live(Some(&owner()));
    value["managedFields"][0]["fieldsV1"] = json!({"f:data": {}});
    let thief = json!({"manager": "kubectl-edit", "operation": "Update", "time": "2026-01-02T00:00:00Z", "fieldsV1": {}});
    value["managedFields"].as_array_mut().unwrap().push(thief);
    value
}

fn fields_taken() -> Drift {
    Drift::Fields {
        managers: vec!["kubectl-edit".into()],
        paths: Vec::new(),
    }
}

#[test]
fn an_object_that_nobody_touched_is_skipped() {
    let object = manifest("a", &json!({}));
    assert_eq!(Run::after_apply(&object).action(&object), Action::Skip);
}

#[test]
fn a_changed_manifest_is_applied() {
    let run = Run::after_apply(&manifest("a", &json!({})));
    let object = manifest("a", &json!({"new": "one"}));
    assert_eq!(run.action(&object), Action::Apply(Cause::Changed));
}

#[test]
fn an_unknown_object_is_created_and_an_unrecorded_one_adopted() {
    let object = manifest("a", &json!({}));
    let mut run = Run::after_apply(&object);
    run.inventory = Inventory::default();
    assert_eq!(run.action(&object), Action::Apply(Cause::Adopted));
    let run = run.with_live(&object.id, None);
    assert_eq!(run.action(&object), Action::Apply(Cause::Created));
}

#[rstest]
#[case(
    DriftMode::Repair,
    Action::Apply(Cause::Drifted(fields_taken())),
    Action::Apply(Cause::Drifted(Drift::Missing))
)]
#[case(
    DriftMode::Warn,
    Action::Report(fields_taken()),
    Action::Report(Drift::Missing)
)]
#[case(DriftMode::Ignore, Action::Skip, Action::Skip)]
fn drift_names_its_managers_and_is_treated_as_the_sync_says(
    #[case] drift: DriftMode,
    #[case] taken: Action,
    #[case] missing: Action,
) {
    let object = manifest("a", &json!({}));
    let mut run = Run::after_apply(&object).with_live(&object.id, Some(&stolen()));
    run.drift = drift;
    assert_eq!(run.action(&object), taken);
    let run = run.with_live(&object.id, None);
    assert_eq!(run.action(&object), missing);
}

#[test]
fn a_new_revision_brings_back_what_was_deleted_by_hand_even_when_drift_is_ignored() {
    let mut run = Run::after_apply(&manifest("a", &json!({})));
    run.drift = DriftMode::Ignore;
    let object = manifest("a", &json!({"new": "one"}));
    let run = run.with_live(&object.id, None);
    assert_eq!(run.action(&object), Action::Apply(Cause::Created));
}

#[test]
fn a_full_run_applies_what_hashes_call_unchanged() {
    let object = manifest("a", &json!({}));
    let mut run = Run::after_apply(&object);
    run.scope = Scope::Everything;
    assert_eq!(run.action(&object), Action::Apply(Cause::Requested));
}

#[test]
fn without_a_look_the_record_is_trusted_unless_a_verification_is_wanted() {
    let object = manifest("a", &json!({}));
    let mut run = Run::after_apply(&object);
    run.blind = true;
    assert_eq!(run.action(&object), Action::Skip);
    let changed = manifest("a", &json!({"new": "one"}));
    assert_eq!(run.action(&changed), Action::Apply(Cause::Changed));
    assert_eq!(
        run.action(&manifest("b", &json!({}))),
        Action::Apply(Cause::Created)
    );
    assert_eq!(
        run.decision(),
        Decision::Read,
        "nothing is deleted that was not looked at"
    );
    run.scope = Scope::Unverified;
    assert_eq!(run.action(&object), Action::Apply(Cause::Requested));
}

#[test]
fn the_object_of_another_sync_is_a_conflict_as_long_as_that_sync_exists() {
    let object = manifest("a", &json!({}));
    let run = Run::after_apply(&object).with_live(&object.id, Some(&live(Some(&other()))));
    assert_eq!(run.action(&object), Action::Conflict(other()));
    let desired = [object.clone()];
    assert_eq!(run.plan(&desired).conflicts().count(), 1);

    let gone = Owner {
        namespace: "gone".into(),
        name: "gone".into(),
    };
    let run = run.with_live(&object.id, Some(&live(Some(&gone))));
    assert_eq!(
        run.action(&object),
        Action::Skip,
        "the labels of a deleted Sync hold nothing"
    );
}

#[rstest]
#[case(json!({"flux.rs/reconcile": "disabled"}), Reason::Disabled)]
#[case(json!({"flux.rs/ssa": "ignore"}), Reason::Disabled)]
#[case(json!({"flux.rs/ssa": "if-not-present"}), Reason::Exists)]
fn an_object_is_left_alone_when_it_asks_for_it(#[case] annotations: Value, #[case] reason: Reason) {
    let run = Run::after_apply(&manifest("a", &json!({})));
    assert_eq!(
        run.action(&manifest("a", &annotations)),
        Action::Leave(reason)
    );
}

#[test]
fn an_object_for_the_first_time_only_is_created() {
    let object = manifest("a", &json!({"flux.rs/ssa": "if-not-present"}));
    let mut run = Run::after_apply(&object).with_live(&object.id, None);
    run.inventory = Inventory::default();
    assert_eq!(run.action(&object), Action::Apply(Cause::Created));
}

#[test]
fn a_person_can_stop_the_repair_on_the_live_object() {
    let object = manifest("a", &json!({}));
    let mut hands_off = stolen();
    hands_off["annotations"] = json!({"flux.rs/reconcile": "disabled"});
    let run = Run::after_apply(&object).with_live(&object.id, Some(&hands_off));
    assert_eq!(run.action(&object), Action::Leave(Reason::Disabled));
}

#[test]
fn an_object_that_is_being_deleted_is_planned_again_later() {
    let object = manifest("a", &json!({"new": "one"}));
    let mut terminating = live(Some(&owner()));
    terminating["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let run = Run::after_apply(&object).with_live(&object.id, Some(&terminating));
    assert_eq!(run.action(&object), Action::Leave(Reason::Terminating));
}

#[test]
fn an_object_that_left_git_is_deleted_in_its_live_incarnation() {
    let run = Run::after_apply(&manifest("a", &json!({})));
    let plan = run.plan(&[]);
    assert_eq!(plan.deletions[0].decision, Decision::Delete);
    assert_eq!(plan.deletions[0].uid.as_deref(), Some("u"));
    assert_eq!(plan.deletions[0].version, "v1");
}

#[rstest]
#[case::unlabelled(live(None), Decision::Keep(Kept::NotOurs(None)), false)]
#[case::moved(live(Some(&other())), Decision::Keep(Kept::NotOurs(Some(other()))), false)]
#[case::protected(with(live(Some(&owner())), "annotations", json!({"flux.rs/prune": "disabled"})), Decision::Keep(Kept::Disabled), false)]
#[case::terminating(with(live(Some(&owner())), "deletionTimestamp", json!("t")), Decision::Keep(Kept::Terminating), true)]
#[case::ours(live(Some(&owner())), Decision::Delete, true)]
fn only_what_is_ours_and_unprotected_is_deleted(
    #[case] live: Value,
    #[case] decision: Decision,
    #[case] tracked: bool,
) {
    let object = manifest("a", &json!({}));
    let run = Run::after_apply(&object).with_live(&object.id, Some(&live));
    assert_eq!(run.decision(), decision);
    assert_eq!(decision.is_tracked(), tracked);
}

fn with(mut value: Value, field: &str, content: Value) -> Value {
    value[field] = content;
    value
}

#[test]
fn without_pruning_what_left_git_stays_known() {
    let object = manifest("a", &json!({}));
    let mut run = Run::after_apply(&object);
    run.prune = false;
    assert_eq!(run.decision(), Decision::Keep(Kept::PruneOff));
    assert!(
        run.decision().is_tracked(),
        "pruning may be switched on later"
    );
    let run = run.with_live(&object.id, None);
    assert_eq!(run.decision(), Decision::Gone);
}

#[rstest]
#[case::nothing_deleted(None, &["a", "b"], Ok(()))]
#[case::half(None, &["a"], Ok(()))]
#[case::renamed(None, &["c"], Ok(()))]
#[case::empty(None, &[], Err("refused to delete all 2 objects: the build has no objects; check spec.path and the last commits, or set spec.pruneGuard.maxPercent to 100 to allow it"))]
#[case::empty_below(Some(99), &[], Err("refused to delete all 2 objects: the build has no objects; check spec.path and the last commits, or set spec.pruneGuard.maxPercent to 100 to allow it"))]
#[case::empty_allowed(Some(100), &[], Ok(()))]
#[case::at_the_limit(Some(50), &["a"], Ok(()))]
#[case::over_the_limit(Some(49), &["a"], Err("refused to delete 1 of 2 objects (ConfigMap/shop/b): more than the 49% of spec.pruneGuard.maxPercent; raise it to allow this revision"))]
#[case::never(Some(0), &["a"], Err("refused to delete 1 of 2 objects (ConfigMap/shop/b): more than the 0% of spec.pruneGuard.maxPercent; raise it to allow this revision"))]
fn the_guard_refuses_a_revision_that_deletes_too_much(
    #[case] max_percent: Option<i32>,
    #[case] desired: &[&str],
    #[case] expected: Result<(), &str>,
) {
    let named = |name: &&str| manifest(name, &json!({}));
    let old = Inventory::default().union(&["a", "b"].iter().map(named).collect::<Vec<_>>());
    let desired: Vec<Desired> = desired.iter().map(named).collect();
    let guard = Guard::of(Some(&flux_crds::sync::PruneGuard { max_percent }));
    let refusal = guard
        .check(&old, &desired)
        .map_err(|refusal| refusal.to_string());
    assert_eq!(refusal, expected.map_err(str::to_owned));
}

#[test]
fn the_guard_of_a_new_sync_lets_an_empty_build_pass() {
    assert_eq!(Guard::default().check(&Inventory::default(), &[]), Ok(()));
}

proptest! {
    #[test]
    fn nothing_outside_the_old_inventory_or_of_others_is_ever_deleted(
        old in proptest::collection::btree_set("[a-e]", 0..5),
        desired in proptest::collection::btree_set("[a-e]", 0..5),
        live_names in proptest::collection::btree_map("[a-e]", 0..3usize, 0..5),
    ) {
        let objects = |names: &std::collections::BTreeSet<String>| -> Vec<Desired> {
            names.iter().map(|name| manifest(name, &json!({}))).collect()
        };
        let owners = [None, Some(owner()), Some(other())];
        let run = Run {
            inventory: Inventory::default().union(&objects(&old)),
            live: live_names.iter().map(|(name, of)| (manifest(name, &json!({})).id, metadata(&live(owners[*of].as_ref())))).collect(),
            drift: DriftMode::Repair,
            scope: Scope::Changed,
            prune: true,
            blind: false,
        };
        let wanted = objects(&desired);
        let plan = run.plan(&wanted);
        prop_assert_eq!(plan.steps.len(), wanted.len());
        for deletion in plan.deletions.iter().filter(|deletion| deletion.decision == Decision::Delete) {
            prop_assert!(old.contains(&deletion.id.name) && !desired.contains(&deletion.id.name));
            prop_assert_eq!(live_names.get(&deletion.id.name), Some(&1), "only live objects of ours");
        }
        for step in &plan.steps {
            let is_foreign = live_names.get(&step.object.id.name) == Some(&2);
            prop_assert_eq!(matches!(step.action, Action::Conflict(_)), is_foreign);
        }
    }
}

#[test]
fn a_job_that_the_cluster_deletes_when_it_is_done_is_not_missing() {
    let job = |image: &str| {
        let value = json!({"apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": "migrate", "namespace": "shop"},
            "spec": {"ttlSecondsAfterFinished": 60, "image": image}});
        Desired::new(value, Origin::default()).unwrap()
    };
    let mut run = Run::after_apply(&job("a"));
    run.live.clear();
    assert_eq!(run.action(&job("a")), Action::Skip);
    assert_eq!(run.action(&job("b")), Action::Apply(Cause::Created));
}
