//! The command lines of the control plane's programs.

use super::{Ports, files::Files};

pub(super) fn etcd(files: &Files, ports: Ports) -> Vec<String> {
    let client = format!("http://127.0.0.1:{}", ports.etcd);
    let peer = format!("http://127.0.0.1:{}", ports.etcd_peer);
    vec![
        "--name=default".to_owned(),
        format!("--data-dir={}", files.path("etcd").display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        // The data need not outlive the machine.
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ]
}

pub(super) fn api_server(files: &Files, ports: Ports, service_accounts_exist: bool) -> Vec<String> {
    let mut arguments = vec![
        format!("--etcd-servers=http://127.0.0.1:{}", ports.etcd),
        format!("--secure-port={}", ports.api_server),
        "--bind-address=127.0.0.1".to_owned(),
        "--advertise-address=127.0.0.1".to_owned(),
        // Endpoints must not be loopback addresses, so there are none for the API server itself.
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--tls-cert-file={}", files.path("apiserver.crt").display()),
        format!(
            "--tls-private-key-file={}",
            files.path("apiserver.key").display()
        ),
        format!("--client-ca-file={}", files.path("ca.crt").display()),
        format!("--token-auth-file={}", files.path("tokens.csv").display()),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!(
            "--service-account-key-file={}",
            files.path("service-accounts.pub").display()
        ),
        format!(
            "--service-account-signing-key-file={}",
            files.path("service-accounts.key").display()
        ),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        "--authorization-mode=RBAC".to_owned(),
        "--allow-privileged=true".to_owned(),
        format!(
            "--audit-policy-file={}",
            files.path("audit-policy.yaml").display()
        ),
        format!("--audit-log-path={}", files.audit_log().display()),
        "--profiling=false".to_owned(),
    ];
    if !service_accounts_exist {
        // Nobody makes the `default` accounts without the controller-manager, and pods would be refused.
        arguments.push("--disable-admission-plugins=ServiceAccount".to_owned());
    }
    arguments
}

pub(super) fn controller_manager(files: &Files) -> Vec<String> {
    let mut arguments = client(files);
    arguments.extend([
        format!(
            "--service-account-private-key-file={}",
            files.path("service-accounts.key").display()
        ),
        format!("--root-ca-file={}", files.path("ca.crt").display()),
    ]);
    arguments
}

pub(super) fn scheduler(files: &Files) -> Vec<String> {
    client(files)
}

pub(super) fn kwok(files: &Files) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", files.admin_kubeconfig().display()),
        format!("--config={}", files.kwok_stages().display()),
        "--manage-all-nodes=true".to_owned(),
    ]
}

/// What a client of the API server needs: one of each kind runs, and nobody asks it for metrics.
fn client(files: &Files) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", files.admin_kubeconfig().display()),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
        "--profiling=false".to_owned(),
    ]
}
