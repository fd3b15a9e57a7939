//! Whether a Sync that another one depends on is ready for it.

use std::collections::HashSet;
use std::sync::Arc;

use flux_core::cel::{self, Expression};
use flux_core::conclude::condition;
use flux_crds::sync::Dependency;
use flux_crds::{ConditionType, Reason, Sync};
use serde_json::Value;

use super::halt::Halt;
use super::wakeups::source_key;
use crate::context::Context;
use crate::key::Key;
use crate::report::chain;

/// What `dependsOn[].ready` speaks of: this Sync and the other one.
const VARIABLES: [&str; 2] = ["self", "dep"];

/// Returns the key of a dependency.
pub(crate) fn key(own: &str, wanted: &Dependency) -> Key {
    Key::new(wanted.namespace.as_deref().unwrap_or(own), &wanted.name)
}

/// Refuses expressions that cannot be evaluated, or must not be: whoever may ask anything about an object and sees the answer
/// can read all of it, so that expressions about Syncs of other namespaces are for those who run the controller.
pub(crate) fn compile(sync: &Sync, runtime_namespace: &str) -> Result<(), Halt> {
    let own = sync.metadata.namespace.as_deref().unwrap_or_default();
    let texts = sync.spec.depends_on.iter().enumerate();
    for (index, text) in texts.filter_map(|(index, wanted)| Some((index, wanted.ready.as_ref()?))) {
        let is_foreign = |wanted: &Dependency| &*key(own, wanted).namespace != own;
        if own != runtime_namespace && sync.spec.depends_on.get(index).is_some_and(is_foreign) {
            let message = format!(
                "spec.dependsOn[{index}].ready: a Sync of another namespace may be asked for by Syncs in {runtime_namespace} \
                 only; remove the expression, or depend on a Sync of {own}"
            );
            return Err(Halt::stalled(Reason::AccessDenied, message));
        }
        Expression::compile_over(text, &VARIABLES).map_err(|error| {
            let message = format!("spec.dependsOn[{index}].ready: {error}");
            Halt::stalled(Reason::InvalidSpec, message)
        })?;
    }
    Ok(())
}

/// Waits for all dependencies of a Sync; `revision` is the one to keep in step with.
pub(crate) fn all(context: &Context, sync: &Sync, revision: Option<&str>) -> Result<(), Halt> {
    let own = sync.metadata.namespace.as_deref().unwrap_or_default();
    for wanted in &sync.spec.depends_on {
        let key = key(own, wanted);
        let why = match context.syncs.get(&key) {
            None => format!("Sync {key} does not exist"),
            Some(dependency) => match check(sync, wanted, &dependency, revision) {
                Ok(()) => continue,
                Err(why) => match circle(&Key::of(&sync.metadata), &key, &|key| {
                    context.syncs.get(key)
                }) {
                    Some(circle) => format!("dependsOn goes round in a circle: {circle}"),
                    None => format!("Sync {key} {why}"),
                },
            },
        };
        return Err(Halt::waiting(
            Reason::DependencyNotReady,
            format!("waiting: {why}"),
        ));
    }
    Ok(())
}

/// Returns the way from a Sync over one that it depends on back to itself, if there is one.
fn circle(own: &Key, first: &Key, get: &dyn Fn(&Key) -> Option<Arc<Sync>>) -> Option<String> {
    let mut ways = vec![vec![own.clone(), first.clone()]];
    let mut seen = HashSet::from([first.clone()]);
    while let Some(way) = ways.pop() {
        let Some(sync) = way.last().and_then(get) else {
            continue;
        };
        let namespace = sync.metadata.namespace.as_deref().unwrap_or_default();
        for wanted in &sync.spec.depends_on {
            let next = key(namespace, wanted);
            let is_back = next == *own;
            if is_back || seen.insert(next.clone()) {
                let way: Vec<Key> = way.iter().cloned().chain([next]).collect();
                if is_back {
                    let names: Vec<String> = way.iter().map(Key::to_string).collect();
                    return Some(names.join(" -> "));
                }
                ways.push(way);
            }
        }
    }
    None
}

/// Says what a dependency lacks, if anything: it must be ready for its own newest spec, also by the expression of the one
/// that waits, and when both follow the same source, be at this very revision if there is one to keep in step with. Without
/// that, a Sync would run ahead of a dependency that has not seen the commit yet.
pub(crate) fn check(
    sync: &Sync,
    wanted: &Dependency,
    dependency: &Sync,
    revision: Option<&str>,
) -> Result<(), String> {
    let not_ready = || Err("is not ready".to_owned());
    let Some(status) = &dependency.status else {
        return not_ready();
    };
    let ready = condition(&status.conditions, ConditionType::Ready).is_some_and(|ready| {
        ready.status == "True" && ready.observed_generation == dependency.metadata.generation
    });
    let same_source = source_key(dependency) == source_key(sync);
    let behind = revision.is_some() && status.last_applied_revision.as_deref() != revision;
    if !ready || (same_source && behind) {
        return not_ready();
    }
    let Some(text) = &wanted.ready else {
        return Ok(());
    };
    match evaluate(text, sync, dependency) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("does not fulfil {text}")),
        Err(error) => Err(format!("does not fulfil {text}: {}", chain(&error))),
    }
}

