//! What each receiver gets.

use std::collections::BTreeMap;

use flux_crds::notification::{NotificationEvent, NotificationKind};
use flux_crds::sync::Failure;
use flux_crds::{Notification, Reason, SecretReference};
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::change::Action;
use crate::object::ObjectId;

mod commit_status;
mod flux_v1;

const COMMIT: &str = "5f701c1a2b3c4d5e6f708192a3b4c5d6e7f80910";

fn change(kind: &str, name: &str, action: Action) -> Change {
    let id = ObjectId {
        group: "apps".to_owned(),
        kind: kind.to_owned(),
        namespace: "shop".to_owned(),
        name: name.to_owned(),
    };
    Change { id, action }
}

fn notice(kind: Kind) -> Notice {
    let (reason, message) = match kind {
        Kind::Failed => (Reason::BuildFailed, "deploy/web.yaml:3: no such field"),
        Kind::RolledBack => (Reason::RolledBack, "it was restored: too bad"),
        Kind::Drift => (
            Reason::Drifted,
            "putting back 1 objects:\nDeployment/shop/web was deleted",
        ),
        Kind::ImageUpdate => (Reason::ImageUpdated, "main@sha1:5f70: update"),
        Kind::Progressing => (Reason::Progressing, "applying main@sha1:5f70"),
        Kind::Applied | Kind::Recovered => (Reason::Applied, "Applied revision: main"),
    };
    Notice {
        kind,
        object: Subject {
            kind: "Sync",
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
            uid: "0a1b2c3d-4e5f".to_owned(),
        },
        cluster: String::new(),
        revision: Some(format!("main@sha1:{COMMIT}")),
        reason,
        message: message.to_owned(),
        time: "2026-11-23T12:00:00.5Z".parse().unwrap(),
        changes: Vec::new(),
        changed: 0,
        images: Vec::new(),
        failures: Vec::new(),
        commit: Some(Commit {
            author: "Ada <ada@example.com>".to_owned(),
            subject: "two replicas".to_owned(),
        }),
        repository: Some("https://github.com/org/fleet.git".parse().unwrap()),
        is_first: false,
    }
}

fn applied() -> Notice {
    Notice {
        changes: vec![
            change("Deployment", "web", Action::Configured),
            change("Deployment", "db", Action::Created),
        ],
        changed: 2,
        ..notice(Kind::Applied)
    }
}

fn notification(kind: NotificationKind) -> Notification {
    Notification {
        kind,
        url: None,
        secret_ref: Some(SecretReference::new("receiver")),
        on: Vec::new(),
        template: None,
    }
}

fn sink(kind: NotificationKind, secret: &[(&str, &str)]) -> Sink {
    sink_of(&notification(kind), secret)
}

fn sink_of(notification: &Notification, secret: &[(&str, &str)]) -> Sink {
    let entry = |(key, value): &(&str, &str)| ((*key).to_owned(), value.as_bytes().to_vec());
    let secret: BTreeMap<String, Vec<u8>> = secret.iter().map(entry).collect();
    Sink::new(notification, &secret, true)
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let found = request.headers.iter().find(|(key, _)| *key == name)?;
    Some(found.1.expose())
}

const URL: (&str, &str) = ("url", "https://chat.example.com/hook/s3cr3t");

#[test]
fn slack_gets_an_attachment_that_it_does_not_format() {
    let request = render(&sink(NotificationKind::Slack, &[URL]), &applied()).unwrap();
    assert_eq!(request.url.expose(), URL.1);
    assert_eq!(
        body(&request),
        json!({
            "attachments": [{
                "color": "good",
                "fallback": "Sync shop/web: applied main@sha1:5f701c1a2b3c",
                "title": "Sync shop/web: applied main@sha1:5f701c1a2b3c",
                "text": "two replicas (Ada)\nDeployment/shop/web configured\nDeployment/shop/db created",
                "mrkdwn_in": [],
                "ts": 1_795_435_200,
                "title_link": format!("https://github.com/org/fleet/commit/{COMMIT}"),
            }],
            "link_names": false, "unfurl_links": false, "unfurl_media": false,
        })
    );
}

