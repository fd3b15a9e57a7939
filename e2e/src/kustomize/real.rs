//! The real kustomize as a process that builds one tree after the other.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{Outcome, Tree};

/// How long a build may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The real kustomize; started when it is needed, and again after it crashed.
#[derive(Debug)]
pub struct Real {
    executable: PathBuf,
    server: Option<Server>,
}

#[derive(Debug)]
struct Server {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Real {
    /// Finds the real kustomize, and builds it the first time.
    pub fn ready() -> Result<Self> {
        Ok(Self {
            executable: super::executable()?,
            server: None,
        })
    }

    /// Builds a tree.
    pub fn build(&mut self, tree: &Tree) -> Result<Outcome> {
        let server = match &mut self.server {
            Some(server) => server,
            none => none.insert(Server::start(&self.executable)?),
        };
        let line = request(tree);
        let sent = server.input.write_all(line.as_bytes());
        let answer = sent.ok().map(|()| server.lines.recv_timeout(PATIENCE));
        match answer {
            Some(Ok(line)) => read(&line),
            Some(Err(RecvTimeoutError::Timeout)) => {
                self.server = None;
                Ok(Outcome::Hangs)
            }
            Some(Err(RecvTimeoutError::Disconnected)) | None => {
                self.server = None;
                Ok(Outcome::Crash("the process ended".to_owned()))
            }
        }
    }
}

impl Server {
    fn start(executable: &PathBuf) -> Result<Self> {
        let mut child = Command::new(executable)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Deprecation warnings by the thousand.
            .stderr(Stdio::null())
            .spawn()
            .context("start the real kustomize")?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("the real kustomize has no pipes");
        };
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            child,
            input,
            lines,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only for a child that has ended and was waited for.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn request(tree: &Tree) -> String {
    let files = tree.files.iter();
    let files: serde_json::Map<String, Value> = files
        .map(|(path, content)| (format!("/{path}"), content.as_str().into()))
        .collect();
    let request = json!({
        "files": files, "target": format!("/{}", tree.target), "reorder": tree.order.flag(),
    });
    format!("{request}\n")
}

fn read(line: &str) -> Result<Outcome> {
    let mut answer: Value = serde_json::from_str(line).context("read what kustomize answers")?;
    if let Some(error) = answer["error"].as_str() {
        let panicked = answer["panicked"] == Value::Bool(true);
        let outcome = if panicked {
            Outcome::Crash
        } else {
            Outcome::Error
        };
        return Ok(outcome(error.to_owned()));
    }
    match answer["objects"].take() {
        Value::Array(objects) => Ok(Outcome::Objects(objects)),
        _ => Ok(Outcome::Objects(Vec::new())),
    }
}
