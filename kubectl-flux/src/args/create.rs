//! `create`: typed objects from flags.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use flux_crds::{
    Duration,
    git_repository::{Author, VerifyMode},
    image_policy::{DigestMode, Order, UpdateStrategy},
    sync::Deletion,
};

use super::duration;

/// What to create.
#[derive(Debug, Subcommand)]
pub(crate) enum CreateCommand {
    /// Create or change a GitRepository
    #[command(visible_aliases = ["gitrepo", "gitrepository"])]
    Git(CreateGitArgs),
    /// Create or change a Sync
    Sync(CreateSyncArgs),
    /// Create or change an ImagePolicy
    #[command(visible_aliases = ["imgpol", "imagepolicy"])]
    Image(CreateImageArgs),
    /// Create or change a Secret with credentials for a repository
    Secret(CreateSecretArgs),
    /// Create or change the namespace, service account and role binding of a team
    Tenant(CreateTenantArgs),
}

/// What to do with the created objects.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Result")]
pub(crate) struct WriteArgs {
    /// Print YAML instead of applying it; needs no cluster
    #[arg(long)]
    pub(crate) export: bool,
    /// Only say what would change: "client" asks nobody, "server" asks the API server
    #[arg(long, value_enum, value_name = "WHERE", num_args = 0..=1, default_missing_value = "client", require_equals = true)]
    pub(crate) dry_run: Option<DryRun>,
    /// Label of the objects, as KEY=VALUE; can be given more than once
    #[arg(long = "label", value_parser = pair, value_name = "KEY=VALUE")]
    pub(crate) labels: Vec<(String, String)>,
}

/// Who checks what would be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DryRun {
    /// Nobody; the objects are only built
    Client,
    /// The API server, which then writes nothing
    Server,
}

/// Create or change a GitRepository
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl flux create git fleet --url https://github.com/org/fleet --branch main
  kubectl flux create git fleet --url git@github.com:org/fleet --secret fleet-key --export")]
pub(crate) struct CreateGitArgs {
    /// Name of the GitRepository
    pub(crate) name: String,
    /// Address of the repository: https://…, ssh://… or user@host:path
    #[arg(long)]
    pub(crate) url: String,
    /// Follow this branch [default: the remote's default branch]
    #[arg(long, group = "reference", value_name = "NAME")]
    pub(crate) branch: Option<String>,
    /// Follow this tag
    #[arg(long, group = "reference", value_name = "NAME")]
    pub(crate) tag: Option<String>,
    /// Follow the highest tag in this range
    #[arg(long, group = "reference", value_name = "RANGE")]
    pub(crate) semver: Option<String>,
    /// Follow this reference, such as refs/pull/42/head
    #[arg(long, group = "reference", value_name = "NAME")]
    pub(crate) ref_name: Option<String>,
    /// Stay at this commit
    #[arg(long, group = "reference", value_name = "ID")]
    pub(crate) commit: Option<String>,
    /// How often to ask for a new revision [default: 1m]
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    pub(crate) interval: Option<Duration>,
    /// How long one operation with the remote may take [default: 1m]
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    pub(crate) timeout: Option<Duration>,
    /// Secret with the credentials; see "create secret"
    #[arg(long, value_name = "NAME")]
    pub(crate) secret: Option<String>,
    /// Secret with the address of a proxy
    #[arg(long, value_name = "NAME")]
    pub(crate) proxy_secret: Option<String>,
    /// Secret with the keys that must have signed a revision
    #[arg(long, value_name = "NAME")]
    pub(crate) verify_secret: Option<String>,
    /// What must be signed: Head, Tag, TagAndHead or FirstParent
    #[arg(long, value_parser = known_value::<VerifyMode>, requires = "verify_secret", value_name = "MODE")]
    pub(crate) verify_mode: Option<VerifyMode>,
    /// Path that syncs do not see, in the syntax of .gitignore; can be given more than once
    #[arg(long, value_name = "PATTERN")]
    pub(crate) ignore: Vec<String>,
    /// Fetch submodules too
    #[arg(long)]
    pub(crate) recurse_submodules: bool,
    /// Let image policies write to this branch
    #[arg(long, value_name = "BRANCH")]
    pub(crate) write_branch: Option<String>,
    /// Author of the commits of image policies, as "NAME <E-MAIL>"
    #[arg(long, value_parser = author, requires = "write_branch", value_name = "AUTHOR")]
    pub(crate) write_author: Option<Author>,
    /// Secret with the key that signs these commits
    #[arg(long, requires = "write_branch", value_name = "NAME")]
    pub(crate) signing_secret: Option<String>,
    /// Namespace that may refer to this repository; can be given more than once
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) access_from: Vec<String>,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
}

