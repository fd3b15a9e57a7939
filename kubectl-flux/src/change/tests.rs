use flux_kustomize::MemoryTree;

use super::*;

const WEB: &str = "\
# The shop.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      initContainers:
      - {name: init, image: 'busybox:1.36'} # stays
      containers:
      - name: web
        image: ghcr.io/org/web:1.0 # the image
";

fn request(id: &str, wish: Wish) -> Request {
    let sync = Sync::test().with_path("./deploy");
    Request {
        id: WorkloadId::read(id, "shop").expect("a workload"),
        sync,
        wish,
    }
}

fn images(id: &str, wanted: &[(&str, &str)]) -> Request {
    let image = |(container, image): &(&str, &str)| Wanted {
        container: (*container).to_owned(),
        image: image.parse().expect("an image"),
    };
    let wanted = wanted.iter().map(image).collect();
    request(
        id,
        Wish::Images {
            wanted,
            force: false,
        },
    )
}

fn file(plan: &Plan, path: &str) -> String {
    let bytes = plan.files.get(path).cloned().unwrap_or_default();
    String::from_utf8(bytes).expect("a text")
}

fn said(plan: &Plan) -> Vec<String> {
    let line = |outcome: &Outcome| {
        format!(
            "{} {} {}",
            outcome.id,
            outcome.status.word(),
            outcome.lines.join("; ")
        )
    };
    plan.outcomes.iter().map(line).collect()
}

#[test]
fn an_image_changes_in_the_file_that_has_it_and_nothing_else_does() {
    let tree = MemoryTree::new().file("deploy/web.yaml", WEB);

    let plan = Plan::make(
        &tree,
        &[images("deployment/web", &[("web", "ghcr.io/org/web:1.1")])],
    );

    assert_eq!(
        said(&plan),
        ["shop:deployment/web success web: ghcr.io/org/web:1.0 -> 1.1"]
    );
    assert_eq!(
        file(&plan, "deploy/web.yaml"),
        WEB.replace("web:1.0", "web:1.1")
    );
    assert_eq!(plan.changes.len(), 1);
}

#[test]
fn several_containers_of_a_file_change_together() {
    let tree = MemoryTree::new().file("deploy/web.yaml", WEB);
    let wanted = [("web", "ghcr.io/org/web:1.1"), ("init", "busybox:1.37")];

    let plan = Plan::make(&tree, &[images("deployment/web", &wanted)]);

    let expected = WEB.replace("web:1.0", "web:1.1").replace("1.36", "1.37");
    assert_eq!(file(&plan, "deploy/web.yaml"), expected);
}

#[test]
fn an_object_that_a_kustomization_renames_is_found_in_its_file() {
    let kustomization = "namePrefix: blue-\nnamespace: shop\nresources: [../base]\n";
    let tree = MemoryTree::new()
        .file("deploy/kustomization.yaml", kustomization)
        .file("base/kustomization.yaml", "resources: [web.yaml]\n")
        .file("base/web.yaml", WEB);

    let plan = Plan::make(
        &tree,
        &[images(
            "deployment/blue-web",
            &[("web", "ghcr.io/org/web:1.1")],
        )],
    );

    assert_eq!(
        file(&plan, "base/web.yaml"),
        WEB.replace("web:1.0", "web:1.1"),
        "{:?}",
        said(&plan)
    );
}

#[test]
fn an_image_that_a_kustomization_sets_changes_there() {
    let kustomization = "resources: [web.yaml]\nimages:\n- name: ghcr.io/org/web\n  newTag: \"1.5\" # set by hand\n";
    let tree = MemoryTree::new()
        .file("deploy/kustomization.yaml", kustomization)
        .file("deploy/web.yaml", WEB);

    let plan = Plan::make(
        &tree,
        &[images("deployment/web", &[("web", "ghcr.io/org/web:1.6")])],
    );

    assert_eq!(
        said(&plan),
        ["shop:deployment/web success web: ghcr.io/org/web:1.5 -> 1.6"]
    );
    assert_eq!(plan.files.len(), 1);
    assert_eq!(
        file(&plan, "deploy/kustomization.yaml"),
        kustomization.replace("1.5", "1.6")
    );
}

#[test]
fn what_would_change_another_workload_too_is_refused() {
    let kustomization =
        "resources: [web.yaml, api.yaml]\nimages:\n- name: ghcr.io/org/web\n  newTag: \"1.5\"\n";
    let tree = MemoryTree::new()
        .file("deploy/kustomization.yaml", kustomization)
        .file("deploy/web.yaml", WEB)
        .file(
            "deploy/api.yaml",
            WEB.replace("name: web\nspec", "name: api\nspec"),
        );

    let plan = Plan::make(
        &tree,
        &[images("deployment/web", &[("web", "ghcr.io/org/web:1.6")])],
    );

    insta::assert_snapshot!(said(&plan).join("\n"), @"shop:deployment/web failed the edit would change Deployment/api (deploy/api.yaml:2) as well");
    assert!(plan.files.is_empty());
}

#[test]
fn what_the_sync_overrides_is_refused() {
    let tree = MemoryTree::new().file("deploy/web.yaml", WEB);
    let mut request = images("deployment/web", &[("web", "ghcr.io/org/web:1.6")]);
    request.sync.spec.images = vec![flux_crds::sync::Image {
        name: "ghcr.io/org/web".into(),
        new_tag: Some("1.0".into()),
        ..flux_crds::sync::Image::default()
    }];

    let plan = Plan::make(&tree, &[request]);

    insta::assert_snapshot!(said(&plan).join("\n"), @"shop:deployment/web failed deploy/web.yaml:2 is not what sets it: a kustomization or the Sync overrides the file");
    assert!(plan.files.is_empty());
}

