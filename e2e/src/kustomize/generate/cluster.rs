//! Objects of many kinds that name each other.

use serde_json::{Map, Value, json};

use super::{NAMESPACES, World, workloads};
use crate::kustomize::text::raw;

/// Tells whether two objects would be one.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    let space = |object: &Value| {
        let space = object["metadata"]["namespace"].as_str();
        space.unwrap_or("default").to_owned()
    };
    a["kind"] == b["kind"] && a["metadata"]["name"] == b["metadata"]["name"] && space(a) == space(b)
}

/// Makes an object.
pub(super) fn object(world: &mut World) -> Value {
    let (version, kind, mut body) = match world.chance.below(24) {
        0..4 => ("apps/v1", "Deployment", workloads::deployment(world)),
        4 => ("apps/v1", "StatefulSet", workloads::stateful_set(world)),
        5 => ("apps/v1", "DaemonSet", workloads::daemon_set(world)),
        6 => ("batch/v1", "Job", workloads::job(world)),
        7 => ("batch/v1", "CronJob", workloads::cron_job(world)),
        8 => ("v1", "Pod", json!({"spec": workloads::pod(world)})),
        9..11 => ("v1", "Service", service(world)),
        11..14 => ("v1", "ConfigMap", config_map(world)),
        14 => ("v1", "Secret", secret(world)),
        15 => ("v1", "ServiceAccount", service_account(world)),
        16 => custom(world),
        17 => role(world),
        18 => binding(world),
        19 => storage(world),
        20 => webhook(world),
        21 => traffic(world),
        22 => scaling(world),
        _ => odd(world),
    };
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), version.into());
    object.insert("kind".to_owned(), kind.into());
    object.insert("metadata".to_owned(), metadata(world, kind));
    if let Value::Object(fields) = body.take() {
        object.extend(fields);
    }
    Value::Object(object)
}

fn metadata(world: &mut World, kind: &str) -> Value {
    let mut metadata = json!({"name": world.name()});
    let cluster = kind.starts_with("Cluster") || ["Namespace", "PersistentVolume"].contains(&kind);
    if world.chance.one_in(if cluster { 40 } else { 4 }) {
        metadata["namespace"] = world.chance.pick(NAMESPACES).into();
    }
    if world.chance.one_in(4) {
        metadata["labels"] = written_pairs(world);
    }
    if world.chance.one_in(6) {
        metadata["annotations"] = written_pairs(world);
    }
    if world.chance.one_in(20) {
        let name = world.chance.pick(&[
            "config.kubernetes.io/local-config",
            "kustomize.config.k8s.io/behavior",
            "kustomize.config.k8s.io/needs-hash",
            "internal.config.kubernetes.io/index",
        ]);
        let value = world.chance.pick(&["true", "false", "merge", "x"]);
        metadata["annotations"] = json!({ name: value });
    }
    if world.chance.one_in(20) {
        metadata["finalizers"] = json!(["a.io/x", "b.io/y"]);
    }
    metadata
}

/// A few labels.
pub(super) fn pairs(world: &mut World) -> Value {
    let mut pairs = Map::new();
    for _ in 0..world.chance.between(1, 2) {
        let key = world
            .chance
            .pick(&["app", "tier", "example.com/owner", "track"]);
        pairs.insert(key.to_owned(), world.word().into());
    }
    Value::Object(pairs)
}

/// A few labels, of which some may lack the quotes that they need.
pub(super) fn written_pairs(world: &mut World) -> Value {
    let mut pairs = pairs(world);
    for (_, text) in pairs.as_object_mut().into_iter().flatten() {
        if world.chance.one_in(6) {
            let bare = [
                "1.20",
                "0755",
                "True",
                "1_000",
                "2001-01-01",
                "8080",
                "0x1F",
            ];
            *text = raw(world.chance.pick(&bare));
        }
    }
    pairs
}

fn service(world: &mut World) -> Value {
    let mut spec =
        json!({"ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"}]});
    if world.chance.one_in(2) {
        spec["selector"] = pairs(world);
    }
    if world.chance.one_in(4) {
        let more = json!({"name": "admin", "port": 8080, "protocol": "TCP"});
        spec["ports"] = json!([spec["ports"][0].take(), more]);
    }
    if world.chance.one_in(6) {
        spec["type"] = "LoadBalancer".into();
    }
    json!({ "spec": spec })
}

