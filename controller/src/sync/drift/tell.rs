//! Telling of drift: event, notification, log line, figure.

use std::collections::BTreeSet;

use flux_core::change::Change;
use flux_core::conclude::{Event, Finding};
use flux_core::drift::Drift;
use flux_core::notify::Kind;
use flux_core::object::ObjectId;
use flux_crds::{Reason, Sync};

use crate::context::Context;
use crate::key::Key;
use crate::notify::{self, News};

/// Objects that an event names.
const NAMED: usize = 10;
/// Fields of one object that an event names.
const PATHS: usize = 4;

/// What was done about drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// The objects were put back.
    Repaired,
    /// The Sync only warns.
    Reported,
    /// Somebody changes them again and again, so that the repair waits.
    Contested,
    /// They could not be put back by themselves.
    Failed,
}

impl Deed {
    /// Returns the word for figures.
    fn as_str(self) -> &'static str {
        match self {
            Self::Repaired => "repaired",
            Self::Reported => "reported",
            Self::Contested => "contested",
            Self::Failed => "failed",
        }
    }

    fn headline(self) -> &'static str {
        match self {
            Self::Repaired => "put back",
            Self::Reported => "differs from what was applied, and spec.drift.mode is Warn",
            Self::Contested => "is changed again and again, put back less and less often",
            Self::Failed => "could not be put back by itself",
        }
    }

    fn reason(self) -> Reason {
        match self {
            Self::Contested => Reason::Contested,
            Self::Repaired | Self::Reported | Self::Failed => Reason::Drifted,
        }
    }
}

/// Tells of drift, and returns it in words. Nothing of an object's content is in them but the names of fields.
pub(crate) fn tell(
    context: &Context,
    sync: &Sync,
    deed: Deed,
    drifted: &[(ObjectId, Drift)],
) -> String {
    let words = describe(drifted.iter().map(|(id, drift)| (id, drift)));
    if drifted.is_empty() {
        return words;
    }
    let object = Key::of(&sync.metadata);
    tracing::info!(%object, action = deed.as_str(), drifted = drifted.len(), objects = %words, "drift found");
    context.metrics.drifted(deed.as_str(), drifted.len() as u64);
    let message = format!("{}:\n{words}", deed.headline());
    let finding = Finding::new(deed.reason(), message);
    let status = sync.status.as_ref();
    let news = News {
        revision: status.and_then(|status| status.last_applied_revision.as_deref()),
        ..News::new(Kind::Drift, &finding)
    };
    notify::send(context, sync, news);
    context.events.publish(
        sync,
        &Event {
            warning: true,
            finding,
        },
    );
    words
}

/// Tells of the objects among `drifted` that were put back.
pub(crate) fn tell_repaired(
    context: &Context,
    sync: &Sync,
    (mut drifted, changes): (Vec<(ObjectId, Drift)>, &[Change]),
) {
    let moved = changes.iter().filter(|change| change.action.is_change());
    let moved: BTreeSet<&ObjectId> = moved.map(|change| &change.id).collect();
    drifted.retain(|(id, _)| moved.contains(id));
    tell(context, sync, Deed::Repaired, &drifted);
}

/// Returns a line an object.
pub(super) fn describe<'a>(drifted: impl Iterator<Item = (&'a ObjectId, &'a Drift)>) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut more = 0;
    for (id, drift) in drifted {
        if lines.len() < NAMED {
            lines.push(line(id, drift));
        } else {
            more += 1;
        }
    }
    if more > 0 {
        lines.push(format!("… and {more} more"));
    }
    lines.join("\n")
}

fn line(id: &ObjectId, drift: &Drift) -> String {
    let Drift::Fields { managers, paths } = drift else {
        return format!("{id} was deleted");
    };
    let by = if managers.is_empty() {
        String::new()
    } else {
        format!(" by {}", managers.join(", "))
    };
    let mut fields: Vec<&str> = paths.iter().take(PATHS).map(String::as_str).collect();
    if paths.len() > PATHS {
        fields.push("…");
    }
    let colon = if fields.is_empty() { "" } else { ": " };
    format!("{id} was changed{by}{colon}{}", fields.join(", "))
}
