//! Writing chosen images to the repository: one commit for all policies that want something.
//!
//! Safety: 1. nothing is written but what a policy of the same namespace wants; 2. every edit is parsed again before it is
//! committed, and refused if anything else differs ([`flux_core::edit`]); 3. the push is a compare-and-swap, so that nobody's
//! commit can be lost; 4. what is pushed is served only after it was read back, and verified where the spec says so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flux_core::conclude::{Finding, Outcome};
use flux_core::edit::{self, Edits, PolicyName, Target};
use flux_core::message;
use flux_crds::git_repository::Write;
use flux_crds::image_policy::{LastUpdate, UpdateStrategy};
use flux_crds::{GitRepository, Reason, Time};
use flux_engine::git::{
    Deadline, Destination, Draft, GitTree, Person, Pushed, Signer, Store, WriteError, write_back,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::fetch::explain;
use super::gather::Gathered;
use super::memory::Memory;
use crate::context::Context;
use crate::key::Key;
use crate::report::chain;
use crate::secrets;
use crate::updates::{Answer, Place, Wanted};

/// Longest time that a commit waits for policies that are scanning, so that it holds their images too.
const SETTLE: Duration = Duration::from_secs(5);
/// Places left alone that an answer names.
const SKIPPED: usize = 5;

/// The wishes that concern one repository, by policy.
pub(crate) type Wishes = BTreeMap<Key, Arc<Wanted>>;

/// A commit that was pushed.
pub(crate) struct Written {
    /// The commit.
    pub(crate) pushed: Pushed,
    /// The values that it changed.
    pub(crate) changes: Vec<edit::Change>,
}

/// Failure of an edit.
#[derive(Debug, thiserror::Error)]
enum EditError {
    #[error(transparent)]
    Edit(#[from] edit::Error),
    #[error("spec.write.message")]
    Message(#[from] message::Error),
}

/// Commits and pushes what policies want, if git does not hold it already, and answers them.
pub(crate) async fn write(
    context: &Context,
    repository: &GitRepository,
    memory: &mut Memory,
    (gathered, store): (&Arc<Gathered>, &Store),
) -> Option<Written> {
    let key = Key::of(&repository.metadata);
    if context.updates.due(&key).is_empty() {
        return None;
    }
    // Whoever is late gets a commit of its own.
    tokio::time::timeout(SETTLE, context.updates.settle(&key))
        .await
        .ok();
    let wishes = context.updates.due(&key);
    let served = memory.served.as_ref().map(|served| served.tree.commit_id());
    if memory.written.as_ref() == Some(&(served, wishes.clone())) {
        return None;
    }
    let writing = Writing {
        context,
        repository,
        gathered,
        store,
        places: &memory.places,
    };
    match writing.run(&wishes).await {
        Ok((edits, pushed)) => {
            answer(context, &key, &wishes, &edits, pushed.as_ref());
            let same_branch = |pushed: &&Pushed| {
                memory.served.as_ref().is_some_and(|served| {
                    served.revision.split('@').next() == pushed.resolved.short_name.as_deref()
                })
            };
            let now = pushed.as_ref().filter(same_branch);
            let commit_id = now.map(|pushed| pushed.resolved.commit_id).or(served);
            memory.written = Some((commit_id, wishes));
            pushed.map(|pushed| Written {
                pushed,
                changes: edits.changes,
            })
        }
        Err(outcome) => {
            let finding = outcome.finding();
            tracing::warn!(object = %key, reason = %finding.reason, error = %finding.message, "images not written");
            fail(context, &key, &outcome);
            None
        }
    }
}

/// Tells all policies that want something here that nothing can be written.
pub(crate) fn fail(context: &Context, key: &Key, outcome: &Outcome) {
    let Finding { message, .. } = outcome.finding();
    let told = |reason| Finding::new(reason, format!("GitRepository {}: {message}", key.name));
    let told = match outcome {
        Outcome::Waiting(finding) => Outcome::Waiting(told(finding.reason)),
        Outcome::Transient(_) => Outcome::Transient(told(Reason::UpdateFailed)),
        _ => Outcome::Failed(told(Reason::UpdateFailed)),
    };
    for (policy, wanted) in context.updates.due(key) {
        context
            .updates
            .answer(&policy, &wanted, key, Answer::Failed(told.clone()));
    }
}

struct Writing<'a> {
    context: &'a Context,
    repository: &'a GitRepository,
    gathered: &'a Arc<Gathered>,
    store: &'a Store,
    places: &'a Arc<Mutex<edit::Memo>>,
}

impl Writing<'_> {
    async fn run(&self, wishes: &Wishes) -> Result<(Edits, Option<Pushed>), Outcome> {
        let Some(write) = self.repository.spec.write.clone() else {
            let message = "has no spec.write, which lets images be committed; add it, or drop the policy's update";
            return Err(Outcome::Failed(Finding::new(Reason::AccessDenied, message)));
        };
        let signer = self.signer(&write).await?;
        let key = Key::of(&self.repository.metadata);
        let job = Job {
            client: self.context.git.clone(),
            gathered: Arc::clone(self.gathered),
            store: self.store.clone(),
            author: author(&write, &self.context.options.runtime_namespace),
            targets: targets(wishes, &key),
            places: Arc::clone(self.places),
            signer,
            write,
        };
        let _turn = self.context.fetches.take(&self.gathered.server()).await;
        let deadline = Deadline::after(self.gathered.timeout);
        let watched = deadline.clone();
        let mut writing = tokio::task::spawn_blocking(move || job.run(&watched));
        let written = tokio::select! {
            written = &mut writing => written,
            () = self.context.shutdown.cancelled() => {
                deadline.cancel();
                writing.await
            }
        };
        written.unwrap_or_else(|error| {
            let message = format!("the commit broke off: {error}");
            let finding = Finding::new(Reason::InternalError, message);
            Err(Outcome::Transient(finding))
        })
    }

    async fn signer(&self, write: &Write) -> Result<Option<Signer>, Outcome> {
        let Some(key) = &write.signing_key else {
            return Ok(None);
        };
        let namespace = self.repository.metadata.namespace.as_deref();
        let namespace = namespace.unwrap_or_default();
        let name = &key.secret_ref.name;
        let data = secrets::read(self.context, namespace, name).await?;
        Signer::from_secret(&data).map(Some).map_err(|error| {
            let message = format!("Secret {namespace}/{name}: {}", chain(&error));
            Outcome::Failed(Finding::new(Reason::SecretInvalid, message))
        })
    }
}

fn author(write: &Write, namespace: &str) -> Person {
    match &write.author {
        Some(author) => Person {
            name: author.name.clone(),
            email: author.email.clone(),
        },
        None => Person {
            name: "flux".to_owned(),
            email: format!("flux@{namespace}"),
        },
    }
}

fn targets(wishes: &Wishes, repository: &Key) -> Vec<Target> {
    let places = wishes.values().flat_map(|wanted| wanted.iter());
    let here = places.filter(|place| place.repository == *repository);
    here.map(|place| place.target.clone()).collect()
}

/// Everything that blocks, on a thread of its own.
struct Job {
    client: flux_engine::git::Client,
    gathered: Arc<Gathered>,
    store: Store,
    write: Write,
    author: Person,
    signer: Option<Signer>,
    targets: Vec<Target>,
    places: Arc<Mutex<edit::Memo>>,
}

impl Job {
    fn run(&self, deadline: &Deadline) -> Result<(Edits, Option<Pushed>), Outcome> {
        let destination = Destination {
            client: &self.client,
            remote: &self.gathered.remote,
            store: &self.store,
            source: &self.gathered.reference,
            branch: Some(&self.write.branch),
            deadline,
        };
        let mut edits = Edits::default();
        let pushed = write_back(&destination, |tree, _| {
            edits = self.edit(tree)?;
            self.draft(&mut edits)
        });
        match pushed {
            Ok(pushed) => Ok((edits, pushed)),
            Err(error) => Err(outcome(&error)),
        }
    }

    fn edit(&self, tree: &GitTree) -> Result<Edits, edit::Error> {
        // A repository has one task, which writes once at a time.
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        edit::tree_again(tree, &self.targets, &mut places, &|path| {
            tree.object_id(path)
        })
    }

    fn draft(&self, edits: &mut Edits) -> Result<Option<Draft<'_>>, EditError> {
        if edits.files.is_empty() {
            return Ok(None);
        }
        let Person { name, email } = &self.author;
        let author = format!("{name} <{email}>");
        let context = message::Context {
            author: &author,
            branch: &self.write.branch,
            subject: None,
            changes: &edits.changes,
        };
        Ok(Some(Draft {
            message: message::render(self.write.message.as_deref(), &context)?,
            files: std::mem::take(&mut edits.files),
            author: self.author.clone(),
            committer: self.author.clone(),
            time: Timestamp::now().to_zoned(TimeZone::UTC),
            signer: self.signer.as_ref(),
        }))
    }
}

