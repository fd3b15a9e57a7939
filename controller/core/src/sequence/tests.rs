use rstest::rstest;
use serde_json::json;

use super::*;
use crate::object::Origin;

fn object(api_version: &str, kind: &str, annotations: &Value) -> Desired {
    let value = json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"name": "a", "namespace": "shop", "annotations": annotations}});
    Desired::new(value, Origin::default()).unwrap()
}

fn job(annotations: &Value) -> Desired {
    object("batch/v1", "Job", annotations)
}

fn phases(annotations: &Value) -> Result<Vec<HookPhase>, String> {
    let arranged = arrange(vec![job(annotations)]);
    arranged
        .map(|sequence| sequence.hooks.iter().map(|hook| hook.phase).collect())
        .map_err(|problems| problems[0].message.clone())
}

#[rstest]
#[case(json!({}), 0)]
#[case(json!({"flux.rs/wave": "-3"}), -3)]
#[case(json!({"argocd.argoproj.io/sync-wave": "7"}), 7)]
#[case(json!({"argocd.argoproj.io/sync-wave": "7", "flux.rs/wave": "1"}), 1)]
fn the_wave_stands_in_an_annotation(#[case] annotations: Value, #[case] expected: i32) {
    assert_eq!(Wave::of(&job(&annotations).value), Wave(expected));
    let live = Metadata::of(&json!({"metadata": {"annotations": annotations}})).unwrap();
    assert_eq!(Wave::of_live(&live), Wave(expected));
}

#[test]
fn a_wave_that_is_no_number_is_a_problem_of_the_object() {
    let problems = arrange(vec![object(
        "v1",
        "ConfigMap",
        &json!({"flux.rs/wave": "first"}),
    )]);
    assert_eq!(
        problems.unwrap_err()[0].message,
        "flux.rs/wave is \"first\": use a whole number such as -1 or 5"
    );
}

#[rstest]
#[case(json!({"flux.rs/hook": "pre-sync"}), &[HookPhase::PreSync])]
#[case(json!({"argocd.argoproj.io/hook": "PostSync, SyncFail"}), &[HookPhase::PostSync, HookPhase::OnFailure])]
#[case(json!({"argocd.argoproj.io/hook": "PreDelete", "flux.rs/hook": "on-failure"}), &[HookPhase::OnFailure])]
#[case(json!({"helm.sh/hook": "pre-install"}), &[])]
fn a_job_is_a_hook_by_its_annotation(#[case] annotations: Value, #[case] expected: &[HookPhase]) {
    assert_eq!(phases(&annotations), Ok(expected.to_vec()));
}

#[test]
fn what_is_no_hook_is_refused() {
    assert_eq!(
        phases(&json!({"argocd.argoproj.io/hook": "PreDelete"})).unwrap_err(),
        "there is no hook \"PreDelete\": use pre-sync, post-sync or on-failure in flux.rs/hook"
    );
    let map = object("v1", "ConfigMap", &json!({"flux.rs/hook": "pre-sync"}));
    assert_eq!(
        arrange(vec![map]).unwrap_err()[0].message,
        "only a Job can be a hook: remove flux.rs/hook from it"
    );
}

#[test]
fn a_run_is_told_by_the_whole_desired_state() {
    let hook = job(&json!({"flux.rs/hook": "pre-sync"}));
    let arranged = |value: &str| {
        let map = object("v1", "ConfigMap", &json!({"value": value}));
        arrange(vec![map, hook.clone()]).unwrap()
    };
    let (first, second) = (arranged("a"), arranged("b"));
    assert_ne!(first.state, second.state, "another object, another run");
    assert_eq!(first.state, arranged("a").state);
    let marked = first.hooks[0].marked(&first.state).unwrap();
    let live = Metadata::of(&marked.value).unwrap();
    assert!(first.hooks[0].is_run(&live, &first.state));
    assert!(!second.hooks[0].is_run(&live, &second.state));
}

#[test]
fn a_hook_says_when_it_is_deleted() {
    let annotations = json!({"argocd.argoproj.io/hook": "PreSync",
        "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation, HookSucceeded"});
    let hook = arrange(vec![job(&annotations)]).unwrap().hooks.remove(0);
    assert!(hook.delete_succeeded && !hook.delete_failed);
}
