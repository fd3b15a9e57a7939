//! Looking at the registry, and what it means for the image to run.

use std::time::{Duration, Instant};

use flux_core::choose::{self, Created, Decision, Matching, decide};
use flux_core::conclude::{Finding, Outcome};
use flux_crds::image_policy::{DigestMode, ImageReference, Scan, Update, UpdateStrategy};
use flux_crds::{ImagePolicy, ImagePolicySpec, ImagePolicyStatus, Reason, Time};
use flux_engine::registry::{self, Class, Client, Metadata, Tags};
use futures::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;

use super::gather::Gathered;
use crate::report::chain;

/// Images whose creation time is asked for at once; the client keeps hosts from being flooded.
const AT_ONCE: usize = 8;
/// Tags that are tried for the platform before the look gives up.
const TRIES: usize = 20;
/// Failures to read one tag's image that a log line names.
const NAMED: usize = 5;

/// What a look found.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// What to do.
    pub(crate) decision: Decision,
    /// The image to run, with what is known of it.
    pub(crate) latest: Option<ImageReference>,
    /// The look itself.
    pub(crate) scan: Scan,
    /// All tags that count, the best first; empty unless something will be written by annotations, which alone look at them:
    /// thousands of policies with thousands of tags each would fill the memory.
    pub(crate) tags: Vec<String>,
}

/// One policy's look.
pub(crate) struct Look<'a> {
    /// The policy.
    pub(crate) policy: &'a ImagePolicy,
    /// What is known from the looks before.
    pub(crate) status: &'a ImagePolicyStatus,
    /// What to ask, and how.
    pub(crate) gathered: &'a Gathered,
    /// The way to registries.
    pub(crate) client: Client,
}

/// A look that failed, and how long the registry wants to be left alone.
pub(crate) struct Failed {
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// How long.
    pub(crate) retry_after: Option<Duration>,
}

impl From<registry::Error> for Failed {
    fn from(error: registry::Error) -> Self {
        let retry_after = error.retry_after();
        let (class, reason) = (error.class(), reason(&error));
        let finding = Finding::new(reason, chain(&error));
        let outcome = match class {
            Class::Transient => Outcome::Transient(finding),
            Class::Failed => Outcome::Failed(finding),
        };
        Self {
            outcome,
            retry_after,
        }
    }
}

fn reason(error: &registry::Error) -> Reason {
    use registry::Error as E;
    match error {
        E::Unauthorized { .. } => Reason::AuthenticationFailed,
        E::Forbidden { .. } => Reason::AccessDenied,
        E::Certificates(_) | E::Credentials { .. } => Reason::SecretInvalid,
        E::Tls { .. } => Reason::HostVerificationFailed,
        E::TimedOut { .. } => Reason::TimedOut,
        E::NoPlatform { .. } => Reason::NoMatch,
        E::Address { .. } => Reason::InvalidSpec,
        E::Connect { .. }
        | E::NotFound { .. }
        | E::TooManyRequests { .. }
        | E::Status { .. }
        | E::Redirect { .. }
        | E::Protocol { .. }
        | E::TooLarge { .. } => Reason::ScanFailed,
    }
}

