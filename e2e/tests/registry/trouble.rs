//! A registry that fails, lies, is overrun or silent.

use std::time::{Duration, Instant};

use flux_e2e::registry::{Auth, Conduct, Door};
use flux_engine::registry::{Class, Client, Error, Options};

use crate::setting::{Setting, everyone, jane};

/// Returns what a conduct leads to.
async fn told(conduct: Conduct) -> (Setting, Error) {
    let setting = Setting::open().await;
    setting.registry.set_conduct_of("/tags/list", conduct);
    let error = setting.refusal(&everyone()).await;
    (setting, error)
}

#[tokio::test]
async fn each_status_has_its_error() {
    let setting = Setting::open().await;
    for (status, class) in [
        (401, Class::Failed),
        (403, Class::Failed),
        (404, Class::Failed),
        (400, Class::Transient),
        (500, Class::Transient),
        (503, Class::Transient),
    ] {
        let conduct = Conduct::Failing(status);
        setting.registry.set_conduct_of("/tags/list", conduct);
        let error = setting.refusal(&everyone()).await;
        let is_right = match status {
            401 => matches!(error, Error::Unauthorized { .. }),
            403 => matches!(error, Error::Forbidden { .. }),
            404 => matches!(error, Error::NotFound { .. }),
            other => matches!(error, Error::Status { status, .. } if status == other),
        };
        assert!(is_right, "{status}: {error:?}");
        assert_eq!(error.class(), class, "{status}");
        if matches!(status, 403 | 500) {
            assert!(error.to_string().ends_with(": as it was told"), "{error}");
        }
    }
    setting.registry.set_conduct_of("/tags/list", Conduct::Good);
    setting.is_open_to(&everyone()).await;
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_named() {
    let setting = Setting::open().await;
    let name = setting.named("team/none");
    let error = setting.client.tags(&name, &everyone()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{name} was not found"));
}

#[tokio::test]
async fn a_registry_that_wants_peace_gets_it() {
    let setting = Setting::open().await;
    setting.registry.mirror("team/app", ["team/other"]).unwrap();
    setting.registry.set_conduct(Conduct::Busy("2".to_owned()));
    let error = setting.refusal(&everyone()).await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(2)), "{error}");
    assert_eq!(error.class(), Class::Transient);
    setting.registry.set_conduct(Conduct::Good);
    let asked = setting.asked().len();
    let (other, access) = (setting.named("team/other"), everyone());
    let error = setting.client.tags(&other, &access).await.unwrap_err();
    let left = error.retry_after().unwrap();
    assert!(
        left <= Duration::from_secs(2),
        "the host as a whole is left alone"
    );
    assert_eq!(setting.asked().len(), asked, "and not asked at all");
    // The one time that is waited for here is the time itself.
    tokio::time::sleep(left + Duration::from_millis(50)).await;
    setting.is_open_to(&everyone()).await;
}

#[tokio::test]
async fn garbage_is_not_understood() {
    for conduct in [
        Conduct::Garbage,
        Conduct::Halving,
        Conduct::Saying("[1, 2]".to_owned()),
    ] {
        let (_setting, error) = told(conduct.clone()).await;
        assert!(
            matches!(error, Error::Protocol { .. }),
            "{conduct:?}: {error}"
        );
        assert!(!error.to_string().contains("sign in"), "{error}");
    }
}

#[tokio::test]
async fn half_an_answer_is_no_answer() {
    let (_setting, error) = told(Conduct::Cutting).await;
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert_eq!(error.class(), Class::Transient);
}

#[tokio::test]
async fn entries_that_are_no_tags_do_not_hide_the_others() {
    let setting = Setting::open().await;
    let page = r#"{"name": "team/app", "tags": ["1.0", null, 7, "a b", "../../x", "2.0"]}"#;
    setting
        .registry
        .set_conduct_of("/tags/list", Conduct::Saying(page.to_owned()));
    let tags = setting
        .client
        .tags(&setting.name(), &everyone())
        .await
        .unwrap();
    assert_eq!(
        (tags.to_vec(), tags.skipped()),
        (vec!["1.0".to_owned(), "2.0".to_owned()], 4)
    );
}

