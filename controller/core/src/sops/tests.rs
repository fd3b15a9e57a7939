use std::collections::BTreeMap;

use flux_kustomize::{FileTree as _, MemoryTree, parse_yaml};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

macro_rules! fixture {
    ($path:literal) => {
        include_bytes!(concat!("../../fixtures/sops/", $path)).as_slice()
    };
}

const SECRET: &[u8] = fixture!("secret.yaml");

fn keyring(keys: &[(&str, &[u8])]) -> Keyring {
    let data = keys
        .iter()
        .map(|(name, key)| ((*name).to_owned(), key.to_vec()));
    Keyring::from_secret(&data.collect()).unwrap()
}

fn one() -> Keyring {
    keyring(&[("one.agekey", fixture!("keys/one.agekey"))])
}

fn plain(path: &str, bytes: &[u8], keyring: &Keyring) -> String {
    let plain = decrypt(path, bytes, keyring).unwrap().unwrap();
    String::from_utf8(plain.bytes).unwrap()
}

fn error(bytes: &[u8], keyring: &Keyring) -> Error {
    decrypt("x.yaml", bytes, keyring).err().unwrap()
}

fn values(text: &[u8]) -> Vec<Value> {
    let documents = parse_yaml(text, "x").unwrap();
    documents
        .into_iter()
        .map(|document| document.value)
        .collect()
}

#[rstest]
#[case::rules(SECRET, fixture!("plain/secret.yaml"), ("a.agekey", fixture!("keys/one.agekey")))]
#[case::types(fixture!("whole.yaml"), fixture!("plain/whole.yaml"), ("a.agekey", fixture!("keys/one.agekey")))]
#[case::second_recipient(fixture!("whole.yaml"), fixture!("plain/whole.yaml"), ("a.agekey", fixture!("keys/other.agekey")))]
#[case::documents(fixture!("many.yaml"), fixture!("plain/many.yaml"), ("a.agekey", fixture!("keys/one.agekey")))]
#[case::mac_only(fixture!("mac_only.yaml"), fixture!("plain/mac_only.yaml"), ("a.agekey", fixture!("keys/one.agekey")))]
#[case::ssh(fixture!("ssh.yaml"), fixture!("plain/ssh.yaml"), ("a.agekey", fixture!("keys/ssh.agekey")))]
#[case::rsa(fixture!("rsa.yaml"), fixture!("plain/rsa.yaml"), ("a.asc", fixture!("keys/rsa2048.asc")))]
#[case::curve(fixture!("curve.yaml"), fixture!("plain/curve.yaml"), ("a.asc", fixture!("keys/cv25519.asc")))]
fn yaml_of_the_real_sops_means_what_it_meant_before(
    #[case] encrypted: &[u8],
    #[case] expected: &[u8],
    #[case] key: (&str, &[u8]),
) {
    let text = plain("x.yaml", encrypted, &keyring(&[key]));
    assert_eq!(values(text.as_bytes()), values(expected), "{text}");
    assert!(!text.contains("ENC["), "{text}");
    let lines = |text: &str| text.lines().count();
    let encrypted = String::from_utf8_lossy(encrypted);
    assert!(lines(&text) <= lines(&encrypted), "no line moves down");
}

#[test]
fn lines_and_comments_stay_where_they_are() {
    let text = plain("x.yaml", SECRET, &one());
    let encrypted = String::from_utf8_lossy(SECRET);
    for (number, line) in encrypted.lines().enumerate() {
        if line.starts_with("metadata") || line.starts_with("stringData") {
            assert_eq!(text.lines().nth(number), Some(line));
        }
    }
    assert!(text.contains("# who may come in"), "{text}");
    assert!(text.contains("# the name"), "{text}");
    let second = plain("x.yaml", fixture!("many.yaml"), &one());
    let at = |text: &str| text.lines().position(|line| line.contains("name: two"));
    assert_eq!(
        at(&second),
        at(&String::from_utf8_lossy(fixture!("many.yaml")))
    );
}

#[test]
fn json_means_what_it_meant_before() {
    let text = plain("values.json", fixture!("values.json"), &one());
    let read: Value = serde_json::from_str(&text).unwrap();
    let expected: Value = serde_json::from_slice(fixture!("plain/values.json")).unwrap();
    assert_eq!(read, expected);
}

