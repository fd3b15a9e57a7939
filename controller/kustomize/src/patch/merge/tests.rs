use rstest::rstest;
use serde_json::json;

use super::*;
use crate::build::Origin;

fn pod(spec: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "spec": spec})
}

fn of(value: Value) -> Resource {
    Resource::new(value, Origin::default())
}

#[rstest]
#[case::new_items_come_first(
    json!({"containers": [{"name": "a", "image": "1"}, {"name": "b"}]}),
    json!({"containers": [{"name": "c"}, {"name": "a", "image": "2"}]}),
    json!({"containers": [{"name": "c"}, {"name": "a", "image": "2"}, {"name": "b"}]}),
)]
#[case::null_takes_away(json!({"a": 1, "b": {"c": 1}}), json!({"a": null, "b": {"c": null}}), json!({"b": {}}))]
#[case::null_in_what_is_added_does_nothing(json!({}), json!({"a": {"b": null, "c": 1}}), json!({"a": {"c": 1}}))]
#[case::an_item_is_deleted(
    json!({"volumes": [{"name": "a"}, {"name": "b"}]}),
    json!({"volumes": [{"name": "a", "$patch": "delete"}]}),
    json!({"volumes": [{"name": "b"}]}),
)]
#[case::of_new_items_with_one_key_the_first_counts(
    json!({"volumes": [{"name": "a", "x": 1}]}),
    json!({"volumes": [{"name": "b", "x": 1}, {"name": "a", "y": 1}, {"name": "b"}, {"name": "a", "y": 2}]}),
    json!({"volumes": [{"name": "b", "x": 1}, {"name": "a", "x": 1, "y": 1}]}),
)]
#[case::of_items_with_one_key_in_a_new_list_the_last_counts(
    json!({}),
    json!({"volumes": [{"name": "a", "x": 1}, {"name": "b"}, {"name": "a", "x": 2}]}),
    json!({"volumes": [{"name": "a", "x": 2}, {"name": "b"}]}),
)]
#[case::a_list_is_replaced(
    json!({"volumes": [{"name": "a"}]}),
    json!({"volumes": [{"name": "b"}, {"$patch": "replace"}]}),
    json!({"volumes": [{"name": "b"}]}),
)]
#[case::a_list_without_keys_is_replaced(json!({"x": [1, 2]}), json!({"x": [3]}), json!({"x": [3]}))]
#[case::ports_are_told_apart_by_two_keys(
    json!({"containers": [{"name": "a", "ports": [{"containerPort": 1, "protocol": "TCP"}, {"containerPort": 1, "protocol": "UDP"}]}]}),
    json!({"containers": [{"name": "a", "ports": [{"containerPort": 1, "protocol": "UDP", "name": "x"}]}]}),
    json!({"containers": [{"name": "a", "ports": [{"containerPort": 1, "protocol": "TCP"}, {"containerPort": 1, "protocol": "UDP", "name": "x"}]}]}),
)]
fn a_patch_merges(#[case] target: Value, #[case] patch: Value, #[case] expected: Value) {
    let merged = object(pod(&target), &of(pod(&patch)), Beside::default()).unwrap();
    assert_eq!(merged, Some(pod(&expected)));
}

#[test]
fn an_object_can_be_deleted() {
    assert_eq!(
        object(
            pod(&json!({})),
            &of(json!({"$patch": "delete"})),
            Beside::default()
        ),
        Ok(None)
    );
}

#[test]
fn a_mismatch_names_the_field() {
    let error = object(
        pod(&json!({"a": {"b": 1}})),
        &of(pod(&json!({"a": {"b": [1]}}))),
        Beside::default(),
    );
    assert_eq!(
        error,
        Err("spec.a.b: there is a plain value, and none in the patch".to_owned())
    );
}
