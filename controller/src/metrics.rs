//! The figures under `/metrics`. Label values come from closed enums, never from messages or names.

use std::time::Duration;

use flux_crds::Reason;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reconcile {
    kind: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Action {
    action: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Notification {
    kind: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: u16,
}

/// All figures of the controller.
pub(crate) struct Metrics {
    registry: Registry,
    reconciles: Family<Reconcile, Counter>,
    durations: Family<Kind, Histogram>,
    objects: Family<Action, Counter>,
    fetched: Counter,
    resources: Family<Kind, Gauge>,
    calls: Family<Code, Counter>,
    drifts: Family<Action, Counter>,
    notifications: Family<Notification, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("flux");
        let reconciles = Family::default();
        registry.register(
            "reconciles",
            "Finished reconciles by kind and reason",
            reconciles.clone(),
        );
        let durations = Family::<Kind, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.001, 4.0, 9))
        });
        registry.register(
            "reconcile_duration_seconds",
            "Time of a reconcile without waiting for health",
            durations.clone(),
        );
        let objects = Family::default();
        registry.register(
            "objects",
            "Changes of target objects by action",
            objects.clone(),
        );
        let fetched = Counter::default();
        registry.register(
            "git_fetched_bytes",
            "Bytes of packs received from git servers",
            fetched.clone(),
        );
        let resources = Family::default();
        registry.register(
            "resources",
            "Objects of our kinds that are reconciled",
            resources.clone(),
        );
        let calls = Family::default();
        registry.register(
            "webhook_calls",
            "Calls of the webhook server by HTTP status",
            calls.clone(),
        );
        let drifts = Family::default();
        registry.register(
            "drifts",
            "Objects that others changed, by what was done about it",
            drifts.clone(),
        );
        let notifications = Family::default();
        registry.register(
            "notifications",
            "Notifications by kind of receiver and what became of them",
            notifications.clone(),
        );
        Self {
            registry,
            reconciles,
            durations,
            objects,
            fetched,
            resources,
            calls,
            drifts,
            notifications,
        }
    }
}

impl Metrics {
    /// Counts a finished reconcile.
    pub(crate) fn reconciled(&self, kind: &'static str, reason: Reason, took: Duration) {
        self.reconciles
            .get_or_create(&Reconcile {
                kind,
                reason: reason.as_str(),
            })
            .inc();
        self.durations
            .get_or_create(&Kind { kind })
            .observe(took.as_secs_f64());
    }

    /// Counts changes of target objects.
    pub(crate) fn changed(&self, action: &'static str, count: u64) {
        self.objects.get_or_create(&Action { action }).inc_by(count);
    }

    /// Counts objects that others changed.
    pub(crate) fn drifted(&self, action: &'static str, count: u64) {
        self.drifts.get_or_create(&Action { action }).inc_by(count);
    }

    /// Counts received bytes.
    pub(crate) fn fetched(&self, bytes: u64) {
        self.fetched.inc_by(bytes);
    }

    /// Adds one object of our kinds, or takes one away.
    pub(crate) fn resources(&self, kind: &'static str, change: i64) {
        self.resources.get_or_create(&Kind { kind }).inc_by(change);
    }

    /// Counts a call of the webhook server by its answer.
    pub(crate) fn called(&self, code: u16) {
        self.calls.get_or_create(&Code { code }).inc();
    }

    /// Counts a notification by what became of it.
    pub(crate) fn notified(&self, kind: &'static str, result: &'static str) {
        self.notifications
            .get_or_create(&Notification { kind, result })
            .inc();
    }

    /// Returns all figures in the `OpenMetrics` text format.
    pub(crate) fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        if prometheus_client::encoding::text::encode(&mut text, &self.registry).is_err() {
            text.clear();
        }
        text
    }
}
