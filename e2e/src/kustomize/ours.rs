//! Our build, guarded.

use std::{panic::catch_unwind, sync::mpsc::channel, time::Duration};

use flux_kustomize::{LoadRestriction, MemoryTree, Options, build};

use super::{Order, Outcome, Tree};

/// How long a build may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Builds a tree as the `kustomize` command would, in a thread that may crash or never end.
pub fn ours(tree: &Tree) -> Outcome {
    let (sender, result) = channel();
    let tree = tree.clone();
    let thread = std::thread::Builder::new().stack_size(8 << 20);
    let started = thread.spawn(move || {
        let outcome = catch_unwind(|| run(&tree));
        // Nobody listens any more when it took too long.
        sender
            .send(outcome.unwrap_or_else(|_| Outcome::Crash("it panicked".to_owned())))
            .ok();
    });
    match started {
        Ok(_) => result.recv_timeout(PATIENCE).unwrap_or(Outcome::Hangs),
        Err(error) => Outcome::Crash(format!("no thread: {error}")),
    }
}

fn run(tree: &Tree) -> Outcome {
    let files = tree.files.iter();
    let memory = files.fold(MemoryTree::new(), |memory, (path, content)| {
        memory.file(path, content.as_str())
    });
    let options = Options {
        order: match tree.order {
            Order::Fifo => flux_kustomize::Order::Fifo,
            Order::Legacy => flux_kustomize::Order::Legacy,
        },
        restriction: LoadRestriction::RootOnly,
        require_kustomization: true,
        ..Options::default()
    };
    match build(&memory, &tree.target, &options) {
        Ok(build) => Outcome::Objects(build.objects.into_iter().map(|o| o.value).collect()),
        Err(failure) => Outcome::Error(failure.to_string()),
    }
}
