//! Brings changes of workloads into git, and tells what became of them.

use std::collections::BTreeMap;

use flux_crds::{Sync, git_repository::Author};
use flux_engine::git::Pushed;

use super::{Target, reconcile::source};
use crate::{
    args::CommitArgs,
    change::{Outcome, Request, Status, Wish},
    cluster::Cluster,
    error::Error,
    kind::Kind,
    person,
    repository::{Commit, Repository},
    resource::Resource,
    streams::Streams,
    table::Table,
    workload::Workload,
};

/// What is asked for, before it is known where it is written.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) workload: Workload,
    pub(super) wish: Wish,
}

/// How changes are brought into git.
pub(super) struct Publication<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) commit: &'a CommitArgs,
    /// The first line of the message, unless the person has another one.
    pub(super) subject: String,
    pub(super) dry_run: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Published {
    pub(super) outcomes: Vec<Outcome>,
    pub(super) commits: Vec<Pushed>,
    /// The Syncs of the workloads that changed.
    pub(super) syncs: Vec<Target>,
}

impl Publication<'_> {
    /// Makes one commit for each repository. A repository that cannot be written to fails its workloads alone.
    pub(super) async fn publish(&self, asked: Vec<Asked>) -> Result<Published, Error> {
        let author = if self.dry_run {
            nobody()
        } else {
            person::author(self.commit.user.as_ref())?
        };
        let mut published = Published::default();
        for (repository, requests) in self.by_repository(asked, &mut published.outcomes).await? {
            let ids: Vec<_> = requests.iter().map(|request| request.id.clone()).collect();
            let syncs: Vec<_> = requests
                .iter()
                .map(|request| target(&request.sync))
                .collect();
            match self.commit(&repository, requests, &author).await {
                Ok((plan, pushed)) => {
                    let changed = plan.outcomes.iter().zip(syncs);
                    let changed = changed.filter(|(outcome, _)| outcome.status == Status::Success);
                    for (_, sync) in changed {
                        if !published.syncs.contains(&sync) {
                            published.syncs.push(sync);
                        }
                    }
                    published.outcomes.extend(plan.outcomes);
                    published.commits.extend(pushed);
                }
                Err(error) => {
                    let failed = |id| Outcome::new(id, Status::Failed, error.chain());
                    published.outcomes.extend(ids.iter().map(failed));
                }
            }
        }
        published.outcomes.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(published)
    }

    async fn commit(
        &self,
        repository: &Target,
        requests: Vec<Request>,
        author: &Author,
    ) -> Result<(crate::change::Plan, Option<Pushed>), Error> {
        let Target {
            namespace, name, ..
        } = repository;
        let opened = Repository::open(self.cluster, namespace, name).await?;
        let subject = self
            .commit
            .message
            .clone()
            .unwrap_or_else(|| self.subject.clone());
        let commit = Commit {
            author: author.clone(),
            subject,
            requests,
            timeout: self.commit.timeout,
            dry_run: self.dry_run,
        };
        opened.commit(commit).await
    }

    /// Finds the Sync of each workload, and its source.
    async fn by_repository(
        &self,
        asked: Vec<Asked>,
        outcomes: &mut Vec<Outcome>,
    ) -> Result<Vec<(Target, Vec<Request>)>, Error> {
        let mut syncs: BTreeMap<(String, String), Sync> = BTreeMap::new();
        let mut found: Vec<(Target, Vec<Request>)> = Vec::new();
        for Asked { workload, wish } in asked {
            let Some(name) = workload.sync.clone() else {
                outcomes.push(Outcome::new(
                    &workload.id,
                    Status::Skipped,
                    "not found in repository",
                ));
                continue;
            };
            let sync = if let Some(known) = syncs.get(&name) {
                known.clone()
            } else {
                let read = self.sync(&name).await?;
                syncs.insert(name.clone(), read.clone());
                read
            };
            let repository = source(&sync, &name.0);
            let request = Request {
                id: workload.id,
                sync,
                wish,
            };
            match found.iter_mut().find(|(known, _)| *known == repository) {
                Some((_, requests)) => requests.push(request),
                None => found.push((repository, vec![request])),
            }
        }
        Ok(found)
    }

    async fn sync(&self, (namespace, name): &(String, String)) -> Result<Sync, Error> {
        let object = self
            .cluster
            .in_namespace(namespace)
            .get(Kind::Sync, name)
            .await?;
        match Resource::read(Kind::Sync, &object)? {
            Resource::Sync(sync) => Ok(*sync),
            Resource::GitRepository(_) | Resource::ImagePolicy(_) => {
                Err(Error::Failed(format!("{name} is no sync")))
            }
        }
    }
}

fn nobody() -> Author {
    Author {
        name: String::new(),
        email: String::new(),
    }
}

fn target(sync: &Sync) -> Target {
    Target {
        kind: Kind::Sync,
        namespace: sync.metadata.namespace.clone().unwrap_or_default(),
        name: sync.metadata.name.clone().unwrap_or_default(),
    }
}

impl Published {
    /// Prints what became of each workload, and the commits. A workload that failed is an error.
    pub(super) fn report(&self, is_verbose: bool, streams: &mut Streams) -> Result<(), Error> {
        let shown = |outcome: &&Outcome| {
            is_verbose || matches!(outcome.status, Status::Success | Status::Failed)
        };
        let shown: Vec<_> = self.outcomes.iter().filter(shown).collect();
        if !shown.is_empty() {
            streams.data(&table(&shown).render())?;
        }
        for commit in &self.commits {
            let id = commit.resolved.commit_id.to_string();
            let branch = commit.resolved.short_name.as_deref().unwrap_or_default();
            streams.line(format_args!(
                "Commit pushed: {} to {branch}",
                id.get(..7).unwrap_or(&id)
            ))?;
        }
        if !self
            .outcomes
            .iter()
            .any(|outcome| outcome.status == Status::Success)
        {
            streams.say("Nothing to do");
            tell_why(&self.outcomes, is_verbose, streams);
        }
        let is_failed = |outcome: &&Outcome| outcome.status == Status::Failed;
        match self.outcomes.iter().filter(is_failed).count() {
            0 => Ok(()),
            1 => Err(Error::Failed("one workload failed".into())),
            count => Err(Error::Failed(format!("{count} workloads failed"))),
        }
    }
}

/// One workload that was named and left alone needs its reason.
fn tell_why(outcomes: &[Outcome], is_verbose: bool, streams: &mut Streams) {
    let skipped: Vec<_> = outcomes
        .iter()
        .filter(|outcome| outcome.status == Status::Skipped)
        .collect();
    if is_verbose {
        return;
    }
    for outcome in skipped.iter().take(5) {
        streams.say(format_args!("{}: {}", outcome.id, outcome.lines.join("; ")));
    }
    if skipped.len() > 5 {
        streams.say(format_args!(
            "… and {} more; show them with --verbose",
            skipped.len() - 5
        ));
    }
}

fn table(outcomes: &[&Outcome]) -> Table {
    let mut table = Table::new(vec!["WORKLOAD", "STATUS", "UPDATES"]);
    for outcome in outcomes {
        let mut lines = outcome.lines.iter();
        let first = lines.next().cloned().unwrap_or_default();
        table.push(vec![
            outcome.id.to_string(),
            outcome.status.word().to_owned(),
            first,
        ]);
        for line in lines {
            table.push_more(vec![String::new(), String::new(), line.clone()]);
        }
    }
    table
}
