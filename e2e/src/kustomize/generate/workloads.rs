//! Kinds with pods in them.

use serde_json::{Value, json};

use super::{World, cluster::pairs};

/// Images in all forms.
const IMAGES: &[&str] = &[
    "nginx",
    "nginx:1.25",
    "ghcr.io/org/app:v1",
    "localhost:5000/app",
    "localhost:5000/app:2",
    "nginx@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3",
    "nginx:1@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3",
    "my-nginx:1",
    "docker.io/library/nginx",
];

pub(super) fn deployment(world: &mut World) -> Value {
    let mut spec = json!({"selector": {"matchLabels": {"app": "x"}}, "template": template(world)});
    if world.chance.one_in(2) {
        spec["replicas"] = json!(1);
    }
    if world.chance.one_in(6) {
        spec["strategy"] = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}});
    }
    json!({ "spec": spec })
}

pub(super) fn stateful_set(world: &mut World) -> Value {
    let claim = json!({"metadata": {"name": "data"}, "spec": {"storageClassName": world.name()}});
    let service = world.name();
    json!({"spec": {
        "serviceName": service, "replicas": 2, "selector": {"matchLabels": {"app": "x"}},
        "template": template(world), "volumeClaimTemplates": [claim],
    }})
}

pub(super) fn daemon_set(world: &mut World) -> Value {
    json!({"spec": {"selector": {"matchLabels": {"app": "x"}}, "template": template(world)}})
}

pub(super) fn job(world: &mut World) -> Value {
    json!({"spec": {"template": template(world)}})
}

pub(super) fn cron_job(world: &mut World) -> Value {
    json!({"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template(world)}}}})
}

fn template(world: &mut World) -> Value {
    let spec = pod(world);
    if world.chance.one_in(6) {
        return json!({ "spec": spec });
    }
    json!({"metadata": {"labels": {"app": "x"}}, "spec": spec})
}

/// The spec of a pod.
pub(super) fn pod(world: &mut World) -> Value {
    let names = ["main", "helper", "late"];
    let count = world.chance.between(1, 2);
    let containers: Vec<Value> = names
        .iter()
        .take(count)
        .map(|name| container(world, name))
        .collect();
    let mut pod = json!({ "containers": containers });
    if world.chance.one_in(4) {
        pod["initContainers"] = json!([container(world, "init")]);
    }
    if world.chance.one_in(3) {
        pod["serviceAccountName"] = world.chance.pick(&["web", "db", "default"]).into();
    }
    if world.chance.one_in(2) {
        let count = world.chance.between(1, 3);
        let volumes: Vec<Value> = (0..count).map(|at| volume(world, at)).collect();
        pod["volumes"] = Value::Array(volumes);
    }
    if world.chance.one_in(6) {
        pod["imagePullSecrets"] = json!([{"name": world.name()}]);
    }
    if world.chance.one_in(8) {
        pod["priorityClassName"] = world.name().into();
    }
    if world.chance.one_in(8) {
        pod["tolerations"] = json!([{"key": "a", "operator": "Exists"}]);
    }
    if world.chance.one_in(8) {
        let selector = json!({"matchLabels": pairs(world)});
        let term = json!({"labelSelector": selector, "topologyKey": "zone"});
        pod["affinity"] = json!({
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]},
            "podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}]},
        });
        pod["topologySpreadConstraints"] = json!([{
            "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector,
        }]);
    }
    if world.chance.one_in(10) {
        pod["hostAliases"] = json!([{"ip": "127.0.0.1", "hostnames": ["a", "b"]}]);
    }
    pod
}

fn container(world: &mut World, name: &str) -> Value {
    let mut container = json!({"name": name, "image": world.chance.pick(IMAGES)});
    if world.chance.one_in(3) {
        container["env"] = json!([{"name": "HOST", "value": world.word()}, environment(world)]);
    }
    if world.chance.one_in(5) {
        let kind = world.chance.pick(&["configMapRef", "secretRef"]);
        container["envFrom"] = json!([{kind: {"name": world.name()}}]);
    }
    if world.chance.one_in(3) {
        container["ports"] = json!([{"name": "http", "containerPort": 80, "protocol": "TCP"}]);
    }
    if world.chance.one_in(5) {
        container["command"] = json!(["run", "--host=$(HOST)", "$(PORT)", "$$(HOST)"]);
    }
    if world.chance.one_in(5) {
        container["args"] = json!(["--a", "$(HOST)-$(UNKNOWN)"]);
    }
    if world.chance.one_in(5) {
        container["volumeMounts"] =
            json!([{"name": "v0", "mountPath": "/a"}, {"name": "v1", "mountPath": "/b"}]);
    }
    if world.chance.one_in(6) {
        container["resources"] =
            json!({"limits": {"cpu": "100m", "memory": "1Gi"}, "requests": {"cpu": 1}});
    }
    container
}

fn environment(world: &mut World) -> Value {
    let kind = world.chance.pick(&["configMapKeyRef", "secretKeyRef"]);
    let source = json!({kind: {"name": world.name(), "key": "key"}});
    json!({"name": "FROM", "valueFrom": source})
}

fn volume(world: &mut World, at: usize) -> Value {
    let name = format!("v{at}");
    match world.chance.below(6) {
        0 => json!({"name": name, "emptyDir": {}}),
        1 => {
            json!({"name": name, "configMap": {"name": world.name(), "items": [{"key": "key", "path": "p"}]}})
        }
        2 => json!({"name": name, "secret": {"secretName": world.name(), "defaultMode": 420}}),
        3 => json!({"name": name, "persistentVolumeClaim": {"claimName": world.name()}}),
        4 => json!({"name": name, "hostPath": {"path": "/x"}}),
        _ => json!({"name": name, "projected": {"sources": [
            {"configMap": {"name": world.name()}}, {"secret": {"name": world.name()}},
        ]}}),
    }
}
