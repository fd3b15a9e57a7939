//! Which tag is the one.

use flux_crds::image_policy::{Filter, Lock, NewestPolicy, Policy};
use flux_e2e::registry::Image;
use flux_e2e::wait;
use serde_json::json;

use crate::stage::{APP, Stage, latest, message, pending, registry};

#[tokio::test]
async fn the_highest_version_is_chosen_and_shown() {
    let stage = Stage::set().await;
    stage
        .release(APP, &["1.2.0", "1.10.0", "1.9.3", "2.0.0-rc.1", "latest"])
        .await;
    let mut policy = stage.policy(APP);
    policy.spec.update.clear();
    stage.create(&policy).await;
    let policy = stage.settled(APP, "1.10.0").await;
    let status = policy.status.as_ref().unwrap();
    assert_eq!(status.scan.as_ref().unwrap().tags, 5);
    assert_eq!(status.latest.as_ref().unwrap().image, stage.image(APP));
    stage.release(APP, &["1.11.0"]).await;
    let policy = stage.scan(APP).await;
    assert_eq!(latest(&policy), Some("1.11.0"));
    assert_eq!(policy.status.unwrap().previous.unwrap().tag, "1.10.0");
}

#[tokio::test]
async fn a_filter_that_does_not_parse_is_stalled_and_nothing_else() {
    let stage = Stage::set().await;
    stage.release(APP, &["1.0.0"]).await;
    let mut policy = stage.policy(APP);
    policy.spec.filter = Some(Filter {
        include: Some("main-(".into()),
        ..Filter::default()
    });
    stage.create(&policy).await;
    let message = stage.refused(APP, "PolicyInvalid").await;
    assert!(message.contains("main-("), "{message}");
    let policy = stage.policies().get(APP).await.unwrap();
    assert!(wait::condition(&policy, "Stalled").unwrap().holds);
    assert_eq!(latest(&policy), None);
}

#[tokio::test]
async fn the_image_made_last_is_chosen_whatever_its_tag() {
    let stage = Stage::set().await;
    let path = stage.path(APP);
    for (tag, day) in [("zebra", "01"), ("apple", "03"), ("mango", "02")] {
        let image = Image::new().created(&format!("2026-10-{day}T00:00:00Z"));
        registry().push(&path, tag, &image).await.unwrap();
    }
    let mut policy = stage.policy(APP);
    policy.spec.update.clear();
    policy.spec.policy = Policy {
        newest: Some(NewestPolicy {}),
        ..Policy::default()
    };
    stage.create(&policy).await;
    let policy = stage.settled(APP, "apple").await;
    let created = policy.status.unwrap().latest.unwrap().created_at.unwrap();
    assert_eq!(created.0.to_string(), "2026-10-03T00:00:00Z");
}

#[tokio::test]
async fn an_image_that_does_not_exist_for_the_platform_is_passed_over() {
    let stage = Stage::set().await;
    let path = stage.path(APP);
    let everywhere = Image::new().for_platforms(&["linux/amd64", "linux/arm64"]);
    registry().push(&path, "1.0.0", &everywhere).await.unwrap();
    let elsewhere = Image::new().for_platforms(&["linux/arm64"]);
    registry().push(&path, "1.1.0", &elsewhere).await.unwrap();
    let mut policy = stage.policy(APP);
    policy.spec.update.clear();
    policy.spec.platform = Some("linux/amd64".into());
    stage.create(&policy).await;
    stage.settled(APP, "1.0.0").await;
}

#[tokio::test]
async fn a_lock_holds_the_image_and_shows_what_waits() {
    let stage = Stage::set().await;
    stage.release(APP, &["1.0.0"]).await;
    stage
        .repo
        .push_files(&[("app.yaml", &stage.marked(APP, "1.0.0"))], "app")
        .unwrap();
    stage.create(&stage.policy(APP)).await;
    stage.settled(APP, "1.0.0").await;
    let lock = Lock {
        by: "ada".into(),
        reason: Some("1.1 loses orders".into()),
    };
    stage.edit(APP, json!({ "lock": lock })).await;
    stage.release(APP, &["1.1.0"]).await;
    let policy = stage.scan(APP).await;
    assert_eq!(
        (latest(&policy), pending(&policy)),
        (Some("1.0.0"), Some("1.1.0"))
    );
    assert!(
        message(&policy).contains("locked by ada"),
        "{}",
        message(&policy)
    );
    assert!(stage.file("app.yaml").contains(":1.0.0 #"));
    stage.edit(APP, json!({"lock": null})).await;
    stage.settled(APP, "1.1.0").await;
    assert!(stage.file("app.yaml").contains(":1.1.0 #"));
}
