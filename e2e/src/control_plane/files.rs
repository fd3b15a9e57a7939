//! Keys, certificates, tokens and kubeconfigs of one control plane.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use rcgen::KeyPair;

use crate::certificates::{Authority, Identity};

/// Every request, without bodies, once, when it has been answered.
const AUDIT_POLICY: &str = "apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
omitManagedFields: true
rules: [{level: Metadata}]
";

/// The group whose members may do everything.
const ADMINISTRATORS: &str = "system:masters";

/// The files of one control plane.
#[derive(Debug)]
pub(super) struct Files {
    directory: PathBuf,
    port: u16,
    pub(super) authority: Authority,
    pub(super) admin_token: String,
}

impl Files {
    /// Makes keys and certificates and writes all files that the programs read.
    pub(super) fn write(directory: &Path, port: u16) -> Result<Self> {
        let authority = Authority::new("flux-e2e")?;
        let admin_token = crate::hexadecimal(&crate::secret()?);
        let files = Self {
            directory: directory.to_owned(),
            port,
            authority,
            admin_token,
        };
        fs::create_dir_all(files.path("logs")).context("create the directory of logs")?;
        let hosts = [
            "127.0.0.1",
            "::1",
            "localhost",
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
        ];
        let server = files.authority.server("kube-apiserver", &hosts)?;
        let service_accounts =
            KeyPair::generate().context("generate the key of the service accounts")?;
        files.put("ca.crt", files.authority.certificate())?;
        files.put("apiserver.crt", &server.certificate)?;
        files.put("apiserver.key", &server.key)?;
        files.put("service-accounts.key", &service_accounts.serialize_pem())?;
        files.put("service-accounts.pub", &service_accounts.public_key_pem())?;
        files.put(
            "tokens.csv",
            &format!("{},admin,admin,{ADMINISTRATORS}\n", files.admin_token),
        )?;
        files.put("audit-policy.yaml", AUDIT_POLICY)?;
        let admin = files.authority.client("admin", Some(ADMINISTRATORS))?;
        files.put("kubeconfig", &files.kubeconfig_text("admin", &admin))?;
        Ok(files)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(super) fn log(&self, program: &str) -> PathBuf {
        self.directory.join("logs").join(format!("{program}.log"))
    }

    pub(super) fn audit_log(&self) -> PathBuf {
        self.log("audit")
    }

    pub(super) fn admin_kubeconfig(&self) -> PathBuf {
        self.path("kubeconfig")
    }

    pub(super) fn kwok_stages(&self) -> PathBuf {
        self.path("kwok-stages.yaml")
    }

    /// Writes a kubeconfig with a client certificate for `user` and returns its path.
    pub(super) fn write_kubeconfig(&self, user: &str, group: Option<&str>) -> Result<PathBuf> {
        let identity = self.authority.client(user, group)?;
        let name = format!(
            "kubeconfig-{}",
            user.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
        );
        self.put(&name, &self.kubeconfig_text(user, &identity))?;
        Ok(self.path(&name))
    }

    fn kubeconfig_text(&self, user: &str, identity: &Identity) -> String {
        let encode =
            |pem: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pem);
        format!(
            "apiVersion: v1
kind: Config
current-context: flux-e2e
clusters:
- name: flux-e2e
  cluster:
    server: https://127.0.0.1:{port}
    certificate-authority-data: {authority}
contexts:
- name: flux-e2e
  context: {{cluster: flux-e2e, user: {user:?}}}
users:
- name: {user:?}
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
",
            port = self.port,
            authority = encode(self.authority.certificate()),
            certificate = encode(&identity.certificate),
            key = encode(&identity.key),
        )
    }

    /// Writes a file that only we can read.
    fn put(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path(name);
        let file = fs::File::options()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.with_context(|| format!("write {}", path.display()))
    }
}
