//! Nothing outlives `flux-e2e`, however it ends.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

/// A running `flux-e2e up`, ready, with everything that it has started.
struct Up {
    child: Child,
    /// Kept open: a closed pipe would end it.
    _output: BufReader<ChildStdout>,
    directory: String,
}

impl Up {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flux-e2e"));
        let mut child = command
            .args(["up", "--nodes=1"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut kubeconfig = String::new();
        while !kubeconfig.contains("KUBECONFIG=") {
            kubeconfig.clear();
            assert_ne!(
                output.read_line(&mut kubeconfig).unwrap(),
                0,
                "it must not end before it is ready"
            );
        }
        let kubeconfig = kubeconfig.trim().trim_start_matches("export KUBECONFIG=");
        let directory = kubeconfig.strip_suffix("/kubeconfig").unwrap().to_owned();
        Self {
            child,
            _output: output,
            directory,
        }
    }

    /// Processes that were given a path in the control plane's directory.
    fn processes(&self) -> usize {
        let mine = |id: &str| {
            let arguments = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&arguments).contains(&self.directory)
        };
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        all.filter(|entry| entry.file_name().to_str().is_some_and(mine))
            .count()
    }

    fn wait_until_all_are_gone(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.processes() > 0 {
            assert!(
                Instant::now() < deadline,
                "{} processes are left",
                self.processes()
            );
            std::thread::yield_now();
        }
    }
}

#[test]
fn everything_ends_when_the_harness_is_killed() {
    let mut up = Up::start();
    assert_eq!(
        up.processes(),
        5,
        "etcd, API server, controller-manager, scheduler and kwok run"
    );
    up.child.kill().unwrap();
    up.child.wait().unwrap();
    up.wait_until_all_are_gone();
}

#[test]
fn ctrl_c_ends_everything_and_leaves_nothing_behind() {
    let mut up = Up::start();
    let id = i32::try_from(up.child.id()).unwrap();
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(id).unwrap(),
        rustix::process::Signal::INT,
    )
    .unwrap();
    assert!(up.child.wait().unwrap().success());
    assert_eq!(up.processes(), 0, "it ends after its children");
    assert!(
        !std::path::Path::new(&up.directory).exists(),
        "its directory is removed"
    );
}
