use clap::Parser as _;

use super::super::{git, image, sync, tenant};
use super::*;
use crate::args::{Cli, Command, CreateCommand};

/// Returns what `create … --export` prints.
fn exported(line: &str) -> String {
    let words = ["kubectl-flux", "create"]
        .into_iter()
        .chain(line.split_whitespace());
    let cli = Cli::try_parse_from(words).expect("a valid command line");
    let Command::Create(create) = cli.command else {
        return String::new();
    };
    let (mut objects, write) = match create {
        CreateCommand::Git(args) => (
            vec![git::build(&args).expect("a valid repository")],
            args.write,
        ),
        CreateCommand::Sync(args) => (vec![sync::build(&args).expect("a valid sync")], args.write),
        CreateCommand::Image(args) => (
            vec![image::build(&args).expect("a valid policy")],
            args.write,
        ),
        CreateCommand::Tenant(args) => (tenant::build(&args), args.write),
        CreateCommand::Secret(_) => (Vec::new(), WriteArgs::default()),
    };
    complete_all(
        &mut objects,
        cli.connection.namespace.as_deref(),
        &write.labels,
    );
    let manifests: Vec<_> = objects
        .into_iter()
        .map(|object| output::in_reading_order(object.manifest))
        .collect();
    output::yaml_stream(&manifests)
}

#[test]
fn a_repository_has_what_the_flags_say_and_nothing_else() {
    let line = "git fleet -n shop --url https://git.example.com/fleet --semver >=1.0.0 --verify-secret keys --verify-mode Tag --access-from team-a --label team=a";
    insta::assert_snapshot!(exported(line), @r#"
    ---
    apiVersion: flux.rs/v1alpha1
    kind: GitRepository
    metadata:
      name: fleet
      namespace: shop
      labels:
        team: a
    spec:
      url: https://git.example.com/fleet
      ref:
        semver: ">=1.0.0"
      verify:
        mode: Tag
        secretRef:
          name: keys
      accessFrom:
      - namespace: team-a
    "#);
}

#[test]
fn a_sync_has_what_the_flags_say_and_nothing_else() {
    let line = "sync apps --source git/fleet --path ./deploy --prune=false --depends-on infra --depends-on shared/base --health-check Deployment/web --health-check batch/v1:Job/shop/migrate --deletion Orphan";
    insta::assert_snapshot!(exported(line), @r"
    ---
    apiVersion: flux.rs/v1alpha1
    kind: Sync
    metadata:
      name: apps
    spec:
      sourceRef:
        name: fleet
      path: ./deploy
      prune: false
      deletion: Orphan
      dependsOn:
      - name: infra
      - name: base
        namespace: shared
      healthChecks:
      - kind: Deployment
        name: web
      - apiVersion: batch/v1
        kind: Job
        name: migrate
        namespace: shop
    ");
}

#[test]
fn a_tenant_may_act_in_its_own_namespaces_alone() {
    insta::assert_snapshot!(exported("tenant team-a --with-namespace dev --cluster-role edit"), @r"
    ---
    apiVersion: v1
    kind: Namespace
    metadata:
      name: dev
      labels:
        flux.rs/tenant: team-a
    ---
    apiVersion: v1
    kind: ServiceAccount
    metadata:
      name: team-a
      namespace: dev
      labels:
        flux.rs/tenant: team-a
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata:
      name: team-a
      namespace: dev
      labels:
        flux.rs/tenant: team-a
    roleRef:
      apiGroup: rbac.authorization.k8s.io
      kind: ClusterRole
      name: edit
    subjects:
    - kind: ServiceAccount
      name: team-a
      namespace: dev
    ");
}

#[test]
fn a_policy_has_what_the_flags_say_and_nothing_else() {
    let line = "image app --image ghcr.io/org/app --semver ^1.0 --exclude -rc --digest Always --repository fleet --update-path ./apps --strategy Images";
    insta::assert_snapshot!(exported(line), @r"
    ---
    apiVersion: flux.rs/v1alpha1
    kind: ImagePolicy
    metadata:
      name: app
    spec:
      image: ghcr.io/org/app
      filter:
        exclude:
        - -rc
      policy:
        semver:
          range: ^1.0
      digest: Always
      update:
      - repository:
          name: fleet
        path: ./apps
        strategy: Images
    ");
}

#[test]
fn a_repository_that_is_written_to_says_how() {
    let line = "git fleet --url https://git.example.com/fleet --write-branch main --write-author Bot<bot@example.com> --signing-secret key";
    insta::assert_snapshot!(exported(line), @r"
    ---
    apiVersion: flux.rs/v1alpha1
    kind: GitRepository
    metadata:
      name: fleet
    spec:
      url: https://git.example.com/fleet
      write:
        branch: main
        author:
          name: Bot
          email: bot@example.com
        signingKey:
          secretRef:
            name: key
    ");
}
