//! A bare repository on the git server and a work tree that fills it, with the real git.

mod sign;

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::{Context, Result, bail};

pub use sign::SshSigner;

/// 2026-01-01T00:00:00Z; each commit is a second later than the one before, so that ids repeat from run to run.
const FIRST_COMMIT: u64 = 1_767_225_600;

/// Returns the environment that keeps git away from the machine's and the user's configuration.
pub(crate) fn hermetic_environment() -> Vec<(&'static str, String)> {
    let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned());
    [
        ("PATH", path.as_str()),
        ("HOME", "/nonexistent"),
        ("LC_ALL", "C"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_TERMINAL_PROMPT", "0"),
        // A server of ours serves whatever a test asks for, like the big forges.
        ("GIT_CONFIG_COUNT", "3"),
        ("GIT_CONFIG_KEY_0", "uploadpack.allowAnySHA1InWant"),
        ("GIT_CONFIG_VALUE_0", "true"),
        ("GIT_CONFIG_KEY_1", "uploadpack.allowFilter"),
        ("GIT_CONFIG_VALUE_1", "true"),
        ("GIT_CONFIG_KEY_2", "gc.auto"),
        ("GIT_CONFIG_VALUE_2", "0"),
    ]
    .map(|(key, value)| (key, value.to_owned()))
    .to_vec()
}

/// Returns a git command that knows nothing of the machine's and the user's configuration.
///
/// Author and committer are fixed; time goes on by a second with each command.
pub fn git_command(directory: &Path) -> Command {
    static CLOCK: AtomicU64 = AtomicU64::new(FIRST_COMMIT);
    let now = format!("{} +0000", CLOCK.fetch_add(1, Ordering::Relaxed));
    let mut command = Command::new("git");
    command
        .current_dir(directory)
        .env_clear()
        .envs(hermetic_environment());
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Jane Doe");
        command.env(format!("GIT_{role}_EMAIL"), "jane@example.org");
        command.env(format!("GIT_{role}_DATE"), &now);
    }
    command
}

/// A repository on the server, with a work tree of its own.
#[derive(Debug, Clone)]
pub struct GitRepo {
    name: String,
    bare: PathBuf,
    work: PathBuf,
}

impl GitRepo {
    /// Creates `<name>.git` below `repositories`, empty, with `main` as its default branch.
    pub(crate) fn create(repositories: &Path, works: &Path, name: &str) -> Result<Self> {
        let bare = repositories.join(format!("{name}.git"));
        let work = works.join(name);
        for directory in [&bare, &work] {
            fs::create_dir_all(directory)
                .with_context(|| format!("create {}", directory.display()))?;
        }
        let repo = Self {
            name: name.to_owned(),
            bare,
            work,
        };
        run(git_command(&repo.bare).args(["init", "--quiet", "--bare", "--initial-branch=main"]))?;
        repo.git(&["init", "--quiet", "--initial-branch=main"])?;
        repo.git(&["remote", "add", "origin", &repo.bare.to_string_lossy()])?;
        Ok(repo)
    }

    /// The name, without `.git`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The directory of the bare repository.
    pub fn bare(&self) -> &Path {
        &self.bare
    }

    /// The directory of the work tree.
    pub fn work(&self) -> &Path {
        &self.work
    }

    /// Runs git in the work tree and returns what it prints.
    pub fn git(&self, arguments: &[&str]) -> Result<String> {
        run(git_command(&self.work).args(arguments))
    }

    /// Runs git in the bare repository and returns what it prints.
    pub fn git_bare(&self, arguments: &[&str]) -> Result<String> {
        run(git_command(&self.bare).args(arguments))
    }