#[rstest]
#[case("app.env", fixture!("app.env"), fixture!("plain/app.env"))]
#[case("app.ini", fixture!("app.ini"), fixture!("plain/app.ini"))]
#[case("blob.bin", fixture!("blob.bin"), fixture!("plain/blob.bin"))]
#[case("secret", fixture!("app.env"), fixture!("plain/app.env"))]
#[case("secret", fixture!("app.ini"), fixture!("plain/app.ini"))]
fn flat_and_binary_files_come_back_to_the_byte(
    #[case] path: &str,
    #[case] encrypted: &[u8],
    #[case] expected: &[u8],
) {
    let plain = decrypt(path, encrypted, &one()).unwrap().unwrap();
    let text = String::from_utf8_lossy(&plain.bytes);
    assert_eq!(plain.bytes, expected, "{text}");
}

#[test]
fn key_groups_need_as_many_keys_as_the_threshold_says() {
    let (one_key, other, pgp) = (
        ("one.agekey", fixture!("keys/one.agekey")),
        ("other.agekey", fixture!("keys/other.agekey")),
        ("rsa.asc", fixture!("keys/rsa2048.asc")),
    );
    let groups = fixture!("groups.yaml");
    for keys in [[one_key, other], [one_key, pgp], [other, pgp]] {
        let text = plain("x.yaml", groups, &keyring(&keys));
        assert_eq!(
            values(text.as_bytes()),
            values(fixture!("plain/groups.yaml"))
        );
    }
    let all = keyring(&[one_key, other, pgp]);
    plain("x.yaml", groups, &all);
    assert!(matches!(
        error(groups, &keyring(&[one_key])),
        Error::NoKey { .. }
    ));
}

#[test]
fn the_wrong_key_is_told_with_everyone_who_could() {
    let other = keyring(&[("a.agekey", fixture!("keys/other.agekey"))]);
    let text = error(SECRET, &other).to_string();
    assert!(
        text.starts_with(
            "no key of spec.decryption.secretRef decrypts it; its recipients are age1"
        ),
        "{text}"
    );
    let text = error(fixture!("rsa.yaml"), &one()).to_string();
    assert!(text.contains("recipients are OpenPGP "), "{text}");
}

#[test]
fn recipients_of_cloud_services_are_named() {
    let yaml = "a: ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]\nsops:\n  kms:\n  - arn: arn:aws:kms:eu-1:1:key/2\n    enc: x\n  azure_kv:\n  - vault_url: https://v\n    name: k\n  mac: x\n  version: 3.13.3\n";
    let text = error(yaml.as_bytes(), &one()).to_string();
    assert!(
        text.contains(
            "AWS KMS arn:aws:kms:eu-1:1:key/2, Azure Key Vault https://v/k (keys of cloud"
        ),
        "{text}"
    );
}

fn changed(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    assert!(text.contains(from), "{text}");
    text.replacen(from, to, 1).into_bytes()
}

/// The encrypted value of a key.
fn sealed(key: &str) -> String {
    let text = String::from_utf8_lossy(SECRET);
    let mut lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix(key));
    let value = lines.next().unwrap();
    value.split(" #").next().unwrap().trim().to_owned()
}

#[rstest]
#[case::open_value("name: login", "name: logout", Error::Mac)]
#[case::added_value("name: login", "name: login\n    more: x", Error::Mac)]
#[case::open_where_encrypted(&sealed("password:"), "hunter2", Error::Open { path: "stringData.password".into() })]
#[case::moved(&sealed("password:"), &sealed("user:"), Error::Value { path: "stringData.password".into() })]
#[case::no_mac("mac: ENC", "mac: NOT", Error::Mac)]
#[case::other_rule(
    "encrypted_regex: ^(data|stringData)$",
    "encrypted_regex: ^data$",
    Error::Mac
)]
#[case::other_time("lastmodified: \"20", "lastmodified: \"19", Error::Mac)]
fn what_was_changed_without_sops_is_refused(
    #[case] from: &str,
    #[case] to: &str,
    #[case] expected: Error,
) {
    assert_eq!(error(&changed(SECRET, from, to), &one()), expected);
}

#[test]
fn with_a_mac_of_encrypted_values_the_others_may_change() {
    let renamed = changed(fixture!("mac_only.yaml"), "name: login", "name: other");
    plain("x.yaml", &renamed, &one());
    let whole = fixture!("mac_only.yaml");
    let text = String::from_utf8_lossy(whole);
    let user = text.lines().find(|line| line.contains("user:")).unwrap();
    let without = changed(whole, &format!("{user}\n"), "");
    assert_eq!(error(&without, &one()), Error::Mac, "a value is missing");
}

#[test]
fn what_is_not_encrypted_is_left_alone() {
    let files = [
        "a: b\n",
        "text: sops writes ENC[AES256_GCM,data:…]\n",
        "sops: {mac: 1}\ntext: ENC[AES256_GCM,x]\n",
        "sops: ENC[AES256_GCM, : broken",
        "{\"sops\": \"ENC[AES256_GCM,\"}",
    ];
    for file in files {
        for path in ["x.yaml", "x.json", "x.env", "x.ini", "x"] {
            let read = decrypt(path, file.as_bytes(), &one());
            assert!(matches!(read, Ok(None)), "{path}: {file}");
        }
    }
}