#[tokio::test]
async fn a_silent_registry_is_cut_off() {
    let setting = Setting::open().await;
    setting
        .registry
        .set_conduct_of("/tags/list", Conduct::Hanging);
    let start = Instant::now();
    let hasty = setting.client.within(Duration::from_millis(300));
    let error = hasty.tags(&setting.name(), &everyone()).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_silent_repository_does_not_hold_up_the_others() {
    let setting = Setting::open().await;
    let silent: Vec<String> = (0..4).map(|number| format!("silent/{number}")).collect();
    setting.registry.mirror("team/app", &silent).unwrap();
    setting
        .registry
        .set_conduct_of("/silent/", Conduct::Hanging);
    let (client, access) = (&setting.client, everyone());
    let hasty = client.within(Duration::from_millis(300));
    let names: Vec<_> = silent.iter().map(|name| setting.named(name)).collect();
    let waiting = futures::future::join_all(names.iter().map(|name| hasty.tags(name, &access)));
    let (silent, ()) = tokio::join!(waiting, setting.is_open_to(&access));
    assert!(
        silent
            .iter()
            .all(|tags| matches!(tags, Err(Error::TimedOut { .. })))
    );
}

#[tokio::test]
async fn a_list_that_is_too_large_is_given_up() {
    let setting = Setting::open().await;
    let small = Client::new(Options {
        max_bytes: 50,
        ..Options::default()
    });
    let error = small.tags(&setting.name(), &everyone()).await.unwrap_err();
    assert!(
        matches!(error, Error::TooLarge { limit: 50, .. }),
        "{error:?}"
    );
    let few = Client::new(Options {
        max_tags: 3,
        ..Options::default()
    });
    let error = few.tags(&setting.name(), &everyone()).await.unwrap_err();
    assert!(
        matches!(error, Error::TooLarge { limit: 3, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_rate_holds_for_a_host() {
    let setting = Setting::open().await;
    let calm = Client::new(Options {
        rate: 20,
        burst: 1,
        ..Options::default()
    });
    let start = Instant::now();
    for _ in 0..5 {
        calm.tags(&setting.name(), &everyone()).await.unwrap();
    }
    // One look and five lists, of which the first is free.
    assert!(
        start.elapsed() >= Duration::from_millis(250),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_registry_that_comes_back_is_asked_again() {
    let setting = Setting::open().await;
    setting.registry.go_away().unwrap();
    let error = setting.refusal(&everyone()).await;
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    assert_eq!(error.class(), Class::Transient);
    setting.registry.come_back().unwrap();
    setting.is_open_to(&everyone()).await;
}

#[tokio::test]
async fn trouble_of_the_token_server_is_told_apart() {
    let setting = Setting::closed(Auth::Token, Door::Http).await;
    let host = token_host(&setting);
    for (conduct, class) in [
        (Conduct::Failing(403), Class::Failed),
        (Conduct::Failing(500), Class::Transient),
        (Conduct::Garbage, Class::Transient),
        (
            Conduct::Saying(r#"{"token": ""}"#.to_owned()),
            Class::Transient,
        ),
        (Conduct::Cutting, Class::Transient),
    ] {
        setting.registry.set_conduct_of("/token", conduct.clone());
        let error = setting.refusal(&jane()).await;
        assert_eq!(error.class(), class, "{conduct:?}: {error}");
        assert!(error.to_string().contains(&host), "{conduct:?}: {error}");
    }
    assert_eq!(setting.count("/tags/list"), 0);
    setting.registry.set_conduct_of("/token", Conduct::Good);
    let tags = setting.tags(&jane()).await;
    assert!(tags.is_ok(), "nothing of that is remembered: {tags:?}");
}

#[tokio::test]
async fn a_token_server_that_wants_peace_gets_it() {
    let setting = Setting::closed(Auth::Token, Door::Http).await;
    setting
        .registry
        .set_conduct_of("/token", Conduct::Busy("60".to_owned()));
    for _ in 0..2 {
        let error = setting.refusal(&jane()).await;
        assert!(
            error.retry_after() > Some(Duration::from_secs(50)),
            "{error}"
        );
        assert!(
            error.to_string().starts_with(&token_host(&setting)),
            "{error}"
        );
    }
    assert_eq!(setting.count("/token"), 1);
}

fn token_host(setting: &Setting) -> String {
    let address = setting.registry.token_server();
    address.split('/').nth(2).unwrap().to_owned()
}
