use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::object::{ObjectId, id_of};
use flux_crds::sync::HealthExpressions;

fn assessed(api_version: &str, kind: &str, rest: Value) -> String {
    let mut object = rest;
    object["apiVersion"] = json!(api_version);
    object["kind"] = json!(kind);
    assess(&object).to_string()
}

fn condition_of(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message})
}

#[rstest]
#[case::deleted(json!({"metadata": {"deletionTimestamp": "t"}}), "Terminating: being deleted")]
#[case::finalized(json!({"metadata": {"deletionTimestamp": "t", "finalizers": ["a/b", "c/d"]}}), "Terminating: being deleted, waits for a/b, c/d")]
#[case::old_generation(json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 1, "conditions": [condition_of("Ready", "True", "", "")]}}),
    "InProgress: generation 2 is not handled yet, the latest handled one is 1")]
#[case::never_seen(json!({"metadata": {"generation": 1}, "status": {"observedGeneration": -1}}),
    "InProgress: generation 1 is not handled yet, the latest handled one is -1")]
#[case::reconciling(json!({"status": {"conditions": [condition_of("Ready", "True", "", ""), condition_of("Reconciling", "True", "Progressing", "fetches")]}}), "InProgress: Progressing: fetches")]
#[case::stalled(json!({"status": {"conditions": [condition_of("Stalled", "True", "BadSpec", "no such range")]}}), "Failed: BadSpec: no such range")]
#[case::not_stalled(json!({"status": {"conditions": [condition_of("Stalled", "False", "", "")]}}), "Current: applied")]
#[case::ready(json!({"status": {"conditions": [condition_of("Ready", "True", "Succeeded", "")]}}), "Current: Succeeded")]
#[case::not_ready(json!({"status": {"conditions": [condition_of("Ready", "False", "Failed", "no route")]}}), "InProgress: Failed: no route")]
#[case::ready_unknown(json!({"status": {"conditions": [condition_of("Ready", "Unknown", "", "")]}}), "InProgress: not ready")]
#[case::failed(json!({"status": {"conditions": [condition_of("Failed", "True", "BackoffLimitExceeded", "gave up")]}}), "Failed: BackoffLimitExceeded: gave up")]
#[case::not_failed(json!({"status": {"conditions": [condition_of("Failed", "False", "", "")]}}), "Current: applied")]
#[case::available(json!({"status": {"conditions": [condition_of("Available", "True", "AsExpected", "")]}}), "Current: AsExpected")]
#[case::not_available(json!({"status": {"conditions": [condition_of("Available", "False", "NoPods", "")]}}), "InProgress: NoPods")]
#[case::ready_counts_first(json!({"status": {"conditions": [condition_of("Ready", "True", "", ""), condition_of("Available", "False", "", "")]}}), "Current: ready")]
#[case::no_status(json!({}), "Current: applied")]
fn kinds_of_others_follow_the_conventions(#[case] object: Value, #[case] expected: &str) {
    assert_eq!(assessed("example.com/v1", "Widget", object), expected);
}

#[rstest]
#[case::new(json!({}), "InProgress: not approved yet")]
#[case::approved(json!({"conditions": [condition_of("Approved", "True", "AutoApproved", "")]}), "InProgress: approved, not signed yet")]
#[case::signed(json!({"conditions": [condition_of("Approved", "True", "", "")], "certificate": "LS0t"}), "Current: signed")]
#[case::denied(json!({"conditions": [condition_of("Denied", "True", "Policy", "not for you")]}), "Failed: Policy: not for you")]
#[case::failed(json!({"conditions": [condition_of("Approved", "True", "", ""), condition_of("Failed", "True", "", "no such usage")]}), "Failed: no such usage")]
fn a_signing_request_is_healthy_when_it_is_signed(#[case] status: Value, #[case] expected: &str) {
    let request = json!({"status": status});
    let kind = "CertificateSigningRequest";
    assert_eq!(assessed("certificates.k8s.io/v1", kind, request), expected);
}

