//! `workloads`: what runs, from which image, and what is decided about it.

use flux_crds::ImagePolicy;
use serde_json::{Value, json};

use crate::{
    args::{Connection, WorkloadsArgs},
    cluster::{Cluster, Scope},
    error::Error,
    output::{self, Format},
    streams::Streams,
    table::Table,
    workload::{
        Container, Policies, TagFilter, Workload, elsewhere, image_policies, in_scope, workloads,
    },
};

/// Prints the workloads.
pub(crate) async fn run(
    args: &WorkloadsArgs,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let cluster = Cluster::connect(connection).await?;
    let scope = Scope::of(args.all_namespaces);
    let mut found = workloads(&cluster, scope).await?;
    let is_asked = in_scope(scope, &cluster.namespace);
    for other in elsewhere(&cluster, is_asked, streams).await? {
        found.extend(other.workloads);
    }
    if let Some(name) = &args.container {
        for workload in &mut found {
            workload
                .containers
                .retain(|container| container.name == *name);
        }
        found.retain(|workload| !workload.containers.is_empty());
    }
    let policies = image_policies(&cluster).await?;
    if found.is_empty() {
        streams.say("no workloads found");
    }
    print(&found, &policies, args.output, streams)
}

fn print(
    found: &[Workload],
    policies: &[ImagePolicy],
    format: Format,
    streams: &mut Streams,
) -> Result<(), Error> {
    let list = || {
        found
            .iter()
            .map(|one| whole(one, policies))
            .collect::<Vec<_>>()
            .into()
    };
    match format {
        Format::Table | Format::Wide if found.is_empty() => Ok(()),
        Format::Table | Format::Wide => {
            streams.data(&table(found, policies, format == Format::Wide).render())
        }
        Format::Json => streams.data(&output::json(&list())),
        Format::Yaml => streams.data(&flux_kustomize::to_yaml(&list())),
        Format::Name => found
            .iter()
            .try_for_each(|workload| streams.line(&workload.id)),
    }
}

fn table(found: &[Workload], policies: &[ImagePolicy], is_wide: bool) -> Table {
    let mut header = vec!["WORKLOAD", "CONTAINER", "IMAGE", "RELEASE", "POLICY"];
    if is_wide {
        header.push("SYNC");
    }
    let mut table = Table::new(header);
    for workload in found {
        for (index, container) in workload.containers.iter().enumerate() {
            let policy = policy_cell(workload, container, policies, index == 0);
            let (name, image) = (container.name.clone(), container.image.clone());
            if index > 0 {
                table.push_more(vec![String::new(), name, image, String::new(), policy]);
                continue;
            }
            let mut row = vec![workload.id.to_string(), name, image];
            row.extend([workload.release().to_owned(), policy]);
            if is_wide {
                row.push(sync(workload).unwrap_or_default());
            }
            table.push_more(row);
        }
    }
    table
}

/// The words of the workload stand in its first line, the policy of an image in the image's.
fn policy_cell(
    workload: &Workload,
    container: &Container,
    policies: &[ImagePolicy],
    is_first: bool,
) -> String {
    let words = Policies::of(workload).words();
    let words = words.into_iter().filter(|_| is_first).map(str::to_owned);
    words
        .chain(image_policy(workload, container, policies))
        .collect::<Vec<_>>()
        .join(",")
}

fn image_policy(
    workload: &Workload,
    container: &Container,
    policies: &[ImagePolicy],
) -> Option<String> {
    let image: flux_core::image::Image = container.image.parse().ok()?;
    match TagFilter::of(workload, &container.name, &image.name, policies) {
        TagFilter::Policy(policy) => {
            let name = policy.metadata.name.as_deref().unwrap_or_default();
            let is_locked = if policy.spec.lock.is_some() {
                " (locked)"
            } else {
                ""
            };
            Some(format!("image/{name}{is_locked}"))
        }
        TagFilter::Annotation(_) | TagFilter::None => None,
    }
}

fn sync(workload: &Workload) -> Option<String> {
    let (namespace, name) = workload.sync.as_ref()?;
    Some(format!("{namespace}/{name}"))
}

fn whole(workload: &Workload, policies: &[ImagePolicy]) -> Value {
    let container = |one: &Container| json!({"name": one.name, "image": one.image, "imagePolicy": image_policy(workload, one, policies)});
    json!({
        "id": workload.id.to_string(),
        "containers": workload.containers.iter().map(container).collect::<Vec<_>>(),
        "release": workload.release(),
        "policies": Policies::of(workload).words(),
        "sync": sync(workload),
    })
}

#[cfg(test)]
mod tests {
    use flux_crds::{ImagePolicySpec, image_policy::Lock};

    use super::*;
    use crate::workload::WorkloadKind;

    #[test]
    fn every_container_has_a_line_and_the_workload_is_named_once() {
        let pod = json!({"containers": [
            {"name": "web", "image": "ghcr.io/org/web:1.2"}, {"name": "log", "image": "fluentd"},
        ]});
        let object = json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {
                "name": "web", "namespace": "shop", "generation": 1,
                "annotations": {"fluxcd.io/automated": "true"},
                "labels": {"flux.rs/sync": "apps", "flux.rs/sync-namespace": "flux"},
            },
            "spec": {"template": {"spec": pod}, "replicas": 1},
        });
        let lock = Lock {
            by: "ada".into(),
            reason: None,
        };
        let spec = ImagePolicySpec {
            image: "fluentd".into(),
            lock: Some(lock),
            ..ImagePolicySpec::default()
        };
        let found = [Workload::read(WorkloadKind::StatefulSet, object)];

        let table = table(&found, &[ImagePolicy::new("log", spec)], true).render();

        insta::assert_snapshot!(table, @r"
        WORKLOAD               CONTAINER   IMAGE                 RELEASE   POLICY               SYNC
        shop:statefulset/web   web         ghcr.io/org/web:1.2   started   automated            flux/apps
                               log         fluentd                         image/log (locked)
        ");
    }
}
