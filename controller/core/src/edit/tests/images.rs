use rstest::rstest;

use super::*;

fn target() -> Target {
    super::target(UpdateStrategy::Images)
}

const TEXT: &str = include_str!("files/kustomization.yaml");

#[test]
fn entries_of_the_image_change() {
    let edited = file("apps/kustomization.yaml", TEXT.as_bytes(), &[target()]).unwrap();
    insta::assert_snapshot!(shown(TEXT, &edited));
}

#[rstest]
#[case(DigestMode::Never)]
#[case(DigestMode::Always)]
fn a_digest_is_written_as_the_policy_says(#[case] mode: DigestMode) {
    let target = Target { mode, ..target() };
    let edited = file("apps/kustomization.yaml", TEXT.as_bytes(), &[target]).unwrap();
    insta::assert_snapshot!(format!("entries_{mode:?}"), shown(TEXT, &edited));
}

#[rstest]
#[case::other_name("apps/images.yaml", "", false)]
#[case::yml("apps/kustomization.yml", "", true)]
#[case::bare("Kustomization", "", true)]
#[case::by_group(
    "apps/other.yaml",
    "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
    true
)]
#[case::component(
    "a.yaml",
    "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
    true
)]
#[case::other_kind("kustomization.yaml", "apiVersion: v1\nkind: ConfigMap\n", false)]
fn only_kustomizations_have_entries(
    #[case] path: &str,
    #[case] head: &str,
    #[case] expected: bool,
) {
    let text = format!("{head}images: [{{name: ghcr.io/org/app, newTag: 1.4.0}}]\n");
    let edited = file(path, text.as_bytes(), &[target()]).unwrap();
    assert_eq!(edited.bytes.is_some(), expected);
}

#[rstest]
#[case("flux.rs/v1alpha1", "Sync")]
#[case("kustomize.toolkit.fluxcd.io/v1", "Kustomization")]
fn entries_of_a_sync_change_too(#[case] api_version: &str, #[case] kind: &str) {
    let text = format!(
        "apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a, namespace: b}}\nspec:\n  images:\n  - name: ghcr.io/org/app\n    newTag: 1.4.0\n"
    );
    let edited = file("a.yaml", text.as_bytes(), &[target()]).unwrap();
    assert_eq!(
        text_of(&edited),
        Some(text.replace("1.4.0", "1.5.0").as_str())
    );
    assert_eq!(edited.changes[0].object, Some(format!("{kind}/b/a")));
}

#[test]
fn names_of_docker_hub_are_the_same_in_short_and_in_full() {
    let text =
        "images: [{name: nginx, newTag: 1.4.0}, {name: docker.io/library/nginx, newTag: 1.4.0}]\n";
    let target = Target {
        name: "index.docker.io/library/nginx".parse().unwrap(),
        ..target()
    };
    let edited = file("kustomization.yaml", text.as_bytes(), &[target]).unwrap();
    assert_eq!(
        text_of(&edited),
        Some(text.replace("1.4.0", "1.5.0").as_str())
    );
}

#[test]
fn a_tag_and_its_digest_are_written_together_or_not_at_all() {
    let text = "images: [{name: ghcr.io/org/app, newTag: 1.4.0, digest: !!str x}]\n";
    let edited = file("kustomization.yaml", text.as_bytes(), &[target()]).unwrap();
    assert_eq!((edited.bytes, edited.changes), (None, vec![]));
    let reasons: Vec<&Reason> = edited.skipped.iter().map(|skip| &skip.reason).collect();
    assert_eq!(reasons, [&Reason::Tagged, &Reason::Tagged]);
}
