//! The most that an expression can cost, from its shape and the size of what it is about.

use std::collections::{BTreeMap, BTreeSet};

use cel::IdedExpr;
use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, LiteralValue, operators};
use serde_json::Value;

/// Steps that one evaluation may take, copied bytes included: about a tenth of a second.
const STEPS: u64 = 10_000_000;
/// What a value in between may weigh.
const WEIGHT: u64 = 50_000_000;

/// Bounds of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Size {
    /// Elements of a list or map.
    length: u64,
    /// Elements of any list or map within it.
    inner: u64,
    /// All its parts, a byte of text counting as one.
    weight: u64,
}

impl Size {
    const ONE: Self = Self {
        length: 0,
        inner: 0,
        weight: 1,
    };

    fn of(value: &Value) -> Self {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::ONE,
            Value::String(text) => Self {
                weight: 1 + count(text.len()),
                ..Self::ONE
            },
            Value::Array(items) => Self::all(items.iter().map(Self::of)),
            Value::Object(fields) => Self::all(fields.iter().map(|(name, value)| {
                let size = Self::of(value);
                Self {
                    weight: size.weight + count(name.len()),
                    ..size
                }
            })),
        }
    }

    /// A collection of parts.
    fn all(parts: impl Iterator<Item = Self>) -> Self {
        parts.fold(Self::ONE, |whole, part| Self {
            length: whole.length.saturating_add(1),
            inner: whole.inner.max(part.length).max(part.inner),
            weight: whole.weight.saturating_add(part.weight),
        })
    }

    /// Whatever can be reached in it.
    fn part(self) -> Self {
        Self {
            length: self.inner,
            ..self
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            length: self.length.max(other.length),
            inner: self.inner.max(other.inner),
            weight: self.weight.max(other.weight),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            length: self.length.saturating_add(other.length),
            inner: self.inner.max(other.inner),
            weight: self.weight.saturating_add(other.weight),
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Tells whether an evaluation over these values stays within bounds.
pub(super) fn is_affordable<'v>(
    expression: &IdedExpr,
    input: impl Iterator<Item = &'v Value>,
) -> bool {
    let input = Size::all(input.map(Size::of));
    let mut estimate = Estimate {
        free: Size {
            length: input.length.max(input.inner),
            ..input
        },
        bound: BTreeMap::new(),
        heaviest: 0,
    };
    let (_, steps) = estimate.expression(expression);
    steps <= STEPS && estimate.heaviest <= WEIGHT
}

struct Estimate {
    /// Bounds of what the object gives.
    free: Size,
    /// Bounds of the variables of loops. A name that stands for two loops has the bounds of the inner one while it is looked
    /// at, as in the language.
    bound: BTreeMap<String, Size>,
    heaviest: u64,
}

impl Estimate {
    /// Returns the bounds of the value, and of the steps to get it.
    fn expression(&mut self, expression: &IdedExpr) -> (Size, u64) {
        let (size, steps) = match &expression.expr {
            Expr::Unspecified => (Size::ONE, 1),
            Expr::Literal(literal) => (literal_size(literal), 1),
            Expr::Ident(name) => (self.bound.get(name).copied().unwrap_or(self.free), 1),
            Expr::Select(select) => {
                let (size, steps) = self.expression(&select.operand);
                (size.part(), steps.saturating_add(1))
            }
            Expr::List(list) => self.collection(&list.elements.iter().collect::<Vec<_>>()),
            Expr::Map(map) => self.collection(&entries(&map.entries)),
            Expr::Struct(value) => self.collection(&entries(&value.entries)),
            Expr::Call(call) => {
                let arguments: Vec<&IdedExpr> = call
                    .target
                    .as_deref()
                    .into_iter()
                    .chain(&call.args)
                    .collect();
                self.call(&call.func_name, &arguments)
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
        };
        self.heaviest = self.heaviest.max(size.weight);
        (size, steps)
    }

    fn collection(&mut self, elements: &[&IdedExpr]) -> (Size, u64) {
        let (sizes, steps) = self.several(elements);
        let size = Size::all(sizes.into_iter());
        (size, steps.saturating_add(size.weight))
    }

    fn several(&mut self, expressions: &[&IdedExpr]) -> (Vec<Size>, u64) {
        let mut steps: u64 = 1;
        let mut sizes = Vec::with_capacity(expressions.len());
        for expression in expressions {
            let (size, more) = self.expression(expression);
            sizes.push(size);
            steps = steps.saturating_add(more);
        }
        (sizes, steps)
    }

    fn call(&mut self, name: &str, arguments: &[&IdedExpr]) -> (Size, u64) {
        let (sizes, steps) = self.several(arguments);
        let total = sizes.iter().copied().fold(Size::default(), Size::plus);
        let lightest = sizes.iter().map(|size| size.weight).min().unwrap_or(0);
        let (size, more) = match name {
            operators::ADD => (total, total.weight),
            operators::CONDITIONAL => (sizes.iter().skip(1).copied().fold(Size::ONE, Size::or), 1),
            operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT => {
                (Size::ONE, 1)
            }
            // A comparison ends with the shorter one.
            operators::EQUALS | operators::NOT_EQUALS => (Size::ONE, lightest),
            "matches" => {
                let product = sizes
                    .iter()
                    .map(|size| size.weight)
                    .fold(1, u64::saturating_mul);
                (Size::ONE, product / 8)
            }
            operators::INDEX | operators::OPT_INDEX | operators::OPT_SELECT => (total.part(), 1),
            _ => (total, total.weight.min(lightest.saturating_mul(64))),
        };
        (size, steps.saturating_add(more))
    }

    fn comprehension(&mut self, comprehension: &ComprehensionExpr) -> (Size, u64) {
        let (range, mut steps) = self.expression(&comprehension.iter_range);
        let (start, more) = self.expression(&comprehension.accu_init);
        steps = steps.saturating_add(more);
        let names = [
            Some((&comprehension.iter_var, range.part())),
            comprehension
                .iter_var2
                .as_ref()
                .map(|name| (name, range.part())),
            Some((&comprehension.accu_var, start)),
        ];
        let hidden: Vec<_> = names
            .into_iter()
            .flatten()
            .map(|(name, size)| (name.clone(), self.bound.insert(name.clone(), size)))
            .collect();
        let (_, condition) = self.expression(&comprehension.loop_cond);
        let (step, each) = self.expression(&comprehension.loop_step);
        // Each turn adds to what the loop collects; the macros of the language use that only once.
        let turns = range.length;
        let grown = Size {
            length: turns.saturating_mul(step.length.saturating_sub(start.length)),
            inner: step.inner,
            weight: turns.saturating_mul(step.weight.saturating_sub(start.weight)),
        };
        let collected = start.plus(grown).or(step);
        self.bound.insert(comprehension.accu_var.clone(), collected);
        let (result, last) = self.expression(&comprehension.result);
        for (name, before) in hidden.into_iter().rev() {
            match before {
                Some(size) => self.bound.insert(name, size),
                None => self.bound.remove(&name),
            };
        }
        let turn = condition.saturating_add(each).saturating_add(1);
        let steps = steps
            .saturating_add(turns.saturating_mul(turn))
            .saturating_add(last);
        (result, steps)
    }
}

fn literal_size(literal: &LiteralValue) -> Size {
    let weight = match literal {
        LiteralValue::String(text) => 1 + count(text.inner().len()),
        LiteralValue::Bytes(bytes) => 1 + count(bytes.inner().len()),
        LiteralValue::Boolean(_)
        | LiteralValue::Double(_)
        | LiteralValue::Int(_)
        | LiteralValue::Null
        | LiteralValue::UInt(_) => 1,
    };
    Size {
        weight,
        ..Size::ONE
    }
}

fn entries(entries: &[cel::common::ast::IdedEntryExpr]) -> Vec<&IdedExpr> {
    let parts = entries.iter().flat_map(|entry| match &entry.expr {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    });
    parts.collect()
}

/// Returns the parts of an expression.
fn parts(expression: &IdedExpr) -> Vec<&IdedExpr> {
    match &expression.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => Vec::new(),
        Expr::Select(select) => vec![&select.operand],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => entries(&map.entries),
        Expr::Struct(value) => entries(&value.entries),
        Expr::Call(call) => call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .collect(),
        Expr::Comprehension(loops) => vec![
            &loops.iter_range,
            &loops.accu_init,
            &loops.loop_cond,
            &loops.loop_step,
            &loops.result,
        ],
    }
}

/// Returns how deep an expression is nested.
pub(super) fn depth(expression: &IdedExpr) -> usize {
    let mut level = vec![expression];
    let mut depth = 0;
    while !level.is_empty() {
        level = level.into_iter().flat_map(parts).collect();
        depth += 1;
    }
    depth
}

/// Returns the variables that are not those of the expression's own loops.
pub(super) fn free_variables(expression: &IdedExpr) -> BTreeSet<&str> {
    let mut free = BTreeSet::new();
    gather(expression, &mut Vec::new(), &mut free);
    free
}

fn gather<'e>(expression: &'e IdedExpr, bound: &mut Vec<&'e str>, free: &mut BTreeSet<&'e str>) {
    let outer = bound.len();
    match &expression.expr {
        Expr::Ident(name) => {
            let name = name.trim_start_matches('.');
            if !name.starts_with('@') && !bound.contains(&name) {
                free.insert(name);
            }
        }
        Expr::Comprehension(loops) => {
            gather(&loops.iter_range, bound, free);
            gather(&loops.accu_init, bound, free);
            bound.push(&loops.iter_var);
            bound.extend(loops.iter_var2.as_deref());
            for part in [&loops.loop_cond, &loops.loop_step, &loops.result] {
                gather(part, bound, free);
            }
        }
        _ => parts(expression)
            .into_iter()
            .for_each(|part| gather(part, bound, free)),
    }
    bound.truncate(outer);
}