#[test]
fn one_failure_leaves_the_others_alone() {
    let tree = MemoryTree::new().file("deploy/web.yaml", WEB).file(
        "deploy/api.yaml",
        WEB.replace("name: web\nspec", "name: api\nspec"),
    );
    let requests = [
        images("deployment/web", &[("nobody", "ghcr.io/org/web:1.1")]),
        images("deployment/gone", &[("web", "ghcr.io/org/web:1.1")]),
        images("deployment/api", &[("web", "ghcr.io/org/web:1.1")]),
        images("deployment/api", &[("web", "ghcr.io/org/web:1.1")]),
    ];

    let plan = Plan::make(&tree, &requests);

    insta::assert_snapshot!(said(&plan).join("\n"), @r"
    shop:deployment/web failed there is no container nobody in the repository
    shop:deployment/gone skipped not found in repository
    shop:deployment/api success web: ghcr.io/org/web:1.0 -> 1.1
    shop:deployment/api skipped image(s) up to date
    ");
    assert_eq!(plan.files.keys().collect::<Vec<_>>(), ["deploy/api.yaml"]);
}

#[test]
fn a_locked_workload_is_skipped_unless_forced() {
    let locked = WEB.replace(
        "  name: web\nspec",
        "  name: web\n  annotations: {fluxcd.io/locked: 'true'}\nspec",
    );
    let tree = MemoryTree::new().file("deploy/web.yaml", locked);
    let mut request = images("deployment/web", &[("web", "ghcr.io/org/web:1.1")]);

    let plan = Plan::make(&tree, std::slice::from_ref(&request));
    assert_eq!(said(&plan), ["shop:deployment/web skipped locked"]);

    if let Wish::Images { force, .. } = &mut request.wish {
        *force = true;
    }
    assert_eq!(
        Plan::make(&tree, &[request]).outcomes[0].status,
        Status::Success
    );
}

#[test]
fn a_digest_is_written_only_where_there_is_one() {
    let old = format!("sha256:{}", "a".repeat(64));
    let new = format!("sha256:{}", "b".repeat(64));
    let pinned = WEB.replace("web:1.0", &format!("web:1.0@{old}"));
    let wanted = format!("ghcr.io/org/web:1.1@{new}");
    let request = images("deployment/web", &[("web", &wanted)]);

    let tree = MemoryTree::new().file("deploy/web.yaml", pinned.clone());
    let plan = Plan::make(&tree, std::slice::from_ref(&request));
    let expected = WEB.replace("web:1.0", &format!("web:1.1@{new}"));
    assert_eq!(
        file(&plan, "deploy/web.yaml"),
        expected,
        "{:?}",
        said(&plan)
    );

    let tree = MemoryTree::new().file("deploy/web.yaml", WEB);
    let plan = Plan::make(&tree, &[request]);
    assert_eq!(
        file(&plan, "deploy/web.yaml"),
        WEB.replace("web:1.0", "web:1.1")
    );
}

#[test]
fn annotations_are_set_and_removed_by_the_key_that_is_there() {
    let annotated = WEB.replace(
        "  name: web\nspec",
        "  name: web\n  annotations:\n    flux.weave.works/automated: \"false\" # since May\n    fluxcd.io/locked: \"true\"\nspec",
    );
    let tree = MemoryTree::new().file("deploy/web.yaml", annotated.clone());
    let annotations = vec![
        Annotation::set("automated", "true"),
        Annotation::remove("locked"),
        Annotation::tag("web", "semver:~1.0"),
    ];

    let plan = Plan::make(
        &tree,
        &[request("deployment/web", Wish::Annotations(annotations))],
    );

    insta::assert_snapshot!(said(&plan).join("\n"), @"shop:deployment/web success flux.weave.works/automated: true; fluxcd.io/locked removed; fluxcd.io/tag.web: semver:~1.0");
    let written = file(&plan, "deploy/web.yaml");
    assert!(
        written.contains("flux.weave.works/automated: \"true\" # since May\n"),
        "{written}"
    );
    assert!(written.contains("semver:~1.0"), "{written}");
    assert!(!written.contains("locked"), "{written}");
}

#[test]
fn a_workload_without_annotations_gets_its_first_and_loses_its_last() {
    let tree = MemoryTree::new().file("deploy/web.yaml", WEB);
    let wish = Wish::Annotations(vec![Annotation::tag_all("glob:1.*")]);
    let plan = Plan::make(&tree, &[request("deployment/web", wish)]);
    let written = file(&plan, "deploy/web.yaml");
    assert!(
        written.contains("fluxcd.io/tag.init") && written.contains("fluxcd.io/tag.web"),
        "{written}"
    );

    let tree = MemoryTree::new().file("deploy/web.yaml", written);
    let wish = Wish::Annotations(vec![Annotation::tag_all("*")]);
    let plan = Plan::make(&tree, &[request("deployment/web", wish)]);
    assert_eq!(file(&plan, "deploy/web.yaml"), WEB, "{:?}", said(&plan));

    let wish = Wish::Annotations(vec![Annotation::remove("automated")]);
    let tree = MemoryTree::new().file("deploy/web.yaml", WEB);
    let plan = Plan::make(&tree, &[request("deployment/web", wish)]);
    assert_eq!(said(&plan), ["shop:deployment/web skipped no change"]);
}
