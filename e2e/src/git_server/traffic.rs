//! What goes over the wire.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Counts since the server's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// HTTP requests, refused ones too.
    pub requests: u64,
    /// HTTP requests that were refused for want of credentials.
    pub denied: u64,
    /// Lists of references: `info/refs` of protocol 0, `ls-refs` of protocol 2.
    pub listings: u64,
    /// Requests for objects.
    pub fetches: u64,
    /// Requests that bring objects.
    pub pushes: u64,
    /// Commands over SSH.
    pub commands: u64,
    /// Bytes of bodies from clients.
    pub received: u64,
    /// Bytes of bodies to clients.
    pub sent: u64,
}

impl Traffic {
    /// Returns what has come since an `earlier` reading.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            requests: self.requests - earlier.requests,
            denied: self.denied - earlier.denied,
            listings: self.listings - earlier.listings,
            fetches: self.fetches - earlier.fetches,
            pushes: self.pushes - earlier.pushes,
            commands: self.commands - earlier.commands,
            received: self.received - earlier.received,
            sent: self.sent - earlier.sent,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) requests: AtomicU64,
    pub(super) denied: AtomicU64,
    pub(super) listings: AtomicU64,
    pub(super) fetches: AtomicU64,
    pub(super) pushes: AtomicU64,
    pub(super) commands: AtomicU64,
    pub(super) received: AtomicU64,
    pub(super) sent: AtomicU64,
    /// Ports that are open now.
    pub(super) listeners: AtomicUsize,
}

impl Counters {
    pub(super) fn read(&self) -> Traffic {
        let value = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        Traffic {
            requests: value(&self.requests),
            denied: value(&self.denied),
            listings: value(&self.listings),
            fetches: value(&self.fetches),
            pushes: value(&self.pushes),
            commands: value(&self.commands),
            received: value(&self.received),
            sent: value(&self.sent),
        }
    }
}

pub(super) fn add(counter: &AtomicU64, value: usize) {
    counter.fetch_add(value as u64, Ordering::SeqCst);
}
