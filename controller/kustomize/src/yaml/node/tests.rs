//! Expectations are what go-yaml v3 makes of the texts with the settings of kustomize.

use rstest::rstest;

use super::*;

#[rstest]
#[case::lists_go_to_the_column_of_their_key(
    "list:\n    - name: x\n      deep:\n          - 1\n          -   - 2\n              - 3\n",
    "list:\n- name: x\n  deep:\n  - 1\n  - - 2\n    - 3"
)]
#[case::comments_stay_with_their_nodes(
    "# top\n\n# above a\na: 1 # beside\n# above b\nb:   # beside the key\n    # above c\n    c: x\n    # below c\n\n# above d\nd:\n    # above the item\n    - e # beside the item\n# below\n",
    "# top\n\n# above a\na: 1 # beside\n# above b\nb: # beside the key\n  # above c\n  c: x\n  # below c\n# above d\nd:\n# above the item\n- e # beside the item\n# below"
)]
#[case::comments_further_out_belong_to_the_outer_block(
    "a:\n    b:\n        c: 1\n        # below c\n    # below b\n# below a\nd: 2\n",
    "a:\n  b:\n    c: 1\n    # below c\n  # below b\n# below a\nd: 2"
)]
#[case::comments_above_a_mapping_in_a_list_stay_above_it(
    "# above the first\n- # beside the dash\n  a: 1\n# above the second\n- b: 2\n",
    "# above the first\n- # beside the dash\n  a: 1\n# above the second\n- b: 2"
)]
#[case::scalars_keep_their_quotes(
    "a: 'x'\nb: \"y\\u00e9\\t\"\nc:   plain   text\nd: '\"'\ne: \"it's\"\nf: yes\ng: 0755\nh: ~\ni:\nj: \"😀\"\n",
    "a: 'x'\nb: \"yé\\t\"\nc: plain   text\nd: '\"'\ne: \"it's\"\nf: yes\ng: 0755\nh: ~\ni:\nj: \"\\U0001F600\""
)]
#[case::blocks_keep_their_sort(
    "a: |\n      one\n        two\n\n      three\nb: >-   # why\n  folded\n  text\n\n  end\nc: |+\n  kept\n\nd: |2\n   blank first\n",
    "a: |\n  one\n    two\n\n  three\nb: >- # why\n  folded text\n\n  end\nc: |+\n  kept\n\nd: |2\n   blank first"
)]
#[case::flow_style_stays(
    "a: {b: [1,2,  3], c: 'x',}\nd: [ {e: f} ] # g\nh: [\n  i, # j\n  k\n]\nl: {}\nm: []\n",
    "a: {b: [1, 2, 3], c: 'x'}\nd: [{e: f}] # g\nh: [i, # j\n  k]\nl: {}\nm: []"
)]
#[case::anchors_aliases_and_tags_stay(
    "a: &x\n    b: 1\nc:\n    <<: *x\n    d: !!str 12\n    e: !own {f: g}\n    h: &y z\n    i: *y\n",
    "a: &x\n  b: 1\nc:\n  !!merge <<: *x\n  d: !!str 12\n  e: !own {f: g}\n  h: &y z\n  i: *y"
)]
#[case::long_text_stays_on_its_line(
    "a: word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word\n",
    "a: word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word"
)]
#[case::text_on_several_lines_is_joined(
    "a: one\n  two\n  three\nb: 'four\n  five'\n",
    "a: one two three\nb: 'four five'"
)]
#[case::a_marker_goes_away("---\na: 1\n", "a: 1")]
fn texts_are_written_as_kustomize_writes_them(#[case] text: &str, #[case] expected: &str) {
    let written = Text::read(text).map(|text| text.write());
    assert_eq!(written.as_deref(), Some(expected));
}

#[rstest]
#[case("a: 1\n", "8080", "a: 8080")]
#[case("a: x\n", "8080", "a: \"8080\"")]
#[case("a: 'x'\n", "8080", "a: '8080'")]
#[case("a: x # why\n", "- y", "a: '- y' # why")]
#[case("a: x\n", "y\nz", "a: |-\n  y\n  z")]
#[case("a:\n", "true", "a: true")]
#[case("a: 1\n", "word", "a: word")]
fn what_was_text_stays_text_when_it_changes(
    #[case] text: &str,
    #[case] new: &str,
    #[case] expected: &str,
) {
    let mut text = Text::read(text).unwrap();
    text.root.field_mut("a").unwrap().set_text(new.to_owned());
    assert_eq!(text.write(), expected);
}

#[test]
fn a_field_is_added_without_quotes() {
    let mut text = Text::read("a: {b: c}\n").unwrap();
    let inner = text.root.field_mut("a").unwrap();
    inner.add_field("d", Node::plain("8080"));
    text.root
        .add_field("e", Node::from(&serde_json::json!({"f": ["8080", 1]})));
    assert_eq!(
        text.write(),
        "a: {b: c, d: 8080}\ne:\n  f:\n  - \"8080\"\n  - 1"
    );
}