#[test]
fn an_expression_counts_for_an_object_without_namespace_too() {
    let id = |namespace: &str| ObjectId {
        group: "example.com".into(),
        kind: "Realm".into(),
        namespace: namespace.into(),
        name: "one".into(),
    };
    let mut rules = Rules::default();
    let expressions = HealthExpressions {
        current: "status.phase == 'Up'".into(),
        ..HealthExpressions::default()
    };
    rules.add(id("apps"), &expressions).unwrap();
    let realm = json!({"status": {"phase": "Down"}});
    assert!(!rules.assess(&id(""), &realm).is_current());
    assert!(
        rules.assess(&id("other"), &realm).is_current(),
        "that is another object"
    );
}

fn deployment(status: &Value) -> Value {
    json!({"metadata": {"generation": 1}, "spec": {"replicas": 2, "progressDeadlineSeconds": 600}, "status": status})
}

#[rstest]
#[case::new(json!({}), "InProgress: replicas: 0/2")]
#[case::creating(json!({"replicas": 1}), "InProgress: replicas: 1/2")]
#[case::updating(json!({"replicas": 2, "updatedReplicas": 1}), "InProgress: updated replicas: 1/2")]
#[case::surge(json!({"replicas": 3, "updatedReplicas": 2, "availableReplicas": 3, "readyReplicas": 3}), "InProgress: old replicas pending termination: 1")]
#[case::unavailable(json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 1}), "InProgress: available replicas: 1/2")]
#[case::not_ready(json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 1}), "InProgress: ready replicas: 1/2")]
#[case::not_rolled_out(json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2}), "InProgress: the new replica set is not available yet")]
#[case::rolled_out(json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2, "conditions": [
    condition_of("Progressing", "True", "NewReplicaSetAvailable", ""), condition_of("Available", "True", "", "")]}), "Current: available, replicas: 2")]
#[case::not_available(json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2, "conditions": [
    condition_of("Progressing", "True", "NewReplicaSetAvailable", ""), condition_of("Available", "False", "MinimumReplicasUnavailable", "")]}), "InProgress: MinimumReplicasUnavailable")]
#[case::deadline(json!({"replicas": 2, "conditions": [condition_of("Progressing", "False", "ProgressDeadlineExceeded", "ReplicaSet \"web-1\" has timed out progressing.")]}),
    "Failed: ProgressDeadlineExceeded: ReplicaSet \"web-1\" has timed out progressing.")]
#[case::quota(json!({"replicas": 1, "conditions": [condition_of("ReplicaFailure", "True", "FailedCreate", "exceeded quota")]}),
    "InProgress: replicas: 1/2; FailedCreate: exceeded quota")]
fn a_deployment_is_current_when_it_is_rolled_out(#[case] status: Value, #[case] expected: &str) {
    assert_eq!(
        assessed("apps/v1", "Deployment", deployment(&status)),
        expected
    );
}

#[rstest]
#[case::none_wanted(json!({"spec": {"replicas": 0}, "status": {"conditions": [condition_of("Available", "True", "", "")]}}), "Current: available, replicas: 0")]
#[case::paused(json!({"spec": {"paused": true, "replicas": 2}, "status": {"replicas": 2, "updatedReplicas": 0, "availableReplicas": 2, "readyReplicas": 2}}), "InProgress: paused; updated replicas: 0/2")]
fn a_deployment_without_a_rollout(#[case] object: Value, #[case] expected: &str) {
    assert_eq!(assessed("apps/v1", "Deployment", object), expected);
}

#[rstest]
#[case::new(json!({}), json!({}), "InProgress: replicas: 0/2")]
#[case::not_ready(json!({}), json!({"replicas": 2, "readyReplicas": 1}), "InProgress: ready replicas: 1/2")]
#[case::too_many(json!({}), json!({"replicas": 3, "readyReplicas": 3}), "InProgress: old replicas pending termination: 1")]
#[case::partition(json!({"rollingUpdate": {"partition": 1}}), json!({"replicas": 2, "readyReplicas": 2, "updatedReplicas": 1}), "Current: rolled out, updated replicas: 1")]
#[case::partition_open(json!({"rollingUpdate": {"partition": 0}}), json!({"replicas": 2, "readyReplicas": 2, "updatedReplicas": 1}), "InProgress: updated replicas: 1/2")]
#[case::old_revision(json!({}), json!({"replicas": 2, "readyReplicas": 2, "currentReplicas": 2, "currentRevision": "a", "updateRevision": "b"}), "InProgress: pods of the old revision are being replaced")]
#[case::done(json!({}), json!({"replicas": 2, "readyReplicas": 2, "currentReplicas": 2, "currentRevision": "b", "updateRevision": "b"}), "Current: ready, replicas: 2")]
#[case::on_delete(json!({"type": "OnDelete"}), json!({}), "Current: pods are replaced when they are deleted (OnDelete)")]
fn a_stateful_set_is_current_when_every_pod_is_updated(
    #[case] strategy: Value,
    #[case] status: Value,
    #[case] expected: &str,
) {
    let object = json!({"spec": {"replicas": 2, "updateStrategy": strategy}, "status": status});
    assert_eq!(assessed("apps/v1", "StatefulSet", object), expected);
}

