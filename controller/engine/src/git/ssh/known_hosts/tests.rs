use russh::keys::ssh_key::known_hosts::HostPatterns;

use super::*;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";

fn key(text: &str) -> PublicKey {
    text.parse().unwrap()
}

fn known(lines: &str) -> KnownHosts {
    KnownHosts::parse(lines.as_bytes()).unwrap()
}

#[test]
fn a_known_key_is_accepted_and_another_is_refused() {
    let hosts = known(&format!("# comment\nexample.com,10.0.0.1 {KEY}\n"));
    assert_eq!(hosts.check("EXAMPLE.com", 22, &key(KEY)), Ok(()));
    assert_eq!(hosts.check("10.0.0.1", 22, &key(KEY)), Ok(()));
    let error = hosts.check("example.com", 22, &key(OTHER)).unwrap_err();
    assert!(error.contains("not the one in known_hosts"), "{error}");
}

#[test]
fn an_unknown_host_is_refused() {
    let hosts = known(&format!("example.com {KEY}"));
    let error = hosts.check("example.org", 22, &key(KEY)).unwrap_err();
    assert!(error.contains("no line for example.org"), "{error}");
}

#[test]
fn a_port_is_a_part_of_the_name() {
    let hosts = known(&format!("[example.com]:2222 {KEY}"));
    assert_eq!(hosts.check("example.com", 2222, &key(KEY)), Ok(()));
    assert!(hosts.check("example.com", 22, &key(KEY)).is_err());
    let without = known(&format!("example.com {KEY}"));
    assert!(without.check("example.com", 2222, &key(KEY)).is_err());
}

#[test]
fn a_hashed_name_is_recognised() {
    let mut mac = Hmac::<Sha1>::new_from_slice(b"salt").unwrap();
    mac.update(b"[example.com]:2222");
    let hash: [u8; 20] = mac.finalize().into_bytes().into();
    let patterns = HostPatterns::HashedName {
        salt: b"salt".to_vec(),
        hash,
    };
    let hosts = known(&format!("{} {KEY}", patterns.to_string()));
    assert_eq!(hosts.check("example.com", 2222, &key(KEY)), Ok(()));
    assert!(hosts.check("example.org", 2222, &key(KEY)).is_err());
}

#[test]
fn wildcards_and_negations_are_understood() {
    let hosts = known(&format!("*.example.com,!evil.example.com {KEY}"));
    assert_eq!(hosts.check("git.example.com", 22, &key(KEY)), Ok(()));
    assert!(hosts.check("evil.example.com", 22, &key(KEY)).is_err());
    assert!(hosts.check("example.com", 22, &key(KEY)).is_err());
}

#[test]
fn a_revoked_key_is_refused_although_it_is_known() {
    let hosts = known(&format!("example.com {KEY}\n@revoked * {KEY}"));
    let error = hosts.check("example.com", 22, &key(KEY)).unwrap_err();
    assert!(error.contains("revoked"), "{error}");
}

#[test]
fn a_certificate_authority_does_not_vouch_as_a_plain_key() {
    let hosts = known(&format!("@cert-authority example.com {KEY}"));
    assert!(hosts.check("example.com", 22, &key(KEY)).is_err());
}

#[test]
fn only_algorithms_that_can_be_compared_are_offered() {
    let hosts = known(&format!("example.com {KEY}"));
    assert_eq!(hosts.algorithms("example.com", 22), [Algorithm::Ed25519]);
    assert!(hosts.algorithms("example.org", 22).is_empty());
}

#[test]
fn a_file_without_a_usable_line_is_refused() {
    for text in [
        "",
        "# nothing",
        "example.com",
        "example.com ssh-ed25519 !!!",
    ] {
        assert!(KnownHosts::parse(text.as_bytes()).is_err(), "{text:?}");
    }
}
