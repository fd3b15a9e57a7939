use std::convert::Infallible;

use super::*;

fn draft(name: &str, time: &str, message: &str) -> Draft<'static> {
    let person = Person {
        name: name.to_owned(),
        email: "<flux@example.com>\n".to_owned(),
    };
    Draft {
        files: Vec::new(),
        message: message.to_owned(),
        author: person.clone(),
        committer: person,
        time: time.parse().unwrap(),
        signer: None,
    }
}

fn written(draft: &Draft<'_>) -> Result<String, Error<Infallible>> {
    let bytes = bytes(
        draft,
        ObjectId::from_bytes([1; 20]),
        ObjectId::from_bytes([2; 20]),
    )?;
    Ok(String::from_utf8(bytes).unwrap())
}

#[test]
fn a_commit_reads_as_git_writes_it() {
    let draft = draft(
        " \"Jane <Doe>\". ",
        "2026-01-01T00:00:00-03:30[-03:30]",
        "Subject  \r\n\r\n\r\n\r\nbody\0\r\n\r\n",
    );
    let expected = "tree 0101010101010101010101010101010101010101\n\
        parent 0202020202020202020202020202020202020202\n\
        author Jane Doe <flux@example.com> 1767238200 -0330\n\
        committer Jane Doe <flux@example.com> 1767238200 -0330\n\n\
        Subject\n\nbody\n";
    assert_eq!(written(&draft).unwrap(), expected);
}

#[test]
fn a_name_or_a_message_of_nothing_is_refused() {
    let now = "2026-01-01T00:00:00Z[UTC]";
    for (name, message) in [
        ("<>., ", "message"),
        ("", "message"),
        ("Jane", " \n\t\n"),
        ("Jane", "\0"),
    ] {
        let outcome = written(&draft(name, now, message));
        assert!(
            matches!(outcome, Err(Error::Draft(_))),
            "{name:?} {message:?}"
        );
    }
}

#[test]
fn no_name_and_no_message_adds_a_header() {
    let now = "2026-01-01T00:00:00Z[UTC]";
    let text = written(&draft("Jane\nparent 00", now, "x\n\nparent 11\n")).unwrap();
    let (headers, message) = text.split_once("\n\n").unwrap();
    assert_eq!(headers.lines().count(), 4, "{headers}");
    assert_eq!(message, "x\n\nparent 11\n");
}

#[test]
fn a_time_before_1970_is_its_beginning() {
    let text = written(&draft("Jane", "1950-01-01T00:00:00Z[UTC]", "x")).unwrap();
    assert!(text.contains("> 0 +0000\n"), "{text}");
}