/// A value of a config map: words, structured text, several lines.
fn datum(world: &mut World) -> Value {
    match world.chance.below(8) {
        0 => r#"{"host":"db","ports":[80,443],"deep":{"x":"<y>"}}"#.into(),
        1 => "{\n  \"host\": \"db\",\n  \"list\": [\n    \"a\"\n  ]\n}".into(),
        2 => "host: db\n# a comment\nlist:\n  - a\n  - name: x\n    value: y\n".into(),
        3 => "line one\nline two\n".into(),
        4 => format!("http://{}.{}:80/$(HOST)", world.name(), world.word()).into(),
        5 => world.name().into(),
        _ => world.word().into(),
    }
}

fn config_map(world: &mut World) -> Value {
    let mut data = Map::new();
    for _ in 0..world.chance.below(4) {
        let key = world
            .chance
            .pick(&["key", "config.json", "app.yaml", "HOST", "a.b-c_d"]);
        data.insert(key.to_owned(), datum(world));
    }
    if world.chance.one_in(6) {
        json!({})
    } else {
        json!({ "data": data })
    }
}

fn secret(world: &mut World) -> Value {
    let mut secret = json!({"type": "Opaque", "data": {"password": "aHVudGVyMg=="}});
    if world.chance.one_in(3) {
        secret["stringData"] = json!({"user": world.word()});
    }
    secret
}

fn service_account(world: &mut World) -> Value {
    if world.chance.one_in(2) {
        return json!({});
    }
    json!({"secrets": [{"name": world.name()}], "imagePullSecrets": [{"name": world.name()}]})
}

