//! From a new tag to the commit on the remote.

use std::{
    fmt::Write as _,
    io::Write as _,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use flux_crds::{
    SecretReference,
    image_policy::{ImageWebhook, ImageWebhookKind},
    names::CONTROLLER_NAMESPACE,
};
use flux_e2e::{GitRepo, git_repo::git_command, registry::Image, wait, webhook::Call};

use serde_json::json;

use super::figures::{Case, count, median};
use super::stage::{Stage, update};

/// Releases of the small repository.
const RELEASES: usize = 5;
/// Teams, applications of each, files of each application: 20,000 files.
const TEAMS: usize = 100;
const APPLICATIONS: usize = 50;
const FILES: [&str; 4] = ["deployment", "service", "configmap", "ingress"];
const COMMITS: usize = 10_000;
/// What the registry knows to call.
const TOKEN: &str = "a text that both know";
/// How long a commit may be waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// A repository of a few files.
pub(super) async fn small(stage: &Stage) -> Result<Case> {
    let repo = stage.server.create_repository("small")?;
    stage.release("small", "1.0.0").await?;
    repo.push_files(&[("app.yaml", &deployment(stage, "small"))], "begin")?;
    stage.follow("small").await?;
    stage.write("small").await?;
    wait::until(&stage.policies(), "small", "is Ready", wait::is_ready).await?;
    let case = Case::new("a new tag of a small repository: pushed, told by webhook -> commit");
    let mut times = Vec::new();
    for release in 1..=RELEASES {
        let tag = format!("1.{release}.0");
        times.push(stage.commit_after_push("small", &tag, &repo).await?);
    }
    let slowest = times.iter().copied().fold(0.0, f64::max);
    Ok(case
        .bar(
            "from before the push of the image, the median of 5",
            (median(times), "s"),
            1.0,
        )
        .note("the slowest", (slowest, "s")))
}

/// A repository of many files and commits.
pub(super) async fn large(stage: &Stage) -> Result<Vec<Case>> {
    let repo = stage.server.create_repository("large")?;
    fill(stage, &repo)?;
    stage.release("large", "1.1.0").await?;
    stage.follow("large").await?;
    let case = Case::new("20,000 files, 10,000 commits, the first look: policy created -> commit");
    let (before, head) = (stage.server.traffic(), head(&repo)?);
    let started = Instant::now();
    stage.write("large").await?;
    let wall = moved(&repo, &head, started).await?;
    let cold = stage.measured(case, wall, before)?;
    wait::until(&stage.policies(), "large", "is Ready", wait::is_ready).await?;
    let case = Case::new("the same, a later look: image pushed, told by webhook -> commit");
    let before = stage.server.traffic();
    let wall = stage.commit_after_push("large", "1.2.0", &repo).await?;
    let warm = stage.measured(case, wall, before)?;
    ensure!(
        repo.git_bare(&["show", "--format=", "--numstat", "main"])?
            .starts_with("1\t1\t"),
        "more than one line has changed"
    );
    Ok(vec![cold, warm])
}

impl Stage {
    async fn release(&self, name: &str, tag: &str) -> Result<()> {
        let image = Image::new().labelled(tag);
        self.registry.push(&image_of(name), tag, &image).await?;
        Ok(())
    }

    /// Creates the policy that writes to the repository of the same name.
    async fn write(&self, name: &str) -> Result<()> {
        let mut policy = self.policy(name, &image_of(name), ">=1.0.0");
        policy.spec.update = vec![update(name)];
        policy.spec.webhook = Some(ImageWebhook {
            secret_ref: SecretReference {
                name: self.webhook_secret(TOKEN).await?,
            },
            kind: ImageWebhookKind::Distribution,
        });
        self.create(&policy).await
    }

    /// Pushes an image and tells it as a registry does; returns the time until the remote has a new commit.
    async fn commit_after_push(&self, name: &str, tag: &str, repo: &GitRepo) -> Result<f64> {
        let status = self.policies().get(name).await?.status;
        let path = status.and_then(|status| status.webhook_path);
        let path = path.with_context(|| format!("the policy {name} has no webhook"))?;
        let url = format!("{}{path}", self.controller.webhook_url());
        let (former, started) = (head(repo)?, Instant::now());
        self.release(name, tag).await?;
        let event = json!({"events": [{"action": "push", "target": {"repository": image_of(name), "tag": tag}}]});
        let call = Call::new(event.to_string()).with("Authorization", &format!("Bearer {TOKEN}"));
        let answer = call.send(&url).await?;
        ensure!(answer == 202, "the webhook answers {answer}");
        let wall = moved(repo, &former, started).await?;
        let commit = head(repo)?;
        wait::until(&self.policies(), name, "names the commit", |policy| {
            let status = policy.status.as_ref();
            let update = status.and_then(|status| status.last_update.as_ref());
            update.is_some_and(|update| update.commit == commit.trim())
        })
        .await?;
        Ok(wall)
    }

    /// Adds wall time and bytes to a case.
    fn measured(
        &self,
        case: Case,
        wall: f64,
        before: flux_e2e::git_server::Traffic,
    ) -> Result<Case> {
        let traffic = self.server.traffic().since(before);
        let bytes = usize::try_from(traffic.received).context("count bytes")?;
        Ok(case
            .bar("until the commit is on the remote", (wall, "s"), 1.0)
            .bar("sent to the git server", (count(bytes) / 1e3, "kB"), 100.0)
            .note(
                "resident memory of the controller",
                (self.megabytes()?, "MB"),
            ))
    }
}

fn image_of(name: &str) -> String {
    format!("public/{name}-app")
}

/// Returns the commit of `main` without starting git.
fn head(repo: &GitRepo) -> Result<String> {
    let path = repo.bare().join("refs/heads/main");
    std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
}

/// Waits until `main` is at another commit, and returns the seconds since the start.
async fn moved(repo: &GitRepo, from: &str, started: Instant) -> Result<f64> {
    while head(repo)? == from {
        if started.elapsed() > PATIENCE {
            bail!("no commit came within {PATIENCE:?}");
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(started.elapsed().as_secs_f64())
}

fn deployment(stage: &Stage, name: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  template:
    spec:
      containers:
        - name: main
          image: {}:1.0.0 # {{\"$imagepolicy\": \"{CONTROLLER_NAMESPACE}:{name}\"}}
",
        stage.registry.name(&image_of(name))
    )
}

/// Makes all commits by one process of git.
fn fill(stage: &Stage, repo: &GitRepo) -> Result<()> {
    let mut git = git_command(repo.bare())
        .args(["fast-import", "--quiet", "--force"])
        .stdin(Stdio::piped())
        .spawn()
        .context("start git")?;
    let mut stream = std::io::BufWriter::new(git.stdin.take().context("write to git")?);
    for commit in 0..COMMITS {
        let time = 1_767_225_600 + commit;
        write!(
            stream,
            "commit refs/heads/main\ncommitter Jane Doe <jane@example.org> {time} +0000\ndata 6\ncommit\n"
        )?;
        if commit == 0 {
            for number in 0..TEAMS * APPLICATIONS * FILES.len() {
                file(&mut stream, number, 0)?;
            }
            let marked = deployment(stage, "large");
            let path = path(TEAMS * APPLICATIONS * FILES.len() / 2);
            write!(
                stream,
                "M 100644 inline {path}\ndata {}\n{marked}\n",
                marked.len()
            )?;
        } else {
            file(&mut stream, 4 * commit + 1, commit)?;
        }
    }
    stream.flush()?;
    drop(stream);
    ensure!(git.wait()?.success(), "git fast-import failed");
    Ok(())
}

/// The path of one of the files; they begin again after the last.
fn path(number: usize) -> String {
    let kind = FILES.get(number % FILES.len()).copied().unwrap_or_default();
    let application = number / FILES.len() % (TEAMS * APPLICATIONS);
    let (team, application) = (application / APPLICATIONS, application % APPLICATIONS);
    format!("teams/t{team:03}/app{application:03}/{kind}.yaml")
}

fn file(stream: &mut impl std::io::Write, number: usize, version: usize) -> Result<()> {
    let name = path(number).replace(['/', '.'], "-");
    let mut text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  labels:\n    app.kubernetes.io/name: {name}\ndata:\n  version: \"{version}\"\n"
    );
    for line in 0..20 {
        writeln!(text, "  key-{line:02}: value {line} of {name}")?;
    }
    let path = path(number);
    write!(
        stream,
        "M 100644 inline {path}\ndata {}\n{text}\n",
        text.len()
    )?;
    Ok(())
}
