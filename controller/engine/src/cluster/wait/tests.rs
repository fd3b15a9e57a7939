use std::convert::Infallible;

use flux_core::object::ObjectId;
use kube::client::Body;

use super::*;

/// Requests after which a watch that is opened again and again counts as a flood.
const FLOOD: usize = 100;

fn id(name: &str) -> ObjectId {
    ObjectId {
        group: String::new(),
        kind: "Pod".to_owned(),
        namespace: "apps".to_owned(),
        name: name.to_owned(),
    }
}

fn health(status: Status) -> Health {
    Health {
        status,
        message: String::new(),
    }
}

/// A client of an API server that answers nothing but errors.
fn broken() -> kube::Client {
    let service = tower::service_fn(|_: http::Request<Body>| async {
        let mut answer = http::Response::new(Body::from(b"{}".to_vec()));
        *answer.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        Ok::<_, Infallible>(answer)
    });
    kube::Client::new(service, "default")
}

#[tokio::test]
async fn a_server_that_answers_errors_is_not_flooded() {
    let pods = ApiResource::erase::<k8s_openapi::api::core::v1::Pod>(&());
    let mut tries = Box::pin(events(
        Api::all_with(broken(), &pods),
        watcher::Config::default(),
    ));
    let flood = async {
        for _ in 0..FLOOD {
            tries.next().await;
        }
    };
    let flood = tokio::time::timeout(Duration::from_millis(500), flood).await;
    assert!(flood.is_err(), "{FLOOD} requests in half a second");
}

#[test]
fn pauses_grow_until_the_server_answers() {
    let mut pauses = Pauses { next: RETRY.0 };
    let all: Vec<u128> = pauses.by_ref().take(8).map(|it| it.as_millis()).collect();
    assert_eq!(all, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    pauses.reset();
    assert_eq!(pauses.next(), Some(RETRY.0));
}

#[test]
fn a_wait_is_over_when_all_are_current() {
    let mut states = States::new();
    let mut progress = Progress::begin(&mut states);
    assert!(progress.is_settled(), "there is nothing to wait for");
    progress.expect(id("a"));
    progress.expect(id("b"));
    progress.expect(id("b"));
    progress.note(&id("a"), health(Status::Current));
    progress.note(&id("a"), health(Status::Current));
    progress.note(&id("stranger"), health(Status::Failed));
    assert!(!progress.is_settled(), "b is not seen yet");
    progress.note(&id("b"), health(Status::Current));
    assert!(progress.is_settled());
    progress.note(&id("a"), health(Status::InProgress));
    assert!(!progress.is_settled(), "a is not current any more");
}

#[test]
fn a_wait_is_over_when_one_has_failed() {
    let mut states = States::new();
    let mut progress = Progress::begin(&mut states);
    progress.expect(id("a"));
    progress.expect(id("b"));
    progress.note(&id("a"), health(Status::Failed));
    assert!(progress.is_settled());
    progress.note(&id("a"), health(Status::InProgress));
    assert!(!progress.is_settled(), "it was mended");
}