/// Create or change a Sync
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl flux create sync apps --source fleet --path ./deploy/production --wait
  kubectl flux create sync apps --source fleet -n team-a --service-account deployer --export")]
pub(crate) struct CreateSyncArgs {
    /// Name of the Sync
    pub(crate) name: String,
    /// GitRepository with the desired state, as NAME or NAMESPACE/NAME
    #[arg(long, value_name = "NAME")]
    pub(crate) source: String,
    /// Directory in the source [default: ./]
    #[arg(long)]
    pub(crate) path: Option<String>,
    /// How often to verify the cluster [default: 10m]
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    pub(crate) interval: Option<Duration>,
    /// How long applying and waiting may take [default: 5m]
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    pub(crate) timeout: Option<Duration>,
    /// When to try again after a failure [default: a growing backoff]
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    pub(crate) retry_interval: Option<Duration>,
    /// Delete objects that left the source [default: true]
    #[arg(long, num_args = 0..=1, default_missing_value = "true", require_equals = true, value_name = "BOOL")]
    pub(crate) prune: Option<bool>,
    /// Largest part of the objects that one revision may delete, in percent
    #[arg(long, value_parser = clap::value_parser!(i32).range(0..=100), value_name = "PERCENT")]
    pub(crate) prune_max_percent: Option<i32>,
    /// What happens to the objects when the Sync is deleted: Prune or Orphan
    #[arg(long, value_parser = known_value::<Deletion>, value_name = "HOW")]
    pub(crate) deletion: Option<Deletion>,
    /// Sync that must be ready first, as NAME or NAMESPACE/NAME; can be given more than once
    #[arg(long, value_name = "NAME")]
    pub(crate) depends_on: Vec<String>,
    /// Service account to act as [default: default]
    #[arg(long, value_name = "NAME")]
    pub(crate) service_account: Option<String>,
    /// Namespace to put all objects into
    #[arg(long, value_name = "NAME")]
    pub(crate) target_namespace: Option<String>,
    /// Be ready only when everything is healthy
    #[arg(long, conflicts_with = "health_checks")]
    pub(crate) wait: bool,
    /// Object that must be healthy, as KIND/NAME or KIND/NAMESPACE/NAME; can be given more than once
    #[arg(long = "health-check", value_name = "OBJECT")]
    pub(crate) health_checks: Vec<String>,
    /// Delete and create objects again when a field cannot be changed
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
}

/// Create or change an ImagePolicy
#[derive(Debug, Args)]
#[command(
    group = clap::ArgGroup::new("policy").required(true),
    after_help = "\
Examples:
  kubectl flux create image app --image ghcr.io/org/app --semver '^1.0' --repository fleet --update-path ./apps
  kubectl flux create image app --image ghcr.io/org/app --numerical \\
    --filter 'main-[0-9a-f]+-(?P<ts>[0-9]+)' --extract '$ts' --export")]
pub(crate) struct CreateImageArgs {
    /// Name of the ImagePolicy
    pub(crate) name: String,
    /// Image without tag, such as ghcr.io/org/app
    #[arg(long)]
    pub(crate) image: String,
    /// Choose the highest version in this range
    #[arg(long, group = "policy", value_name = "RANGE")]
    pub(crate) semver: Option<String>,
    /// Choose the largest number, or with Descending the smallest
    #[arg(long, group = "policy", value_parser = known_value::<Order>, num_args = 0..=1, default_missing_value = "Ascending", require_equals = true, value_name = "ORDER")]
    pub(crate) numerical: Option<Order>,
    /// Choose the last text, or with Descending the first
    #[arg(long, group = "policy", value_parser = known_value::<Order>, num_args = 0..=1, default_missing_value = "Ascending", require_equals = true, value_name = "ORDER")]
    pub(crate) alphabetical: Option<Order>,
    /// Choose the image that was made last
    #[arg(long, group = "policy")]
    pub(crate) newest: bool,
    /// Only tags that match, by a regular expression or by glob:PATTERN
    #[arg(long, value_name = "PATTERN")]
    pub(crate) filter: Option<String>,
    /// Part of the tag to compare, by the groups of the filter, such as $ts
    #[arg(long, requires = "filter", value_name = "TEMPLATE")]
    pub(crate) extract: Option<String>,
    /// Regular expression of tags to leave out; can be given more than once
    #[arg(long, allow_hyphen_values = true, value_name = "PATTERN")]
    pub(crate) exclude: Vec<String>,
    /// How often to ask the registry [default: 5m]
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    pub(crate) interval: Option<Duration>,
    /// How long one operation with the registry may take [default: 1m]
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    pub(crate) timeout: Option<Duration>,
    /// Secret with the credentials, of type kubernetes.io/dockerconfigjson
    #[arg(long, value_name = "NAME", conflicts_with = "service_account")]
    pub(crate) secret: Option<String>,
    /// Service account whose pull secrets are the credentials
    #[arg(long, value_name = "NAME")]
    pub(crate) service_account: Option<String>,
    /// Secret with the certificates of the registry
    #[arg(long, value_name = "NAME")]
    pub(crate) cert_secret: Option<String>,
    /// Speak to the registry without TLS
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Write the digest behind the tag: Never, IfPinned or Always [default: IfPinned]
    #[arg(long, value_parser = known_value::<DigestMode>, value_name = "WHEN")]
    pub(crate) digest: Option<DigestMode>,
    /// Platform that the image must exist for, such as linux/amd64
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Option<String>,
    /// Let a lower version follow a higher one
    #[arg(long)]
    pub(crate) allow_downgrade: bool,
    /// GitRepository to write the chosen image to
    #[arg(long, value_name = "NAME")]
    pub(crate) repository: Option<String>,
    /// Directory of that repository whose files may be changed [default: ./]
    #[arg(long, requires = "repository", value_name = "PATH")]
    pub(crate) update_path: Option<String>,
    /// How the places are found: Markers, Annotations or Images [default: Markers]
    #[arg(long, requires = "repository", value_parser = known_value::<UpdateStrategy>, value_name = "STRATEGY")]
    pub(crate) strategy: Option<UpdateStrategy>,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
}

