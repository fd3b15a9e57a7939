use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn id(group: &str, kind: &str, name: &str) -> ObjectId {
    ObjectId {
        group: group.into(),
        kind: kind.into(),
        namespace: "shop".into(),
        name: name.into(),
    }
}

#[rstest]
#[case("apiextensions.k8s.io", "CustomResourceDefinition", Stage::Definitions)]
#[case("", "Namespace", Stage::Definitions)]
#[case("rbac.authorization.k8s.io", "ClusterRole", Stage::Definitions)]
#[case("storage.k8s.io", "StorageClass", Stage::Classes)]
#[case("cluster.x-k8s.io", "ClusterClass", Stage::Classes)]
#[case("rbac.authorization.k8s.io", "ClusterRoleBinding", Stage::Rest)]
#[case("example.com", "Namespace", Stage::Rest)]
#[case("", "Pod", Stage::Rest)]
fn a_stage_is_chosen_by_group_and_kind(
    #[case] group: &str,
    #[case] kind: &str,
    #[case] stage: Stage,
) {
    assert_eq!(Stage::of(&id(group, kind, "a")), stage);
}

#[test]
fn webhooks_come_last_and_unknown_kinds_after_the_workloads() {
    let shuffled = vec![
        id(
            "admissionregistration.k8s.io",
            "ValidatingWebhookConfiguration",
            "a",
        ),
        id("networking.k8s.io", "Ingress", "a"),
        id("apps", "Deployment", "b"),
        id("apps", "Deployment", "a"),
        id("serving.knative.dev", "Service", "a"),
        id(
            "admissionregistration.k8s.io",
            "MutatingWebhookConfiguration",
            "a",
        ),
        id("", "ConfigMap", "a"),
        id("storage.k8s.io", "StorageClass", "a"),
        id("", "Namespace", "a"),
        id("apiextensions.k8s.io", "CustomResourceDefinition", "a"),
    ];
    let sorted: Vec<String> = sort(shuffled, |id| id)
        .iter()
        .map(|id| format!("{}/{}", id.kind, id.name))
        .collect();
    insta::assert_snapshot!(sorted.join("\n"), @r"
    CustomResourceDefinition/a
    Namespace/a
    StorageClass/a
    ConfigMap/a
    Deployment/a
    Deployment/b
    Ingress/a
    Service/a
    MutatingWebhookConfiguration/a
    ValidatingWebhookConfiguration/a
    ");
}

proptest! {
    #[test]
    fn the_order_depends_on_the_objects_alone(mut names in proptest::collection::vec("[a-c]{1,2}", 0..12), swap in 0..12usize) {
        let objects = |names: &[String]| -> Vec<ObjectId> {
            names.iter().map(|name| id("apps", if name.len() == 1 { "Deployment" } else { "StatefulSet" }, name)).collect()
        };
        let sorted = sort(objects(&names), |id| id);
        let middle = swap.min(names.len());
        names.rotate_left(middle);
        prop_assert_eq!(sort(objects(&names), |id| id), sorted.clone());
        let mut reversed = sort_for_deletion(objects(&names), |id| id);
        reversed.reverse();
        prop_assert_eq!(reversed, sorted);
    }
}
