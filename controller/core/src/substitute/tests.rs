use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;

fn variables() -> Variables {
    let mut variables = Variables::new(true);
    let values = [
        ("name", "web"),
        ("n", "3"),
        ("yes", "true"),
        ("empty", ""),
        ("quote", "\""),
        ("host", "www.example.org"),
        ("path", "a/b/c.tar.gz"),
        ("list", "[1, 2]"),
        ("note", "a: b # c"),
        ("money", "$${n}"),
        ("lines", "a\nb\n"),
        ("Über", "x"),
    ];
    for (name, value) in values {
        variables.set(name, value, Kind::Open).ok();
    }
    variables.set("token", "hunter2", Kind::Secret).unwrap();
    variables
}

fn expand(text: &str) -> Result<String, String> {
    let template = Template::parse(text).map_err(|error| error.to_string())?;
    template
        .expand(&variables())
        .map_err(|error| error.to_string())
}

#[rstest]
#[case("${name}", "web")]
#[case("a-${name}-${n}", "a-web-3")]
#[case("$name $(name) $", "$name $(name) $")]
#[case("$${name} $$name $$$$", "${name} $name $$")]
#[case("${nothing:=x}${nothing:-y}${nothing=z}", "xyz")]
#[case("${empty:-x}", "x")]
#[case("${name:-x}", "web")]
#[case("${nothing:=}", "")]
#[case("${nothing:-${name}-${nothing:-b}}", "web-b")]
#[case("${name:-${nothing}}", "web")]
#[case("${name:+x}${nothing:+y}${empty:+z}", "x")]
#[case("${name:?is needed}", "web")]
#[case("${#host}", "15")]
#[case("${name^}${name^^}", "WebWEB")]
#[case("${host,}${host,,}", "www.example.orgwww.example.org")]
#[case("${host:4}", "example.org")]
#[case("${host:4:7}", "example")]
#[case("${host: -3}", "org")]
#[case("${host:99}", "")]
#[case("${path#*/}", "b/c.tar.gz")]
#[case("${path##*/}", "c.tar.gz")]
#[case("${path%.*}", "a/b/c.tar")]
#[case("${path%%.*}", "a/b/c")]
#[case("${path#x}", "a/b/c.tar.gz")]
#[case("${path#[a-c]?}", "b/c.tar.gz")]
#[case("${path/\\//-}", "a-b/c.tar.gz")]
#[case("${path//\\//-}", "a-b-c.tar.gz")]
#[case("${path/#a/x}", "x/b/c.tar.gz")]
#[case("${path/%gz/xz}", "a/b/c.tar.xz")]
#[case("${path//.tar}", "a/b/c.gz")]
#[case("${path/a/${name}}", "web/b/c.tar.gz")]
#[case("${money}", "$${n}")]
#[case("${lines}", "ab")]
fn every_form_becomes_what_flux_v2_makes_of_it(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(expand(text).as_deref(), Ok(expected));
}

