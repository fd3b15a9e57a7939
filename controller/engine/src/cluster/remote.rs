//! The way to a cluster that a kubeconfig names.

use std::time::Duration;

use flux_core::kubeconfig::{Identity, KubeConfig};
use kube::client::Body;
use kube::config::{
    AuthInfo, Cluster, Context, KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster,
    NamedContext,
};
use kube::{Client, Config};

use super::Connection;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the head of an answer may take; longer than the API server gives itself. A cluster that swallows requests must
/// not hold up those that wait for the work to end.
const ANSWER: Duration = Duration::from_secs(65);
/// How long an answer may pause; longer than a watch lasts.
const PAUSE: Duration = Duration::from_secs(295);

/// A kubeconfig with which no connection can be set up. The cause is left out: it may quote the file.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("a certificate, key or address in the kubeconfig cannot be used")]
pub struct Unusable;

/// Returns a connection to the cluster of a kubeconfig. Asks nobody yet.
///
/// Built from the few entries that were read, not from the file, so that nothing else in it can have an effect; nor does the
/// environment of this process, such as a proxy.
pub async fn connect(kubeconfig: &KubeConfig) -> Result<Connection, Unusable> {
    let file = file(kubeconfig);
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
    let mut config = config.map_err(|_| Unusable)?;
    config.proxy_url = None;
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(PAUSE);
    config.reset_reader_on_write = true;
    let client = Client::try_from(config).map_err(|_| Unusable)?;
    Ok(Connection::new(answering_within(ANSWER, client)))
}

fn file(kubeconfig: &KubeConfig) -> Kubeconfig {
    const NAME: &str = "target";
    let KubeConfig {
        server,
        server_name,
        authority,
        identity,
    } = kubeconfig;
    Kubeconfig {
        clusters: vec![NamedCluster {
            name: NAME.to_owned(),
            cluster: Some(Cluster {
                server: Some(server.clone()),
                tls_server_name: server_name.clone(),
                certificate_authority_data: authority.clone(),
                ..Cluster::default()
            }),
            ..NamedCluster::default()
        }],
        auth_infos: vec![NamedAuthInfo {
            name: NAME.to_owned(),
            auth_info: Some(credentials(identity)),
            ..NamedAuthInfo::default()
        }],
        contexts: vec![NamedContext {
            name: NAME.to_owned(),
            context: Some(Context {
                cluster: NAME.to_owned(),
                user: Some(NAME.to_owned()),
                ..Context::default()
            }),
            ..NamedContext::default()
        }],
        current_context: Some(NAME.to_owned()),
        ..Kubeconfig::default()
    }
}

fn credentials(identity: &Identity) -> AuthInfo {
    let Identity {
        token,
        certificate,
        password,
    } = identity;
    let text = |hidden: &flux_core::kubeconfig::Hidden| String::clone(hidden).into();
    AuthInfo {
        token: token.as_ref().map(text),
        client_certificate_data: certificate.as_ref().map(|(data, _)| data.clone()),
        client_key_data: certificate.as_ref().map(|(_, key)| text(key)),
        username: password.as_ref().map(|(name, _)| name.clone()),
        password: password.as_ref().map(|(_, password)| text(password)),
        ..AuthInfo::default()
    }
}

/// Returns a client whose requests fail when no answer begins in time.
fn answering_within(limit: Duration, client: Client) -> Client {
    let namespace = client.default_namespace().to_owned();
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let client = client.clone();
        async move {
            match tokio::time::timeout(limit, client.send(request)).await {
                Ok(answer) => answer.map_err(tower::BoxError::from),
                Err(_) => Err(tower::BoxError::from(format!(
                    "no answer within {} s",
                    limit.as_secs()
                ))),
            }
        }
    });
    Client::new(service, namespace)
}