fn role(world: &mut World) -> (&'static str, &'static str, Value) {
    let kind = if world.chance.one_in(2) {
        "Role"
    } else {
        "ClusterRole"
    };
    let mut rule =
        json!({"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["get"]});
    if world.chance.one_in(2) {
        rule["resourceNames"] = json!([world.name(), world.name()]);
    }
    (
        "rbac.authorization.k8s.io/v1",
        kind,
        json!({"rules": [rule]}),
    )
}

fn binding(world: &mut World) -> (&'static str, &'static str, Value) {
    let kind = if world.chance.one_in(2) {
        "RoleBinding"
    } else {
        "ClusterRoleBinding"
    };
    let role = if world.chance.one_in(2) {
        "Role"
    } else {
        "ClusterRole"
    };
    let account = world.chance.pick(&["default", "web", "db"]);
    let mut subject = json!({"kind": "ServiceAccount", "name": account});
    if world.chance.one_in(2) {
        subject["namespace"] = world.chance.pick(NAMESPACES).into();
    }
    let mut subjects = vec![subject];
    if world.chance.one_in(4) {
        subjects.push(
            json!({"kind": "Group", "name": "default", "apiGroup": "rbac.authorization.k8s.io"}),
        );
    }
    let reference =
        json!({"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": world.name()});
    (
        "rbac.authorization.k8s.io/v1",
        kind,
        json!({"roleRef": reference, "subjects": subjects}),
    )
}

fn storage(world: &mut World) -> (&'static str, &'static str, Value) {
    let size = json!({"requests": {"storage": "1Gi"}});
    match world.chance.below(3) {
        0 => {
            let spec = json!({
                "accessModes": ["ReadWriteOnce"], "resources": size,
                "storageClassName": world.name(), "volumeName": world.name(),
            });
            ("v1", "PersistentVolumeClaim", json!({ "spec": spec }))
        }
        1 => {
            let claim =
                json!({"kind": "PersistentVolumeClaim", "name": world.name(), "namespace": "shop"});
            let spec = json!({
                "capacity": {"storage": "1Gi"}, "claimRef": claim, "storageClassName": world.name(),
                "csi": {"driver": "x", "volumeHandle": "y", "nodePublishSecretRef": {"name": world.name(), "namespace": "ops"}},
            });
            ("v1", "PersistentVolume", json!({ "spec": spec }))
        }
        _ => (
            "storage.k8s.io/v1",
            "StorageClass",
            json!({"provisioner": "x"}),
        ),
    }
}

fn webhook(world: &mut World) -> (&'static str, &'static str, Value) {
    let service =
        json!({"name": world.name(), "namespace": world.chance.pick(NAMESPACES), "path": "/x"});
    let client = json!({"service": service});
    match world.chance.below(4) {
        0 => (
            "apiregistration.k8s.io/v1",
            "APIService",
            json!({"spec": {"group": "g", "version": "v1", "service": service}}),
        ),
        1 => {
            let names = json!({"kind": "Gadget", "plural": "gadgets"});
            let conversion = json!({"strategy": "Webhook", "webhook": {"clientConfig": client}});
            let spec = json!({"group": "example.com", "names": names, "scope": "Cluster", "conversion": conversion});
            (
                "apiextensions.k8s.io/v1",
                "CustomResourceDefinition",
                json!({ "spec": spec }),
            )
        }
        n => {
            let kind = [
                "MutatingWebhookConfiguration",
                "ValidatingWebhookConfiguration",
            ][n - 2];
            let hook = json!({"name": "a.b.c", "clientConfig": client});
            (
                "admissionregistration.k8s.io/v1",
                kind,
                json!({"webhooks": [hook]}),
            )
        }
    }
}

fn traffic(world: &mut World) -> (&'static str, &'static str, Value) {
    if world.chance.one_in(3) {
        let peer = json!({"podSelector": {"matchLabels": pairs(world)}});
        let spec = json!({
            "podSelector": {"matchLabels": pairs(world)},
            "ingress": [{"from": [peer]}], "egress": [{"to": [peer]}],
        });
        return (
            "networking.k8s.io/v1",
            "NetworkPolicy",
            json!({ "spec": spec }),
        );
    }
    let backend = json!({"service": {"name": world.name(), "port": {"number": 80}}});
    let path = json!({"path": "/", "pathType": "Prefix", "backend": backend});
    let spec = json!({
        "ingressClassName": world.name(), "defaultBackend": backend,
        "tls": [{"hosts": ["a.example.com"], "secretName": world.name()}],
        "rules": [{"host": "a.example.com", "http": {"paths": [path]}}],
    });
    ("networking.k8s.io/v1", "Ingress", json!({ "spec": spec }))
}

fn scaling(world: &mut World) -> (&'static str, &'static str, Value) {
    if world.chance.one_in(2) {
        let selector = json!({"matchLabels": pairs(world)});
        return (
            "policy/v1",
            "PodDisruptionBudget",
            json!({"spec": {"selector": selector, "minAvailable": 1}}),
        );
    }
    let kind = world.chance.pick(&["Deployment", "StatefulSet", "Gadget"]);
    let version = if kind == "Gadget" {
        "example.com/v1"
    } else {
        "apps/v1"
    };
    let target = json!({"apiVersion": version, "kind": kind, "name": world.name()});
    let spec = json!({"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 3});
    (
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        json!({ "spec": spec }),
    )
}

/// A kind that nobody knows, with the scalars that YAML dialects read differently.
fn custom(world: &mut World) -> (&'static str, &'static str, Value) {
    let mut spec = Map::new();
    for key in ["mode", "ratio", "when", "flag"] {
        if world.chance.one_in(2) {
            let text = world.chance.pick(&[
                "0755",
                "0o17",
                "0x1F",
                "0b11",
                "1_000",
                "089",
                "1.0",
                "1e3",
                ".5",
                "1.",
                "-0",
                "+1",
                "0.10",
                "2001-01-01",
                "2001-01-01T10:00:00Z",
                "12:30:45",
                "yes",
                "No",
                "y",
                "on",
                "~",
                "NULL",
                "True",
                "18446744073709551616",
                "9223372036854775808",
                "1e400",
                "0x",
                "1__0",
                "- 1",
                "\"\\u00e9\\n\"",
                "'it''s'",
                "!!str 1",
                "!!int \"1\"",
                "!!binary aGk=",
                "a: b",
                "@x",
                "=",
                "|\n    text\n",
                ">\n    folded\n    text\n",
            ]);
            spec.insert(key.to_owned(), raw(text));
        }
    }
    let template = json!({"metadata": {"labels": pairs(world)}, "spec": workloads::pod(world)});
    spec.insert("template".to_owned(), template);
    spec.insert(
        "items".to_owned(),
        json!([{"name": "a", "value": 1}, {"name": "b", "value": {"deep": [1, 2]}}]),
    );
    spec.insert(
        "reference".to_owned(),
        json!({"kind": "ConfigMap", "name": world.name()}),
    );
    spec.insert("replicas".to_owned(), json!(1));
    ("example.com/v1", "Gadget", json!({ "spec": spec }))
}

fn odd(world: &mut World) -> (&'static str, &'static str, Value) {
    match world.chance.below(5) {
        0 | 1 => ("v1", "Namespace", json!({})),
        2 => (
            "scheduling.k8s.io/v1",
            "PriorityClass",
            json!({"value": 10}),
        ),
        3 => (
            "networking.k8s.io/v1",
            "IngressClass",
            json!({"spec": {"controller": "x"}}),
        ),
        _ => {
            let pod = workloads::pod(world);
            let template = json!({"metadata": {"labels": pairs(world)}, "spec": pod});
            (
                "v1",
                "ReplicationController",
                json!({"spec": {"selector": pairs(world), "template": template}}),
            )
        }
    }
}