#[rstest]
#[case("${nothing}", "variable nothing has no value")]
#[case("${#nothing}", "variable nothing has no value")]
#[case("${nothing^^}", "variable nothing has no value")]
#[case("${nothing:?say why}", "variable nothing: say why")]
#[case("${empty:?}", "variable empty: is required")]
#[case("${a.b}", "\"${a.b}\" is no expression")]
#[case("${a-b}", "\"${a-b}\" is no expression")]
#[case("${1}", "\"${1}\" is no expression")]
#[case("${}", "\"${}\" is no expression")]
#[case("${name", "\"${name\" has no closing brace")]
#[case("${name:-x", "has no closing brace")]
#[case("${name:}", "\"${name:}\" is no expression")]
#[case("${name:x}", "variable name: where to cut is not a number")]
#[case("${name:1:-1}", "variable name: where to cut is not a number")]
#[case("${name^x}", "\"${name^x}\" is no expression")]
#[case("${name#[}", "variable name: the pattern cannot be read")]
fn what_cannot_be_expanded_is_an_error(#[case] text: &str, #[case] expected: &str) {
    let error = expand(text).unwrap_err();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn nesting_has_a_bound() {
    let text = format!("{}{}", "${a:-".repeat(10_000), "}".repeat(10_000));
    assert_eq!(
        expand(&text).unwrap_err(),
        "expressions are nested more than 16 deep"
    );
}

#[test]
fn the_words_of_a_missing_variable_are_never_expanded() {
    let error = expand("${nothing:?${token}}").unwrap_err();
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn without_strictness_a_missing_variable_is_empty() {
    let template = Template::parse("a${nothing}b").unwrap();
    assert_eq!(template.expand(&Variables::new(false)).as_deref(), Ok("ab"));
}

fn object(value: Value) -> Object {
    Object {
        value,
        origin: flux_kustomize::Origin {
            path: "app.yaml".into(),
            line: 1,
        },
        changes: Vec::new(),
    }
}

fn field(text: &str) -> Value {
    let mut objects = [object(
        json!({"apiVersion": "example.org/v1", "kind": "Thing", "spec": {"field": text}}),
    )];
    substitute(&mut objects, &variables(), &|_| None).unwrap();
    objects[0].value["spec"]["field"].clone()
}

#[rstest]
#[case("${n}", json!(3))]
#[case("${yes}", json!(true))]
#[case("${n}${n}", json!(33))]
#[case("${empty}", json!(null))]
#[case("${quote}${n}${quote}", json!("3"))]
#[case("v${n}", json!("v3"))]
#[case("${name}", json!("web"))]
#[case("${list}", json!("[1, 2]"))]
#[case("${note}", json!("a: b # c"))]
#[case("key: ${n}", json!("key: 3"))]
#[case("3", json!("3"))]
#[case("$$3", json!("$3"))]
#[case("one\ntwo ${n}\n", json!("one\ntwo 3\n"))]
fn a_text_becomes_what_it_reads_as_and_never_more_than_a_scalar(
    #[case] text: &str,
    #[case] expected: Value,
) {
    assert_eq!(field(text), expected);
}

#[test]
fn where_kubernetes_takes_only_text_it_stays_text() {
    let mut objects = [
        object(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "${n}", "labels": {"l": "${n}"}, "annotations": {"a": "${yes}"}},
            "spec": {"replicas": "${n}", "template": {"spec": {"containers": [
                {"args": ["${n}"], "env": [{"name": "A", "value": "${yes}"}], "ports": [{"containerPort": "${n}"}]},
            ]}}},
        })),
        object(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"},
            "data": {"n": "${n}", "quoted": "${quote}${n}${quote}", "${name}.txt": "x"},
        })),
    ];
    substitute(&mut objects, &variables(), &|_| None).unwrap();
    insta::assert_json_snapshot!(objects.map(|object| object.value), @r#"
    [
      {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
          "name": "3",
          "labels": {
            "l": "3"
          },
          "annotations": {
            "a": "true"
          }
        },
        "spec": {
          "replicas": 3,
          "template": {
            "spec": {
              "containers": [
                {
                  "args": [
                    "3"
                  ],
                  "env": [
                    {
                      "name": "A",
                      "value": "true"
                    }
                  ],
                  "ports": [
                    {
                      "containerPort": 3
                    }
                  ]
                }
              ]
            }
          }
        }
      },
      {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
          "name": "a"
        },
        "data": {
          "n": "3",
          "quoted": "3",
          "web.txt": "x"
        }
      }
    ]
    "#);
}

#[rstest]
#[case(json!({"annotations": {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}}))]
#[case(json!({"labels": {"flux.rs/substitute": "Disabled"}}))]
fn an_object_can_opt_out(#[case] metadata: Value) {
    let value = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "${nothing} $$"}});
    let mut objects = [object(value.clone())];
    substitute(&mut objects, &variables(), &|_| None).unwrap();
    assert_eq!(objects[0].value, value);
}

