//! Builds a directory as the `kustomize` command does, for comparisons:
//!
//! ```text
//! cargo run -p flux-kustomize --example kustomize-build -- [--reorder none|legacy] [--load-restrictor NAME] DIR
//! ```
//!
//! The tree is the directory's file system root, so that bases beside it can be named.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use flux_kustomize::{DirectoryTree, LoadRestriction, Options, Order, build, to_yaml};

fn main() -> ExitCode {
    let mut options = Options {
        restriction: LoadRestriction::RootOnly,
        require_kustomization: true,
        ..Options::default()
    };
    let mut directory = PathBuf::from(".");
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--reorder" => {
                if arguments.next().as_deref() == Some("legacy") {
                    options.order = Order::Legacy;
                }
            }
            "--load-restrictor" => {
                if arguments.next().as_deref() == Some("LoadRestrictionsNone") {
                    options.restriction = LoadRestriction::None;
                }
            }
            "--enable-managedby-label" => options.managed_by_label = true,
            _ => directory = argument.into(),
        }
    }
    let Ok(directory) = directory.canonicalize() else {
        eprintln!("no such directory: {}", directory.display());
        return ExitCode::FAILURE;
    };
    let path = directory.to_string_lossy();
    match build(
        &DirectoryTree::new("/"),
        path.trim_start_matches('/'),
        &options,
    ) {
        Ok(build) => {
            let objects: Vec<String> = build.objects.iter().map(|o| to_yaml(&o.value)).collect();
            print!("{}", objects.join("---\n"));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
