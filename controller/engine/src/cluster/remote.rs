//! The way to a cluster that a kubeconfig names.

use std::time::Duration;

use flux_core::kubeconfig::{Identity, KubeConfig};
use http_body_util::Limited;
use kube::client::Body;
use kube::config::{
    AuthInfo, Cluster, Context, KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster,
    NamedContext,
};
use kube::{Client, Config};

use super::Connection;
use super::term::Term;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the head of an answer may take; longer than the API server gives itself. A cluster that swallows requests must
/// not hold up those that wait for the work to end.
const ANSWER: Duration = Duration::from_secs(65);
/// How long an answer may pause; longer than a watch lasts.
const PAUSE: Duration = Duration::from_secs(295);

/// Bytes of one answer, and of a watch before it is opened again. Whoever names a server may have made it to exhaust us.
const LARGEST: usize = 64 << 20;

/// A kubeconfig with which no connection can be set up. The cause is left out: it may quote the file.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("a certificate, key or address in the kubeconfig cannot be used")]
pub struct Unusable;

/// Returns a connection to the cluster of a kubeconfig, which writes within `term` only. Asks nobody yet.
///
/// Built from the few entries that were read, not from the file, so that nothing else in it can have an effect; nor does the
/// environment of this process, such as a proxy.
pub async fn connect(kubeconfig: &KubeConfig, term: &Term) -> Result<Connection, Unusable> {
    let file = file(kubeconfig);
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
    let mut config = config.map_err(|_| Unusable)?;
    config.proxy_url = None;
    let client = client(config).map_err(|_| Unusable)?;
    Ok(Connection::new(term.guard(bounded(client, LARGEST))))
}

/// Returns a client that waits for nothing forever: an API server that takes requests and never answers, or falls silent in
/// the middle of an answer, looks like one that is gone.
///
/// # Errors
/// That of a certificate or key in the configuration.
pub fn client(config: Config) -> Result<Client, kube::Error> {
    patient_client(config, ANSWER)
}

fn patient_client(mut config: Config, answer: Duration) -> Result<Client, kube::Error> {
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(PAUSE);
    config.reset_reader_on_write = true;
    Ok(answering_within(answer, Client::try_from(config)?))
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

/// Returns a client that breaks off answers which are larger.
fn bounded(client: Client, most: usize) -> Client {
    let namespace = client.default_namespace().to_owned();
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let client = client.clone();
        async move {
            let answer = client.send(request).await.map_err(tower::BoxError::from)?;
            Ok::<_, tower::BoxError>(answer.map(|body| Limited::new(body, most)))
        }
    });
    Client::new(service, namespace)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kube::Config;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::{bounded, patient_client};

    #[tokio::test]
    async fn a_server_that_takes_requests_and_never_answers_is_given_up() {
        // The kernel takes the connection; nobody ever reads from it.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", silent.local_addr().unwrap());
        let config = Config::new(address.parse().unwrap());
        let client = patient_client(config, Duration::from_millis(50)).unwrap();
        let asked = client.apiserver_version();
        let asked = tokio::time::timeout(Duration::from_secs(20), asked).await;
        let error = asked.expect("the request ends").unwrap_err();
        assert!(chain(&error).contains("no answer within"), "{error:?}");
    }

    #[tokio::test]
    async fn an_answer_without_end_is_broken_off() {
        let endless = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", endless.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut connection, _) = endless.accept().await.unwrap();
            connection.read_u8().await.unwrap();
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            connection.write_all(head.as_bytes()).await.unwrap();
            let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
            while connection.write_all(chunk.as_bytes()).await.is_ok() {}
        });
        let config = Config::new(address.parse().unwrap());
        let client = patient_client(config, Duration::from_secs(20)).unwrap();
        let client = bounded(client, 1 << 20);
        let asked = client.apiserver_version();
        let asked = tokio::time::timeout(Duration::from_secs(20), asked).await;
        let error = asked.expect("the request ends").unwrap_err();
        assert!(chain(&error).contains("length limit"), "{error:?}");
        server.await.unwrap();
    }

    fn chain(error: &dyn std::error::Error) -> String {
        let sources = std::iter::successors(Some(error), |error| error.source());
        sources
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ")
    }
}
