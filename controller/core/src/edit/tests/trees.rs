use flux_kustomize::{Entry, FileTree, MemoryTree, TreeError};
use rstest::rstest;

use super::*;

const MARKED: &str = "image: ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:app\"}\n";

fn at(path: &str) -> Target {
    Target {
        path: path.to_owned(),
        ..target(UpdateStrategy::Markers)
    }
}

fn paths(edits: &Edits) -> Vec<&str> {
    edits.files.iter().map(|(path, _)| path.as_str()).collect()
}

fn files() -> MemoryTree {
    MemoryTree::new()
        .file("apps/a.yaml", MARKED)
        .file("apps/deep/b.yml", MARKED)
        .file("apps/c.txt", MARKED)
        .symlink("apps/link.yaml", "a.yaml")
        .file("apps-too/d.yaml", MARKED)
}

#[rstest]
#[case("./apps", &["apps/a.yaml", "apps/deep/b.yml"])]
#[case("apps/", &["apps/a.yaml", "apps/deep/b.yml"])]
#[case("apps/../apps/deep", &["apps/deep/b.yml"])]
#[case("apps/a.yaml", &["apps/a.yaml"])]
#[case("", &["apps-too/d.yaml", "apps/a.yaml", "apps/deep/b.yml"])]
fn files_below_the_path_are_edited(#[case] path: &str, #[case] expected: &[&str]) {
    let edits = tree(&files(), &[at(path)]).unwrap();
    assert_eq!(paths(&edits), expected);
    assert_eq!(
        edits.places,
        BTreeMap::from([(policy("apps:app"), expected.len())])
    );
    assert_eq!(edits.changes.len(), expected.len());
}

#[rstest]
#[case("..", Reason::Outside)]
#[case("apps/../../x", Reason::Outside)]
#[case("nowhere", Reason::NoDirectory)]
#[case("apps/link.yaml", Reason::NoDirectory)]
fn a_path_that_is_none_does_not_keep_others_from_being_edited(
    #[case] path: &str,
    #[case] reason: Reason,
) {
    let edits = tree(&files(), &[at(path), at("apps")]).unwrap();
    assert_eq!(edits.files.len(), 2);
    assert_eq!(
        edits
            .skipped
            .iter()
            .map(|skip| &skip.reason)
            .collect::<Vec<_>>(),
        [&reason]
    );
    assert!(
        edits.skipped[0]
            .to_string()
            .starts_with(&format!("{path}: "))
    );
}

#[test]
fn a_broken_file_does_not_keep_others_from_being_edited() {
    let files = files().file("apps/broken.yaml", format!("a: [\n{MARKED}"));
    let edits = tree(&files, &[at("apps")]).unwrap();
    assert_eq!(edits.files.len(), 2);
    assert!(
        edits.skipped[0]
            .to_string()
            .starts_with("apps/broken.yaml:"),
        "{:?}",
        edits.skipped
    );
}

#[test]
fn a_file_of_several_targets_is_edited_once() {
    let web = Target {
        policy: policy("apps:web"),
        tag: "3.0.0".to_owned(),
        ..at("apps/deep")
    };
    let text = format!("{MARKED}b: x:1 # {{\"$imagepolicy\": \"apps:web\"}}\n");
    let files = MemoryTree::new()
        .file("apps/deep/a.yaml", text.as_str())
        .file("apps/b.yaml", text);
    let edits = tree(&files, &[at("apps"), web, at("apps")]).unwrap();
    let places = BTreeMap::from([(policy("apps:app"), 2), (policy("apps:web"), 1)]);
    assert_eq!(
        (edits.files.len(), edits.changes.len(), edits.places),
        (2, 3, places)
    );
}

#[test]
fn a_policy_without_a_place_is_counted_too() {
    let files = MemoryTree::new().file("a.yaml", "a: 1\n");
    let edits = tree(&files, &[at("")]).unwrap();
    assert_eq!(edits.places, BTreeMap::from([(policy("apps:app"), 0)]));
}