/// Create or change a Secret with credentials for a repository
///
/// Secret values are read from files, or from stdin with "-", so that they are in no list of processes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl flux create secret fleet-key --identity-file ~/.ssh/fleet --known-hosts-file known_hosts
  pass github/token | kubectl flux create secret fleet-token --username git --password-file -")]
pub(crate) struct CreateSecretArgs {
    /// Name of the Secret
    pub(crate) name: String,
    /// User name
    #[arg(long, value_name = "NAME")]
    pub(crate) username: Option<String>,
    /// File with the password or token of the user, or of the SSH key
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// File with a bearer token
    #[arg(long, value_name = "FILE", conflicts_with_all = ["username", "password_file"])]
    pub(crate) bearer_token_file: Option<PathBuf>,
    /// File with an SSH private key
    #[arg(long, value_name = "FILE", conflicts_with_all = ["username", "bearer_token_file"], requires = "known_hosts_file")]
    pub(crate) identity_file: Option<PathBuf>,
    /// File with the host keys of the SSH server, as ssh-keyscan prints them
    #[arg(long, value_name = "FILE")]
    pub(crate) known_hosts_file: Option<PathBuf>,
    /// File with the certificate authority of the server
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// File with a client certificate
    #[arg(long, value_name = "FILE", requires = "tls_key_file")]
    pub(crate) tls_crt_file: Option<PathBuf>,
    /// File with the key of the client certificate
    #[arg(long, value_name = "FILE", requires = "tls_crt_file")]
    pub(crate) tls_key_file: Option<PathBuf>,
    /// File with a public key that signs commits or tags, for --verify-secret; can be given more than once
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key_file: Vec<PathBuf>,
    /// Address of a proxy, for --proxy-secret
    #[arg(long, value_name = "URL", conflicts_with_all = ["bearer_token_file", "identity_file"])]
    pub(crate) proxy_address: Option<String>,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
}

/// Create or change the namespace, service account and role binding of a team
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl flux create tenant team-a
  kubectl flux create tenant team-a --with-namespace team-a-dev --with-namespace team-a-prod --cluster-role edit")]
pub(crate) struct CreateTenantArgs {
    /// Name of the tenant: of its service account, its role binding and, by default, its namespace
    pub(crate) name: String,
    /// Namespace of the tenant; can be given more than once [default: the tenant's name]
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) with_namespace: Vec<String>,
    /// Cluster role that the service account has in these namespaces
    #[arg(long, default_value = "admin", value_name = "NAME")]
    pub(crate) cluster_role: String,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
}

/// Reads KEY=VALUE.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Reads NAME <E-MAIL>, as git writes people.
pub(super) fn author(text: &str) -> Result<Author, String> {
    let parts = text
        .strip_suffix('>')
        .and_then(|text| text.split_once('<'))
        .map(|(name, email)| (name.trim(), email.trim()));
    match parts {
        Some((name, email)) if !name.is_empty() && !email.is_empty() => Ok(Author {
            name: name.to_owned(),
            email: email.to_owned(),
        }),
        _ => Err("write NAME <E-MAIL>".to_owned()),
    }
}

/// Reads a value of one of the API's enums, as a manifest has it.
fn known_value<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::from(text)).map_err(|error| error.to_string())
}
