use rstest::rstest;

use super::*;

/// The scalars of a text as they are written, and its comments.
fn parts(text: &str) -> (Vec<&str>, Vec<&str>) {
    let outline = Outline::new(text, "x.yaml").unwrap();
    let is_scalar = |node: &Node| matches!(node.content, Content::Scalar { .. });
    let scalars = outline
        .nodes()
        .filter(|(_, node)| is_scalar(node))
        .map(|(_, node)| &text[node.range.clone()])
        .collect();
    let comments = outline.comments();
    let comments = comments.iter().map(|c| &text[c.range.clone()]).collect();
    (scalars, comments)
}

#[rstest]
#[case::block("a: b  # c\n", &["a", "b"], &["# c"])]
#[case::crlf("a: b # c\r\nd: e\r\n", &["a", "b", "d", "e"], &["# c"])]
#[case::byte_order_mark("\u{feff}a: ä # c\nb: 'x'", &["a", "ä", "b", "'x'"], &["# c"])]
#[case::quotes("a: \"b\\x41\" #c\n", &["a", "\"b\\x41\""], &["#c"])]
#[case::flow("{a: b, c: [d , 'e']}\n", &["a", "b", "c", "d", "'e'"], &[])]
#[case::anchor_and_tag("a: &x !!str b\nc: *x\n", &["a", "b", "c"], &[])]
#[case::no_comment_in_a_block("a: |\n  x # y\nb: c\n", &["a", "x # y\n", "b", "c"], &[])]
fn a_range_covers_what_is_written(
    #[case] text: &str,
    #[case] scalars: &[&str],
    #[case] comments: &[&str],
) {
    assert_eq!(parts(text), (scalars.to_vec(), comments.to_vec()));
}

#[test]
fn many_comments_in_a_row_are_no_error() {
    let text = format!("a:\n{}  - b\n", "  # x\n".repeat(500));
    assert_eq!(parts(&text).1.len(), 500);
}

#[test]
fn a_block_ends_behind_its_last_node() {
    let text = "a:\n  b: c\n  # comment\n\nd: e\n";
    let outline = Outline::new(text, "x.yaml").unwrap();
    let Content::Mapping { entries, .. } = &outline.node(outline.documents()[0]).content else {
        unreachable!()
    };
    assert_eq!(&text[outline.node(entries[0].1).range.clone()], "b: c");
}

#[rstest]
#[case("1.10", Style::Plain, "\"1.10\"")]
#[case("1.10.2", Style::Plain, "1.10.2")]
#[case("2024-01-31", Style::Plain, "\"2024-01-31\"")]
#[case("20240131", Style::Plain, "\"20240131\"")]
#[case("12e4567", Style::Plain, "\"12e4567\"")]
#[case("on", Style::Plain, "\"on\"")]
#[case("glob:v1.*", Style::Plain, "glob:v1.*")]
#[case("it's", Style::SingleQuoted, "'it''s'")]
#[case("nginx:1.0", Style::Plain, "nginx:1.0")]
#[case("1e3", Style::DoubleQuoted, "\"1e3\"")]
#[case("a\nb", Style::Plain, "\"a\\nb\"")]
#[case("0123456", Style::Plain, "\"0123456\"")]
fn a_text_is_written_so_that_it_reads_back(
    #[case] text: &str,
    #[case] style: Style,
    #[case] expected: &str,
) {
    assert_eq!(write_scalar(text, style).as_deref(), Some(expected));
}
