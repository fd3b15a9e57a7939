use std::collections::BTreeSet;

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Map, Value, json};

use super::fields::{Fields, paths};
use super::*;
use crate::live::Metadata;

fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
    json!({"manager": manager, "operation": operation, "apiVersion": "apps/v1",
        "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": fields})
}

fn live(entries: &[Value], annotations: &Value) -> Metadata {
    Metadata::of(
        &json!({"metadata": {"resourceVersion": "7", "annotations": annotations,
        "managedFields": entries}}),
    )
    .unwrap()
}

/// Returns `manager operation: fields` of the new entries, in order.
fn folded(entries: &[Value]) -> Option<Vec<String>> {
    let change = take_over(&live(entries, &json!({}))).unwrap()?;
    let lines = change.managed_fields()?.iter().map(|entry| {
        let fields = entry.fields_v1.as_ref().unwrap().get();
        format!("{} {}: {fields}", entry.manager, entry.operation)
    });
    Some(lines.collect())
}

#[rstest]
#[case("kubectl-client-side-apply", "Update")]
#[case("kubectl-edit", "Update")]
#[case("kubectl", "Apply")]
#[case("before-first-apply", "Update")]
#[case("flux", "Update")]
#[case("kustomize-controller", "Apply")]
#[case("fluxd", "Update")]
#[case("argocd-controller", "Apply")]
fn earlier_appliers_are_folded_into_our_entry(#[case] manager: &str, #[case] operation: &str) {
    let ours = entry("flux", "Apply", &json!({"f:spec": {"f:a": {}}}));
    let theirs = entry(manager, operation, &json!({"f:spec": {"f:b": {}}}));
    assert_eq!(
        folded(&[theirs, ours]).unwrap(),
        [r#"flux Apply: {"f:spec":{"f:a":{},"f:b":{}}}"#]
    );
}

#[rstest]
#[case("kube-controller-manager", "Update", "")]
#[case("helm", "Apply", "")]
#[case("flux-client-side-apply", "Update", "")]
#[case("kubectl", "Update", "scale")]
#[case("kubectl-edit", "Update", "status")]
fn other_managers_and_subresources_keep_their_fields(
    #[case] manager: &str,
    #[case] operation: &str,
    #[case] subresource: &str,
) {
    let mut theirs = entry(manager, operation, &json!({"f:spec": {"f:replicas": {}}}));
    theirs["subresource"] = json!(subresource);
    assert_eq!(folded(&[theirs]), None);
}

#[test]
fn an_object_that_we_never_applied_gets_an_entry_of_ours() {
    let theirs = entry(
        "kubectl-create",
        "Update",
        &json!({"f:data": {".": {}, "f:a": {}}}),
    );
    let change = take_over(&live(&[theirs], &json!({}))).unwrap().unwrap();
    let own = own_entry(change.managed_fields().unwrap()).unwrap();
    assert_eq!(own.api_version, "apps/v1");
    assert_eq!(own.time.as_deref(), Some("2026-01-01T00:00:00Z"));
}

#[test]
fn the_patch_holds_the_version_and_drops_the_annotation() {
    let theirs = entry("kubectl", "Update", &json!({"f:data": {"f:a": {}}}));
    let annotations = json!({LAST_APPLIED: "{}"});
    let change = take_over(&live(&[theirs], &annotations)).unwrap().unwrap();
    insta::assert_json_snapshot!(change.patch(), @r#"
    [
      {
        "op": "replace",
        "path": "/metadata/resourceVersion",
        "value": "7"
      },
      {
        "op": "replace",
        "path": "/metadata/managedFields",
        "value": [
          {
            "manager": "flux",
            "operation": "Apply",
            "apiVersion": "apps/v1",
            "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {
              "f:data": {
                "f:a": {}
              }
            }
          }
        ]
      },
      {
        "op": "remove",
        "path": "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"
      }
    ]
    "#);
}

#[test]
fn nothing_to_take_is_no_patch() {
    let ours = entry("flux", "Apply", &json!({"f:data": {}}));
    assert!(
        take_over(&live(&[ours], &json!({"a": "b"})))
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_rolling_restart_by_hand_is_not_undone() {
    let restart = json!({"f:spec": {"f:template": {"f:metadata": {"f:annotations":
        {".": {}, "f:kubectl.kubernetes.io/restartedAt": {}}}}}});
    assert_eq!(
        folded(&[entry("kubectl-rollout", "Update", &restart)]),
        None
    );

    let mut undo = restart;
    undo["f:spec"]["f:paused"] = json!({});
    assert_eq!(
        folded(&[entry("kubectl-rollout", "Update", &undo)]).unwrap(),
        [
            r#"flux Apply: {"f:spec":{"f:template":{"f:metadata":{"f:annotations":{".":{}}}},"f:paused":{}}}"#,
            r#"kubectl-rollout Update: {"f:spec":{"f:template":{"f:metadata":{"f:annotations":{"f:kubectl.kubernetes.io/restartedAt":{}}}}}}"#,
        ]
    );
}

#[rstest]
#[case::by_hand("kubectl-annotate", "Update", true)]
#[case::from_a_file("kubectl-client-side-apply", "Update", false)]
#[case::server_side("kubectl", "Apply", false)]
fn a_hands_off_annotation_stays_where_a_person_set_it(
    #[case] manager: &str,
    #[case] operation: &str,
    #[case] stays: bool,
) {
    let fields = json!({"f:metadata": {"f:annotations": {"f:flux.rs/prune": {}}}});
    assert_eq!(
        folded(&[entry(manager, operation, &fields)]).is_none(),
        stays
    );
}

#[test]
fn an_entry_that_is_no_set_of_fields_is_an_error_with_its_manager() {
    let broken = entry("kubectl", "Update", &json!([1]));
    let error = take_over(&live(&[broken], &json!({}))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the managedFields entry of manager \"kubectl\" is not a set of fields"
    );
}

#[rstest]
#[case::at_the_same_second(Some("2026-01-01T00:00:05Z"), &["hpa", "kubectl-edit", "kubectl-scale"])]
#[case::later(Some("2026-01-01T00:00:06Z"), &["kubectl-edit", "kubectl-scale"])]
#[case::our_entry_is_gone(None, &["helm", "hpa", "kubectl-edit", "kubectl-scale"])]
fn thieves_wrote_at_or_after_our_apply(#[case] since: Option<&str>, #[case] expected: &[&str]) {
    let at = |manager: &str, subresource: &str, time: Option<&str>| json!({"manager": manager, "operation": "Update", "subresource": subresource, "time": time});
    let entries = [
        at("helm", "", Some("2026-01-01T00:00:04Z")),
        at("hpa", "", Some("2026-01-01T00:00:05Z")),
        at("kubectl-edit", "", Some("2026-01-01T00:01:00Z")),
        at("kubectl-scale", "scale", None),
        at(
            "kube-controller-manager",
            "status",
            Some("2026-01-01T00:01:00Z"),
        ),
        entry("flux", "Apply", &json!({})),
    ];
    assert_eq!(
        thieves(&live(&entries, &json!({})).managed_fields, since),
        expected
    );
}

fn field_set() -> impl Strategy<Value = Value> {
    let leaf = Just(json!({}));
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop_oneof![
            Just("."),
            Just("f:a"),
            Just("f:b"),
            Just("f:metadata"),
            Just("f:annotations"),
            Just("f:flux.rs/prune"),
            Just("f:kubectl.kubernetes.io/restartedAt"),
        ];
        proptest::collection::vec((key, inner), 0..4).prop_map(|fields| {
            let set = fields.into_iter().map(|(key, value)| {
                // What `.` stands for has no parts.
                let value = if key == "." { json!({}) } else { value };
                (key.to_owned(), value)
            });
            Value::Object(set.collect())
        })
    })
}

fn parsed(entry: &ManagedField) -> Fields {
    serde_json::from_str(entry.fields_v1.as_ref().unwrap().get()).unwrap()
}

fn all_paths<'a>(entries: impl IntoIterator<Item = &'a ManagedField>) -> BTreeSet<String> {
    entries
        .into_iter()
        .flat_map(|entry| paths(&parsed(entry)))
        .collect()
}

