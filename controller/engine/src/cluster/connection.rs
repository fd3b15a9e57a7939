//! Who talks to which cluster.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use kube::Client;
use kube::client::Body;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::request::{Call, JSON};
use super::{Error, Kinds, Resource};

/// Requests that one connection has under way at the most. More would only queue in the API server, and each open
/// connection costs memory on both sides.
const REQUESTS_AT_ONCE: usize = 16;
/// How long the answer to a probe may take.
const PROBE: Duration = Duration::from_secs(15);

/// The connections to one API server and what it serves.
#[derive(Clone)]
pub struct Connection {
    client: Client,
    kinds: Arc<Kinds>,
    requests: Arc<Semaphore>,
}

/// In whose name requests are made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The identity of the connection itself: of the controller, or of whom a kubeconfig names.
    Own,
    /// A service account, by impersonation.
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("the identity of the connection"),
            Self::ServiceAccount { namespace, name } => {
                write!(f, "system:serviceaccount:{namespace}:{name}")
            }
        }
    }
}

impl Connection {
    /// Wraps a client.
    pub fn new(client: Client) -> Self {
        let kinds = Arc::new(Kinds::new(client.clone()));
        Self {
            client,
            kinds,
            requests: Arc::new(Semaphore::new(REQUESTS_AT_ONCE)),
        }
    }

    /// Asks whether an API server answers and takes our credentials; what they allow is another question.
    pub async fn probe(&self) -> Result<(), Error> {
        let asked = Call::get("/version".to_owned(), JSON).send(&self.client);
        match tokio::time::timeout(PROBE, asked).await {
            Ok(Err(Error::Rejected(rejection)))
                if rejection.code == 403 && rejection.is_of_an_api_server() =>
            {
                Ok(())
            }
            Ok(answer) => is_version(&answer?.1)
                .then_some(())
                .ok_or(Error::NoApiServer),
            Err(_) => Err(Error::NotInTime {
                limit: PROBE,
                state: "no answer".to_owned(),
            }),
        }
    }

    /// Returns the client with the identity of the connection itself.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the cluster as `actor` may use it. Every request carries the impersonation: dry-run, apply, delete,
    /// list and watch. Discovery is shared by all actors.
    pub fn acting_as(&self, actor: Actor) -> Cluster {
        let client = match &actor {
            Actor::Own => self.client.clone(),
            Actor::ServiceAccount { .. } => impersonating(&self.client, &actor.to_string()),
        };
        Cluster {
            client,
            kinds: Arc::clone(&self.kinds),
            requests: Arc::clone(&self.requests),
            actor,
        }
    }
}

/// Tells whether an answer is the version of an API server (`version.Info`).
fn is_version(body: &[u8]) -> bool {
    let info: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let text = |field: &str| info.as_ref()?.get(field)?.as_str();
    text("gitVersion").is_some() && text("major").is_some()
}

/// Returns a client on the same connections that acts as `user`. For a service account the API server adds the groups
/// by itself when none are sent (`apiserver/pkg/endpoints/filters/impersonation`).
fn impersonating(client: &Client, user: &str) -> Client {
    let header = HeaderValue::from_str(user).ok();
    let (inner, namespace) = (client.clone(), client.default_namespace().to_owned());
    let service = tower::service_fn(move |mut request: http::Request<Body>| {
        let (inner, header) = (inner.clone(), header.clone());
        async move {
            // A name that is no header value can be no account either: without the header we would act with our own rights.
            let Some(header) = header else {
                return Err(tower::BoxError::from(
                    "service account name is not a valid header value",
                ));
            };
            request.headers_mut().insert("impersonate-user", header);
            inner.send(request).await.map_err(tower::BoxError::from)
        }
    });
    Client::new(service, namespace)
}

/// One cluster through the rights of one actor.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    kinds: Arc<Kinds>,
    requests: Arc<Semaphore>,
    actor: Actor,
}

impl Cluster {
    /// Returns the actor.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Returns a number that two of them share while they are of one connection, and so of one cluster.
    pub fn connection_id(&self) -> usize {
        Arc::as_ptr(&self.kinds).addr()
    }

    /// Returns the client, for reads and watches.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns what the cluster serves.
    pub fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// Returns how to address objects of this kind; asks the cluster again when the kind is new to us.
    pub async fn resolve(&self, api_version: &str, kind: &str) -> Result<Resource, Error> {
        self.kinds.resolve(api_version, kind).await
    }

    /// Waits for a place among the requests under way.
    pub(crate) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed; without a permit the request would only be unlimited.
        self.requests.acquire().await.ok()
    }
}