#[rstest]
#[case::new(json!({}), "InProgress: the number of nodes is not known yet")]
#[case::no_node(json!({"desiredNumberScheduled": 0}), "Current: ready, pods: 0")]
#[case::updating(json!({"desiredNumberScheduled": 2, "currentNumberScheduled": 2, "updatedNumberScheduled": 1}), "InProgress: updated pods: 1/2")]
#[case::unavailable(json!({"desiredNumberScheduled": 2, "currentNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1}), "InProgress: available pods: 1/2")]
#[case::ready(json!({"desiredNumberScheduled": 2, "currentNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2, "numberReady": 2}), "Current: ready, pods: 2")]
fn a_daemon_set_is_current_on_every_node(#[case] status: Value, #[case] expected: &str) {
    assert_eq!(
        assessed("apps/v1", "DaemonSet", json!({"status": status})),
        expected
    );
}

#[rstest]
#[case("apps/v1", "ReplicaSet", json!({"spec": {"replicas": 1}}), "InProgress: labelled replicas: 0/1")]
#[case("apps/v1", "ReplicaSet", json!({"spec": {"replicas": 1}, "status": {"fullyLabeledReplicas": 1, "conditions": [condition_of("ReplicaFailure", "True", "FailedCreate", "forbidden")]}}), "InProgress: available replicas: 0/1; FailedCreate: forbidden")]
#[case("apps/v1", "ReplicaSet", json!({"spec": {"replicas": 1}, "status": {"replicas": 1, "fullyLabeledReplicas": 1, "availableReplicas": 1, "readyReplicas": 1}}), "Current: ready, replicas: 1")]
#[case("v1", "ReplicationController", json!({"spec": {"replicas": 1}, "status": {"availableReplicas": 1}}), "InProgress: ready replicas: 0/1")]
#[case("batch/v1", "Job", json!({}), "InProgress: not started yet")]
#[case("batch/v1", "Job", json!({"status": {"startTime": "t", "active": 1}}), "InProgress: running, active: 1, succeeded: 0, failed: 0")]
#[case("batch/v1", "Job", json!({"spec": {"suspend": true}}), "Current: suspended")]
#[case("batch/v1", "Job", json!({"status": {"succeeded": 1, "conditions": [condition_of("Complete", "True", "", "")]}}), "Current: completed, succeeded pods: 1")]
#[case("batch/v1", "Job", json!({"status": {"conditions": [condition_of("Failed", "True", "BackoffLimitExceeded", "tried 6 times")]}}), "Failed: BackoffLimitExceeded: tried 6 times")]
#[case("batch/v1", "CronJob", json!({"status": {"active": [{}]}}), "Current: scheduled")]
#[case("batch/v1", "CronJob", json!({"spec": {"suspend": true}}), "Current: suspended")]
#[case("v1", "Namespace", json!({"status": {"phase": "Active"}}), "Current: active")]
#[case("v1", "Namespace", json!({"status": {"phase": "Terminating"}}), "Terminating: being deleted")]
#[case("v1", "PersistentVolumeClaim", json!({"status": {"phase": "Bound"}}), "Current: bound")]
#[case("v1", "PersistentVolumeClaim", json!({"status": {"phase": "Pending"}}), "InProgress: not bound, phase Pending")]
#[case("v1", "PersistentVolumeClaim", json!({"status": {"phase": "Lost"}}), "Failed: the volume is lost")]
#[case("v1", "Service", json!({"spec": {"type": "ClusterIP"}}), "Current: applied")]
#[case("v1", "Service", json!({"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {}}}), "InProgress: the load balancer has no address yet")]
#[case("v1", "Service", json!({"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}}), "Current: applied")]
#[case("networking.k8s.io/v1", "Ingress", json!({"status": {"loadBalancer": {}}}), "Current: applied")]
#[case("autoscaling/v2", "HorizontalPodAutoscaler", json!({}), "Current: applied")]
#[case("autoscaling/v2", "HorizontalPodAutoscaler", json!({"status": {"conditions": [condition_of("AbleToScale", "False", "FailedGetScale", "no such target")]}}), "InProgress: FailedGetScale: no such target")]
#[case("autoscaling/v2", "HorizontalPodAutoscaler", json!({"status": {"conditions": [condition_of("AbleToScale", "True", "", ""), condition_of("ScalingActive", "False", "FailedGetResourceMetric", "no metrics")]}}), "Current: not scaling: FailedGetResourceMetric: no metrics")]
#[case("policy/v1", "PodDisruptionBudget", json!({"status": {"conditions": [condition_of("DisruptionAllowed", "False", "InsufficientPods", "")]}}), "Current: applied")]
#[case("policy/v1", "PodDisruptionBudget", json!({"status": {"conditions": [condition_of("DisruptionAllowed", "False", "SyncFailed", "no scale")]}}), "InProgress: SyncFailed: no scale")]
#[case("v1", "PersistentVolume", json!({}), "InProgress: not there yet")]
#[case("v1", "PersistentVolume", json!({"status": {"phase": "Available"}}), "Current: there")]
#[case("v1", "PersistentVolume", json!({"status": {"phase": "Failed", "message": "busy"}}), "Failed: busy")]
#[case("apiregistration.k8s.io/v1", "APIService", json!({}), "InProgress: not available yet")]
#[case("apiregistration.k8s.io/v1", "APIService", json!({"status": {"conditions": [condition_of("Available", "False", "MissingEndpoints", "")]}}), "InProgress: MissingEndpoints")]
#[case("apiregistration.k8s.io/v1", "APIService", json!({"status": {"conditions": [condition_of("Available", "True", "", "")]}}), "Current: available")]
#[case("apiextensions.k8s.io/v1", "CustomResourceDefinition", json!({}), "InProgress: not established yet")]
#[case("apiextensions.k8s.io/v1", "CustomResourceDefinition", json!({"status": {"conditions": [condition_of("Established", "False", "Installing", "")]}}), "InProgress: not established yet")]
#[case("apiextensions.k8s.io/v1", "CustomResourceDefinition", json!({"status": {"conditions": [condition_of("NamesAccepted", "False", "ListKindConflict", "taken")]}}), "Failed: ListKindConflict: taken")]
#[case("apiextensions.k8s.io/v1", "CustomResourceDefinition", json!({"status": {"conditions": [condition_of("Established", "True", "", "")]}}), "Current: established")]
fn built_in_kinds_follow_their_own_rules(
    #[case] api_version: &str,
    #[case] kind: &str,
    #[case] object: Value,
    #[case] expected: &str,
) {
    assert_eq!(assessed(api_version, kind, object), expected);
}

