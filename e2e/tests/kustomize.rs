//! Builds beside those of the real kustomize.

use std::path::{Path, PathBuf};

use flux_e2e::kustomize::{Hunt, Order, Outcome, Real, Recorded, compare, intended, ours};

/// Random trees for every run of the tests; `flux-e2e fuzz kustomize` tries more.
const TREES: u64 = 1500;

fn kept() -> PathBuf {
    let cases = "../controller/kustomize/tests/cases";
    Path::new(env!("CARGO_MANIFEST_DIR")).join(cases)
}

#[test]
fn the_kept_cases_expect_what_kustomize_makes_of_them() {
    let mut real = Real::ready().unwrap();
    let cases = Recorded::all(&kept()).unwrap();
    assert!(cases.len() > 10, "the cases are found");
    for mut case in cases {
        for order in [Order::Fifo, Order::Legacy] {
            case.tree.order = order;
            let outcome = real.build(&case.tree).unwrap();
            let expected = case.expected().unwrap();
            let difference = compare(&outcome, &expected);
            assert_eq!(difference, None, "{}", case.directory.display());
            // What the real one dies of, ours refuses.
            assert_eq!(
                matches!(outcome, Outcome::Error(_) | Outcome::Crash(_)),
                matches!(expected, Outcome::Error(_)),
                "{}: {outcome:?}",
                case.directory.display()
            );
        }
    }
}

#[test]
fn random_trees_are_built_as_kustomize_builds_them() {
    let seeds = Recorded::all(&kept()).unwrap();
    let seeds = seeds.into_iter().map(|case| case.tree).collect();
    let mut hunt = Hunt::new(Real::ready().unwrap(), seeds);
    for seed in 1..=TREES {
        let finding = hunt.try_seed(seed).unwrap();
        if let Some(finding) = finding {
            panic!(
                "seed {seed} differs ({}); flux-e2e fuzz kustomize --seed {seed} --cases 1 keeps it:\n{:#?}",
                finding.difference, finding.tree.files
            );
        }
    }
    assert!(
        hunt.tally.equal > TREES / 6,
        "most trees do not even build: {:?}",
        hunt.tally
    );
}

#[test]
fn a_deviation_that_is_meant_is_told_from_one_that_is_not() {
    let mut real = Real::ready().unwrap();
    let mut tree = Recorded::all(&kept()).unwrap().remove(0).tree;
    let patch = "resources: [a.yaml]\npatches:\n- patch: |\n    apiVersion: v1\n    kind: Service\n    metadata: {name: a}\n    spec: {ports: [{port: 80, name: new}]}\n";
    let object = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80, protocol: TCP}]}\n";
    tree.files = [("app/kustomization.yaml", patch), ("app/a.yaml", object)]
        .map(|(path, content)| (path.to_owned(), content.to_owned()))
        .into();
    let difference = compare(&real.build(&tree).unwrap(), &ours(&tree)).expect("they differ");
    assert!(intended(&tree, &difference).is_some(), "{difference}");
}
