//! What a Sync builds with beside its files: variables and keys.

use flux_crds::SecretReference;
use flux_crds::Sync;
use flux_crds::sync::{
    Decryption, DecryptionProvider, Substitute, VariableSource, VariableSourceKind,
};
use flux_e2e::wait;
use k8s_openapi::api::core::v1::{Event, Secret};
use kube::api::ListParams;
use serde_json::{Value, json};

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

async fn settings(stage: &Stage, data: Value) {
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

/// A file that the real sops has made.
macro_rules! fixture {
    ($path:literal) => {
        include_str!(concat!("../../../controller/core/fixtures/sops/", $path))
    };
}

const KEY: &str = fixture!("keys/one.agekey");
/// What stands encrypted in `secret.yaml` and in `app.env`.
const PASSWORD: &str = "correct horse: \"battery\" # staple";

fn decrypting(stage: &Stage) -> Sync {
    let mut sync = stage.sync();
    sync.spec.decryption = Some(Decryption {
        provider: DecryptionProvider::Sops,
        secret_ref: SecretReference {
            name: "keys".into(),
        },
    });
    sync
}

async fn keys(stage: &Stage, name: &str, key: &str) {
    stage
        .apply(json!({
            "apiVersion": "v1", "kind": "Secret", "stringData": {name: key},
            "metadata": {"name": "keys", "namespace": stage.name()},
        }))
        .await;
}

/// The keys of a Secret, as text.
async fn secret(stage: &Stage, name: &str) -> Value {
    let secret = stage.api::<Secret>().get(name).await.unwrap();
    let data = secret.data.unwrap_or_default().into_iter();
    data.map(|(key, value)| (key, Value::from(String::from_utf8(value.0).unwrap())))
        .collect()
}

#[tokio::test]
async fn an_encrypted_secret_is_applied_in_the_clear_and_shows_nowhere() {
    let stage = Stage::set().await;
    keys(&stage, "one.agekey", KEY).await;
    stage.create(&decrypting(&stage)).await;
    let commit = stage
        .push(&[("secret.yaml", fixture!("secret.yaml"))])
        .await;
    stage.applied(&commit).await;
    let data = secret(&stage, "login").await;
    assert_eq!(data["user"], "admin");
    assert_eq!(data["password"], PASSWORD);
    shows_nowhere(&stage, "battery").await;
}

#[tokio::test]
async fn files_of_a_generator_and_patches_are_decrypted_with_several_keys() {
    let stage = Stage::set().await;
    keys(&stage, "one.agekey", KEY).await;
    stage.create(&decrypting(&stage)).await;
    let kustomization = "
resources: [secret.yaml]
secretGenerator:
- name: generated
  envs: [app.env]
  files: [config.json=values.json, settings.ini=app.ini]
generatorOptions: {disableNameSuffixHash: true}
patches:
- path: whole.yaml
  target: {kind: Secret, name: login}
";
    let patch = fixture!("mac_only.yaml");
    let files = [
        ("kustomization.yaml", kustomization),
        ("secret.yaml", fixture!("rsa.yaml")),
        ("app.env", fixture!("app.env")),
        ("values.json", fixture!("values.json")),
        ("app.ini", fixture!("app.ini")),
        ("whole.yaml", patch),
    ];
    let commit = stage.push(&files).await;
    let sync = stage.failed(&commit, "BuildFailed").await;
    let failure = &failures(&sync)[0];
    assert_eq!(failure.source.as_deref(), Some("secret.yaml"));
    assert!(
        failure.message.contains("its recipients are OpenPGP "),
        "{}",
        failure.message
    );

    stage
        .apply(json!({
            "apiVersion": "v1", "kind": "Secret",
            "stringData": {"one.agekey": KEY, "two.asc": fixture!("keys/rsa2048.asc")},
            "metadata": {"name": "keys", "namespace": stage.name()},
        }))
        .await;
    stage.applied(&commit).await;
    let data = secret(&stage, "generated").await;
    assert_eq!(data["PASSWORD"], "a=b # c");
    let config: Value = serde_json::from_str(data["config.json"].as_str().unwrap()).unwrap();
    assert_eq!(config["number"], 42);
    assert_eq!(
        data["settings.ini"].as_str().unwrap(),
        fixture!("plain/app.ini")
    );
    assert_eq!(secret(&stage, "login").await["password"], PASSWORD);
}

#[tokio::test]
async fn an_encrypted_secret_without_keys_is_refused() {
    let stage = Stage::set().await;
    stage.create(&stage.sync()).await;
    let commit = stage
        .push(&[("secret.yaml", fixture!("secret.yaml"))])
        .await;
    let sync = stage.failed(&commit, "BuildFailed").await;
    let failure = &failures(&sync)[0];
    assert_eq!(
        failure.message,
        "is encrypted by SOPS: set spec.decryption of the Sync"
    );
}

#[tokio::test]
async fn the_wrong_key_and_a_changed_file_apply_nothing() {
    let stage = Stage::set().await;
    keys(&stage, "other.agekey", fixture!("keys/other.agekey")).await;
    stage.create(&decrypting(&stage)).await;
    let good = ("one.yaml", map("one", "a"));
    let files = [
        (good.0, good.1.as_str()),
        ("secret.yaml", fixture!("secret.yaml")),
    ];
    let commit = stage.push(&files).await;
    let sync = stage.failed(&commit, "BuildFailed").await;
    assert!(
        message(&sync).contains("its recipients are age1"),
        "{}",
        message(&sync)
    );

    // The change of the key alone is enough.
    keys(&stage, "one.agekey", KEY).await;
    stage.applied(&commit).await;
    let changed = fixture!("secret.yaml").replace("name: login", "name: stolen");
    let commit = stage.push(&[("secret.yaml", &changed)]).await;
    let sync = stage.failed(&commit, "BuildFailed").await;
    assert!(
        message(&sync).contains("the MAC does not fit"),
        "{}",
        message(&sync)
    );
    assert_eq!(secret(&stage, "login").await["password"], PASSWORD);
    assert!(
        stage
            .api::<Secret>()
            .get_opt("stolen")
            .await
            .unwrap()
            .is_none()
    );
    shows_nowhere(&stage, "battery").await;
    shows_nowhere(&stage, "AGE-SECRET-KEY").await;
}

#[tokio::test]
async fn what_is_wrong_with_a_decrypted_file_is_told_without_its_content() {
    let stage = Stage::set().await;
    keys(&stage, "one.agekey", KEY).await;
    stage.create(&decrypting(&stage)).await;
    // The API server repeats what it does not take.
    let kustomization = "
resources: [service.yaml]
replacements:
- source: {kind: Secret, name: login, fieldPath: stringData.password}
  targets:
  - select: {kind: Service, name: web}
    fieldPaths: [spec.type]
    options: {create: true}
";
    let kustomization = kustomization.replace("[service.yaml]", "[service.yaml, secret.yaml]");
    let service =
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports: [{port: 80}]\n";
    let files = [
        ("kustomization.yaml", kustomization.as_str()),
        ("service.yaml", service),
        ("secret.yaml", fixture!("secret.yaml")),
    ];
    let commit = stage.push(&files).await;
    let sync = stage.failed(&commit, "Rejected").await;
    assert!(message(&sync).contains("***"), "{}", message(&sync));
    shows_nowhere(&stage, "battery").await;
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
