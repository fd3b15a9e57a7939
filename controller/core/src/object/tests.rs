use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

fn id(group: &str, kind: &str, namespace: &str, name: &str) -> ObjectId {
    ObjectId {
        group: group.into(),
        kind: kind.into(),
        namespace: namespace.into(),
        name: name.into(),
    }
}

#[rstest]
#[case::namespaced(id("apps", "Deployment", "shop", "web"), "shop_web_apps_Deployment")]
#[case::core(id("", "ConfigMap", "shop", "env"), "shop_env__ConfigMap")]
#[case::cluster_scoped(id("", "Namespace", "", "shop"), "_shop__Namespace")]
#[case::colon(
    id("rbac.authorization.k8s.io", "ClusterRole", "", "system:shop"),
    "_system__shop_rbac.authorization.k8s.io_ClusterRole"
)]
#[case::underscore(
    id("rbac.authorization.k8s.io", "Role", "shop", "read_only"),
    "shop_read_only_rbac.authorization.k8s.io_Role"
)]
#[case::colon_and_underscore(
    id("rbac.authorization.k8s.io", "Role", "shop", "a:b_c"),
    "shop_a__b%5Fc_rbac.authorization.k8s.io_Role"
)]
fn inventory_keys_are_those_of_flux_v2(#[case] id: ObjectId, #[case] key: &str) {
    assert_eq!(id.key(), key);
    assert_eq!(ObjectId::parse_key(key), Ok(id));
}

#[rstest]
#[case("")]
#[case("shop_web")]
#[case("shop_web_apps")]
#[case("shop__apps_Deployment")]
#[case("shop_web_apps_")]
fn text_that_is_no_key_is_refused_with_its_own_text(#[case] key: &str) {
    let error = ObjectId::parse_key(key).unwrap_err();
    assert!(
        error.to_string().contains(&format!("{key:?}")),
        "the error names the key: {error}"
    );
}

#[test]
fn display_is_kind_namespace_name_and_the_group_is_on_demand() {
    let web = id("apps", "Deployment", "shop", "web");
    assert_eq!(web.to_string(), "Deployment/shop/web");
    assert_eq!(web.qualified(), "Deployment.apps/shop/web");
    let shop = id("", "Namespace", "", "shop");
    assert_eq!(shop.to_string(), "Namespace/shop");
    assert_eq!(shop.qualified(), "Namespace/shop");
}

#[rstest]
#[case::scalar(json!("x"), Error::NotAnObject)]
#[case::list(json!([]), Error::NotAnObject)]
#[case::no_kind(json!({"apiVersion": "v1"}), Error::Missing { field: "kind" })]
#[case::no_version(json!({"kind": "Pod"}), Error::Missing { field: "apiVersion" })]
#[case::no_name(json!({"apiVersion": "v1", "kind": "Pod"}), Error::Missing { field: "metadata.name" })]
#[case::empty_name(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": ""}}), Error::Missing { field: "metadata.name" })]
#[case::number(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": 7}}), Error::NotText { field: "metadata.name" })]
#[case::namespace(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": 7}}), Error::NotText { field: "metadata.namespace" })]
#[case::generated(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "a-"}}), Error::GeneratedName)]
fn a_value_without_identity_is_refused_by_field(#[case] value: Value, #[case] error: Error) {
    assert_eq!(id_of(&value), Err(error));
}

#[test]
fn the_version_is_no_part_of_the_identity() {
    let at = |version: &str| json!({"apiVersion": version, "kind": "CronJob", "metadata": {"name": "a", "namespace": "b"}});
    assert_eq!(id_of(&at("batch/v1beta1")), id_of(&at("batch/v1")));
}

#[test]
fn debug_of_a_desired_secret_does_not_show_its_content() {
    let secret = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "a", "namespace": "b"}, "data": {"password": "aHVudGVyMg=="}});
    let desired = Desired::new(secret, Origin::default()).unwrap();
    assert!(!format!("{desired:?}").contains("aHVudGVyMg"));
}

proptest! {
    #[test]
    fn every_identity_survives_the_round_trip_through_its_key(
        group in "[a-z.]{0,12}", kind in "[A-Z][A-Za-z]{0,8}",
        namespace in "[a-z0-9-]{0,8}", name in "[a-z:_.-]{1,12}",
    ) {
        let id = id(&group, &kind, &namespace, &name);
        prop_assert_eq!(ObjectId::parse_key(&id.key()), Ok(id));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,40}") {
        if let Ok(id) = ObjectId::parse_key(&text) {
            prop_assert_eq!(ObjectId::parse_key(&id.key()), Ok(id));
        }
    }
}
