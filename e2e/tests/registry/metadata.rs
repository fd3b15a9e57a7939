//! Digests and times of images.

use flux_e2e::registry::{Conduct, Image};
use flux_engine::registry::Error;

use crate::setting::{Setting, everyone};

const TIME: &str = "2026-11-23T12:00:00Z";

#[tokio::test]
async fn a_digest_costs_one_request_without_a_body() {
    let setting = Setting::open().await;
    let image = Image::new().labelled("2");
    let expected = setting
        .registry
        .push("team/app", "2", &image)
        .await
        .unwrap();
    let (name, access) = (setting.name(), everyone());
    let digest = setting.client.digest(&name, "2", &access).await.unwrap();
    assert_eq!(digest, expected);
    assert_eq!(
        setting.asked(),
        ["GET /v2/", "HEAD /v2/team/app/manifests/2"]
    );
    setting.registry.set_conduct(Conduct::WithoutDigest);
    let digest = setting.client.digest(&name, "2", &access).await.unwrap();
    assert_eq!(digest, expected, "a registry that does not name it");
}

#[tokio::test]
async fn a_tag_that_is_not_there_is_named() {
    let setting = Setting::open().await;
    let (name, access) = (setting.name(), everyone());
    let error = setting
        .client
        .digest(&name, "none", &access)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), format!("{name}:none was not found"));
}

#[tokio::test]
async fn the_time_of_an_image_is_in_one_of_three_places() {
    let setting = Setting::open().await;
    let time = Some(TIME.parse().unwrap());
    let images = [
        ("configuration", Image::new().created(TIME), time),
        ("annotation", Image::new().annotated(TIME), time),
        ("epoch", Image::new().created("1970-01-01T00:00:00Z"), None),
        ("nowhere", Image::new(), None),
        (
            "index",
            Image::new()
                .created(TIME)
                .for_platforms(&["linux/amd64", "linux/arm64"]),
            time,
        ),
    ];
    for (tag, image, expected) in images {
        let digest = setting
            .registry
            .push("team/app", tag, &image)
            .await
            .unwrap();
        let inspected = setting
            .client
            .inspect(&setting.name(), tag, &everyone(), None)
            .await;
        let inspected = inspected.unwrap();
        assert_eq!(
            (inspected.digest, inspected.created),
            (digest, expected),
            "{tag}"
        );
    }
}

#[tokio::test]
async fn an_image_exists_for_its_platforms_only() {
    let setting = Setting::open().await;
    let index = Image::new()
        .created(TIME)
        .for_platforms(&["linux/amd64", "linux/arm/v7"]);
    setting
        .registry
        .push("team/app", "index", &index)
        .await
        .unwrap();
    for (tag, platform, exists) in [
        ("index", "linux/amd64", true),
        ("index", "linux/arm/v7", true),
        ("index", "linux/arm/v6", false),
        ("index", "windows/amd64", false),
        ("1.0.0", "linux/amd64", true),
        ("1.0.0", "linux/arm64", false),
    ] {
        let (name, access) = (setting.name(), everyone());
        match setting
            .client
            .inspect(&name, tag, &access, Some(platform))
            .await
        {
            Ok(inspected) => assert!(exists && inspected.created.is_some(), "{tag} {platform}"),
            Err(error) => assert!(
                !exists && matches!(error, Error::NoPlatform { .. }),
                "{tag} {platform}: {error}"
            ),
        }
    }
}

#[tokio::test]
async fn what_a_digest_means_is_asked_once() {
    let setting = Setting::open().await;
    let (name, access) = (setting.name(), everyone());
    for tag in ["1.0.0", "1.1.0", "latest", "1.0.0"] {
        setting
            .client
            .inspect(&name, tag, &access, None)
            .await
            .unwrap();
    }
    assert_eq!(setting.count("HEAD"), 4, "a tag can move");
    assert_eq!(setting.count("GET /v2/team/app/manifests/"), 1);
    assert_eq!(setting.count("/blobs/"), 1);
}

#[tokio::test]
async fn a_manifest_with_another_digest_is_not_believed() {
    let setting = Setting::open().await;
    let (name, access) = (setting.name(), everyone());
    let digest = setting
        .client
        .digest(&name, "1.0.0", &access)
        .await
        .unwrap();
    let forged = r#"{"schemaVersion": 2, "manifests": []}"#.to_owned();
    setting
        .registry
        .set_conduct_of("/manifests/sha256", Conduct::Saying(forged));
    let error = setting
        .client
        .inspect(&name, &digest, &access, None)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("another digest"), "{error}");
    setting
        .registry
        .set_conduct_of("/manifests/sha256", Conduct::Good);
    assert!(
        setting
            .client
            .inspect(&name, &digest, &access, None)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_blob_may_be_elsewhere() {
    let (setting, other) = (Setting::open().await, Setting::open().await);
    let (name, access) = (setting.name(), everyone());
    setting
        .client
        .inspect(&name, "1.0.0", &access, None)
        .await
        .unwrap();
    let asked = setting.asked();
    let blob = asked
        .iter()
        .find_map(|line| line.strip_prefix("GET /v2/team/app/blobs/"))
        .unwrap();
    let elsewhere = format!("http://{}/v2/team/app/blobs/{blob}", other.registry.host());
    setting
        .registry
        .set_conduct_of("/blobs/", Conduct::Redirecting(elsewhere));
    other.registry.forget_requests();
    let fresh = crate::setting::client();
    let inspected = fresh.inspect(&name, "1.0.0", &access, None).await.unwrap();
    assert!(inspected.created.is_some());
    assert_eq!(other.asked().len(), 1);
}