    /// Writes a file of the work tree, with the directories above it.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let path = self.work.join(path);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)
                .with_context(|| format!("create {}", directory.display()))?;
        }
        fs::write(&path, content).with_context(|| format!("write {}", path.display()))
    }

    /// Removes a file or directory of the work tree.
    pub fn remove(&self, path: &str) -> Result<()> {
        self.git(&["rm", "-r", "--quiet", "--force", "--", path])
            .map(drop)
    }

    /// Makes a symbolic link in the work tree; the target may be anything.
    pub fn symlink(&self, path: &str, target: &str) -> Result<()> {
        let path = self.work.join(path);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)
                .with_context(|| format!("create {}", directory.display()))?;
        }
        std::os::unix::fs::symlink(target, &path)
            .with_context(|| format!("link {}", path.display()))
    }

    /// Commits everything in the work tree and returns the commit's id.
    pub fn commit(&self, message: &str) -> Result<String> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message])?;
        self.head()
    }

    /// Pushes the current branch.
    pub fn push(&self) -> Result<()> {
        self.git(&["push", "--quiet", "origin", "HEAD"]).map(drop)
    }

    /// Pushes the current branch over whatever is there.
    pub fn force_push(&self) -> Result<()> {
        self.git(&["push", "--quiet", "--force", "origin", "HEAD"])
            .map(drop)
    }

    /// Writes files, commits and pushes; returns the commit's id.
    pub fn push_files(&self, files: &[(&str, &str)], message: &str) -> Result<String> {
        for (path, content) in files {
            self.write(path, content)?;
        }
        self.commit_and_push(message)
    }

    /// Commits everything in the work tree and pushes it; returns the commit's id.
    pub fn commit_and_push(&self, message: &str) -> Result<String> {
        let commit = self.commit(message)?;
        self.push()?;
        Ok(commit)
    }

    /// Goes to a branch, making it from here if there is none.
    pub fn switch(&self, branch: &str) -> Result<()> {
        let exists = self
            .git(&[
                "rev-parse",
                "--verify",
                "--quiet",
                &format!("refs/heads/{branch}"),
            ])
            .is_ok();
        let arguments: &[&str] = if exists {
            &["switch", "--quiet", branch]
        } else {
            &["switch", "--quiet", "-c", branch]
        };
        self.git(arguments).map(drop)
    }

    /// Pushes a tag without a message on the current commit.
    pub fn tag(&self, name: &str) -> Result<()> {
        self.git(&["tag", "--force", name])?;
        self.push_tag(name)
    }

    /// Pushes a tag object on the current commit.
    pub fn annotated_tag(&self, name: &str, message: &str) -> Result<()> {
        self.git(&["tag", "--force", "--annotate", "--message", message, name])?;
        self.push_tag(name)
    }

    /// Moves the current branch and the work tree to a revision, such as `HEAD~1`.
    pub fn reset(&self, revision: &str) -> Result<()> {
        self.git(&["reset", "--quiet", "--hard", revision])
            .map(drop)
    }

    /// Returns the id of the current commit.
    pub fn head(&self) -> Result<String> {
        self.git(&["rev-parse", "HEAD"])
    }

    /// Returns the id that a reference has on the server, such as `refs/heads/main`.
    pub fn remote_id(&self, reference: &str) -> Result<String> {
        self.git_bare(&["rev-parse", reference])
    }

    /// Replaces the current commit by the same with a signature; returns its id. It is not pushed yet.
    ///
    /// `sign` gets the commit's bytes and returns an armoured signature: [`SshSigner::sign`], or OpenPGP.
    pub fn sign_head(&self, sign: impl Fn(&[u8]) -> Result<String>) -> Result<String> {
        let commit = self.object("commit", "HEAD")?;
        let signature = sign(&commit)?;
        let signed = with_header(&commit, &signature)?;
        let id = self.write_object("commit", &signed)?;
        self.git(&["update-ref", "HEAD", &id])?;
        Ok(id)
    }

    /// Makes and pushes a signed tag object on the current commit; returns its id.
    pub fn signed_tag(
        &self,
        name: &str,
        message: &str,
        sign: impl Fn(&[u8]) -> Result<String>,
    ) -> Result<String> {
        self.git(&["tag", "--force", "--annotate", "--message", message, name])?;
        let mut tag = self.object("tag", name)?;
        let signature = sign(&tag)?;
        tag.extend_from_slice(signature.as_bytes());
        let id = self.write_object("tag", &tag)?;
        self.git(&["update-ref", &format!("refs/tags/{name}"), &id])?;
        self.push_tag(name)?;
        Ok(id)
    }

    fn push_tag(&self, name: &str) -> Result<()> {
        self.git(&[
            "push",
            "--quiet",
            "--force",
            "origin",
            &format!("refs/tags/{name}"),
        ])
        .map(drop)
    }

    /// Returns an object's bytes as they are; `git` trims what it returns.
    fn object(&self, kind: &str, name: &str) -> Result<Vec<u8>> {
        let mut command = git_command(&self.work);
        Ok(check(
            &command
                .args(["cat-file", kind, name])
                .output()
                .context("start git")?,
            "git cat-file",
        )?
        .to_vec())
    }

    fn write_object(&self, kind: &str, content: &[u8]) -> Result<String> {
        let mut command = git_command(&self.work);
        command.args(["hash-object", "-w", "--stdin", "-t", kind]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start git")?;
        child
            .stdin
            .take()
            .context("write to git")?
            .write_all(content)
            .context("write an object")?;
        let output = child.wait_with_output().context("wait for git")?;
        Ok(String::from_utf8_lossy(check(&output, "git hash-object")?)
            .trim()
            .to_owned())
    }
}

/// Puts a signature behind the last header of a commit, continued lines indented as git does.
fn with_header(commit: &[u8], signature: &str) -> Result<Vec<u8>> {
    let text = std::str::from_utf8(commit).context("read the commit as text")?;
    let (headers, message) = text
        .split_once("\n\n")
        .context("find the commit's message")?;
    let mut signed = format!("{headers}\ngpgsig");
    for line in signature.trim_end().lines() {
        writeln!(signed, " {line}").context("write the signature")?;
    }
    Ok(format!("{signed}\n{message}").into_bytes())
}

fn run(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .context("start git (is it installed?)")?;
    let arguments: Vec<_> = command
        .get_args()
        .map(|argument| argument.to_string_lossy())
        .collect();
    let printed = check(&output, &format!("git {}", arguments.join(" ")))?;
    Ok(String::from_utf8_lossy(printed).trim().to_owned())
}

fn check<'output>(output: &'output Output, what: &str) -> Result<&'output [u8]> {
    if !output.status.success() {
        bail!(
            "{what} failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(&output.stdout)
}
