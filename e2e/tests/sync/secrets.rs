//! What a Sync builds with beside its files: variables.

use flux_crds::Sync;
use flux_crds::sync::{Substitute, VariableSource, VariableSourceKind};
use flux_e2e::wait;
use k8s_openapi::api::core::v1::Event;
use kube::api::ListParams;
use serde_json::json;

use crate::stage::{APPS, Stage, failures, log, map, message};

/// A Sync with values from a ConfigMap and a Secret.
fn substituting(stage: &Stage) -> Sync {
    let from = |kind, name: &str| VariableSource {
        kind,
        name: name.into(),
        optional: None,
    };
    let mut sync = stage.sync();
    sync.spec.substitute = Some(Substitute {
        vars: [("region".to_owned(), "eu-1".to_owned())].into(),
        from: vec![
            from(VariableSourceKind::ConfigMap, "settings"),
            from(VariableSourceKind::Secret, "passwords"),
        ],
        strict: None,
    });
    sync
}

async fn settings(stage: &Stage, data: serde_json::Value) {
    stage
        .apply(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": data,
            "metadata": {"name": "settings", "namespace": stage.name()},
        }))
        .await;
}

async fn passwords(stage: &Stage, password: &str) {
    stage
        .apply(json!({
            "apiVersion": "v1", "kind": "Secret", "stringData": {"password": password},
            "metadata": {"name": "passwords", "namespace": stage.name()},
        }))
        .await;
}

#[tokio::test]
async fn variables_come_from_the_spec_a_config_map_and_a_secret_and_follow_them() {
    let stage = Stage::set().await;
    settings(
        &stage,
        json!({"region": "loses", "size": "3", "note": "one"}),
    )
    .await;
    passwords(&stage, "correct horse").await;
    stage.create(&substituting(&stage)).await;
    let text = "${region} ${size} ${note} ${password} $${kept} ${tier:=free}";
    let commit = stage.push(&[("one.yaml", &map("one", text))]).await;
    stage.applied(&commit).await;
    let expected = json!({"key": "eu-1 3 one correct horse ${kept} free"});
    assert_eq!(stage.data("one").await, Some(expected));

    // The interval is an hour: only the watch can tell.
    settings(&stage, json!({"size": "4", "note": "two"})).await;
    wait::until(&stage.maps(), "one", "follows the ConfigMap", |map| {
        json!(map.data) == json!({"key": "eu-1 4 two correct horse ${kept} free"})
    })
    .await
    .unwrap();
    passwords(&stage, "battery staple").await;
    wait::until(&stage.maps(), "one", "follows the Secret", |map| {
        json!(map.data) == json!({"key": "eu-1 4 two battery staple ${kept} free"})
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_variable_without_value_fails_with_file_line_and_name_and_applies_nothing() {
    let stage = Stage::set().await;
    settings(&stage, json!({})).await;
    passwords(&stage, "x").await;
    stage.create(&substituting(&stage)).await;
    let files = [
        ("good.yaml", map("good", "a")),
        ("bad.yaml", map("bad", "${missing_one}")),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let commit = stage.push(&files).await;
    let sync = stage.failed(&commit, "BuildFailed").await;
    let failure = &failures(&sync)[0];
    assert_eq!(failure.source.as_deref(), Some("bad.yaml:6"));
    assert!(
        failure
            .message
            .starts_with("data.key: variable missing_one has no value"),
        "{}",
        failure.message
    );
    assert_eq!(stage.data("good").await, None);

    settings(&stage, json!({"missing_one": "here"})).await;
    stage.applied(&commit).await;
    assert_eq!(stage.data("bad").await, Some(json!({"key": "here"})));
}

#[tokio::test]
async fn a_sync_waits_for_its_config_map_unless_it_is_optional() {
    let stage = Stage::set().await;
    passwords(&stage, "x").await;
    stage.create(&substituting(&stage)).await;
    let commit = stage
        .push(&[("one.yaml", &map("one", "${size:=none}"))])
        .await;
    let sync = stage.refused(APPS, "ConfigMapNotFound").await;
    let name = format!("ConfigMap {}/settings does not exist", stage.name());
    assert!(message(&sync).contains(&name), "{}", message(&sync));
    let optional = json!({"substitute": {"from": [{"kind": "ConfigMap", "name": "settings", "optional": true}]}});
    stage.edit(APPS, optional).await;
    stage.applied(&commit).await;
    assert_eq!(stage.data("one").await, Some(json!({"key": "none"})));
    settings(&stage, json!({"size": "big"})).await;
    wait::until(&stage.maps(), "one", "has a value", |map| {
        json!(map.data) == json!({"key": "big"})
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_sync_reads_no_secret_that_its_account_may_not_read() {
    let stage = Stage::without_rights().await;
    settings(&stage, json!({})).await;
    passwords(&stage, "x").await;
    stage.create(&substituting(&stage)).await;
    stage.push(&[("one.yaml", &map("one", "a"))]).await;
    let sync = stage.refused(APPS, "AccessDenied").await;
    assert!(
        message(&sync).contains("failed to read ConfigMap"),
        "{}",
        message(&sync)
    );
}

#[tokio::test]
async fn a_value_of_a_secret_shows_nowhere_even_when_the_api_server_repeats_it() {
    let stage = Stage::set().await;
    settings(&stage, json!({})).await;
    let password = "Tr0ub4dor&3 is not a port";
    passwords(&stage, password).await;
    stage.create(&substituting(&stage)).await;
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  type: ${password}\n  ports: [{port: 80}]\n";
    let commit = stage.push(&[("service.yaml", service)]).await;
    let sync = stage.failed(&commit, "Rejected").await;
    assert!(message(&sync).contains("***"), "{}", message(&sync));
    shows_nowhere(&stage, password).await;
}

/// Looks for a text in the Sync, in the events of its namespace and in the controller's log.
async fn shows_nowhere(stage: &Stage, secret: &str) {
    let sync = stage.syncs().get(APPS).await.unwrap();
    let sync = serde_json::to_string(&sync).unwrap();
    assert!(!sync.contains(secret), "{sync}");
    let events = stage.api::<Event>().list(&ListParams::default()).await;
    let events = serde_json::to_string(&events.unwrap().items).unwrap();
    assert!(!events.contains(secret), "{events}");
    assert!(!log().await.contains(secret), "it stands in the log");
}
