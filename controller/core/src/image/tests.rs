use proptest::prelude::*;
use rstest::rstest;

use super::*;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[rstest]
#[case("nginx", "index.docker.io", "library/nginx")]
#[case("bitnami/redis", "index.docker.io", "bitnami/redis")]
#[case("docker.io/nginx", "index.docker.io", "library/nginx")]
#[case("docker.io/library/nginx", "index.docker.io", "library/nginx")]
#[case("registry-1.docker.io/a/b", "index.docker.io", "a/b")]
#[case("ghcr.io/org/app", "ghcr.io", "org/app")]
#[case("GHCR.io/org/app", "ghcr.io", "org/app")]
#[case("quay.io/app", "quay.io", "app")]
#[case("localhost/app", "localhost", "app")]
#[case("localhost:5000/a/b/c/d/e", "localhost:5000", "a/b/c/d/e")]
#[case("registry:5000/app", "registry:5000", "app")]
#[case("10.0.0.1:443/app", "10.0.0.1:443", "app")]
#[case("[fd00::1]:5000/app", "[fd00::1]:5000", "app")]
#[case("a__b/c--d.e_f", "index.docker.io", "a__b/c--d.e_f")]
fn a_name_means_a_registry_and_a_path(
    #[case] text: &str,
    #[case] registry: &str,
    #[case] path: &str,
) {
    let name: Name = text.parse().expect("a name");

    assert_eq!((name.registry(), name.path()), (registry, path));
    assert_eq!(name.to_string(), text, "shown as it was written");
    assert_eq!(name.canonical(), format!("{registry}/{path}"));
}

#[rstest]
#[case::empty("")]
#[case::upper_case("org/App")]
#[case::scheme("https://ghcr.io/org/app")]
#[case::oci_scheme("oci://ghcr.io/org/app")]
#[case::empty_part("ghcr.io//app")]
#[case::slash_at_the_end("ghcr.io/app/")]
#[case::no_path("ghcr.io/")]
#[case::three_underscores("a___b")]
#[case::two_dots("a..b")]
#[case::dash_at_the_end("app-")]
#[case::port("localhost:99999/app")]
#[case::no_port("localhost:/app")]
#[case::tag("nginx:1.25")]
#[case::blank("a b")]
fn what_is_no_name_is_refused(#[case] text: &str) {
    assert_eq!(text.parse::<Name>(), Err(Error::Name(text.to_owned())));
}

#[test]
fn names_are_the_same_by_what_they_mean() {
    let name = |text: &str| text.parse::<Name>().expect("a name");

    assert!(name("nginx").is_same_as(&name("docker.io/library/nginx")));
    assert!(!name("nginx").is_same_as(&name("ghcr.io/library/nginx")));
}

#[rstest]
#[case("nginx", "nginx", None)]
#[case("nginx:1.25", "nginx", Some("1.25"))]
#[case("localhost:5000/app", "localhost:5000/app", None)]
#[case("localhost:5000/app:v1", "localhost:5000/app", Some("v1"))]
fn an_image_has_a_name_and_a_tag(
    #[case] text: &str,
    #[case] name: &str,
    #[case] tag: Option<&str>,
) {
    let image: Image = text.parse().expect("an image");

    assert_eq!(image.name.as_str(), name);
    assert_eq!(image.tag.as_deref(), tag);
    assert_eq!(image.digest, None);
    assert_eq!(image.to_string(), text);
}

#[test]
fn an_image_may_have_a_digest_with_and_without_a_tag() {
    let both: Image = format!("ghcr.io/a/b:1@{DIGEST}").parse().expect("an image");
    let digest: Image = format!("ghcr.io/a/b@{DIGEST}").parse().expect("an image");

    assert_eq!(
        (both.tag.as_deref(), both.digest.as_deref()),
        (Some("1"), Some(DIGEST))
    );
    assert_eq!(
        (digest.tag.as_deref(), digest.digest.as_deref()),
        (None, Some(DIGEST))
    );
}

#[rstest]
#[case("nginx:", "tag")]
#[case("nginx:.1", "tag")]
#[case("nginx:a b", "tag")]
#[case("nginx@sha256:12", "digest")]
#[case("nginx@", "digest")]
#[case("nginx@md5", "digest")]
#[case("Nginx:1", "name")]
fn what_is_no_image_says_which_part_is_wrong(#[case] text: &str, #[case] part: &str) {
    let error = text.parse::<Image>().expect_err("not an image");

    let named = match error {
        Error::Name(_) => "name",
        Error::Tag { .. } => "tag",
        Error::Digest { .. } => "digest",
    };
    assert_eq!(named, part, "{error}");
}

proptest! {
    #[test]
    fn reading_never_panics_and_what_is_read_is_written_the_same(text in "[a-zA-Z0-9:/@._\\[\\] -]{0,40}") {
        if let Ok(image) = text.parse::<Image>() {
            prop_assert_eq!(image.to_string(), text);
        }
    }
}
