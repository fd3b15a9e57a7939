//! Lists of tags: all pages, no page twice, and one scan for many.

use std::time::{Duration, Instant};

use flux_e2e::registry::{Auth, Conduct, Door, Image, Options};
use flux_engine::registry::Error;

use crate::setting::{Setting, TAGS, everyone, jane};

async fn of_pages(page: u32) -> Setting {
    Setting::new(&Options {
        page: Some(page),
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn all_pages_are_read() {
    let setting = of_pages(2).await;
    let tags = setting.client.tags(&setting.name(), &everyone()).await;
    let tags = tags.unwrap();
    assert_eq!(
        (tags.to_vec().as_slice(), tags.pages()),
        (TAGS.map(str::to_owned).as_slice(), 3)
    );
    assert_eq!(setting.count("/tags/list"), 3);
}

#[tokio::test]
async fn links_may_be_absolute_and_not_know_the_scheme_or_port() {
    let setting = of_pages(2).await;
    setting.registry.set_conduct(Conduct::AbsoluteLinks);
    setting.is_open_to(&everyone()).await;
    assert_eq!(setting.count("/tags/list"), 3);
}

#[tokio::test]
async fn a_link_to_another_server_is_not_followed() {
    let (setting, other) = (Setting::open().await, Setting::open().await);
    other.registry.forget_requests();
    let host = other.registry.host().replace("127.0.0.1", "localhost");
    let next = format!("http://{host}/v2/team/app/tags/list?last=a");
    setting.registry.set_conduct(Conduct::Linking(next));
    let error = setting.refusal(&everyone()).await;
    assert!(
        matches!(&error, Error::Redirect { .. }) && error.to_string().contains("another server"),
        "{error}"
    );
    assert_eq!(other.asked(), [""; 0]);
}

#[tokio::test]
async fn pages_behind_a_redirect_are_read_there() {
    // As registry.k8s.io does it.
    let (setting, other) = (Setting::open().await, of_pages(2).await);
    let elsewhere = format!("http://{}/v2/team/app/tags/list?n=2", other.registry.host());
    let conduct = Conduct::Redirecting(elsewhere);
    setting.registry.set_conduct_of("/tags/list", conduct);
    setting.is_open_to(&everyone()).await;
    assert_eq!(
        (setting.count("/tags/list"), other.count("/tags/list")),
        (1, 3)
    );
}

#[tokio::test]
async fn pages_that_never_end_are_given_up() {
    let setting = Setting::open().await;
    let next = "/v2/team/app/tags/list?last=a".to_owned();
    setting.registry.set_conduct(Conduct::Linking(next));
    let error = setting.refusal(&everyone()).await;
    assert!(error.to_string().contains("in circles"), "{error}");
    assert_eq!(setting.count("/tags/list"), 2);
}

#[tokio::test]
async fn a_thousand_tags_come_in_few_requests() {
    let setting = Setting::closed(Auth::Token, Door::Http).await;
    let tags: Vec<String> = (0..1000).map(|number| format!("1.{number}.0")).collect();
    let image = Image::new();
    setting
        .registry
        .push_tags("team/many", &tags, &image)
        .await
        .unwrap();
    let read = setting
        .client
        .tags(&setting.named("team/many"), &jane())
        .await;
    let read = read.unwrap();
    assert_eq!((read.len(), read.skipped()), (1000, 0));
    let (pages, tokens) = (setting.count("/tags/list"), setting.count("/token"));
    assert!(pages <= 2 && tokens == 1, "{:?}", setting.asked());
    assert_eq!(pages, read.pages() as usize);
}

#[tokio::test]
async fn each_repository_costs_its_pages_and_one_token() {
    let setting = Setting::closed(Auth::Token, Door::Http).await;
    let names: Vec<String> = (0..20).map(|number| format!("team/app-{number}")).collect();
    setting.registry.mirror("team/app", &names).unwrap();
    let names: Vec<_> = names.iter().map(|name| setting.named(name)).collect();
    let access = jane();
    for _ in 0..2 {
        let reads = names.iter().map(|name| setting.client.tags(name, &access));
        for tags in futures::future::join_all(reads).await {
            assert_eq!(tags.unwrap().to_vec(), TAGS);
        }
    }
    assert_eq!(setting.count("/tags/list"), 40);
    assert_eq!(
        setting.count("/token"),
        20,
        "a token lives longer than a scan"
    );
    let first_look = 1;
    assert_eq!(setting.asked().len(), 60 + first_look);
}

#[tokio::test]
async fn who_asks_at_the_same_time_shares_a_scan() {
    let setting = Setting::open().await;
    let slow = Conduct::Slow(Duration::from_millis(50));
    setting.registry.set_conduct_of("/tags/list", slow);
    let (name, access) = (setting.name(), everyone());
    let reads = (0..10).map(|_| setting.client.tags(&name, &access));
    for tags in futures::future::join_all(reads).await {
        assert_eq!(tags.unwrap().to_vec(), TAGS);
    }
    assert_eq!(setting.count("/tags/list"), 1);
}

#[tokio::test]
async fn a_scan_serves_those_to_whom_it_is_new_enough() {
    let setting = Setting::open().await;
    let (name, access) = (setting.name(), everyone());
    let start = Instant::now();
    for _ in 0..3 {
        let tags = setting.client.tags_since(&name, &access, start).await;
        assert_eq!(tags.unwrap().to_vec(), TAGS);
    }
    assert_eq!(setting.count("/tags/list"), 1);
    setting
        .registry
        .push("team/app", "9.9.9", &Image::new())
        .await
        .unwrap();
    let told = Instant::now();
    let tags = setting
        .client
        .tags_since(&name, &access, told)
        .await
        .unwrap();
    assert!(
        tags.iter().any(|tag| tag == "9.9.9"),
        "who heard of a tag sees it"
    );
    assert_eq!(setting.count("/tags/list"), 2);
    setting.client.tags(&name, &access).await.unwrap();
    assert_eq!(
        setting.count("/tags/list"),
        3,
        "a plain question is asked anew"
    );
}

#[tokio::test]
async fn different_credentials_never_share_a_scan() {
    let setting = Setting::closed(Auth::Password, Door::Http).await;
    setting.is_open_to(&jane()).await;
    let start = Instant::now().checked_sub(Duration::from_mins(1)).unwrap();
    let stolen = setting
        .client
        .tags_since(&setting.name(), &everyone(), start)
        .await;
    assert!(
        matches!(stolen, Err(Error::Unauthorized { .. })),
        "{stolen:?}"
    );
}

#[tokio::test]
async fn a_removed_tag_is_gone_and_an_empty_list_is_a_list() {
    let setting = Setting::open().await;
    let before = setting
        .client
        .tags(&setting.name(), &everyone())
        .await
        .unwrap();
    setting
        .registry
        .remove_tags("team/app", ["latest"])
        .unwrap();
    let after = setting
        .client
        .tags(&setting.name(), &everyone())
        .await
        .unwrap();
    assert_eq!(after.len(), before.len() - 1);
    assert_ne!(after.digest(), before.digest());
    setting
        .registry
        .remove_tags("team/app", after.iter())
        .unwrap();
    assert_eq!(setting.tags(&everyone()).await.unwrap(), [""; 0]);
}
