use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn normalized(mut value: Value) -> Value {
    normalize(&mut value);
    value
}

#[rstest]
#[case::pod("v1", "Pod", "")]
#[case::deployment("apps/v1", "Deployment", "/spec/template")]
#[case::stateful_set("apps/v1", "StatefulSet", "/spec/template")]
#[case::daemon_set("apps/v1", "DaemonSet", "/spec/template")]
#[case::job("batch/v1", "Job", "/spec/template")]
#[case::cron_job("batch/v1", "CronJob", "/spec/jobTemplate/spec/template")]
fn ports_of_every_container_get_their_protocol(
    #[case] api_version: &str,
    #[case] kind: &str,
    #[case] path: &str,
) {
    let container = json!([{"name": "a", "ports": [{"containerPort": 1}, {"containerPort": 2, "protocol": "UDP"}]}]);
    let mut value = json!({"spec": {"containers": container, "initContainers": container}});
    for field in path
        .split('/')
        .skip(1)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
    {
        value = json!({ field: value });
    }
    value["apiVersion"] = json!(api_version);
    value["kind"] = json!(kind);
    let value = normalized(value);
    for list in ["containers", "initContainers"] {
        let ports = value
            .pointer(&format!("{path}/spec/{list}/0/ports"))
            .unwrap();
        assert_eq!(
            *ports,
            json!([{"containerPort": 1, "protocol": "TCP"}, {"containerPort": 2, "protocol": "UDP"}])
        );
    }
}

#[test]
fn ports_of_a_service_get_their_protocol_and_those_of_other_groups_do_not() {
    let service = |version: &str| json!({"apiVersion": version, "kind": "Service", "spec": {"ports": [{"port": 80}]}});
    assert_eq!(
        normalized(service("v1"))["spec"]["ports"][0]["protocol"],
        "TCP"
    );
    let knative = service("serving.knative.dev/v1");
    assert_eq!(normalized(knative.clone()), knative);
}

#[test]
fn string_data_becomes_data_and_wins() {
    let secret = json!({"apiVersion": "v1", "kind": "Secret",
        "data": {"a": "b2xk", "b": "b2xk"}, "stringData": {"a": "new", "c": "ü"}});
    assert_eq!(
        normalized(secret),
        json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "bmV3", "b": "b2xk", "c": "w7w="}})
    );
}

#[test]
fn string_data_that_is_not_text_is_left_for_the_server_to_refuse() {
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "x", "port": 80}});
    assert_eq!(normalized(secret.clone()), secret);
}

#[test]
fn what_an_export_from_a_cluster_leaves_behind_goes() {
    let exported = json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": "a", "creationTimestamp": null, "uid": "u", "resourceVersion": "1",
            "generation": 2, "managedFields": [], "selfLink": "/a", "labels": null, "annotations": {"a": "b"}},
        "spec": {"template": {"metadata": {"creationTimestamp": null, "labels": {"a": "b"}}},
            "volumeClaimTemplates": [{"metadata": {"name": "d", "creationTimestamp": null}, "status": {"phase": "Pending"}}]},
        "status": {"replicas": 1}});
    assert_eq!(
        normalized(exported),
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {"name": "a", "annotations": {"a": "b"}},
            "spec": {"template": {"metadata": {"labels": {"a": "b"}}},
                "volumeClaimTemplates": [{"metadata": {"name": "d"}}]}})
    );
}

#[test]
fn repeated_metrics_are_applied_once() {
    let cpu = json!({"type": "Resource", "resource": {"name": "cpu"}});
    let memory = json!({"type": "Resource", "resource": {"name": "memory"}});
    let autoscaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "spec": {"metrics": [cpu, memory, cpu]}});
    assert_eq!(
        normalized(autoscaler)["spec"]["metrics"],
        json!([cpu, memory])
    );
}

#[test]
fn rules_of_aggregated_roles_belong_to_their_controller() {
    let role = |aggregation: Value| {
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "aggregationRule": aggregation, "rules": []});
        normalized(role).get("rules").is_some()
    };
    assert!(!role(json!({"clusterRoleSelectors": []})));
    assert!(
        role(Value::Null),
        "a role without aggregation keeps its rules"
    );
}

#[rstest]
#[case::empty("", false)]
#[case::newline("Cg==", false)]
#[case::not_base64("***", false)]
#[case::not_pem("aGVsbG8=", false)]
#[case::pem(&STANDARD.encode("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"), true)]
fn a_bundle_that_is_no_certificate_is_dropped(#[case] bundle: &str, #[case] kept: bool) {
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "spec": {"conversion": {"webhook": {"clientConfig": {"caBundle": bundle}}}}});
    let config = normalized(definition)["spec"]["conversion"]["webhook"]["clientConfig"].clone();
    assert_eq!(config.get("caBundle").is_some(), kept);
    let webhooks = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "webhooks": [{"clientConfig": {"caBundle": bundle}}]});
    let config = normalized(webhooks)["webhooks"][0]["clientConfig"].clone();
    assert_eq!(config.get("caBundle").is_some(), kept);
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zA-Z=]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 32, 4, |inner| {
        let key = prop_oneof![
            Just("spec"),
            Just("template"),
            Just("metadata"),
            Just("containers"),
            Just("ports"),
            Just("stringData"),
            Just("data"),
            Just("metrics"),
            Just("webhooks"),
            Just("clientConfig"),
            Just("caBundle"),
            Just("volumeClaimTemplates"),
            Just("labels"),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            proptest::collection::vec((key, inner), 0..4).prop_map(|fields| fields
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()),
        ]
    })
}

proptest! {
    #[test]
    fn normalising_any_shape_never_panics_and_is_done_once(
        mut value in anything(),
        kind in prop_oneof![
            Just(("v1", "Secret")), Just(("v1", "Pod")), Just(("v1", "Service")), Just(("apps/v1", "StatefulSet")),
            Just(("autoscaling/v2", "HorizontalPodAutoscaler")),
            Just(("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration")),
        ],
    ) {
        if let Some(fields) = value.as_object_mut() {
            fields.insert("apiVersion".into(), json!(kind.0));
            fields.insert("kind".into(), json!(kind.1));
        }
        let once = normalized(value);
        prop_assert_eq!(normalized(once.clone()), once);
    }
}