#[test]
fn slack_with_a_token_is_its_api() {
    let secret = [("token", "xoxb-1"), ("channel", "#ops")];
    let request = render(&sink(NotificationKind::Slack, &secret), &applied()).unwrap();
    assert_eq!(
        request.url.expose(),
        "https://slack.com/api/chat.postMessage"
    );
    assert_eq!(header(&request, "authorization"), Some("Bearer xoxb-1"));
    assert_eq!(body(&request)["channel"], "#ops");
}

#[test]
fn teams_gets_a_card() {
    let request = render(
        &sink(NotificationKind::MsTeams, &[URL]),
        &notice(Kind::Failed),
    )
    .unwrap();
    let card = &body(&request)["attachments"][0]["content"];
    assert_eq!(card["type"], "AdaptiveCard");
    let run = &card["body"][0]["inlines"][0];
    assert_eq!(
        run["text"],
        "Sync shop/web: failed (BuildFailed) at main@sha1:5f701c1a2b3c"
    );
    assert_eq!(run["color"], "Attention");
    assert_eq!(
        card["body"][1]["inlines"][0]["text"],
        "two replicas (Ada)\ndeploy/web.yaml:3: no such field"
    );
}

#[test]
fn a_text_of_others_formats_nothing_and_calls_nobody() {
    let hostile = "<!channel> @everyone *bold* [a](https://evil.example) <b>&amp;</b>";
    let mut notice = notice(Kind::Failed);
    notice.message = hostile.to_owned();
    notice.commit = Some(Commit {
        author: "Eve".to_owned(),
        subject: hostile.to_owned(),
    });
    let slack = body(&render(&sink(NotificationKind::Slack, &[URL]), &notice).unwrap());
    let text = slack["attachments"][0]["text"].as_str().unwrap();
    assert!(!text.contains('<'), "{text}");
    let discord = body(&render(&sink(NotificationKind::Discord, &[URL]), &notice).unwrap());
    let text = discord["embeds"][0]["description"].as_str().unwrap();
    assert!(text.contains(r"\*bold\* \[a\]\("), "{text}");
    assert!(text.starts_with(r"\<!channel\>"), "{text}");
    assert_eq!(discord["allowed_mentions"], json!({"parse": []}));
    let secret = [URL, ("token", "t"), ("channel", "!room:example.com")];
    let matrix = body(&render(&sink(NotificationKind::Matrix, &secret), &notice).unwrap());
    let html = matrix["formatted_body"].as_str().unwrap();
    assert!(
        !html.contains("<b>") && html.contains("&lt;b&gt;"),
        "{html}"
    );
    assert_eq!(matrix["m.mentions"], json!({}));
}

#[rstest]
#[case::slack(NotificationKind::Slack, "/attachments/0/text", 15_100)]
#[case::discord(NotificationKind::Discord, "/embeds/0/description", 4096)]
#[case::teams(
    NotificationKind::MsTeams,
    "/attachments/0/content/body/1/inlines/0/text",
    6000
)]
#[case::matrix(NotificationKind::Matrix, "/body", 6200)]
#[case::webhook(NotificationKind::Webhook, "/message", 39_000)]
#[case::alertmanager(NotificationKind::Alertmanager, "/0/annotations/message", 4096)]
fn a_long_text_is_cut_to_what_the_receiver_takes(
    #[case] kind: NotificationKind,
    #[case] place: &str,
    #[case] limit: usize,
) {
    let mut notice = notice(Kind::Failed);
    notice.message = "*<&ä🙂".repeat(10_000);
    let secret = [URL, ("token", "t"), ("channel", "!room:example.com")];
    let request = render(&sink(kind, &secret), &notice).unwrap();
    let body = body(&request);
    let text = body.pointer(place).unwrap().as_str().unwrap();
    let length = text.encode_utf16().count();
    assert!(length <= limit && length > limit / 4, "{length}");
    assert!(text.ends_with('…'), "what is missing shows");
}

