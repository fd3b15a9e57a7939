use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;

#[test]
fn the_algorithm_never_changes_because_hashes_are_persisted() {
    let value = json!({"kind": "Pod", "n": [1, -2, 1.5, true, false, null, "ü"], "empty": {}});
    assert_eq!(
        format!("{:016x}", desired_hash(&value)),
        "a0cf259e5e9c402b",
        "a new value makes every object of every cluster look changed"
    );
}

#[test]
fn a_sealed_hash_is_of_its_key() {
    let (one, two) = (Key::from([1; 32]), Key::from([2; 32]));
    assert_eq!(one.seal(7), one.clone().seal(7));
    assert_ne!(one.seal(7), two.seal(7));
    assert_ne!(one.seal(7), one.seal(8));
    assert_eq!(
        format!("{:016x}", one.seal(7)),
        "a913e0366a513a14",
        "a new value makes every object of every cluster look changed"
    );
}

#[test]
fn the_order_of_keys_does_not_count_and_the_order_of_items_does() {
    let one: Value = serde_json::from_str(r#"{"a":1,"b":{"c":2,"d":3}}"#).unwrap();
    let two: Value = serde_json::from_str(r#"{"b":{"d":3,"c":2},"a":1}"#).unwrap();
    assert_eq!(desired_hash(&one), desired_hash(&two));
    assert_ne!(desired_hash(&json!([1, 2])), desired_hash(&json!([2, 1])));
}

#[rstest]
#[case(json!(["a", "b"]), json!(["ab"]))]
#[case(json!([["a"], "b"]), json!([["a", "b"]]))]
#[case(json!({"a": null}), json!({}))]
#[case(json!("1"), json!(1))]
#[case(json!([1, 2]), json!([12]))]
#[case(json!("true"), json!(true))]
fn values_that_look_alike_differ(#[case] one: Value, #[case] two: Value) {
    assert_ne!(desired_hash(&one), desired_hash(&two));
}

fn entries(manager: &str, operation: &str, time: &str, fields: &str) -> Vec<ManagedField> {
    let text = format!(
        r#"[{{"manager":"{manager}","operation":"{operation}","apiVersion":"v1","time":"{time}","fieldsType":"FieldsV1","fieldsV1":{fields}}}]"#
    );
    serde_json::from_str(&text).unwrap()
}

const TIME: &str = "2026-01-01T00:00:00Z";

#[test]
fn only_our_apply_entry_counts() {
    let fields = r#"{"f:data":{"f:a":{}}}"#;
    let ours = owned_hash(&entries("flux", "Apply", TIME, fields));
    assert!(ours.is_some());
    assert_eq!(owned_hash(&entries("flux", "Update", TIME, fields)), None);
    assert_eq!(owned_hash(&entries("kubectl", "Apply", TIME, fields)), None);
    let later = entries("flux", "Apply", "2026-01-01T00:00:01Z", fields);
    assert_ne!(owned_hash(&later), ours);
    let fewer = entries("flux", "Apply", TIME, r#"{"f:data":{}}"#);
    assert_ne!(owned_hash(&fewer), ours);
}

#[test]
fn the_spelling_of_go_and_of_serde_give_one_ownership_hash() {
    let go = entries("flux", "Apply", TIME, r#"{"k:{\"name\":\"a\u003cb\"}":{}}"#);
    let serde = entries("flux", "Apply", TIME, r#"{"k:{\"name\":\"a<b\"}":{}}"#);
    assert_eq!(owned_hash(&go), owned_hash(&serde));
}

#[rstest]
#[case("")]
#[case("AAAA")]
#[case("!!!!!!!!!!!!!!!!!!!!!!")]
fn a_damaged_record_is_refused(#[case] text: &str) {
    assert!(text.parse::<Record>().is_err());
}

proptest! {
    #[test]
    fn a_record_survives_the_round_trip_in_22_characters(desired: u64, owned: u64) {
        let record = Record { desired, owned };
        let text = record.to_string();
        prop_assert_eq!(text.len(), 22);
        prop_assert_eq!(text.parse::<Record>(), Ok(record));
    }
}