#[rstest]
#[case::new(json!({}), "InProgress: not seen by a node yet")]
#[case::pending(json!({"phase": "Pending"}), "InProgress: pending")]
#[case::unschedulable(json!({"phase": "Pending", "conditions": [condition_of("PodScheduled", "False", "Unschedulable", "0/3 nodes")]}), "InProgress: not scheduled: Unschedulable: 0/3 nodes")]
#[case::creating(json!({"phase": "Pending", "containerStatuses": [{"name": "app", "state": {"waiting": {"reason": "ContainerCreating"}}}]}), "InProgress: pending")]
#[case::pull(json!({"phase": "Pending", "containerStatuses": [{"name": "app", "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}]}), "InProgress: app: ErrImagePull: not found")]
#[case::crash(json!({"phase": "Running", "containerStatuses": [{"name": "app", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]}), "Failed: app: CrashLoopBackOff (last exit code 137, OOMKilled)")]
#[case::not_ready(json!({"phase": "Running", "conditions": [condition_of("Ready", "False", "ContainersNotReady", "")]}), "InProgress: running but not ready: ContainersNotReady")]
#[case::ready(json!({"phase": "Running", "conditions": [condition_of("Ready", "True", "", "")]}), "Current: ready")]
#[case::succeeded(json!({"phase": "Succeeded"}), "Current: completed")]
#[case::evicted(json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}), "Failed: Evicted: low on memory")]
#[case::exited(json!({"phase": "Failed", "containerStatuses": [{"name": "app", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]}), "Failed: app: exit code 1")]
fn a_pod_says_why_it_does_not_run(#[case] status: Value, #[case] expected: &str) {
    assert_eq!(assessed("v1", "Pod", json!({"status": status})), expected);
}

