//! `check`: whether the cluster and the controller are well.

use std::fmt;

use flux_crds::names::CONTROLLER_NAMESPACE;
use k8s_openapi::{
    api::apps::v1::Deployment,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    apimachinery::pkg::version::Info,
};
use kube::Api;
use serde_json::{Value, json};

use super::version::{DEPLOYMENT, image};
use crate::{
    args::{CheckArgs, Connection},
    cluster::Cluster,
    error::Error,
    output::{self, Format},
    streams::Streams,
};

/// The oldest Kubernetes 1.x that has what we use.
const OLDEST_MINOR: u32 = 30;

/// What was found out about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finding {
    /// It is as it should be.
    Good(String),
    /// It is not, and what to do about it.
    Bad(String, &'static str),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good(what) => write!(f, "ok      {what}"),
            Self::Bad(what, _) => write!(f, "failed  {what}"),
        }
    }
}

/// Prints a line for each thing that must be so.
pub(crate) async fn run(
    args: &CheckArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let cluster = Cluster::connect(connection).await?;
    let version = cluster
        .client
        .apiserver_version()
        .await
        .map_err(Error::api("ask the API server for its version"))?;
    let mut findings = vec![kubernetes(&version)];
    if !args.pre {
        for expected in flux_crds::definitions() {
            findings.push(definition(&expected, &cluster).await?);
        }
        findings.push(controller(&cluster).await?);
    }
    print(&findings, args.output, streams)?;
    let failed = findings
        .iter()
        .filter(|finding| matches!(finding, Finding::Bad(..)))
        .count();
    if failed == 0 {
        Ok(())
    } else {
        Err(Error::Failed(format!(
            "{failed} of {} checks failed",
            findings.len()
        )))
    }
}

fn print(findings: &[Finding], format: Format, streams: &mut Streams) -> Result<(), Error> {
    match format {
        Format::Json => streams.data(&output::json(&whole(findings))),
        Format::Yaml => streams.data(&flux_kustomize::to_yaml(&whole(findings))),
        Format::Table | Format::Wide | Format::Name => findings.iter().try_for_each(|finding| {
            streams.line(finding)?;
            if let Finding::Bad(_, hint) = finding {
                streams.hint(hint);
            }
            Ok(())
        }),
    }
}

/// Returns the findings for programs.
fn whole(findings: &[Finding]) -> Value {
    let checks = findings.iter().map(|finding| match finding {
        Finding::Good(what) => json!({"ok": true, "message": what}),
        Finding::Bad(what, hint) => json!({"ok": false, "message": what, "hint": hint}),
    });
    json!({"checks": checks.collect::<Vec<_>>()})
}

fn kubernetes(version: &Info) -> Finding {
    let is_fit = version.major != "1" || minor(version).is_none_or(|minor| minor >= OLDEST_MINOR);
    if is_fit {
        Finding::Good(format!(
            "kubernetes {} is 1.{OLDEST_MINOR} or newer",
            version.git_version
        ))
    } else {
        Finding::Bad(
            format!(
                "kubernetes {} is older than 1.{OLDEST_MINOR}",
                version.git_version
            ),
            "upgrade the cluster first",
        )
    }
}

/// Some providers write `30+`.
fn minor(version: &Info) -> Option<u32> {
    let digits: String = version
        .minor
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

async fn definition(
    expected: &CustomResourceDefinition,
    cluster: &Cluster,
) -> Result<Finding, Error> {
    let name = expected.metadata.name.as_deref().unwrap_or_default();
    let api: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
    let found = api
        .get_opt(name)
        .await
        .map_err(Error::api(format!("get the definition {name}")))?;
    Ok(match found {
        None => Finding::Bad(
            format!("{name} is not installed"),
            "install it: kubectl flux install",
        ),
        Some(found) if !is_established(&found) => Finding::Bad(
            format!("{name} is not established"),
            "see why: kubectl describe crd",
        ),
        Some(found) if !serves(&found, expected) => Finding::Bad(
            format!("{name} is of another version than this plugin"),
            "bring it up to date: kubectl flux install",
        ),
        Some(_) => Finding::Good(format!("{name} is installed")),
    })
}

fn is_established(definition: &CustomResourceDefinition) -> bool {
    let conditions = definition
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|conditions| {
        conditions
            .iter()
            .any(|condition| condition.type_ == "Established" && condition.status == "True")
    })
}

/// The API server adds defaults to a definition, but it leaves the schema as it was applied.
fn serves(found: &CustomResourceDefinition, expected: &CustomResourceDefinition) -> bool {
    let schemas = |definition: &CustomResourceDefinition| {
        definition
            .spec
            .versions
            .iter()
            .map(|version| (version.name.clone(), version.schema.clone()))
            .collect::<Vec<_>>()
    };
    schemas(found) == schemas(expected)
}

async fn controller(cluster: &Cluster) -> Result<Finding, Error> {
    let api: Api<Deployment> = Api::namespaced(cluster.client.clone(), CONTROLLER_NAMESPACE);
    let found = api
        .get_opt(DEPLOYMENT)
        .await
        .map_err(Error::api("get the controller's Deployment"))?;
    let Some(deployment) = found else {
        return Ok(Finding::Bad(
            "the controller is not installed".into(),
            "install it: kubectl flux install",
        ));
    };
    let image = image(&deployment).unwrap_or_default();
    let ready = deployment
        .status
        .as_ref()
        .and_then(|status| status.ready_replicas)
        .unwrap_or_default();
    Ok(if ready > 0 {
        Finding::Good(format!("the controller is ready ({image})"))
    } else {
        Finding::Bad(
            format!("the controller is not ready ({image})"),
            "see why: kubectl -n flux-system describe pods",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(major: &str, minor: &str) -> Info {
        Info {
            major: major.into(),
            minor: minor.into(),
            git_version: format!("v{major}.{minor}.0"),
            ..Info::default()
        }
    }

    #[test]
    fn programs_get_every_check_with_its_hint() {
        let findings = [
            Finding::Good("a is well".into()),
            Finding::Bad("b is not".into(), "mend it"),
        ];
        assert_eq!(
            whole(&findings),
            json!({"checks": [
                {"ok": true, "message": "a is well"},
                {"ok": false, "message": "b is not", "hint": "mend it"},
            ]})
        );
    }

    #[test]
    fn an_old_kubernetes_is_found() {
        assert!(matches!(kubernetes(&version("1", "29")), Finding::Bad(..)));
        for fit in [version("1", "30+"), version("1", "37"), version("2", "0")] {
            assert!(matches!(kubernetes(&fit), Finding::Good(_)), "{fit:?}");
        }
    }

    #[test]
    fn a_definition_of_another_version_is_found() {
        let [expected, other, _] = flux_crds::definitions();
        assert!(serves(&expected, &expected));
        assert!(!serves(&other, &expected));
    }
}