impl Look<'_> {
    fn spec(&self) -> &ImagePolicySpec {
        &self.policy.spec
    }

    /// Reads the tags as they were at `since` or later, and decides.
    pub(crate) async fn run(&self, since: Instant) -> Result<Seen, Failed> {
        let Gathered {
            name,
            rules,
            access,
            ..
        } = self.gathered;
        let listed = self.client.tags_since(name, access, since).await?;
        let tags = listed.to_vec();
        let mut matching = rules.matching(&tags);
        let created = if rules.needs_created() {
            self.times(&matching).await
        } else {
            Created::new()
        };
        let known = self
            .leave_out_other_platforms(&mut matching, &created)
            .await?;
        let look = choose::Look {
            tags: &tags,
            matching: &matching,
            created: &created,
        };
        let decision = decide(rules, self.spec(), self.status, look);
        let latest = self.reference(&decision, known, &created).await?;
        Ok(Seen {
            scan: scan(&listed, decision.choice.clone()),
            tags: self.ranked(&matching, &created),
            decision,
            latest,
        })
    }

    fn ranked(&self, matching: &Matching, created: &Created) -> Vec<String> {
        let by_annotations =
            |update: &Update| update.strategy.unwrap_or_default() == UpdateStrategy::Annotations;
        if !self.spec().update.iter().any(by_annotations) {
            return Vec::new();
        }
        let sorted = self.gathered.rules.sort(matching, created);
        sorted.into_iter().map(str::to_owned).collect()
    }

    /// Asks when the images that count were made. One that does not say is left out and counted: it never blocks.
    async fn times(&self, matching: &Matching) -> Created {
        let asked = matching.candidates.iter().map(|candidate| {
            let tag = candidate.tag.clone();
            async move { (self.inspect(&tag).await, tag) }.boxed()
        });
        let asked: Vec<_> = asked.collect();
        let mut asked = futures::stream::iter(asked).buffer_unordered(AT_ONCE);
        let (mut created, mut unknown) = (Created::new(), Vec::new());
        while let Some((found, tag)) = asked.next().await {
            match found.map(|metadata| metadata.created) {
                Ok(Some(time)) => {
                    created.insert(tag, time);
                }
                Ok(None) => unknown.push(format!("{tag}: no creation time")),
                Err(error) => unknown.push(format!("{tag}: {}", chain(&error))),
            }
        }
        if !unknown.is_empty() {
            let tags = unknown.len();
            unknown.truncate(NAMED);
            tracing::warn!(image = %self.gathered.name, tags, examples = ?unknown, "tags left out, their images do not say when they were made");
        }
        created
    }

    async fn inspect(&self, tag: &str) -> Result<Metadata, registry::Error> {
        let Gathered { name, access, .. } = self.gathered;
        let platform = self.spec().platform.as_deref();
        self.client.inspect(name, tag, access, platform).await
    }

    /// Takes tags out until the best one exists for the platform; returns what is known of that one.
    async fn leave_out_other_platforms(
        &self,
        matching: &mut Matching,
        created: &Created,
    ) -> Result<Option<(String, Metadata)>, Failed> {
        if self.spec().platform.is_none() {
            return Ok(None);
        }
        for _ in 0..TRIES {
            let Some(best) = self.gathered.rules.choose(matching, created) else {
                return Ok(None);
            };
            match self.inspect(&best).await {
                Ok(metadata) => return Ok(Some((best, metadata))),
                Err(registry::Error::NoPlatform { .. } | registry::Error::NotFound { .. }) => {
                    matching.remove(&best);
                }
                Err(error) => return Err(error.into()),
            }
        }
        let platform = self.spec().platform.as_deref().unwrap_or_default();
        let message = format!("none of the {TRIES} best tags exists for {platform}");
        Err(Failed {
            outcome: Outcome::Failed(Finding::new(Reason::NoMatch, message)),
            retry_after: None,
        })
    }

    /// Returns the image to run, with its digest where someone will want it written.
    async fn reference(
        &self,
        decision: &Decision,
        known: Option<(String, Metadata)>,
        created: &Created,
    ) -> Result<Option<ImageReference>, Failed> {
        let Some(tag) = decision.latest.clone() else {
            return Ok(None);
        };
        let spec = self.spec();
        let known = known.filter(|(of, _)| *of == tag).map(|(_, known)| known);
        let wants_digest = match spec.digest.unwrap_or_default() {
            DigestMode::Never => false,
            DigestMode::IfPinned => !spec.update.is_empty(),
            DigestMode::Always => true,
        };
        let before = self.status.latest.as_ref();
        let before = before.filter(|before| before.image == spec.image && before.tag == tag);
        let digest = match &known {
            Some(known) => Some(known.digest.clone()),
            None if wants_digest => match self.digest(&tag).await {
                Ok(digest) => Some(digest),
                // It was withdrawn, and the policy keeps it.
                Err(registry::Error::NotFound { .. }) if before.is_some() => {
                    before.and_then(|before| before.digest.clone())
                }
                Err(error) => return Err(error.into()),
            },
            None => None,
        };
        let created_at = known
            .and_then(|known| known.created)
            .or(created.get(&tag).copied());
        Ok(Some(ImageReference {
            image: spec.image.clone(),
            created_at: created_at
                .map(Time)
                .or_else(|| before.and_then(|before| before.created_at.clone())),
            tag,
            digest,
        }))
    }

    async fn digest(&self, tag: &str) -> Result<String, registry::Error> {
        let Gathered { name, access, .. } = self.gathered;
        self.client.digest(name, tag, access).await
    }
}

fn scan(tags: &Tags, choice: Option<String>) -> Scan {
    Scan {
        tags: i64::try_from(tags.len()).unwrap_or(i64::MAX),
        time: Time(Timestamp::now()),
        digest: tags.digest(),
        choice,
    }
}
