//! Child processes that cannot outlive us.
//!
//! Each child's standard input is a pipe whose other end we hold and never write to. The kernel closes our end when
//! we end, however we end. The control plane's executable ends itself then; any other program gets a watcher.

use std::{
    fs::File,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// Starts `$@` in place of the shell, with a watcher beside it that kills it when standard input closes.
///
/// The watcher is a child of the program; once the program has ended it has another parent, and the program's number
/// may be somebody else's.
const WATCHED: &str = r#"exec 3<&0
{
  cat <&3
  if ! read -r _ _ _ parent _ </proc/self/stat || [ "$parent" = $$ ]; then kill -KILL $$; fi
} >/dev/null 2>&1 &
exec "$@" </dev/null 3<&-"#;

/// How often a waiting function looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// Lines of a log that are shown when something went wrong.
const LAST_LINES: usize = 30;

/// A running child with its log file.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

/// What a process has used so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// User and system time.
    pub cpu: Duration,
    /// Memory that is resident now, in bytes.
    pub resident: u64,
    /// The most memory that was ever resident, in bytes.
    pub peak_resident: u64,
}

impl Process {
    /// Starts a program that watches its standard input itself; output is appended to `log`.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let output = File::options().create(true).append(true).open(log);
        let output = output.with_context(|| format!("open the log {}", log.display()))?;
        let errors = output
            .try_clone()
            .context("share the log between output and errors")?;
        // Its own process group: Ctrl-C reaches us alone, and we stop everything in order.
        command
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .process_group(0);
        let child = command.spawn().with_context(|| {
            format!("start {name} ({})", command.get_program().to_string_lossy())
        })?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
        })
    }

    /// Starts any program, with a watcher that kills it when we are gone.
    ///
    /// Its environment is what `command` sets, and nothing else.
    pub fn start_watched(name: &str, command: &Command, log: &Path) -> Result<Self> {
        let mut shell = Command::new("/bin/sh");
        shell.env_clear();
        shell
            .arg("-c")
            .arg(WATCHED)
            .arg("sh")
            .arg(command.get_program())
            .args(command.get_args());
        shell.envs(
            command
                .get_envs()
                .filter_map(|(key, value)| value.map(|value| (key, value))),
        );
        if let Some(directory) = command.get_current_dir() {
            shell.current_dir(directory);
        }
        Self::start(name, shell, log)
    }

    /// The name it was started with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process id of the program itself.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The file with everything that it has printed.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Returns how it ended, or `None` while it runs.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks it to end, and kills it when it has not ended within `grace`.
    pub fn stop(&mut self, grace: Duration) {
        if self.exit_status().is_none() && self.signal(Signal::TERM).is_ok() {
            let deadline = Instant::now() + grace;
            while Instant::now() < deadline {
                if self.exit_status().is_some() {
                    return;
                }
                std::thread::sleep(LOOK_AGAIN);
            }
        }
        self.kill();
    }

    /// Kills it with SIGKILL and waits for its end.
    pub fn kill(&mut self) {
        // Both fail only for a child that has ended and was waited for.
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// Stops the process where it stands (SIGSTOP) until [`Self::thaw`].
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets a frozen process go on.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Returns CPU time and memory, from `/proc`.
    pub fn usage(&self) -> Result<Usage> {
        usage(self.id())
    }

    /// Returns the last lines of the log, for error messages.
    pub fn last_words(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines
            .iter()
            .skip(lines.len().saturating_sub(LAST_LINES))
            .fold(String::new(), |all, line| all + "\n  " + line)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        let Some(pid) = pid else {
            bail!("{} has no process id", self.name)
        };
        kill_process(pid, signal).with_context(|| format!("signal {}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns CPU time and memory of any process of this machine, from `/proc`.
pub fn usage(id: u32) -> Result<Usage> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"));
    let stat =
        stat.with_context(|| format!("read the state of process {id} (needs Linux's /proc)"))?;
    // The name in parentheses may hold spaces; utime and stime are the 12th and 13th field behind it.
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = behind_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|n| n.parse::<u64>().ok())
        .sum();
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let status = std::fs::read_to_string(format!("/proc/{id}/status"));
    let status = status.with_context(|| format!("read the memory of process {id}"))?;
    Ok(Usage {
        cpu: Duration::from_millis(ticks * 1000 / per_second),
        resident: kibibytes(&status, "VmRSS:") * 1024,
        peak_resident: kibibytes(&status, "VmHWM:") * 1024,
    })
}

fn kibibytes(status: &str, field: &str) -> u64 {
    let value = status.lines().find_map(|line| line.strip_prefix(field));
    value
        .and_then(|v| v.split_whitespace().next())
        .and_then(|n| n.parse().ok())
        .unwrap_or_default()
}

/// Tells whether a process with this id exists.
pub fn exists(id: u32) -> bool {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(directory: &Path) -> Process {
        let mut command = Command::new("sleep");
        command.arg("600");
        Process::start_watched("sleeper", &command, &directory.join("log")).unwrap()
    }

    fn is_gone(id: u32) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        while exists(id) && Instant::now() < deadline {
            std::thread::sleep(LOOK_AGAIN);
        }
        !exists(id)
    }

    #[test]
    fn a_watched_program_ends_when_its_input_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let mut process = sleeper(directory.path());
        assert!(process.exit_status().is_none(), "it runs");
        // What the kernel does when we are killed.
        drop(process.child.stdin.take());
        process.child.wait().unwrap();
        assert!(is_gone(process.id()));
    }

    #[test]
    fn stop_asks_before_it_kills() {
        use std::os::unix::process::ExitStatusExt as _;
        let directory = tempfile::tempdir().unwrap();
        let mut process = sleeper(directory.path());
        process.stop(Duration::from_secs(10));
        assert_eq!(
            process.exit_status().and_then(|status| status.signal()),
            Some(15)
        );
    }

    #[test]
    fn a_dropped_process_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let process = sleeper(directory.path());
        let id = process.id();
        drop(process);
        assert!(is_gone(id));
    }

    #[test]
    fn the_log_has_the_last_words() {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo farewell >&2; exit 3"]);
        let mut process =
            Process::start_watched("sh", &command, &directory.path().join("log")).unwrap();
        let status = loop {
            if let Some(status) = process.exit_status() {
                break status;
            }
            std::thread::yield_now();
        };
        assert_eq!(status.code(), Some(3));
        assert!(process.last_words().contains("farewell"));
    }
}