fn evaluate(text: &str, sync: &Sync, dependency: &Sync) -> Result<bool, cel::Error> {
    // A Sync always serializes: it came from JSON.
    let value = |sync: &Sync| serde_json::to_value(sync).unwrap_or(Value::Null);
    let (own, other) = (value(sync), value(dependency));
    Expression::compile_over(text, &VARIABLES)?.holds([("self", &own), ("dep", &other)])
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use flux_crds::{Condition, SyncStatus};
    use serde_json::json;

    use super::*;

    fn ready(name: &str) -> Sync {
        let condition: Condition = serde_json::from_value(json!({
            "type": "Ready", "status": "True", "reason": "Applied", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }))
        .unwrap();
        let mut sync = Sync::test().named(name);
        sync.metadata.labels = Some([("track".to_owned(), "stable".to_owned())].into());
        sync.status = Some(SyncStatus {
            conditions: vec![condition],
            last_applied_revision: Some("main@sha1:1".into()),
            ..SyncStatus::default()
        });
        sync
    }

    const RUNTIME: &str = "flux-system";

    #[test]
    fn an_expression_about_a_foreign_sync_is_for_the_controllers_namespace() {
        let asks = |from: &str, about: Option<&str>, ready: Option<&str>| {
            let mut sync = ready_in(from);
            sync.spec.depends_on = vec![Dependency {
                name: "base".into(),
                namespace: about.map(str::to_owned),
                ready: ready.map(str::to_owned),
            }];
            compile(&sync, RUNTIME).map_err(|halt| halt.outcome.finding().reason)
        };
        let leak = Some("dep.spec.path.startsWith('./a')");
        assert_eq!(asks("team", Some("other"), leak), Err(Reason::AccessDenied));
        assert_eq!(asks("team", Some(RUNTIME), leak), Err(Reason::AccessDenied));
        assert_eq!(asks("team", Some("other"), None), Ok(()));
        assert_eq!(asks("team", Some("team"), leak), Ok(()));
        assert_eq!(asks("team", None, leak), Ok(()));
        assert_eq!(asks(RUNTIME, Some("other"), leak), Ok(()));
    }

    fn ready_in(namespace: &str) -> Sync {
        let mut sync = ready("apps");
        sync.metadata.namespace = Some(namespace.to_owned());
        sync
    }

    fn checked(expression: &str) -> Result<(), String> {
        let wanted = Dependency {
            name: "base".into(),
            ready: Some(expression.into()),
            ..Dependency::default()
        };
        check(&ready("apps"), &wanted, &ready("base"), None)
    }

    #[test]
    fn an_expression_must_be_true_as_well() {
        let same = "dep.metadata.labels.track == self.metadata.labels.track";
        assert_eq!(checked(same), Ok(()));
        let other = "dep.metadata.labels.track == 'edge'";
        assert_eq!(checked(other), Err(format!("does not fulfil {other}")));
        assert!(
            checked("dep.status.nothing == 1")
                .unwrap_err()
                .ends_with("there is no field nothing; ask has(…) first if it may be missing")
        );
    }

    #[test]
    fn a_circle_is_named_and_what_only_leads_to_one_is_none() {
        let depends = |name: &str, on: &[&str]| {
            let mut sync = Sync::test().named(name);
            sync.spec.depends_on = on
                .iter()
                .map(|name| Dependency {
                    name: (*name).into(),
                    ..Dependency::default()
                })
                .collect();
            (Key::of(&sync.metadata), Arc::new(sync))
        };
        let syncs: HashMap<Key, Arc<Sync>> = [
            depends("a", &["base", "b"]),
            depends("b", &["c"]),
            depends("c", &["a"]),
            depends("base", &[]),
            depends("outside", &["a"]),
        ]
        .into();
        let namespace = Sync::test().metadata.namespace.unwrap();
        let key = |name: &str| Key::new(&namespace, name);
        let found = |own, first| circle(&key(own), &key(first), &|key| syncs.get(key).cloned());
        let way = ["a", "b", "c", "a"].map(|name| format!("{namespace}/{name}"));
        assert_eq!(found("a", "b"), Some(way.join(" -> ")));
        assert_eq!(found("a", "base"), None);
        assert_eq!(found("outside", "a"), None);
    }

    #[test]
    fn a_dependency_that_is_not_ready_is_not_asked() {
        let wanted = Dependency {
            ready: Some("true".into()),
            ..Dependency::default()
        };
        let never = Sync::test().named("base");
        assert_eq!(
            check(&ready("apps"), &wanted, &never, None),
            Err("is not ready".into())
        );
    }

    #[test]
    fn an_expression_that_does_not_compile_is_refused_with_its_place() {
        let mut sync = ready("apps");
        for (text, message) in [
            ("dep.status ==", "spec.dependsOn[0].ready: line 1, column "),
            (
                "other.x == 1",
                "spec.dependsOn[0].ready: other is not defined here",
            ),
        ] {
            sync.spec.depends_on = vec![Dependency {
                ready: Some(text.into()),
                ..Dependency::default()
            }];
            let halt = compile(&sync, RUNTIME).unwrap_err();
            let found = &halt.outcome.finding().message;
            assert!(found.starts_with(message), "{found}");
        }
    }
}