#[test]
fn a_problem_names_file_line_field_and_variable() {
    let file = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: ${nothings:-a}\n  y: ${nothing}\n---\nz: ${other}\n";
    let mut objects = [object(
        json!({"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"y": "${nothing}", "z": "${other}"}}),
    )];
    let problems = substitute(&mut objects, &variables(), &|path| {
        (path == "app.yaml").then(|| file.as_bytes().to_vec())
    });
    let problems = problems.unwrap_err();
    let places: Vec<String> = problems
        .iter()
        .map(|problem| problem.origin.to_string())
        .collect();
    assert_eq!(
        places,
        ["app.yaml:6", "app.yaml:1"],
        "a line of another document is not named"
    );
    assert!(
        problems[0]
            .message
            .starts_with("data.y: variable nothing has no value: "),
        "{}",
        problems[0].message
    );
}

#[test]
fn two_keys_that_become_one_are_an_error() {
    let mut objects = [object(json!({"data": {"${name}": "a", "web": "b"}}))];
    assert!(substitute(&mut objects, &variables(), &|_| None).is_err());
}

#[test]
fn an_object_cannot_grow_without_bound() {
    let mut variables = Variables::new(true);
    variables
        .set("big", &"x".repeat(1 << 20), Kind::Open)
        .unwrap();
    let items: Vec<&str> = std::iter::repeat_n("${big}", 100).collect();
    let mut objects = [object(json!({"data": items}))];
    let problems = substitute(&mut objects, &variables, &|_| None).unwrap_err();
    assert_eq!(problems.len(), 1, "it is said once");
}

#[test]
fn names_of_variables_are_checked_where_a_person_wrote_them() {
    let mut variables = Variables::new(true);
    assert!(variables.set("a.b", "x", Kind::Open).is_err());
    variables.set_all([("a.b", "x"), ("a", "y")], Kind::Secret);
    assert_eq!(variables.secrets().collect::<Vec<_>>(), ["y"]);
}

#[test]
fn values_are_not_printed() {
    let text = format!("{:?}", variables());
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn the_print_follows_the_values() {
    let print = |value: &str| {
        let mut variables = Variables::new(true);
        variables.set("a", value, Kind::Open).unwrap();
        variables.print()
    };
    assert_eq!(print("x"), print("x"));
    assert_ne!(print("x"), print("y"));
}

proptest! {
    #[test]
    fn no_text_breaks_the_parser(text in "[${}a-c:/#%^,?+=.\\\\-]{0,40}") {
        if let Ok(template) = Template::parse(&text) {
            template.expand(&Variables::new(false)).ok();
        }
    }

    #[test]
    fn no_value_becomes_structure(value in "\\PC{0,30}|[\\[\\]{}:,#&*!|>'\"%@`a-z0-9 -]{0,20}") {
        let mut variables = Variables::new(true);
        variables.set("v", &value, Kind::Open).unwrap();
        let mut objects = [object(json!({"spec": {"field": "${v}"}}))];
        substitute(&mut objects, &variables, &|_| None).unwrap();
        let field = &objects[0].value["spec"]["field"];
        prop_assert!(!field.is_array() && !field.is_object(), "{}", field);
    }
}

#[test]
fn an_expression_cannot_fill_the_memory() {
    let long = "x".repeat(40_000);
    let mut variables = Variables::new(false);
    variables.set("v", &long, Kind::Open).unwrap();
    variables.set("w", &long, Kind::Open).unwrap();
    for (text, word) in [
        ("${v//x/${w}}", "larger than 8 MiB"),
        ("${v##*y}", "too long to cut"),
    ] {
        let template = Template::parse(text).unwrap();
        let error = template.expand(&variables).unwrap_err().to_string();
        assert!(error.contains(word), "{text}: {error}");
    }
}
