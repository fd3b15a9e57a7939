use rstest::rstest;
use serde_json::json;

use super::*;

fn manifest(field: &str, key: &str, value: &str) -> Value {
    json!({"metadata": {"name": "a", field: {key: value}}})
}

fn live(field: &str, key: &str, value: &str) -> Metadata {
    Metadata::of(&manifest(field, key, value)).unwrap()
}

#[rstest]
#[case("flux.rs/prune", "disabled", Settings { prune: false, ..Settings::default() })]
#[case("kustomize.toolkit.fluxcd.io/prune", "Disabled", Settings { prune: false, ..Settings::default() })]
#[case("flux.rs/reconcile", "DISABLED", Settings { prune: false, reconcile: false, ..Settings::default() })]
#[case("kustomize.toolkit.fluxcd.io/reconcile", "disabled", Settings { prune: false, reconcile: false, ..Settings::default() })]
#[case("flux.rs/ssa", "merge", Settings { ssa: Ssa::Merge, ..Settings::default() })]
#[case("kustomize.toolkit.fluxcd.io/ssa", "Merge", Settings { ssa: Ssa::Merge, ..Settings::default() })]
#[case("flux.rs/ssa", "Override", Settings::default())]
#[case("flux.rs/ssa", "ignore", Settings { prune: false, ssa: Ssa::Ignore, ..Settings::default() })]
#[case("flux.rs/force", "Enabled", Settings { force: true, ..Settings::default() })]
#[case("kustomize.toolkit.fluxcd.io/force", "enabled", Settings { force: true, ..Settings::default() })]
#[case("fluxcd.io/ignore", "true", Settings { prune: false, reconcile: false, ..Settings::default() })]
#[case("fluxcd.io/ignore", "sync_only", Settings { prune: false, ..Settings::default() })]
#[case("flux.weave.works/ignore", "true", Settings { prune: false, reconcile: false, ..Settings::default() })]
fn a_setting_counts_as_label_or_annotation_in_git_or_on_the_live_object(
    #[case] key: &str,
    #[case] value: &str,
    #[case] expected: Settings,
) {
    for field in ["labels", "annotations"] {
        let manifest = manifest(field, key, value);
        assert_eq!(
            Settings::of(Some(&manifest), None),
            expected,
            "{field}, git"
        );
        let live = live(field, key, value);
        assert_eq!(Settings::of(None, Some(&live)), expected, "{field}, live");
    }
}

#[rstest]
#[case("flux.rs/prune", "enabled")]
#[case("flux.rs/reconcile", "2026-01-01T00:00:00Z")]
#[case("flux.rs/ssa", "")]
#[case("flux.rs/force", "disabled")]
#[case("fluxcd.io/ignore", "false")]
#[case("example.com/prune", "disabled")]
fn other_values_and_keys_change_nothing(#[case] key: &str, #[case] value: &str) {
    let manifest = manifest("annotations", key, value);
    assert_eq!(Settings::of(Some(&manifest), None), Settings::default());
}

#[rstest]
#[case("if-not-present")]
#[case("IfNotPresent")]
fn if_not_present_counts_in_git_alone(#[case] value: &str) {
    let desired = manifest("annotations", "flux.rs/ssa", value);
    assert_eq!(Settings::of(Some(&desired), None).ssa, Ssa::IfNotPresent);
    let live = live("annotations", "flux.rs/ssa", value);
    assert_eq!(Settings::of(None, Some(&live)).ssa, Ssa::Override);
}

#[test]
fn the_way_to_apply_in_git_beats_the_one_on_the_live_object() {
    let desired = manifest("annotations", "flux.rs/ssa", "override");
    let live = live("annotations", "flux.rs/ssa", "merge");
    assert_eq!(
        Settings::of(Some(&desired), Some(&live)).ssa,
        Ssa::Override,
        "a change in git takes effect with the apply that brings it"
    );
}

#[test]
fn metadata_of_the_wrong_shape_asks_for_nothing() {
    for metadata in [
        json!(null),
        json!("x"),
        json!({"annotations": [1]}),
        json!({"labels": {"flux.rs/prune": true}}),
    ] {
        let manifest = json!({"metadata": metadata});
        assert_eq!(Settings::of(Some(&manifest), None), Settings::default());
    }
}
