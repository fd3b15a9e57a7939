use rstest::rstest;

use super::*;
use crate::edit::PolicyName;

fn change(image: &str, path: &str, old: &str, new: &str) -> Change {
    Change {
        policy: Some(PolicyName {
            namespace: "apps".to_owned(),
            name: image.rsplit('/').next().unwrap().to_owned(),
        }),
        image: image.parse().unwrap(),
        tag: Some(new.rsplit(':').next().unwrap().to_owned()),
        path: path.to_owned(),
        line: 12,
        object: Some("Deployment/shop/web".to_owned()),
        container: Some("web".to_owned()),
        old: old.to_owned(),
        new: new.to_owned(),
    }
}

fn context(changes: &[Change]) -> Context<'_> {
    Context {
        author: "Ada <ada@example.com>",
        branch: "main",
        subject: None,
        changes,
    }
}

fn default(changes: &[Change]) -> String {
    render(None, &context(changes)).unwrap()
}

#[test]
fn the_default_says_it_all() {
    let changes = [
        change(
            "ghcr.io/org/app",
            "apps/production/app.yaml",
            "ghcr.io/org/app:1.4.1",
            "ghcr.io/org/app:1.4.2",
        ),
        change(
            "ghcr.io/org/app",
            "apps/production/values.yaml",
            "1.4.1",
            "1.4.2",
        ),
    ];
    insta::assert_snapshot!(default(&changes), @r"
    Update app to 1.4.2 (apps/production)

    - ghcr.io/org/app:1.4.1 → ghcr.io/org/app:1.4.2 (apps/production/app.yaml:12)
    - ghcr.io/org/app: 1.4.1 → 1.4.2 (apps/production/values.yaml:12)

    Image-Policy: apps/app
    Object: Deployment/shop/web
    ");
}

#[rstest]
#[case::two(&["org/app", "org/web"], "x.yaml", "Update app to 1.0 and web to 1.0")]
#[case::three(&["a", "b", "c"], "apps/x.yaml", "Update a to 1.0, b to 1.0 and c to 1.0 (apps)")]
#[case::long_path(&["a"], "a-directory-with-a-very-long-name/inside-of-another-directory/here/x.yaml", "Update a to 1.0 (here)")]
#[case::names(&["first-application", "second-application", "third-application"], "apps/x.yaml", "Update 3 images (apps)")]
fn a_subject_fits_where_it_can(
    #[case] images: &[&str],
    #[case] path: &str,
    #[case] expected: &str,
) {
    let changes: Vec<Change> = images
        .iter()
        .map(|image| change(image, path, "0.9", "1.0"))
        .collect();
    let message = default(&changes);
    let subject = message.lines().next().unwrap();
    assert_eq!(subject, expected);
}

#[test]
fn text_from_outside_makes_no_line_of_its_own() {
    let mut change = change(
        "app",
        "a\nSigned-off-by: eve\u{2028}x/x.yaml",
        "1\r\n2",
        "1.0",
    );
    change.object = Some("Deployment/a\nImage-Policy: b/c".to_owned());
    let message = default(&[change.clone()]);
    assert_eq!(message.lines().count(), 6, "{message}");
    let rendered = render(
        Some(
            "{% for c in changes %}{{ c.file }}|{{ c.object }}|{{ c.old }}{% endfor %} {{ author }}",
        ),
        &Context {
            author: "Eve\nX: y",
            ..context(&[change])
        },
    );
    assert_eq!(rendered.unwrap().lines().count(), 1);
}

#[test]
fn many_changes_are_counted() {
    let changes = vec![change("app", "x.yaml", "0.9", "1.0"); 1000];
    let message = default(&changes);
    assert!(message.contains("\n- and 800 more\n"), "{message}");
}

#[test]
fn a_template_places_what_it_likes() {
    let changes = [change("ghcr.io/org/app", "x.yaml", "1.0", "1.1")];
    let template = "chore: {{ subject }}\n\n{% for change in changes %}\n* {{ change.image }} {{ change.old }} -> {{ change.new }} on {{ branch }}\n{% endfor %}\n\n[ci skip]\n\n{{ trailers }}\n";
    insta::assert_snapshot!(render(Some(template), &context(&changes)).unwrap(), @r"
    chore: Update app to 1.1

    * ghcr.io/org/app 1.0 -> 1.1 on main

    [ci skip]

    Image-Policy: apps/app
    Object: Deployment/shop/web
    ");
}

#[test]
fn a_person_can_give_the_subject() {
    let changes = [change("app", "x.yaml", "1.0", "1.1")];
    let context = Context {
        subject: Some("Fix the orders"),
        ..context(&changes)
    };
    assert!(
        render(None, &context)
            .unwrap()
            .starts_with("Fix the orders\n\n- app: 1.0 → 1.1")
    );
}

#[rstest]
#[case("{{ subject", "line 1")]
#[case("a\n{{ .Subject }}", "line 2")]
#[case("{{ titel }}", "known are message, subject")]
#[case(
    "{% for c in changes %}{{ c.nothing }}{% endfor %}",
    "known are message"
)]
#[case("{{ subject | upper }}", "none of {{ field }}")]
#[case("{{ subject }}\n{% set x = message %}", "line 2")]
#[case("{{ subject }}\n{{ subject * 9999999 }}", "line 2")]
#[case("{% if false %}x{% endif %}", "empty first line")]
#[case("\n\nx", "empty first line")]
fn a_wrong_template_is_explained(#[case] template: &str, #[case] expected: &str) {
    let error = check(template).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_template_that_never_ends_is_stopped() {
    let changes = vec![change("app", "x.yaml", "0.9", "1.0"); 100];
    let nested =
        |inner: &str| "{% for c in changes %}".repeat(9) + inner + &"{% endfor %}".repeat(9);
    let failed = |inner| render(Some(&nested(inner)), &context(&changes)).unwrap_err();
    assert_eq!(failed("{{ message }}"), Error::TooLong);
    assert!(failed("").to_string().contains("too many steps"));
}