#[test]
fn a_matrix_room_gets_the_same_notice_under_the_same_name() {
    let secret = [
        ("url", "https://matrix.example.com/"),
        ("token", "t0ken"),
        ("channel", "!abc:example.com"),
    ];
    let sink = sink(NotificationKind::Matrix, &secret);
    let notice = notice(Kind::Failed);
    let (first, again) = (
        render(&sink, &notice).unwrap(),
        render(&sink, &notice).unwrap(),
    );
    assert_eq!(first.method, Method::Put);
    assert_eq!(first.url.expose(), again.url.expose());
    assert!(
        first.url.expose().starts_with(
            "https://matrix.example.com/_matrix/client/v3/rooms/%21abc%3Aexample.com/send/m.room.message/"
        ),
        "{}",
        first.url.expose()
    );
    assert_eq!(header(&first, "authorization"), Some("Bearer t0ken"));
}

#[test]
fn a_webhook_is_signed_over_the_body() {
    let secret = [("url", "https://example.com/in"), ("token", "key")];
    let request = render(&sink(NotificationKind::Webhook, &secret), &applied()).unwrap();
    let signature = header(&request, "x-signature").unwrap().to_owned();
    let headers = |name: &str| (name == "X-Signature").then_some(signature.as_str());
    let call = crate::webhook::Call {
        header: &headers,
        body: &request.body,
    };
    let sender = crate::webhook::Sender::Git(flux_crds::git_repository::WebhookKind::Generic);
    assert_eq!(crate::webhook::verify(sender, b"key", &call), Ok(()));
    let event = body(&request);
    assert_eq!(event["involvedObject"]["name"], "web");
    assert_eq!(event["severity"], "info");
    assert_eq!(event["reason"], "Applied");
    assert_eq!(
        event["metadata"]["changes"],
        "Deployment/shop/web configured\nDeployment/shop/db created"
    );
}

#[test]
fn an_alert_ends_with_the_labels_that_it_began_with() {
    let sink = sink(NotificationKind::Alertmanager, &[("url", "http://am:9093")]);
    let failed = render(&sink, &notice(Kind::Failed)).unwrap();
    let well = render(&sink, &notice(Kind::Recovered)).unwrap();
    assert_eq!(failed.url.expose(), "http://am:9093/api/v2/alerts");
    let (failed, well) = (body(&failed), body(&well));
    assert_eq!(
        failed[0]["labels"],
        json!({"alertname": "FluxSyncNotReady", "severity": "error", "kind": "Sync", "namespace": "shop", "name": "web"})
    );
    assert_eq!(failed[0]["labels"], well[0]["labels"]);
    assert_eq!(failed[0]["startsAt"], "2026-11-23T12:00:00.5Z");
    assert_eq!(failed[0]["endsAt"], "2026-11-30T12:00:00.5Z");
    assert_eq!(well[0]["endsAt"], "2026-11-23T12:00:00.5Z");
}

#[test]
fn a_template_takes_the_place_of_the_text() {
    let mut notification = notification(NotificationKind::Slack);
    notification.template = Some(
        "{{ event }} {{ name }} {{ commit[:7] }}{% for c in changes %}\n{{ c }}{% endfor %}"
            .to_owned(),
    );
    let request = render(&sink_of(&notification, &[URL]), &applied()).unwrap();
    assert_eq!(
        body(&request)["attachments"][0]["text"],
        "Applied web 5f701c1\nDeployment/shop/web configured\nDeployment/shop/db created"
    );
}

#[rstest]
#[case::unknown_field("{{ password }}", "names a field that there is not")]
#[case::endless(
    "{% for a in range(10000) %}{% for b in range(10000) %}{{ a }}{% endfor %}{% endfor %}",
    ""
)]
#[case::huge("{% for a in range(9000) %}{{ 'aaaaaaaaaa' }}{% endfor %}", "")]
#[case::broken("{% if %}", "")]
fn a_wrong_template_is_refused(#[case] template: &str, #[case] why: &str) {
    let error = check(template).unwrap_err().to_string();
    assert!(
        error.starts_with("the template of the notification, line 1") && error.contains(why),
        "{error}"
    );
}

