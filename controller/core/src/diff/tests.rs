use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::object::id_of;

/// Returns `path: before → after` of every change.
fn lines(before: &Value, after: &Value) -> Vec<String> {
    let text = |value: Option<Value>| value.map_or("none".to_owned(), |value| value.to_string());
    let changes = compare(before, after).into_iter();
    changes
        .map(|change| {
            format!(
                "{}: {} → {}",
                change.path,
                text(change.before),
                text(change.after)
            )
        })
        .collect()
}

#[rstest]
#[case::equal(json!({"a": 1}), json!({"a": 1}), &[])]
#[case::scalar(json!({"spec": {"replicas": 1}}), json!({"spec": {"replicas": 2}}), &["spec.replicas: 1 → 2"])]
#[case::new(json!({}), json!({"a": {"b": 1}}), &[r#"a: none → {"b":1}"#])]
#[case::gone(json!({"a": null}), json!({}), &["a: null → none"])]
#[case::another_type(json!({"a": "1"}), json!({"a": 1}), &[r#"a: "1" → 1"#])]
#[case::dotted_key(json!({"metadata": {"annotations": {"a.b/c": "1"}}}), json!({"metadata": {"annotations": {"a.b/c": "2"}}}),
    &[r#"metadata.annotations[a.b/c]: "1" → "2""#])]
#[case::by_name(json!({"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]}), json!({"containers": [{"name": "b", "image": "2"}]}),
    &[r#"containers[name=b].image: "1" → "2""#, r#"containers[name=a]: {"name":"a","image":"1"} → none"#])]
#[case::by_claim(json!({"c": [{"metadata": {"name": "d"}, "size": 1}]}), json!({"c": [{"metadata": {"name": "d"}, "size": 2}]}),
    &["c[metadata.name=d].size: 1 → 2"])]
#[case::by_port(json!({"ports": [{"port": 53, "protocol": "UDP", "targetPort": 1}, {"port": 53, "protocol": "TCP"}]}), json!({"ports": [{"port": 53, "protocol": "UDP", "targetPort": 2}, {"port": 53, "protocol": "TCP"}]}),
    &["ports[port=53,protocol=UDP].targetPort: 1 → 2"])]
#[case::names_twice(json!({"l": [{"name": "a", "v": 1}, {"name": "a", "v": 2}]}), json!({"l": [{"name": "a", "v": 1}, {"name": "a", "v": 3}]}), &["l[1].v: 2 → 3"])]
#[case::order(json!({"env": [{"name": "a"}, {"name": "b"}]}), json!({"env": [{"name": "b"}, {"name": "a"}]}),
    &[r#"env[order]: ["name=a","name=b"] → ["name=b","name=a"]"#])]
#[case::inserted(json!({"args": ["a", "c"]}), json!({"args": ["a", "b", "c"]}), &[r#"args[1]: none → "b""#])]
#[case::replaced(json!({"args": ["a", "b"]}), json!({"args": ["a", "c"]}), &[r#"args[1]: "b" → "c""#])]
#[case::emptied(json!({"args": ["a"]}), json!({"args": []}), &[r#"args[0]: "a" → none"#])]
#[case::server_fields(json!({"metadata": {"uid": "1", "generation": 1, "managedFields": [1], "name": "a"}, "status": {"a": 1}}),
    json!({"metadata": {"uid": "2", "resourceVersion": "7", "name": "a"}, "status": {"a": 2}}), &[])]
#[case::status_deeper(json!({"spec": {"status": 1}}), json!({"spec": {"status": 2}}), &["spec.status: 1 → 2"])]
fn changes_are_named_as_users_name_fields(
    #[case] before: Value,
    #[case] after: Value,
    #[case] expected: &[&str],
) {
    assert_eq!(lines(&before, &after), expected);
}

fn secret(data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": "shop"}, "data": data})
}

#[test]
fn a_secret_shows_which_keys_change_and_no_content() {
    let before = secret(&json!({"same": "c2FtZQ==", "changed": "b2xk", "gone": "Z29uZQ=="}));
    let after = secret(&json!({"same": "c2FtZQ==", "changed": "bmV3", "added": "YWRk"}));
    assert_eq!(
        lines(&before, &after),
        [
            r#"data.changed: "*** (before)" → "*** (after)""#,
            r#"data.added: none → "***""#,
            r#"data.gone: "***" → none"#,
        ]
    );
}

