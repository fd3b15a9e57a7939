//! What the plugin says and does about workloads of another cluster.

use flux_crds::GitRepository;
use flux_e2e::{Plugin, wait};
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::clusters::{Other, elsewhere, remove_secret, secret};
use crate::stage::{APPS, SOURCE, Stage, deployment, map};

const ADA: &str = "Ada Lovelace <ada@example.com>";

#[tokio::test]
async fn the_plugin_shows_and_releases_the_workloads_of_the_other_cluster_or_says_why_not() {
    let stage = Stage::set().await;
    let other = Other::shared(&stage).await;
    secret(&stage, "value", &other.admin()).await;
    stage.create(&elsewhere(&stage)).await;
    let image = "registry.invalid/shop/web:1.2.3";
    let files = [
        ("web.yaml", deployment("web", image)),
        ("one.yaml", map("one", "a")),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let commit = stage.push(&files).await;
    stage.applied(&commit).await;
    let write = Patch::Merge(json!({"spec": {"write": {"branch": "main"}}}));
    let sources = stage.api::<GitRepository>();
    sources
        .patch(SOURCE, &PatchParams::default(), &write)
        .await
        .unwrap();
    other.run("web").await;
    let plugin = Plugin::in_namespace(&stage.control_plane, &stage.namespace)
        .await
        .unwrap();
    let workload = format!("{}:deployment/web", stage.name());
    let sync = format!("{}/{APPS}", stage.name());

    let said = plugin.run(&["workloads", "-o", "wide"]).await.unwrap();
    assert_eq!(said.code, 0, "{said}");
    let line = said.stdout.lines().find(|line| line.contains(&workload));
    let line = line.unwrap_or_default();
    assert!(line.contains(image) && line.contains("ready"), "{said}");
    assert!(line.ends_with(&sync), "{said}");
    let note = format!("note: the workloads of Sync {sync} run in another cluster");
    assert!(said.stderr.contains(&note), "{said}");

    for words in [vec!["images"], vec!["images", "-w", "deployment/web"]] {
        let said = plugin.run(&words).await.unwrap();
        assert!(said.stdout.contains(&workload), "{said}");
        assert!(said.stdout.contains("registry.invalid/shop/web"), "{said}");
    }

    changes(&stage, &other, &plugin).await;

    remove_secret(&stage).await;
    let said = plugin.run(&["workloads"]).await.unwrap();
    assert_eq!(said.code, 0, "{said}");
    assert!(!said.stdout.contains(&workload), "{said}");
    let note =
        format!("note: the workloads of Sync {sync} run in another cluster and are not shown");
    assert!(said.stderr.contains(&note), "{said}");
    assert!(said.stderr.contains("staging"), "names the Secret: {said}");
}

/// Automates and releases the workload there, by commits.
async fn changes(stage: &Stage, other: &Other, plugin: &Plugin) {
    let automate = ["automate", "-w", "deployment/web", "--user", ADA];
    let said = plugin.run(&automate).await.unwrap();
    assert_eq!(said.code, 0, "{said}");
    let file = || stage.repo.git_bare(&["show", "main:web.yaml"]).unwrap();
    assert!(
        file().contains("fluxcd.io/automated: \"true\""),
        "{}",
        file()
    );
    let newer = "registry.invalid/shop/web:1.2.4";
    let release = ["release", "-w", "deployment/web", "-i", newer, "--force"];
    let release = [&release[..], &["--user", ADA, "--watch"]].concat();
    let deployments = other.api::<Deployment>();
    let is_released = |web: &Deployment| {
        let text = serde_json::to_string(web).unwrap();
        text.contains(newer)
    };
    let runs = async {
        wait::until(&deployments, "web", "is released", is_released)
            .await
            .unwrap();
        other.run("web").await;
    };
    let (said, ()) = tokio::join!(plugin.run(&release), runs);
    let said = said.unwrap();
    assert_eq!(said.code, 0, "{said}");
    assert!(said.stdout.contains("All workloads ready."), "{said}");
    assert!(file().contains(newer), "{}", file());
}
