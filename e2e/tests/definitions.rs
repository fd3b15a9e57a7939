//! The API server takes what the design allows, and refuses the rest with words that help.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flux_crds::{GitRepository, ImagePolicy, Sync};
use flux_e2e::{ControlPlane, TestNamespace, install};
use kube::{
    Api,
    api::{DynamicObject, PostParams},
    core::{ApiResource, TypeMeta},
};
use serde_json::{Value, json};

/// Asks the API server about a spec without writing it; the error is in its own words.
async fn judge<K>(namespace: &TestNamespace, spec: &Value) -> Result<(), String>
where
    K: kube::Resource<DynamicType = ()>,
{
    let kind = ApiResource::erase::<K>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(namespace.client(), namespace.name(), &kind);
    let mut object = DynamicObject::new("judged", &kind);
    object.types = Some(TypeMeta {
        api_version: kind.api_version.clone(),
        kind: kind.kind.clone(),
    });
    object.data = json!({"spec": spec});
    let parameters = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let answer = api.create(&parameters, &object).await;
    answer.map(drop).map_err(|error| error.to_string())
}

async fn start() -> TestNamespace {
    let control_plane = ControlPlane::shared().await;
    let namespace = TestNamespace::create(control_plane).await.unwrap();
    install::definitions(&namespace.client()).await.unwrap();
    namespace
}

async fn assert_refused<K>(namespace: &TestNamespace, spec: Value, words: &str)
where
    K: kube::Resource<DynamicType = ()>,
{
    let refusal = judge::<K>(namespace, &spec).await.unwrap_err();
    assert!(refusal.contains(words), "{spec}\n{refusal}");
}

#[tokio::test]
async fn addresses_are_of_the_known_forms_and_hold_no_password() {
    let namespace = start().await;
    for url in [
        "https://git.example.com/fleet",
        "ssh://git@git.example.com:2222/fleet.git",
        "git@git.example.com:org/fleet",
        "file:///srv/fleet",
    ] {
        let spec = json!({ "url": url });
        assert_eq!(
            judge::<GitRepository>(&namespace, &spec).await,
            Ok(()),
            "{url}"
        );
    }
    for url in [
        "ext::sh -c id",
        "-oProxyCommand=id",
        "fleet",
        "https://a b/c",
    ] {
        assert_refused::<GitRepository>(&namespace, json!({ "url": url }), "must be https://")
            .await;
    }
    let spec = json!({"url": "https://ada:s3cret@git.example.com/fleet"});
    assert_refused::<GitRepository>(&namespace, spec, "must not hold a password").await;
}

#[tokio::test]
async fn of_each_choice_only_one_is_taken() {
    let namespace = start().await;
    let git = |more: Value| {
        let mut spec = json!({"url": "https://git.example.com/fleet"});
        spec.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        spec
    };
    let both = git(json!({"ref": {"branch": "main", "tag": "v1"}}));
    assert_refused::<GitRepository>(&namespace, both, "set at most one of branch").await;
    let neither = git(json!({"accessFrom": [{}]}));
    assert_refused::<GitRepository>(&namespace, neither, "set exactly one of namespace").await;
    let notify = git(json!({"notify": [{"kind": "Slack"}]}));
    assert_refused::<GitRepository>(&namespace, notify, "set exactly one of url and secretRef")
        .await;
    let checks = json!({"sourceRef": {"name": "fleet"}, "wait": true, "healthChecks": [{"kind": "Deployment", "name": "web"}]});
    assert_refused::<Sync>(&namespace, checks, "set wait").await;
    let policy =
        json!({"image": "ghcr.io/org/app", "policy": {"semver": {"range": "*"}, "newest": {}}});
    assert_refused::<ImagePolicy>(&namespace, policy, "set exactly one of semver").await;
    let keys = json!({"image": "ghcr.io/org/app", "policy": {"newest": {}}, "secretRef": {"name": "a"}, "serviceAccountName": "b"});
    assert_refused::<ImagePolicy>(&namespace, keys, "set at most one of secretRef").await;
}

#[tokio::test]
async fn durations_and_names_are_checked_before_they_are_stored() {
    let namespace = start().await;
    let sync = |field: &str, value: Value| json!({"sourceRef": {"name": "fleet"}, field: value});
    for interval in ["30s", "1h30m", "1.5h"] {
        let spec = sync("interval", interval.into());
        assert_eq!(judge::<Sync>(&namespace, &spec).await, Ok(()), "{interval}");
    }
    for interval in ["10", "soon", "-5m", "1d"] {
        assert_refused::<Sync>(
            &namespace,
            sync("interval", interval.into()),
            "spec.interval",
        )
        .await;
    }
    let short = sync("interval", "500ms".into());
    assert_refused::<Sync>(&namespace, short, "must be one second or longer").await;
    let rollback = sync("rollback", "Sometimes".into());
    assert_refused::<Sync>(&namespace, rollback, "Unsupported value").await;
    let guard = sync("pruneGuard", json!({"maxPercent": 101}));
    assert_refused::<Sync>(&namespace, guard, "spec.pruneGuard.maxPercent").await;
    assert_refused::<Sync>(
        &namespace,
        json!({"sourceRef": {"name": ""}}),
        "spec.sourceRef.name",
    )
    .await;
}

#[tokio::test]
async fn an_explicit_null_is_as_good_as_nothing() {
    let namespace = start().await;
    let spec =
        json!({"sourceRef": {"name": "fleet", "namespace": null}, "path": null, "patches": null});
    assert_eq!(judge::<Sync>(&namespace, &spec).await, Ok(()));
}
