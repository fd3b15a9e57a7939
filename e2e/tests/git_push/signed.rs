//! Signed commits, verified by the real git with gpg and ssh-keygen, and by the engine's own eyes.

use std::{
    collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command,
};

use flux_core::git::{Mode, Resolved};
use flux_engine::git::{CredentialsError, Keyring, Signer, verify};
use tempfile::TempDir;

use crate::setting::{FILE, Setting, signed_draft};

const FILES: &[(&str, &[u8])] = &[(FILE, b"image: app:2\n")];

fn secret(entries: &[(&str, &[u8])]) -> BTreeMap<String, Vec<u8>> {
    entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.to_vec()))
        .collect()
}

/// Commits with the key of the Secret; the keyring must find the signature good.
fn commit(setting: &Setting, data: &BTreeMap<String, Vec<u8>>, public: &[u8]) -> Resolved {
    let signer = Signer::from_secret(data).unwrap();
    let outcome = setting.write_with(&setting.http(), None, |_, _| {
        signed_draft(FILES, Some(&signer))
    });
    let resolved = outcome.unwrap().unwrap().resolved;
    let keyring = Keyring::from_secret(&secret(&[("key", public)])).unwrap();
    verify(&setting.store, &resolved, Mode::Head, &keyring, None).unwrap();
    setting.is_sound();
    resolved
}

fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output.stdout
}

fn ssh_key(directory: &Path, kind: &str, password: &str) -> (Vec<u8>, Vec<u8>) {
    let path = directory.join("key");
    run(Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", password, "-C", "", "-f"])
        .arg(&path));
    let public = fs::read(path.with_extension("pub")).unwrap();
    (fs::read(path).unwrap(), public)
}

#[test]
fn a_commit_is_signed_with_every_kind_of_ssh_key() {
    for (kind, password) in [
        ("ed25519", ""),
        ("ed25519", "open sesame"),
        ("rsa", ""),
        ("ecdsa", ""),
    ] {
        let setting = Setting::new();
        let directory = tempfile::tempdir().unwrap();
        let (private, public) = ssh_key(directory.path(), kind, password);
        let mut data = secret(&[("identity", &private)]);
        if !password.is_empty() {
            let error = Signer::from_secret(&data).unwrap_err();
            assert!(
                matches!(
                    error,
                    CredentialsError::Missing {
                        key: "password",
                        ..
                    }
                ),
                "{error}"
            );
            data.insert("password".to_owned(), format!("{password}\n").into_bytes());
        }
        let resolved = commit(&setting, &data, &public);
        let signers = directory.path().join("signers");
        fs::write(
            &signers,
            format!("jane@example.com {}", String::from_utf8_lossy(&public)),
        )
        .unwrap();
        let option = format!("gpg.ssh.allowedSignersFile={}", signers.display());
        let id = resolved.commit_id.to_string();
        setting
            .repo
            .git_bare(&["-c", &option, "-c", "gpg.format=ssh", "verify-commit", &id])
            .unwrap();
    }
}

/// A home of gpg's with one key that certifies, and perhaps a subkey that signs.
struct Gpg(TempDir);

impl Gpg {
    fn new(kind: &str, password: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let gpg = Self(directory);
        gpg.run(
            password,
            &[
                "--quick-generate-key",
                "Flux <flux@example.com>",
                kind,
                "sign",
                "never",
            ],
        );
        gpg
    }

    fn with_subkey(self, kind: &str, password: &str) -> Self {
        let listed =
            String::from_utf8(self.run(password, &["--list-keys", "--with-colons"])).unwrap();
        let print = listed
            .lines()
            .find_map(|line| line.strip_prefix("fpr:"))
            .unwrap();
        let print = print.trim_matches(':').to_owned();
        self.run(
            password,
            &["--quick-add-key", &print, kind, "sign", "never"],
        );
        self
    }

    fn run(&self, password: &str, arguments: &[&str]) -> Vec<u8> {
        let mut command = Command::new("gpg");
        command.env("GNUPGHOME", self.0.path());
        command.args([
            "--batch",
            "--quiet",
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            password,
        ]);
        run(command.args(arguments))
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let mut stop = Command::new("gpgconf");
        stop.env("GNUPGHOME", self.0.path())
            .args(["--kill", "gpg-agent"])
            .output()
            .ok();
    }
}

#[test]
fn a_commit_is_signed_with_every_kind_of_openpgp_key() {
    let cases = [
        ("ed25519", "", false),
        ("ed25519", "open sesame", true),
        ("rsa2048", "open sesame", false),
        ("nistp256", "", false),
    ];
    for (kind, password, subkey) in cases {
        let setting = Setting::new();
        let mut gpg = Gpg::new(kind, password);
        if subkey {
            gpg = gpg.with_subkey(kind, password);
        }
        let private = gpg.run(password, &["--armor", "--export-secret-keys"]);
        let public = gpg.run(password, &["--armor", "--export"]);
        let mut data = secret(&[("git.asc", &private)]);
        if !password.is_empty() {
            let error = Signer::from_secret(&data).unwrap_err();
            assert!(
                matches!(
                    error,
                    CredentialsError::Missing {
                        key: "password",
                        ..
                    }
                ),
                "{error}"
            );
            data.insert("password".to_owned(), b"wrong".to_vec());
            assert!(Signer::from_secret(&data).is_err());
            data.insert("password".to_owned(), password.as_bytes().to_vec());
        }
        let resolved = commit(&setting, &data, &public);
        let mut check = flux_e2e::git_repo::git_command(setting.repo.bare());
        check.env("GNUPGHOME", gpg.0.path());
        run(check.args(["verify-commit", &resolved.commit_id.to_string()]));
    }
}

#[test]
fn a_secret_without_one_usable_key_is_refused_and_never_printed() {
    let cases: [&[(&str, &[u8])]; 4] = [
        &[],
        &[("git.asc", b"hunter2"), ("identity", b"hunter2")],
        &[("git.asc", b"hunter2")],
        &[("identity", b"hunter2"), ("password", b"hunter2")],
    ];
    for entries in cases {
        let error = Signer::from_secret(&secret(entries)).unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{error:?}"
        );
    }
    let directory = tempfile::tempdir().unwrap();
    let (private, _) = ssh_key(directory.path(), "ed25519", "");
    let signer = Signer::from_secret(&secret(&[("identity", &private)])).unwrap();
    assert_eq!(format!("{signer:?}"), "Signer(…)");
}