fn outcome(error: &WriteError<EditError>) -> Outcome {
    let finding = |reason| Finding::new(reason, chain(error));
    match error {
        WriteError::Git(error) => explain(error),
        WriteError::NoBranch(_) => Outcome::Failed(finding(Reason::InvalidSpec)),
        WriteError::Edit(_) | WriteError::Path { .. } | WriteError::Draft(_) => {
            Outcome::Failed(finding(Reason::UpdateFailed))
        }
    }
}

fn answer(context: &Context, key: &Key, wishes: &Wishes, edits: &Edits, pushed: Option<&Pushed>) {
    let time = Time(Timestamp::now());
    for (policy, wanted) in wishes {
        let name = PolicyName {
            namespace: policy.namespace.to_string(),
            name: policy.name.to_string(),
        };
        let is_mine = |of: &Option<PolicyName>| of.as_ref() == Some(&name);
        let changed = edits.changes.iter().any(|change| is_mine(&change.policy));
        let update = pushed.filter(|_| changed).map(|pushed| LastUpdate {
            commit: pushed.resolved.commit_id.to_string(),
            revision: pushed.resolved.revision().to_string(),
            time: time.clone(),
        });
        let skipped = edits.skipped.iter().filter(|skip| is_mine(&skip.policy));
        let skipped: Vec<String> = skipped.take(SKIPPED).map(ToString::to_string).collect();
        let answer = match edits.places.get(&name).copied().unwrap_or_default() {
            0 => Answer::Failed(nowhere(key, wanted, &skipped)),
            places => Answer::Written {
                places,
                update,
                skipped,
            },
        };
        context.updates.answer(policy, wanted, key, answer);
    }
}

/// A policy that names a repository in which nothing names the policy is a mistake that nobody would notice.
fn nowhere(key: &Key, wanted: &Wanted, skipped: &[String]) -> Outcome {
    let here = wanted.iter().filter(|place| place.repository == *key);
    let hints = here.map(|Place { target, .. }| {
        let path = if target.path.is_empty() {
            "./"
        } else {
            &target.path
        };
        match target.strategy {
            UpdateStrategy::Markers => format!(
                "in {path} nothing is marked with # {{\"$imagepolicy\": \"{}:{}\"}}",
                target.policy.namespace, target.policy.name
            ),
            UpdateStrategy::Annotations => format!(
                "in {path} no workload with fluxcd.io/automated: \"true\" runs {}",
                target.name
            ),
            UpdateStrategy::Images => {
                format!(
                    "in {path} no kustomization has images with the name {}",
                    target.name
                )
            }
        }
    });
    let mut message = format!(
        "GitRepository {}: no place to write to: {}",
        key.name,
        hints.collect::<Vec<_>>().join("; ")
    );
    if !skipped.is_empty() {
        message = format!("{message}; left alone: {}", skipped.join("; "));
    }
    Outcome::Failed(Finding::new(Reason::UpdateFailed, message))
}
