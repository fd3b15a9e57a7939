//! Bases and components in other repositories.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use flux_kustomize::{FileTree, MemoryTree, Options, Read, Remote, RemoteTrees, build};

const URL: &str = "https://git.example.com/org/base";

/// Repositories by `repository@ref`, and how often each was asked for.
#[derive(Debug, Default)]
struct Repositories {
    trees: BTreeMap<String, MemoryTree>,
    asked: Mutex<Vec<String>>,
}

impl RemoteTrees for Repositories {
    fn tree(&self, remote: &Remote) -> Result<Arc<dyn FileTree>, String> {
        let at = format!("{}@{}", remote.repository, remote.reference);
        self.asked.lock().expect("no panic").push(at.clone());
        match self.trees.get(&at) {
            Some(tree) => Ok(Arc::new(tree.clone())),
            None => Err("there is no such ref".to_owned()),
        }
    }
}

fn base() -> MemoryTree {
    MemoryTree::new()
        .file(
            "web/kustomization.yaml",
            "resources: [../shared/web.yaml]\nnamePrefix: base-\n",
        )
        .file(
            "shared/web.yaml",
            "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n",
        )
        .file(
            "label/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nlabels: [{pairs: {from: afar}}]\n",
        )
        .file("broken/kustomization.yaml", "resource: []\n")
        .file("outside/kustomization.yaml", "resources: [../../app]\n")
        .file("again/kustomization.yaml", format!("resources: ['{URL}//again?ref=v1']\n"))
}

fn options() -> (Arc<Repositories>, Options) {
    let repositories = Arc::new(Repositories {
        trees: [(format!("{URL}@v1"), base())].into(),
        ..Repositories::default()
    });
    let options = Options {
        remotes: Some(Arc::clone(&repositories) as _),
        explain: true,
        ..Options::default()
    };
    (repositories, options)
}

fn app(kustomization: &str) -> MemoryTree {
    MemoryTree::new().file("app/kustomization.yaml", kustomization)
}

fn errors(kustomization: &str, options: &Options) -> String {
    let failure = build(&app(kustomization), "app", options);
    failure.expect_err("the build fails").to_string()
}

#[test]
fn a_base_of_another_repository_is_built_from_its_files() {
    let (repositories, options) = options();
    let tree = app(&format!(
        "resources: ['{URL}//web?ref=v1']\ncomponents: ['{URL}//label?ref=v1']\nnameSuffix: -x\n"
    ));
    let build = build(&tree, "app", &options).expect("the build works");
    let [web] = build.objects.as_slice() else {
        panic!("one object: {:?}", build.objects);
    };
    assert_eq!(web.value["metadata"]["name"], "base-web-x");
    assert_eq!(web.value["metadata"]["labels"]["from"], "afar");
    assert_eq!(
        web.origin.to_string(),
        format!("{URL}@v1//shared/web.yaml:1")
    );
    assert!(
        web.changes
            .iter()
            .any(|change| change.by.path == format!("{URL}@v1//label/kustomization.yaml")),
        "{:?}",
        web.changes
    );
    assert!(build.reads.contains(&Read::Remote(format!("{URL}@v1"))));
    assert!(
        !build
            .reads
            .contains(&Read::File("shared/web.yaml".to_owned()))
    );
    let asked = repositories.asked.lock().expect("no panic").len();
    assert_eq!(asked, 1, "a repository is asked for once");
}

#[test]
fn the_origin_annotation_names_repository_and_ref() {
    let (_, options) = options();
    let tree = app(&format!(
        "resources: ['{URL}//web?ref=v1']\nbuildMetadata: [originAnnotations]\n"
    ));
    let build = build(&tree, "app", &options).expect("the build works");
    let annotation =
        &build.objects[0].value["metadata"]["annotations"]["config.kubernetes.io/origin"];
    assert_eq!(
        *annotation,
        format!("path: shared/web.yaml\nrepo: {URL}\nref: v1\n").as_str()
    );
}

#[test]
fn a_remote_base_is_refused_unless_the_caller_brings_it() {
    let kustomization = format!("resources: ['{URL}//web?ref=v1']\n");
    assert_eq!(
        errors(&kustomization, &Options::default()),
        format!(
            "app/kustomization.yaml:1: resources[0]: {URL}//web?ref=v1 is remote, and nothing is fetched in a build; copy it into the repository"
        )
    );
}

#[test]
fn what_is_wrong_with_a_remote_base_is_told() {
    let (_, options) = options();
    let about = |reference: &str| errors(&format!("resources: ['{reference}']\n"), &options);
    for (reference, expected) in [
        (format!("{URL}//web"), "is not pinned to a ref"),
        (
            format!("{URL}//web?ref=v2"),
            "cannot be fetched: there is no such ref",
        ),
        (
            format!("{URL}//none?ref=v1"),
            "https://git.example.com/org/base@v1//none: there is no such directory in the repository",
        ),
        (
            format!("{URL}//broken?ref=v1"),
            "https://git.example.com/org/base@v1//broken/kustomization.yaml:1: resource: ",
        ),
        (
            format!("{URL}//outside?ref=v1"),
            "../../app leaves the repository",
        ),
        (
            format!("{URL}//again?ref=v1"),
            "too many repositories in a row",
        ),
    ] {
        let errors = about(&reference);
        assert!(errors.contains(expected), "{reference}: {errors}");
    }
}

#[test]
fn a_password_in_an_address_is_not_repeated() {
    let (_, with) = options();
    let kustomization = "resources: ['https://me:hunter2@git.example.com/org/base?ref=v1']\n";
    for options in [Options::default(), with] {
        let errors = errors(kustomization, &options);
        assert!(!errors.contains("hunter2"), "{errors}");
    }
}