#[test]
fn a_secret_of_the_receiver_is_in_no_message_and_cannot_be_printed() {
    let mut notice = notice(Kind::Failed);
    notice.message = format!("failed to call {} with https://user:pass@host/x", URL.1);
    for kind in [
        NotificationKind::Slack,
        NotificationKind::Webhook,
        NotificationKind::Discord,
    ] {
        let sink = sink(kind, &[URL, ("token", "t0ken-t0ken")]);
        let request = render(&sink, &notice).unwrap();
        let body = String::from_utf8(request.body.clone()).unwrap();
        assert!(
            !body.contains("s3cr3t") && !body.contains("pass@"),
            "{body}"
        );
        let printed = format!("{sink:?} {:?} {:?}", request.url, request.headers);
        assert!(
            !printed.contains("s3cr3t") && !printed.contains("t0ken"),
            "{printed}"
        );
    }
}

#[rstest]
#[case::file("file:///etc/passwd")]
#[case::user("https://user:pass@example.com/")]
#[case::no_host("https:///x")]
#[case::blank("https://example.com/a b")]
#[case::none("example.com")]
fn an_address_that_is_none_is_refused_without_being_repeated(#[case] url: &str) {
    let error = render(
        &sink(NotificationKind::Webhook, &[("url", url)]),
        &applied(),
    )
    .unwrap_err();
    assert!(matches!(error, Error::Address { .. }), "{error}");
    assert!(!error.to_string().contains("pass"), "{error}");
}

#[test]
fn what_a_secret_lacks_is_named() {
    let error = render(&sink(NotificationKind::Matrix, &[URL]), &applied()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Matrix needs \"channel\" in the Secret that secretRef names"
    );
}

#[rstest]
#[case::nothing_said(&[], Kind::Failed, true)]
#[case::asked(&[NotificationEvent::Failed], Kind::Failed, true)]
#[case::not_asked(&[NotificationEvent::Failed], Kind::Drift, false)]
#[case::the_end_of_it(&[NotificationEvent::Failed], Kind::Recovered, true)]
#[case::a_revision_at_last(&[NotificationEvent::Applied], Kind::Recovered, true)]
#[case::no_failure_told(&[NotificationEvent::Drift], Kind::Recovered, false)]
#[case::nothing_changed(&[], Kind::Applied, false)]
#[case::nothing_has_happened_yet(&[], Kind::Progressing, false)]
fn a_receiver_hears_what_it_asked_for(
    #[case] on: &[NotificationEvent],
    #[case] kind: Kind,
    #[case] is_told: bool,
) {
    let notification = Notification {
        on: on.to_vec(),
        ..notification(NotificationKind::Slack)
    };
    assert_eq!(wants(&notification, &notice(kind)), is_told);
}

#[rstest]
#[case(204, "", Verdict::Delivered)]
#[case(200, r#"{"ok":true}"#, Verdict::Delivered)]
#[case(200, "ok", Verdict::Delivered)]
#[case(429, "", Verdict::Later("the receiver answered 429".to_owned()))]
#[case(503, "", Verdict::Later("the receiver answered 503".to_owned()))]
#[case(200, r#"{"ok":false,"error":"ratelimited"}"#, Verdict::Later("Slack is busy".to_owned()))]
#[case(200, r#"{"ok":false,"error":"not_in_channel"}"#, Verdict::Refused("Slack cannot post to this channel".to_owned()))]
#[case(400, "secret words", Verdict::Refused("the receiver answered 400".to_owned()))]
fn answers_are_judged(#[case] status: u16, #[case] body: &str, #[case] verdict: Verdict) {
    let sink = sink(NotificationKind::Slack, &[URL]);
    assert_eq!(judge(&sink, status, body.as_bytes()), verdict);
}