#[rstest]
#[case(secret(&json!("plain")))]
#[case(secret(&json!(["plain"])))]
#[case(json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "plain"}}))]
#[case(json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": {"b": "plain"}}}))]
#[case(json!({"kind": "ConfigMap", "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "plain"}}}))]
fn no_shape_of_a_secret_shows_its_content(#[case] object: Value) {
    let other = secret(&json!({"a": "other"}));
    for (before, after) in [(&object, &other), (&other, &object), (&object, &json!({}))] {
        let shown = lines(before, after).join("\n");
        assert!(!shown.contains("plain"), "{shown}");
        assert!(!shown.contains("other"), "{shown}");
    }
    assert!(!mask(&object).to_string().contains("plain"));
}

#[test]
fn an_object_without_secrets_is_not_copied() {
    let object = json!({"kind": "ConfigMap", "data": {"a": "b"}});
    assert!(matches!(mask(&object), std::borrow::Cow::Borrowed(_)));
}

fn config(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": data})
}

fn change(before: Option<&Value>, after: Option<&Value>) -> ObjectChange {
    let id = id_of(before.or(after).unwrap()).unwrap();
    ObjectChange::between(id, before, after)
}

fn sample() -> Vec<ObjectChange> {
    let file = |port: &str| {
        format!("[server]\nport = {port}\n[log]\nlevel = info\n[db]\nhost = a\nname = b")
    };
    let before = config(
        "env",
        &json!({"app.toml": file("80"), "mode": "dev", "empty": "x"}),
    );
    let after = config(
        "env",
        &json!({"app.toml": file("8080") + "\n", "mode": "prod", "empty": "", "extra": "1"}),
    );
    let deployment = |containers: Value| {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"spec": {"containers": containers}}}})
    };
    let one = deployment(json!([{"name": "app", "image": "app:1"}]));
    let two =
        deployment(json!([{"name": "app", "image": "app:2"}, {"name": "log", "image": "log:1"}]));
    vec![
        change(None, Some(&config("new", &json!({})))),
        change(Some(&config("old", &json!({}))), None),
        change(
            Some(&config("same", &json!({}))),
            Some(&config("same", &json!({}))),
        ),
        change(Some(&before), Some(&after)),
        change(Some(&one), Some(&two)),
    ]
}

#[test]
fn the_text_shows_objects_fields_and_lines() {
    insta::assert_snapshot!(render(&sample(), Style::Plain), @r#"
    + ConfigMap/shop/new created
    - ConfigMap/shop/old deleted
    ~ ConfigMap/shop/env changed
        data[app.toml]
            [server]
          - port = 80
          + port = 8080
            [log]
            level = info
            [db]
            host = a
          - name = b (no line end)
          + name = b
        data.mode
          - dev
          + prod
        data.empty
          - x
          + ""
        data.extra
          + 1
    ~ Deployment/shop/web changed
        spec.template.spec.containers[name=app].image
          - app:1
          + app:2
        spec.template.spec.containers[name=log]
          + name: log
          + image: log:1
    "#);
}

#[test]
fn colour_is_the_same_text_with_colours() {
    let mut colour = render(&sample(), Style::Colour);
    assert_ne!(colour, render(&sample(), Style::Plain));
    for code in ["0", "1", "2", "31", "32"] {
        colour = colour.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(colour, render(&sample(), Style::Plain));
}

#[test]
fn content_cannot_drive_the_terminal() {
    let before = config("env", &json!({"a": "x"}));
    let after = config(
        "env",
        &json!({"a": "\u{1b}[2Jx", "\u{7}": "line\nline\u{9b}"}),
    );
    let text = render(&[change(Some(&before), Some(&after))], Style::Plain);
    assert!(
        !text.contains(|c: char| c.is_control() && c != '\n'),
        "{text:?}"
    );
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<u8>().prop_map(Value::from),
        "[a-c\n]{0,3}".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::btree_map("(name|key|data|spec|a)", inner, 0..4)
                .prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn objects_are_equal_exactly_when_no_change_is_shown(before in anything(), after in anything()) {
        let (before, after) = (json!({"spec": before}), json!({"spec": after}));
        prop_assert_eq!(compare(&before, &after).is_empty(), before == after);
        prop_assert_eq!(compare(&before, &before), vec![]);
    }

    #[test]
    fn rendering_shows_something_for_every_change(before in anything(), after in anything()) {
        let id = id_of(&config("a", &json!({}))).unwrap();
        let change = ObjectChange::between(id, Some(&before), Some(&after));
        prop_assert_eq!(render(std::slice::from_ref(&change), Style::Plain).is_empty(), !change.is_change());
    }
}
