use rstest::rstest;
use serde_json::json;

use super::*;

fn object() -> Value {
    json!({
        "kind": "Database",
        "metadata": {"name": "orders", "generation": 3, "labels": {"tier": "gold"}},
        "spec": {"replicas": 2, "ratio": 0.5},
        "status": {
            "phase": "Running", "observedGeneration": 3, "readyReplicas": 2,
            "conditions": [{"type": "Synced", "status": "True"}, {"type": "Ready", "status": "False"}],
        },
    })
}

fn holds(text: &str) -> Result<bool, Error> {
    Expression::compile(text)?.holds_for(&object())
}

#[rstest]
#[case("status.phase == 'Running'", true)]
#[case("status.readyReplicas == spec.replicas", true)]
#[case("status.readyReplicas + 1 > spec.replicas && spec.ratio < 1", true)]
#[case(
    "status.conditions.filter(c, c.type == 'Ready').all(c, c.status == 'True')",
    false
)]
#[case(
    "status.conditions.exists(c, c.type == 'Synced' && c.status == 'True')",
    true
)]
#[case("status.conditions.exists_one(c, c.status == 'True')", true)]
#[case("size(status.conditions.map(c, c.type)) == 2", true)]
#[case("has(status.failure)", false)]
#[case("has(status.phase) && status.phase.startsWith('Run')", true)]
#[case("status.phase in ['Running', 'Idle']", true)]
#[case("status.phase.matches('^R.*g$')", true)]
#[case("status.phase.contains('unn') && status.phase.endsWith('g')", true)]
#[case("status.?failure.orValue('none') == 'none'", true)]
#[case("int('3') == status.observedGeneration && double(2) == 2.0", true)]
#[case(
    "'tier' in metadata.labels ? metadata.labels['tier'] == 'gold' : false",
    true
)]
#[case("string(spec.replicas) + 'x' == '2x' && type(1) == int", true)]
fn an_expression_is_evaluated_over_the_fields_of_an_object(
    #[case] text: &str,
    #[case] expected: bool,
) {
    assert_eq!(holds(text), Ok(expected));
}

#[rstest]
#[case(
    "status.failure == 'x'",
    "there is no field failure; ask has(…) first if it may be missing"
)]
#[case(
    "data.key == 'x'",
    "there is no field data; ask has(…) first if it may be missing"
)]
#[case("status.phase", "the answer is no true or false but a text")]
#[case(
    "status.conditions[7].type == 'x'",
    "the expression does not fit the object: a list is too short"
)]
#[case(
    "spec.replicas / 0 == 1",
    "the expression does not fit the object: a division by zero"
)]
fn an_expression_without_an_answer_says_why(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(holds(text).unwrap_err().to_string(), expected);
}

#[test]
fn what_is_wrong_names_the_place() {
    let error = Expression::compile("status.phase ==\n  == 'x'").unwrap_err();
    assert!(
        error.to_string().starts_with("line 2, column 3: "),
        "{error}"
    );
    let error = Expression::compile("now() > 1").unwrap_err();
    assert!(
        error.to_string().starts_with("now is no function"),
        "{error}"
    );
    assert_eq!(
        Expression::compile(&" ".repeat(5000)).unwrap_err(),
        Error::TooLong
    );
}

#[rstest]
#[case::parentheses("(", "true", ")")]
#[case::lists("[", "", "]")]
#[case::maps("{1:", "1", "}")]
#[case::calls("int(", "1", ")")]
#[case::indices("a[", "1", "]")]
#[case::negations("!", "true", "")]
#[case::minuses("- ", "1", "")]
#[case::conditions("true?true:", "false", "")]
#[case::sums("1+", "1", "")]
#[case::conjunctions("a&&", "true", "")]
#[case::comparisons("1<", "1", "")]
#[case::fields("", "a", ".b")]
#[case::calls_in_a_row("", "a", ".a()")]
#[case::indices_in_a_row("", "a", "[0]")]
#[case::mixed("!(", "true", ")")]
#[case::sums_in_brackets("(1+1+1+1+", "1", ")")]
fn nesting_is_bounded_and_what_is_allowed_fits_the_stack(
    #[case] before: &str,
    #[case] middle: &str,
    #[case] behind: &str,
) {
    let nested = |times: usize| format!("{}{middle}{}", before.repeat(times), behind.repeat(times));
    let compile = |times| Expression::compile(&nested(times));
    assert!(matches!(
        compile(600),
        Err(Error::TooInvolved | Error::TooLong)
    ));
    for times in 1..260 {
        if let Ok(expression) = compile(times) {
            expression.holds_for(&object()).ok();
        }
    }
}

#[test]
fn only_the_variables_that_there_are_may_be_named() {
    let over = |text| Expression::compile_over(text, &["self", "dep"]);
    assert!(over("dep.status.phases.all(p, p == self.spec.phase)").is_ok());
    assert_eq!(
        over("other.status == 1").unwrap_err().to_string(),
        "other is not defined here: there is self and dep"
    );
    let (one, other) = (json!({"a": 1}), json!({"a": 2}));
    let expression = over("dep.a > self.a").unwrap();
    assert_eq!(
        expression.holds([("self", &one), ("dep", &other)]),
        Ok(true)
    );
}

#[test]
fn values_stay_out_of_errors() {
    let secret = json!({"data": {"password": "hunter2"}, "list": ["hunter2"]});
    for text in [
        "data.password > 1",
        "data.password - data.password == 1",
        "data[list] == 'x'",
        "int(data.password) == 1",
        "list < data",
        "data.password()",
        "data.password.matches('(')",
    ] {
        let error = Expression::compile(text).and_then(|found| found.holds_for(&secret));
        let error = error.map_or_else(|error| error.to_string(), |holds| holds.to_string());
        assert!(!error.contains("hunter2"), "{text}: {error}");
    }
}

#[rstest]
#[case::doubling(&format!("size(['abcdefgh']{}) > 0", ".map(x, x + x)".repeat(30)))]
#[case::nested(
    "status.items.all(a, status.items.all(b, status.items.all(c, status.items.all(d, a != d))))"
)]
#[case::growing(
    "size([status.items].map(a, a + a).map(a, [a, a, a]).map(a, a + a).map(b, [b, b]).map(c, status.items.map(d, status.items.map(e, c)))) > 0"
)]
fn what_would_take_too_long_is_refused(#[case] text: &str) {
    let items: Vec<Value> = (0..1000)
        .map(|index| json!({"name": format!("item {index}")}))
        .collect();
    let object = json!({"status": {"items": items}});
    let expression = Expression::compile(text).unwrap();
    assert_eq!(expression.holds_for(&object), Err(Error::TooExpensive));
}

#[test]
fn a_loop_over_a_large_object_is_affordable() {
    let items: Vec<Value> = (0..200)
        .map(|index| json!({"name": format!("item {index}"), "ready": index > 0}))
        .collect();
    let object = json!({"status": {"items": items}});
    let expression =
        Expression::compile("status.items.filter(i, i.ready).all(i, i.name.startsWith('item'))");
    assert_eq!(expression.unwrap().holds_for(&object), Ok(true));
}