#[test]
fn a_large_tree_is_searched_and_not_parsed() {
    // A file that would be an error, if it were parsed.
    let mut files = files();
    for at in 0..20_000 {
        files = files.file(
            &format!("other/{}/{at}.yaml", at % 100),
            "a: [\n# no marker here\n",
        );
    }
    let edits = tree(&files, &[at("")]).unwrap();
    assert_eq!((edits.files.len(), edits.skipped.len()), (3, 0));
    assert!(is_of_interest(MARKED.as_bytes()) && !is_of_interest(b"a: [\n# no marker here\n"));
}

/// Files whose ids are their contents, and which were read.
struct Identified {
    files: MemoryTree,
    read: std::sync::Mutex<Vec<String>>,
}

impl Identified {
    fn new(files: MemoryTree) -> Self {
        let read = std::sync::Mutex::default();
        Self { files, read }
    }

    fn id(&self, path: &str) -> crate::git::ObjectId {
        use sha2::Digest as _;
        let digest = sha2::Sha256::digest(self.content(path));
        let (id, _) = digest.as_slice().split_first_chunk().unwrap();
        crate::git::ObjectId::from_bytes(*id)
    }

    fn content(&self, path: &str) -> String {
        if let Some(Entry::File) = self.files.entry(path).unwrap() {
            return String::from_utf8(self.files.read(path).unwrap()).unwrap();
        }
        let below = |(name, entry)| match entry {
            Entry::Symlink(target) => format!("{name} -> {target}"),
            _ => format!(
                "{name}: {}",
                self.id(format!("{path}/{name}").trim_start_matches('/'))
            ),
        };
        let names = self.files.list(path).unwrap().into_iter();
        names.map(below).collect::<Vec<_>>().join("\n")
    }

    /// Returns what became of the files, and which were read for it.
    fn edit(&self, targets: &[Target], memo: &mut Memo) -> (Edits, Vec<String>) {
        let edits = tree_again(self, targets, memo, &|path| Ok(Some(self.id(path)))).unwrap();
        assert_eq!(
            edits,
            tree(&self.files, targets).unwrap(),
            "what is remembered changes nothing"
        );
        let mut read = std::mem::take(&mut *self.read.lock().unwrap());
        read.sort();
        (edits, read)
    }
}

impl FileTree for Identified {
    fn entry(&self, path: &str) -> Result<Option<Entry>, TreeError> {
        self.files.entry(path)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        self.read.lock().unwrap().push(path.to_owned());
        self.files.read(path)
    }

    fn list(&self, path: &str) -> Result<Vec<(String, Entry)>, TreeError> {
        self.files.list(path)
    }
}

fn with_others() -> MemoryTree {
    files()
        .file("apps/none.yaml", "a: 1\n")
        .file("other/one.yaml", "b: 1\n")
        .file("other/deep/two.yaml", "c: 1\n")
        .file("other/web.yaml", MARKED.replace("apps:app", "apps:web"))
}

#[test]
fn a_second_look_reads_only_what_is_of_interest_or_has_changed() {
    let mut memo = Memo::default();
    let (first, read) = Identified::new(with_others()).edit(&[at("")], &mut memo);
    assert_eq!((first.files.len(), read.len()), (3, 7));
    let changed = with_others().file("other/deep/two.yaml", MARKED);
    let newer = Target {
        tag: "1.6.0".to_owned(),
        ..at("")
    };
    let (second, read) = Identified::new(changed).edit(&[newer], &mut memo);
    let places = [
        "apps-too/d.yaml",
        "apps/a.yaml",
        "apps/deep/b.yml",
        "other/deep/two.yaml",
    ];
    assert_eq!(paths(&second), places);
    assert_eq!(read, [&places[..], &["other/web.yaml"]].concat());
}

#[test]
fn other_policies_find_their_places_though_much_is_remembered() {
    let (files, mut memo) = (Identified::new(with_others()), Memo::default());
    let (edits, _) = files.edit(&[at("apps/deep")], &mut memo);
    assert_eq!(paths(&edits), ["apps/deep/b.yml"]);
    let web = |path: &str| Target {
        policy: policy("apps:web"),
        ..at(path)
    };
    files.edit(&[web("apps"), at("other")], &mut memo);
    let (edits, read) = files.edit(&[web(""), at("apps")], &mut memo);
    assert_eq!(
        paths(&edits),
        ["apps/a.yaml", "apps/deep/b.yml", "other/web.yaml"]
    );
    assert_eq!(read.len(), 4, "nothing without a marker is read again");
}