#[test]
fn an_object_can_ask_to_stay_encrypted() {
    let annotated = changed(
        SECRET,
        "name: login",
        "name: login\n    annotations: {kustomize.toolkit.fluxcd.io/decrypt: Disabled}",
    );
    assert!(matches!(decrypt("x.yaml", &annotated, &one()), Ok(None)));
}

#[test]
fn a_tree_shows_encrypted_files_in_the_clear_and_remembers_their_texts() {
    let tree = MemoryTree::new()
        .file("app.env", fixture!("app.env"))
        .file("open.env", "A=b");
    let keyring = one();
    let tree = Decrypting::new(&tree, &keyring);
    assert_eq!(tree.read("open.env").unwrap(), b"A=b");
    assert!(tree.read("app.env").unwrap().starts_with(b"# a remark\n"));
    let secrets = tree.into_secrets();
    assert!(secrets.iter().any(|text| text.as_str() == "a=b # c"));
}

fn object(value: Value) -> flux_kustomize::Object {
    flux_kustomize::Object {
        value,
        origin: flux_kustomize::Origin::default(),
        changes: Vec::new(),
    }
}

#[test]
fn a_value_of_a_secret_that_is_an_encrypted_file_is_decrypted() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let data =
        json!({"app.env": STANDARD.encode(fixture!("app.env")), "other": STANDARD.encode("x")});
    let mut objects = [object(
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": data}),
    )];
    assert!(refuse_encrypted(&objects, false).is_err());
    decrypt_data(&mut objects, &one()).unwrap();
    assert!(refuse_encrypted(&objects, true).is_ok());
    let text = objects[0].value["data"]["app.env"].as_str().unwrap();
    assert!(
        STANDARD
            .decode(text)
            .unwrap()
            .starts_with(b"# a remark\nUSER=admin")
    );
}

#[test]
fn without_keys_an_encrypted_object_is_refused() {
    let values = values(SECRET);
    let mut objects: Vec<_> = values.into_iter().map(object).collect();
    let problems = refuse_encrypted(&objects, false).unwrap_err();
    assert_eq!(
        problems[0].message,
        "is encrypted by SOPS: set spec.decryption of the Sync"
    );
    objects[0].value["metadata"]["annotations"] = json!({"flux.rs/decrypt": "disabled"});
    assert!(refuse_encrypted(&objects, false).is_ok());
}

#[rstest]
#[case("a.agekey", "", "has no keys")]
#[case("other", "x", "has no keys")]
#[case("a.agekey", "# c\nhunter2", "a.agekey: line 2: is not an age identity")]
#[case("a.agekey", "AGE-SECRET-KEY-PQ-1QQQ", "a.agekey: line 1: post-quantum")]
#[case("a.agekey", "AGE-PLUGIN-X-1QQQ", "a.agekey: line 1: age plugins")]
#[case(
    "a.agekey",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2",
    "a.agekey: is not an SSH private key"
)]
#[case("a.asc", "hunter2", "a.asc: is not an armored OpenPGP private key")]
#[case(
    "a.asc",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nhunter2",
    "a.asc: is not an armored"
)]
fn a_secret_without_good_keys_is_told_without_its_content(
    #[case] name: &str,
    #[case] value: &str,
    #[case] expected: &str,
) {
    let data = BTreeMap::from([(name.to_owned(), value.as_bytes().to_vec())]);
    let error = Keyring::from_secret(&data).unwrap_err().to_string();
    assert!(error.starts_with(expected), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn keys_are_known_by_their_print_and_never_printed() {
    let other = keyring(&[("a.agekey", fixture!("keys/other.agekey"))]);
    assert_ne!(one().print(), other.print());
    assert!(!format!("{other:?}").contains("AGE"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_change_of_a_file_is_taken_for_sops_own(at in 0usize..1 << 16, byte in 32u8..127, file in 0usize..4) {
        let (name, whole) = [
            ("x.yaml", SECRET),
            ("values.json", fixture!("values.json")),
            ("app.env", fixture!("app.env")),
            ("app.ini", fixture!("app.ini")),
        ][file];
        let keyring = one();
        let before = plain(name, whole, &keyring);
        let mut bytes = whole.to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        // Whatever a byte becomes: what still decrypts holds the same secrets.
        if let Ok(Some(after)) = decrypt(name, &bytes, &keyring) {
            let secrets = decrypt(name, whole, &keyring).unwrap().unwrap().secrets;
            prop_assert_eq!(after.secrets, secrets, "{}", before);
        }
    }
}
