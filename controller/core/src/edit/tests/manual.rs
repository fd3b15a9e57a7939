use rstest::rstest;

use super::*;
use crate::object::ObjectId;

const DEPLOYMENT: &str = "# top\nkind: Deployment\napiVersion: apps/v1\nmetadata:\n    name: web # the name\n    namespace: shop\nspec:\n    template: {spec: {containers: [{name: web, image: 'org/app:1'}, {name: proxy, image: envoy}]}}\n";

fn id(kind: &str, name: &str) -> ObjectId {
    let group = if kind == "Deployment" { "apps" } else { "" };
    ObjectId {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: "shop".to_owned(),
        name: name.to_owned(),
    }
}

fn image(text: &str, container: &str, image: &str) -> Result<String, String> {
    let place = Place {
        object: id("Deployment", "web"),
        container: container.to_owned(),
    };
    let edited = set_image("x.yaml", text.as_bytes(), &place, &image.parse().unwrap());
    let edited = edited.map_err(|error| error.to_string())?;
    Ok(text_of(&edited).unwrap_or(text).to_owned())
}

#[rstest]
#[case("web", "org/app:2", "'org/app:1'", "'org/app:2'")]
#[case("web", "docker.io/org/app:2", "'org/app:1'", "'org/app:2'")]
#[case("web", "ghcr.io/org/app:2", "'org/app:1'", "'ghcr.io/org/app:2'")]
#[case("proxy", "envoy:1.10", "image: envoy", "image: envoy:1.10")]
fn a_person_sets_an_image(
    #[case] container: &str,
    #[case] new: &str,
    #[case] before: &str,
    #[case] after: &str,
) {
    assert_eq!(
        image(DEPLOYMENT, container, new),
        Ok(DEPLOYMENT.replace(before, after))
    );
}

#[test]
fn what_is_not_there_is_named() {
    let error = image(DEPLOYMENT, "db", "a:1").unwrap_err();
    assert_eq!(
        error,
        "Deployment/shop/web in x.yaml has no container \"db\""
    );
    let twice = format!("{DEPLOYMENT}---\n{DEPLOYMENT}");
    let error = image(&twice, "web", "a:1").unwrap_err();
    assert_eq!(error, "x.yaml has Deployment/shop/web more than once");
    let other = DEPLOYMENT.replace("namespace: shop", "namespace: other");
    let error = image(&other, "web", "a:1").unwrap_err();
    assert_eq!(error, "x.yaml has no Deployment/shop/web");
    assert!(
        image(
            &DEPLOYMENT.replace("    namespace: shop\n", ""),
            "web",
            "org/app:2"
        )
        .is_ok()
    );
    let error = image(
        &format!("# generated, DO NOT EDIT\n{DEPLOYMENT}"),
        "web",
        "a:1",
    )
    .unwrap_err();
    assert!(error.contains("generated"), "{error}");
}

#[test]
fn the_places_of_a_file_are_listed() {
    let places = places("x.yaml", DEPLOYMENT.as_bytes()).unwrap();
    let places: Vec<String> = places
        .iter()
        .map(|(place, image)| format!("{} {} {image}", place.object, place.container))
        .collect();
    assert_eq!(
        places,
        [
            "Deployment/shop/web web org/app:1",
            "Deployment/shop/web proxy envoy"
        ]
    );
}

fn annotated(text: &str, key: &str, value: Option<&str>) -> Result<String, String> {
    let edited = set_annotation("x.yaml", text.as_bytes(), &id("Service", "web"), key, value);
    let edited = edited.map_err(|error| error.to_string())?;
    Ok(text_of(&edited).unwrap_or(text).to_owned())
}

const HEAD: &str = "apiVersion: v1\nkind: Service\n";

