use super::*;

const LIMITS: Limits = Limits {
    tags: 5,
    pages: 3,
    bytes: 1000,
};

fn list() -> List {
    List::new("r.example".to_owned(), LIMITS)
}

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

#[test]
fn pages_become_one_sorted_list() {
    let mut list = list();
    list.add(br#"{"name": "a", "tags": ["b", "1.10"]}"#)
        .unwrap();
    list.add(br#"{"tags": ["b", "1.9"]}"#).unwrap();
    list.add(br#"{"name": "a", "tags": null}"#).unwrap();
    list.add(b"{}").unwrap();
    let tags = list.finish();
    assert_eq!(tags.to_vec(), ["1.10", "1.9", "b"]);
    assert_eq!(tags.len(), 3);
}

#[test]
fn the_digest_of_a_list_does_not_know_its_order() {
    let digest = |body: &str| {
        let mut list = list();
        list.add(body.as_bytes()).unwrap();
        list.finish().digest()
    };
    assert_eq!(
        digest(r#"{"tags": ["a", "b"]}"#),
        digest(r#"{"tags": ["b", "a"]}"#)
    );
    assert_ne!(
        digest(r#"{"tags": ["a", "b"]}"#),
        digest(r#"{"tags": ["ab"]}"#)
    );
    assert!(crate::registry::headers::is_digest(&digest("{}")));
}

#[test]
fn what_is_no_tag_is_left_out_and_counted() {
    let mut list = list();
    let long = "x".repeat(129);
    let body = format!(
        r#"{{"tags": ["ok", 7, null, "", "a b", "../x", ".x", "-x", "{long}", {{}}, "_1.2-3"]}}"#
    );
    list.add(body.as_bytes()).unwrap();
    let tags = list.finish();
    assert_eq!(tags.to_vec(), ["_1.2-3", "ok"]);
    assert_eq!(tags.skipped(), 9);
}

#[test]
fn garbage_and_half_a_page_are_no_lists() {
    for body in ["", "<html>", r#"{"tags": ["a", "#, r#"{"tags": "a"}"#, "[]"] {
        let error = list().add(body.as_bytes()).unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{body}: {error}");
    }
}

#[test]
fn a_list_has_limits() {
    let mut many = list();
    let error = many.add(br#"{"tags": ["a","b","c","d","e","f"]}"#);
    assert!(matches!(error, Err(Error::TooLarge { limit: 5, .. })));
    let mut pages = list();
    for page in 0..3 {
        pages.begin(&url(&format!("https://r/?{page}"))).unwrap();
    }
    let error = pages.begin(&url("https://r/?3"));
    assert!(matches!(error, Err(Error::TooLarge { limit: 3, .. })));
}

#[test]
fn pages_that_go_round_in_circles_end() {
    let mut list = list();
    list.begin(&url("https://r/?1")).unwrap();
    list.begin(&url("https://r/?2")).unwrap();
    assert!(matches!(
        list.begin(&url("https://r/?1")),
        Err(Error::Protocol { .. })
    ));
}

#[test]
fn the_next_page_is_on_the_same_server() {
    let from = url("https://r.example:8443/v2/a/tags/list?n=1000");
    for (target, expected) in [
        (
            "/v2/a/tags/list?last=b&n=1000",
            "/v2/a/tags/list?last=b&n=1000",
        ),
        ("?last=b", "/v2/a/tags/list?last=b"),
        ("https://r.example:8443/x?y", "/x?y"),
        ("http://r.example/x?y", "/x?y"),
    ] {
        let next = next_page(&from, target).unwrap();
        assert_eq!(
            next.as_str(),
            format!("https://r.example:8443{expected}"),
            "{target}"
        );
    }
    for target in [
        "https://evil.example/v2/a/tags/list",
        "//evil.example/x",
        "http://[::bad",
    ] {
        let error = next_page(&from, target).unwrap_err();
        assert!(matches!(error, Error::Redirect { .. }), "{target}");
    }
}

#[test]
fn ten_thousand_tags_are_cheap() {
    let all: Vec<String> = (0..10_000).map(|n| format!("1.{n}.0")).collect();
    let body = serde_json::json!({ "tags": all }).to_string();
    let limits = Limits {
        tags: 10_000,
        bytes: 1 << 20,
        ..LIMITS
    };
    let mut list = List::new(String::new(), limits);
    list.add(body.as_bytes()).unwrap();
    let tags = list.finish();
    assert_eq!(tags.len(), 10_000);
    assert!(tags.size() < 150_000);
}