#[test]
fn a_kind_of_the_same_name_in_another_group_has_no_built_in_rule() {
    let object = json!({"spec": {"type": "LoadBalancer"}});
    assert_eq!(
        assessed("serving.knative.dev/v1", "Service", object),
        "Current: applied"
    );
}

fn ruled(expressions: &HealthExpressions, object: &Value) -> String {
    let id = id_of(object).unwrap();
    let mut rules = Rules::default();
    rules.add(id.clone(), expressions).unwrap();
    rules.assess(&id, object).to_string()
}

#[rstest]
#[case::running(json!({"phase": "Running"}), "Current: cel.current is true")]
#[case::busy(json!({"phase": "Running", "busy": true}), "InProgress: cel.inProgress is true")]
#[case::both(json!({"phase": "Broken", "busy": true}), "InProgress: cel.inProgress is true")]
#[case::broken(json!({"phase": "Broken"}), "Failed: cel.failed is true")]
#[case::neither(json!({"phase": "Idle"}), "InProgress: cel.current is not true yet")]
#[case::missing(json!({}), "InProgress: cel.failed: there is no field phase; ask has(…) first if it may be missing")]
#[case::unseen(json!({"observedGeneration": 1, "phase": "Running"}), "InProgress: generation 2 is not handled yet, the latest handled one is 1")]
#[case::not_ready(json!({"phase": "Running", "conditions": [condition_of("Ready", "False", "", "")]}), "Current: cel.current is true")]
fn expressions_of_the_sync_take_the_place_of_the_rules(
    #[case] status: Value,
    #[case] expected: &str,
) {
    let expressions = HealthExpressions {
        in_progress: Some("has(status.busy) && status.busy".into()),
        failed: Some("status.phase == 'Broken'".into()),
        current: "status.phase == 'Running'".into(),
    };
    let object = json!({"apiVersion": "example.com/v1", "kind": "Database", "metadata": {"name": "a", "generation": 2}, "status": status});
    assert_eq!(ruled(&expressions, &object), expected);
}

#[test]
fn an_object_that_goes_is_not_healthy_whatever_the_expressions_say() {
    let object = json!({"apiVersion": "example.com/v1", "kind": "Database", "metadata": {"name": "a", "deletionTimestamp": "t"}});
    let expressions = HealthExpressions {
        current: "true".into(),
        ..HealthExpressions::default()
    };
    assert_eq!(ruled(&expressions, &object), "Terminating: being deleted");
}

#[test]
fn an_expression_that_does_not_compile_is_named() {
    let expressions = HealthExpressions {
        current: "true".into(),
        failed: Some("status.phase ==".into()),
        ..HealthExpressions::default()
    };
    let id = ObjectId {
        group: String::new(),
        kind: "A".into(),
        namespace: String::new(),
        name: "a".into(),
    };
    let error = Rules::default().add(id, &expressions).unwrap_err();
    assert_eq!(error.field, "cel.failed");
    assert!(
        matches!(error.source, crate::cel::Error::Syntax { line: 1, .. }),
        "{error:?}"
    );
}

proptest! {
    #[test]
    fn no_shape_of_status_makes_the_rules_panic(
        kind in prop_oneof![Just("Deployment"), Just("StatefulSet"), Just("DaemonSet"), Just("Pod"), Just("Job"), Just("Service")],
        group in prop_oneof![Just("v1"), Just("apps/v1"), Just("batch/v1")],
        status in prop_oneof![Just(json!(null)), Just(json!("x")), Just(json!([1])), Just(json!({"conditions": "x"})),
            Just(json!({"conditions": [null, 1, {"type": 1}]})), Just(json!({"containerStatuses": [1, {"state": 2}], "phase": "Running"})),
            Just(json!({"replicas": "two", "desiredNumberScheduled": i64::MIN}))],
        replicas in any::<i32>(),
    ) {
        let object = json!({"apiVersion": group, "kind": kind, "spec": {"replicas": replicas}, "status": status});
        prop_assert!(!assess(&object).message.is_empty());
    }
}