/// Before and after an annotation is set, and it is taken away again to what stood before unless that had it.
#[rstest]
#[case::first(
    "metadata:\n  name: web # n\nspec: {}\n",
    "metadata:\n  name: web # n\n  annotations:\n    a/b: \"true\"\nspec: {}\n"
)]
#[case::deep(
    "metadata:\n    name: web",
    "metadata:\n    name: web\n    annotations:\n        a/b: \"true\""
)]
#[case::carriage(
    "metadata:\r\n  name: web\r\nspec: {}\r\n",
    "metadata:\r\n  name: web\r\n  annotations:\r\n    a/b: \"true\"\r\nspec: {}\r\n"
)]
#[case::second(
    "metadata:\n  annotations:\n    c: |\n      d\n\n    # last\n  name: web\n",
    "metadata:\n  annotations:\n    c: |\n      d\n\n    # last\n    a/b: \"true\"\n  name: web\n"
)]
#[case::behind_a_comment(
    "metadata:\n  annotations:\n    c: d # e\n  name: web\n",
    "metadata:\n  annotations:\n    c: d # e\n    a/b: \"true\"\n  name: web\n"
)]
#[case::flow(
    "metadata: {name: web}\n",
    "metadata: {name: web, annotations: {a/b: \"true\"}}\n"
)]
#[case::flow_annotations(
    "metadata:\n  annotations: { c: d }\n  name: web\n",
    "metadata:\n  annotations: { c: d, a/b: \"true\" }\n  name: web\n"
)]
#[case::empty(
    "metadata:\n  annotations: {}\n  name: web\n",
    "metadata:\n  annotations: {a/b: \"true\"}\n  name: web\n"
)]
fn an_annotation_is_added(#[case] before: &str, #[case] after: &str) {
    let (before, after) = (format!("{HEAD}{before}"), format!("{HEAD}{after}"));
    assert_eq!(annotated(&before, "a/b", Some("true")), Ok(after.clone()));
    assert_eq!(
        annotated(&after, "a/b", Some("true")),
        Ok(after.clone()),
        "twice is once"
    );
    let changed = after.replace("\"true\"", "\"false\"");
    assert_eq!(annotated(&after, "a/b", Some("false")), Ok(changed));
}

#[rstest]
#[case::only(
    "metadata:\n  name: web\n  annotations: # x\n    a/b: c\nspec: {}\n",
    "metadata:\n  name: web\nspec: {}\n"
)]
#[case::one_of(
    "metadata:\n  annotations:\n    # z\n    a/b: c # d\n    e: f\n  name: web\n",
    "metadata:\n  annotations:\n    # z\n    e: f\n  name: web\n"
)]
#[case::last(
    "metadata:\n  name: web\n  annotations:\n    e: f\n    a/b: c",
    "metadata:\n  name: web\n  annotations:\n    e: f\n"
)]
#[case::carriage(
    "metadata:\r\n  name: web\r\n  annotations:\r\n    a/b: c\r\nspec: {}\r\n",
    "metadata:\r\n  name: web\r\nspec: {}\r\n"
)]
#[case::flow_first(
    "metadata: {name: web, annotations: {a/b: c, e: f}}\n",
    "metadata: {name: web, annotations: {e: f}}\n"
)]
#[case::flow_last(
    "metadata: {name: web, annotations: {e: f, a/b: c}}\n",
    "metadata: {name: web, annotations: {e: f}}\n"
)]
#[case::flow_only(
    "metadata: {name: web, annotations: {a/b: c}}\n",
    "metadata: {name: web, annotations: {}}\n"
)]
#[case::none("metadata: {name: web}\n", "metadata: {name: web}\n")]
fn an_annotation_is_taken_away(#[case] before: &str, #[case] after: &str) {
    let (before, after) = (format!("{HEAD}{before}"), format!("{HEAD}{after}"));
    assert_eq!(annotated(&before, "a/b", None), Ok(after));
}

#[rstest]
#[case("glob:{a,b}", "{name: web, annotations: {a/b: \"glob:{a,b}\"}}")]
#[case("yes: no # x", "{name: web, annotations: {a/b: \"yes: no # x\"}}")]
#[case("two\nlines", "{name: web, annotations: {a/b: \"two\\nlines\"}}")]
fn a_value_is_quoted_where_it_must_be(#[case] value: &str, #[case] metadata: &str) {
    let before = format!("{HEAD}metadata: {{name: web}}\n");
    let after = annotated(&before, "a/b", Some(value)).unwrap();
    assert_eq!(after, format!("{HEAD}metadata: {metadata}\n"));
}

#[test]
fn annotations_that_others_share_are_refused() {
    let text = format!("{HEAD}metadata:\n  name: web\n  labels: &l {{a: b}}\n  annotations: *l\n");
    assert!(annotated(&text, "a/b", Some("true")).is_err());
    assert!(annotated(&text, "a", None).is_err());
}