proptest! {
    #[test]
    fn a_union_holds_the_paths_of_both_sides(one in field_set(), two in field_set()) {
        let map = |value: &Value| value.as_object().cloned().unwrap_or_else(Map::new);
        let mut united = map(&one);
        super::fields::unite(&mut united, map(&two));
        let expected: BTreeSet<String> = paths(&map(&one)).union(&paths(&map(&two))).cloned().collect();
        prop_assert_eq!(paths(&united), expected);
    }

    #[test]
    fn a_take_over_loses_no_path_and_is_done_once(
        entries in proptest::collection::vec((
            prop_oneof![Just("flux"), Just("kubectl-rollout"), Just("kubectl-annotate"), Just("kubectl"), Just("helm")],
            prop_oneof![Just("Apply"), Just("Update")], field_set()), 0..5)
    ) {
        let mut seen = BTreeSet::new();
        let entries: Vec<Value> = entries.iter()
            .filter(|(manager, operation, _)| seen.insert((*manager, *operation)))
            .map(|(manager, operation, fields)| entry(manager, operation, fields)).collect();
        let before = live(&entries, &json!({}));
        if let Some(change) = take_over(&before).unwrap() {
            let after = change.managed_fields().unwrap();
            prop_assert_eq!(all_paths(after), all_paths(&before.managed_fields));
            let again = Metadata { managed_fields: after.to_vec(), ..before };
            prop_assert!(take_over(&again).unwrap().is_none(), "the second take-over has nothing to do");
        }
    }
}
