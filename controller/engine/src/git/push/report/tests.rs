use gix_transport::packetline::blocking_io::encode;

use super::*;

const MAIN: &str = "refs/heads/main";

fn report(lines: &[&str]) -> Vec<u8> {
    let mut data = Vec::new();
    for line in lines {
        encode::text_to_write(line.as_bytes(), &mut data).unwrap();
    }
    encode::flush_to_write(&mut data).unwrap();
    data
}

fn answer(lines: &[&str]) -> Result<Answer, String> {
    read(&report(lines), &Talk::default(), MAIN)
}

#[test]
fn an_update_is_accepted_rejected_or_refused() {
    assert_eq!(
        answer(&["unpack ok", "ok refs/heads/main"]),
        Ok(Answer::Accepted)
    );
    for moved in [
        "fetch first",
        "failed to update ref",
        "cannot lock ref 'refs/heads/main': is at 1 but expected 2",
    ] {
        let line = format!("ng {MAIN} {moved}");
        assert_eq!(
            answer(&["unpack ok", &line]),
            Ok(Answer::Rejected(moved.to_owned()))
        );
    }
    for refused in [
        "pre-receive hook declined",
        "protected branch hook declined",
        "deletion prohibited",
    ] {
        let line = format!("ng {MAIN} {refused}");
        assert_eq!(
            answer(&["unpack ok", &line]),
            Ok(Answer::Refused(refused.to_owned()))
        );
    }
    let full = answer(&[
        "unpack unable to create temporary object directory",
        "ng refs/heads/main unpacker error",
    ]);
    assert_eq!(
        full,
        Ok(Answer::Refused(
            "unpack: unable to create temporary object directory".to_owned()
        ))
    );
}

#[test]
fn a_report_about_something_else_is_no_answer() {
    for lines in [
        &[][..],
        &["unpack ok"],
        &["unpack ok", "ok refs/heads/other"],
        &["ok refs/heads/main"],
        &["nonsense"],
    ] {
        assert!(answer(lines).is_err(), "{lines:?}");
    }
    assert!(read(b"0011unpack", &Talk::default(), MAIN).is_err());
}

#[test]
fn what_the_server_says_is_shown_in_one_bounded_line() {
    let mut talk = Talk::default();
    talk.add(b"error: GH006: Protected branch\n\x1b[31m update failed\r\n");
    let data = report(&[
        "unpack ok",
        "ng refs/heads/main protected branch hook declined",
    ]);
    let expected =
        "protected branch hook declined (error: GH006: Protected branch [31m update failed)";
    assert_eq!(
        read(&data, &talk, MAIN),
        Ok(Answer::Refused(expected.to_owned()))
    );
    for _ in 0..100 {
        talk.add(&[b'x'; 100]);
    }
    let Ok(Answer::Refused(text)) = read(&data, &talk, MAIN) else {
        panic!("refused");
    };
    assert!(text.len() < 1100, "{}", text.len());
}

#[test]
fn a_fatal_message_is_an_error() {
    let mut talk = Talk::default();
    talk.fail(b"fatal: out of disk\n");
    assert_eq!(read(&[], &talk, MAIN), Err("fatal: out of disk".to_owned()));
}
