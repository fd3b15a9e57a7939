//! The git server speaks with the real git over every way in, and misbehaves when it is told to.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use flux_e2e::{
    GitRepo, GitServer,
    git_repo::{SshSigner, git_command},
    git_server::{Access, Conduct},
};
use tempfile::TempDir;

/// A server with one repository of one commit, and a directory for clones.
struct Setting {
    server: GitServer,
    repo: GitRepo,
    directory: TempDir,
}

impl Setting {
    fn new() -> Self {
        let server = GitServer::start().unwrap();
        let repo = server.create_repository("team/app").unwrap();
        repo.push_files(&[("deploy/app.yaml", "kind: ConfigMap\n")], "first")
            .unwrap();
        Self {
            server,
            repo,
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn file(&self, name: &str, content: &str) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_string_lossy().into_owned()
    }

    /// Clones with the given settings of git.
    fn clone(&self, url: &str, settings: &[&str]) -> Output {
        let mut command = git_command(self.directory.path());
        for setting in settings {
            command.args(["-c", setting]);
        }
        command
            .args(["clone", "--quiet", url, "clone"])
            .output()
            .unwrap()
    }

    /// Commits a file in the clone and pushes it back with the same settings.
    fn push_back(&self, settings: &[&str]) -> Output {
        let clone = self.path("clone");
        fs::write(clone.join("new.yaml"), "kind: Secret\n").unwrap();
        git(&clone, &["add", "--all"]);
        git(&clone, &["commit", "--quiet", "--message", "second"]);
        let mut command = git_command(&clone);
        for setting in settings {
            command.args(["-c", setting]);
        }
        command
            .args(["push", "--quiet", "origin", "main"])
            .output()
            .unwrap()
    }

    fn clone_and_push(&self, url: &str, settings: &[&str]) {
        succeed(&self.clone(url, settings));
        assert!(self.path("clone/deploy/app.yaml").is_file());
        succeed(&self.push_back(settings));
        let pushed = git(&self.path("clone"), &["rev-parse", "HEAD"]);
        assert_eq!(self.repo.remote_id("refs/heads/main").unwrap(), pushed);
    }
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = git_command(directory).args(arguments).output().unwrap();
    succeed(&output);
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn succeed(output: &Output) {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn complaint(output: &Output) -> String {
    assert!(!output.status.success(), "it must fail");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn http_serves_clone_and_push() {
    let setting = Setting::new();
    setting.clone_and_push(&setting.server.http_url("team/app"), &[]);
    let traffic = setting.server.traffic();
    assert_eq!((traffic.fetches, traffic.pushes), (1, 1), "{traffic:?}");
    assert!(
        traffic.listings >= 1 && traffic.sent > 100 && traffic.received > 100,
        "{traffic:?}"
    );
}

#[test]
fn http_asks_for_user_and_password() {
    let setting = Setting::new();
    setting
        .server
        .set_access(Access::anonymous().with_basic("jane", "secret"));
    let url = setting.server.http_url("team/app");
    complaint(&setting.clone(&url, &[]));
    complaint(&setting.clone(&url.replace("127.0.0.1", "jane:wrong@127.0.0.1"), &[]));
    setting.clone_and_push(&url.replace("127.0.0.1", "jane:secret@127.0.0.1"), &[]);
    assert!(setting.server.traffic().denied >= 2);
}

#[test]
fn https_takes_a_bearer_token() {
    let setting = Setting::new();
    setting
        .server
        .set_access(Access::anonymous().with_bearer("t0ken"));
    let authority = format!(
        "http.sslCAInfo={}",
        setting.file("ca.crt", setting.server.authority())
    );
    let url = setting.server.https_url("team/app");
    complaint(&setting.clone(&url, &[&authority]));
    setting.clone_and_push(
        &url,
        &[&authority, "http.extraHeader=Authorization: Bearer t0ken"],
    );
}

#[test]
fn https_is_signed_by_an_authority_of_its_own() {
    let setting = Setting::new();
    let told = complaint(&setting.clone(&setting.server.https_url("team/app"), &[]));
    assert!(told.contains("certificate"), "{told}");
}

#[test]
fn the_mutual_port_demands_a_client_certificate() {
    let setting = Setting::new();
    let identity = setting.server.client_identity("flux").unwrap();
    let authority = format!(
        "http.sslCAInfo={}",
        setting.file("ca.crt", setting.server.authority())
    );
    let certificate = format!(
        "http.sslCert={}",
        setting.file("tls.crt", &identity.certificate)
    );
    let key = format!("http.sslKey={}", setting.file("tls.key", &identity.key));
    let url = setting.server.mutual_url("team/app");
    complaint(&setting.clone(&url, &[&authority]));
    setting.clone_and_push(&url, &[&authority, &certificate, &key]);
}

#[test]
fn large_requests_come_in_compressed_and_in_chunks() {
    let setting = Setting::new();
    let url = setting.server.http_url("team/app");
    succeed(&setting.clone(&url, &[]));
    let noise: Vec<u8> = (0..200_000_u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes())
        .collect();
    fs::write(setting.path("clone/noise"), noise).unwrap();
    succeed(&setting.push_back(&["http.postBuffer=1000"]));
    assert!(setting.server.traffic().received > 500_000);
}

#[test]
fn ssh_serves_clone_and_push_to_the_authorised_key() {
    let setting = Setting::new();
    let url = setting.server.ssh_url("team/app");
    let stranger = SshSigner::generate().unwrap();
    complaint(&setting.clone(
        &url,
        &[
            &ssh_command(&setting, &stranger.private_key().unwrap()),
            "ssh.variant=ssh",
        ],
    ));
    let ssh = ssh_command(&setting, &setting.server.ssh_identity().unwrap());
    setting.clone_and_push(&url, &[&ssh, "ssh.variant=ssh"]);
    assert_eq!(setting.server.traffic().commands, 2);
}

/// Our own SSH client, so that nothing but git need be installed.
fn ssh_command(setting: &Setting, identity: &str) -> String {
    let identity = setting.file("identity", identity);
    let hosts = setting.file("known_hosts", &setting.server.known_hosts().unwrap());
    format!(
        "core.sshCommand={} ssh --identity {identity} --known-hosts {hosts}",
        env!("CARGO_BIN_EXE_flux-e2e")
    )
}

#[test]
fn a_failing_server_answers_with_the_status() {
    let setting = Setting::new();
    setting.server.set_conduct(Conduct::Failing(503));
    let told = complaint(&setting.clone(&setting.server.http_url("team/app"), &[]));
    assert!(told.contains("503"), "{told}");
}

#[test]
fn a_slow_server_takes_its_time() {
    let setting = Setting::new();
    setting
        .server
        .set_conduct(Conduct::Slow(Duration::from_millis(300)));
    let started = Instant::now();
    succeed(&setting.clone(&setting.server.http_url("team/app"), &[]));
    assert!(
        started.elapsed() > Duration::from_millis(600),
        "two requests at least"
    );
}

#[test]
fn a_cutting_server_breaks_the_answer_off() {
    let setting = Setting::new();
    setting.server.set_conduct(Conduct::Cutting(40));
    complaint(&setting.clone(&setting.server.http_url("team/app"), &[]));
}

#[test]
fn a_hanging_server_answers_when_it_wakes_up() {
    let setting = Setting::new();
    setting.server.set_conduct(Conduct::Hanging);
    std::thread::scope(|scope| {
        let clone = scope.spawn(|| setting.clone(&setting.server.http_url("team/app"), &[]));
        while setting.server.traffic().requests == 0 {
            std::thread::yield_now();
        }
        assert!(!clone.is_finished(), "nothing is answered");
        setting.server.set_conduct(Conduct::Good);
        succeed(&clone.join().unwrap());
    });
}

#[test]
fn a_server_that_was_away_comes_back_on_the_same_ports() {
    let setting = Setting::new();
    let url = setting.server.http_url("team/app");
    setting.server.go_away().unwrap();
    let told = complaint(&setting.clone(&url, &[]));
    assert!(
        told.contains("Failed to connect") || told.contains("refused"),
        "{told}"
    );
    setting.server.come_back().unwrap();
    setting.clone_and_push(&url, &[]);
}

#[test]
fn git_accepts_our_ssh_signatures() {
    let setting = Setting::new();
    let signer = SshSigner::generate().unwrap();
    let commit = setting.repo.sign_head(|bytes| signer.sign(bytes)).unwrap();
    setting.repo.force_push().unwrap();
    setting
        .repo
        .signed_tag("v1", "first", |bytes| signer.sign(bytes))
        .unwrap();
    assert_eq!(setting.repo.remote_id("refs/heads/main").unwrap(), commit);
    assert_eq!(
        setting.repo.remote_id("refs/tags/v1^{commit}").unwrap(),
        commit
    );
    setting.repo.git_bare(&["fsck", "--strict"]).unwrap();
    let has_ssh_keygen = Command::new("ssh-keygen").arg("-?").output().is_ok();
    if has_ssh_keygen {
        let signers = setting.file(
            "signers",
            &format!("jane@example.org {}\n", signer.public_key().unwrap()),
        );
        let allowed = format!("gpg.ssh.allowedSignersFile={signers}");
        setting
            .repo
            .git(&["-c", &allowed, "verify-commit", "HEAD"])
            .unwrap();
        setting
            .repo
            .git(&["-c", &allowed, "verify-tag", "v1"])
            .unwrap();
    }
}

#[test]
fn branches_tags_links_and_removals_reach_the_server() {
    let setting = Setting::new();
    let repo = &setting.repo;
    repo.symlink("link", "../../etc/passwd").unwrap();
    repo.remove("deploy").unwrap();
    let second = repo.commit_and_push("second").unwrap();
    repo.annotated_tag("v1.0.0", "release").unwrap();
    repo.switch("next").unwrap();
    let third = repo.push_files(&[("a", "b")], "third").unwrap();
    repo.switch("main").unwrap();
    repo.reset("HEAD~1").unwrap();
    repo.force_push().unwrap();

    let id = |name: &str| repo.remote_id(name).unwrap();
    assert_eq!(id("refs/heads/main"), id("refs/heads/next~2"));
    assert_eq!(
        (id("refs/tags/v1.0.0^{commit}"), id("refs/heads/next")),
        (second, third)
    );
    assert_eq!(
        repo.git_bare(&["ls-tree", "--name-only", "next"]).unwrap(),
        "a\nlink"
    );
}
