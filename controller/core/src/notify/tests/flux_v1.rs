//! What fluxcloud gets, as Flux v1 wrote it.

use super::*;

#[test]
fn fluxcloud_gets_a_sync_byte_by_byte_as_flux_v1_wrote_it() {
    let sink = sink(NotificationKind::FluxV1, &[("url", "ws://fluxcloud:3031/")]);
    let mut notice = applied();
    notice.commit = Some(Commit {
        author: "Ada".to_owned(),
        subject: "a < b & c".to_owned(),
    });
    notice.is_first = true;
    let request = render(&sink, &notice).unwrap();
    assert_eq!(request.url.expose(), "http://fluxcloud:3031/v6/events");
    let expected = concat!(
        r#"{"id":0,"serviceIDs":["shop:deployment/db","shop:deployment/web"],"type":"sync","#,
        r#""startedAt":"2026-11-23T12:00:00.5Z","endedAt":"2026-11-23T12:00:00.5Z","logLevel":"info","#,
        r#""metadata":{"commits":[{"revision":"5f701c1a2b3c4d5e6f708192a3b4c5d6e7f80910","message":"a \u003c b \u0026 c"}],"#,
        r#""includes":{"other":true},"initialSync":true}}"#
    );
    assert_eq!(String::from_utf8(request.body).unwrap(), expected);
}

#[test]
fn fluxcloud_is_told_of_single_failures_as_flux_v1_did() {
    let sink = sink(
        NotificationKind::FluxV1,
        &[("url", "http://fluxcloud:3031")],
    );
    let mut notice = notice(Kind::Failed);
    notice.failures = vec![Failure {
        object: Some("Deployment/shop/web".to_owned()),
        source: Some("deploy/web.yaml:3".to_owned()),
        reason: "Rejected".to_owned(),
        message: "no such field".to_owned(),
    }];
    let event = body(&render(&sink, &notice).unwrap());
    assert_eq!(event["type"], "sync");
    assert_eq!(
        event["metadata"]["errors"],
        json!([{"ID": "shop:deployment/web", "Path": "deploy/web.yaml:3", "Error": "no such field"}])
    );
    assert_eq!(event["serviceIDs"], json!(["shop:sync/web"]));
}

#[test]
fn fluxcloud_shows_the_message_of_what_flux_v1_kept_silent_about() {
    let sink = sink(
        NotificationKind::FluxV1,
        &[("url", "http://fluxcloud:3031")],
    );
    let event = body(&render(&sink, &notice(Kind::Drift)).unwrap());
    assert_eq!(event["type"], "drift");
    assert_eq!(event["serviceIDs"], json!(["shop:sync/web"]));
    assert!(event["metadata"].is_null());
    let message = event["message"].as_str().unwrap();
    assert!(
        message.contains("Deployment/shop/web was deleted"),
        "{message}"
    );
}

#[test]
fn fluxcloud_gets_committed_images_as_an_automated_release() {
    let mut notice = notice(Kind::ImageUpdate);
    notice.images = vec![edit::Change {
        policy: None,
        image: "ghcr.io/org/app".parse().unwrap(),
        tag: Some("1.1.0".to_owned()),
        path: "web.yaml".to_owned(),
        line: 7,
        object: Some("Deployment/shop/web".to_owned()),
        container: Some("main".to_owned()),
        old: "ghcr.io/org/app:1.0.0".to_owned(),
        new: "ghcr.io/org/app:1.1.0".to_owned(),
    }];
    let sink = sink(
        NotificationKind::FluxV1,
        &[("url", "http://fluxcloud:3031")],
    );
    let event = body(&render(&sink, &notice).unwrap());
    assert_eq!(event["type"], "autorelease");
    assert_eq!(event["serviceIDs"], json!(["shop:deployment/web"]));
    let (old, new) = ("ghcr.io/org/app:1.0.0", "ghcr.io/org/app:1.1.0");
    assert_eq!(
        event["metadata"],
        json!({
            "Revision": COMMIT,
            "result": {"shop:deployment/web": {"Status": "success", "PerContainer": [{"Container": "main", "Current": old, "Target": new}]}},
            "spec": {"Changes": [{"WorkloadID": "shop:deployment/web", "Container": {"Name": "main", "Image": old}, "ImageID": new}]},
        })
    );
}
