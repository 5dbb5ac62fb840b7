//! Runs a query over rows and writes what it finds.

use serde_json::Value as Json;

use super::rows::{RowView, invalid_line};
use super::sql::{Aggregate, Expr, Items, Query, Step};
use super::value::{Context, Row, Unfit, Value, compare};
use crate::error::ServiceError;

/// How results are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    Csv {
        record: Vec<u8>,
        field: u8,
        quote: u8,
        keep_all_columns: bool,
        header: bool,
    },
    Json {
        record: Vec<u8>,
    },
}

/// What the first row of a CSV object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    None,
    Ignore,
    Use,
}

/// Settings of a query besides its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) output: Output,
    pub(crate) header: Header,
    pub(crate) skip_partial: bool,
    pub(crate) max_skipped: u64,
    pub(crate) numbers_as_text: bool,
}

/// A query at work.
pub(super) struct Engine {
    query: Query,
    options: Options,
    names: Vec<String>,
    header_done: bool,
    sums: Vec<Sum>,
    found: u64,
    skipped: u64,
    /// What was written and not yet taken away.
    pub(super) out: Vec<u8>,
}

/// What an aggregate has come to.
#[derive(Debug, Clone, Default)]
struct Sum {
    count: u64,
    integer: Option<i64>,
    double: f64,
    extreme: Option<Value>,
}

struct CsvRow<'r> {
    fields: &'r [&'r str],
    names: &'r [String],
}

impl Row for CsvRow<'_> {
    fn column(&self, path: &[Step]) -> Option<Value> {
        let [Step::Name(name)] = path else {
            return None;
        };
        let text = self.fields.get(index(name, self.names)?)?;
        Some(Value::Text((*text).to_owned()))
    }

    fn place(&self, name: &str) -> Option<usize> {
        index(name, self.names)
    }
}

/// The place of a column by its name in the header, or by its number.
fn index(name: &str, names: &[String]) -> Option<usize> {
    names
        .iter()
        .position(|known| known == name)
        .or_else(|| name.strip_prefix('_')?.parse::<usize>().ok()?.checked_sub(1))
}

struct JsonRow<'r> {
    value: &'r Json,
    numbers_as_text: bool,
}

impl Row for JsonRow<'_> {
    fn column(&self, path: &[Step]) -> Option<Value> {
        let found = path.iter().try_fold(self.value, |value, step| match step {
            Step::Name(name) => value.get(name),
            Step::Index(index) => value.get(index),
            Step::Each => None,
        });
        found.map(|json| Value::of_json(json, self.numbers_as_text))
    }
}

impl Engine {
    pub(super) fn new(query: Query, options: Options) -> Self {
        let sums = match &query.items {
            Items::Aggregates(aggregates) => vec![
                Sum {
                    integer: Some(0),
                    ..Sum::default()
                };
                aggregates.len()
            ],
            _ => Vec::new(),
        };
        Self {
            header_done: options.header == Header::None,
            query,
            options,
            names: Vec::new(),
            sums,
            found: 0,
            skipped: 0,
            out: Vec::new(),
        }
    }

    /// Whether the next row is the header of a CSV object.
    pub(super) fn wants_header(&self) -> bool {
        !self.header_done
    }

    /// Takes the header of a CSV object.
    pub(super) fn header(&mut self, fields: &[&str]) {
        self.header_done = true;
        if self.options.header == Header::Use {
            self.names = fields.iter().map(|name| (*name).to_owned()).collect();
        }
        let Output::Csv { header: true, .. } = self.options.output else {
            return;
        };
        let names: Vec<Value> = fields.iter().map(|name| Value::Text((*name).to_owned())).collect();
        match &self.query.items {
            Items::All => self.write_csv(&names),
            Items::Values(items) => {
                let named = |(expr, alias): &(Expr, Option<String>)| match (alias, expr) {
                    (Some(alias), _) => Value::Text(alias.clone()),
                    (None, Expr::Column(path)) => match path.as_slice() {
                        [Step::Name(name)] => index(name, &self.names)
                            .and_then(|at| names.get(at).cloned())
                            .unwrap_or(Value::Null),
                        _ => Value::Null,
                    },
                    _ => Value::Null,
                };
                let names: Vec<Value> = items.iter().map(named).collect();
                self.write_csv(&names);
            }
            Items::Aggregates(_) => {}
        }
    }

    /// Takes a row; false when the query wants no more.
    pub(super) fn row(&mut self, view: RowView<'_>) -> Result<bool, ServiceError> {
        match view {
            RowView::Csv(fields) => {
                let names = std::mem::take(&mut self.names);
                let row = CsvRow { fields, names: &names };
                let outcome = self.take(&row, &|| {
                    fields.iter().map(|field| Value::Text((*field).to_owned())).collect()
                });
                self.names = names;
                outcome
            }
            RowView::Json(value) => {
                let from = self.query.from.clone();
                self.unfold(value, &from)
            }
        }
    }

    fn unfold(&mut self, value: &Json, from: &[Step]) -> Result<bool, ServiceError> {
        let Some((step, rest)) = from.split_first() else {
            let row = JsonRow {
                value,
                numbers_as_text: self.options.numbers_as_text,
            };
            return self.take(&row, &|| vec![Value::Json(value.clone())]);
        };
        match step {
            Step::Name(name) => value.get(name).map_or(Ok(true), |inner| self.unfold(inner, rest)),
            Step::Index(index) => value.get(index).map_or(Ok(true), |inner| self.unfold(inner, rest)),
            Step::Each => {
                for inner in value.as_array().into_iter().flatten() {
                    if !self.unfold(inner, rest)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    fn take(&mut self, row: &dyn Row, whole: &dyn Fn() -> Vec<Value>) -> Result<bool, ServiceError> {
        if self.query.limit.is_some_and(|limit| self.found >= limit) {
            return Ok(false);
        }
        match self.try_take(row, whole) {
            Ok(()) => Ok(self.query.limit.is_none_or(|limit| self.found < limit)),
            Err(Unfit) => {
                self.skipped += 1;
                match self.skipped > self.options.max_skipped {
                    true => Err(invalid_line("more rows than allowed do not fit the query")),
                    false => Ok(true),
                }
            }
        }
    }

    fn try_take(&mut self, row: &dyn Row, whole: &dyn Fn() -> Vec<Value>) -> Result<(), Unfit> {
        let context = Context {
            row,
            skip_partial: self.options.skip_partial,
        };
        if let Some(condition) = &self.query.condition
            && context.holds(condition)? != Some(true)
        {
            return Ok(());
        }
        match &self.query.items {
            Items::All => {
                let values = whole();
                self.found += 1;
                match values.as_slice() {
                    [Value::Json(json)] if self.is_json() => self.write_json(&json.clone()),
                    values => self.write_csv(values),
                }
            }
            Items::Values(items) => {
                let values = items
                    .iter()
                    .map(|(expr, _)| context.value(expr))
                    .collect::<Result<Vec<_>, _>>()?;
                if self.is_json() {
                    let object = object(
                        items.iter().map(|(expr, alias)| name_of(expr, alias.as_deref())),
                        values,
                    );
                    self.found += 1;
                    self.write_json(&object);
                    return Ok(());
                }
                let values = match &self.options.output {
                    Output::Csv {
                        keep_all_columns: true, ..
                    } => {
                        let mut all: Vec<Value> = whole().iter().map(|_| Value::Null).collect();
                        for ((expr, _), value) in items.iter().zip(values) {
                            if let Expr::Column(path) = expr
                                && let [Step::Name(name)] = path.as_slice()
                                && let Some(place) = row.place(name).and_then(|at| all.get_mut(at))
                            {
                                *place = value;
                            }
                        }
                        all
                    }
                    _ => values,
                };
                self.found += 1;
                self.write_csv(&values);
            }
            Items::Aggregates(aggregates) => {
                let mut sums = self.sums.clone();
                for ((aggregate, _), sum) in aggregates.iter().zip(&mut sums) {
                    sum.add(aggregate, context)?;
                }
                self.sums = sums;
                self.found += 1;
            }
        }
        Ok(())
    }

    fn is_json(&self) -> bool {
        matches!(self.options.output, Output::Json { .. })
    }

    /// Writes what remains when all rows are read: the aggregates.
    pub(super) fn finish(&mut self) {
        let Items::Aggregates(aggregates) = &self.query.items else {
            return;
        };
        let results = aggregates.iter().zip(&self.sums);
        let values: Vec<Value> = results.map(|((aggregate, _), sum)| sum.result(aggregate)).collect();
        match self.is_json() {
            true => {
                let names = aggregates
                    .iter()
                    .enumerate()
                    .map(|(at, (_, alias))| alias.clone().unwrap_or_else(|| format!("_{}", at + 1)));
                let object = object(names, values);
                self.write_json(&object);
            }
            false => self.write_csv(&values),
        }
    }

    fn write_json(&mut self, json: &Json) {
        if let Output::Json { record } = &self.options.output {
            self.out.extend(json.to_string().bytes());
            self.out.extend_from_slice(record);
        }
    }

    fn write_csv(&mut self, values: &[Value]) {
        let Output::Csv {
            record, field, quote, ..
        } = &self.options.output
        else {
            return;
        };
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                self.out.push(*field);
            }
            let text = value.to_string();
            if text
                .bytes()
                .any(|byte| byte == *field || byte == *quote || record.contains(&byte))
            {
                self.out.push(*quote);
                for byte in text.bytes() {
                    if byte == *quote {
                        self.out.push(byte);
                    }
                    self.out.push(byte);
                }
                self.out.push(*quote);
            } else {
                self.out.extend(text.bytes());
            }
        }
        self.out.extend_from_slice(record);
    }
}

impl Sum {
    fn add(&mut self, aggregate: &Aggregate, context: Context<'_>) -> Result<(), Unfit> {
        let expr = match aggregate {
            Aggregate::Rows => {
                self.count += 1;
                return Ok(());
            }
            Aggregate::Count(expr)
            | Aggregate::Sum(expr)
            | Aggregate::Avg(expr)
            | Aggregate::Min(expr)
            | Aggregate::Max(expr) => expr,
        };
        let value = context.value(expr)?;
        if value == Value::Null {
            return Ok(());
        }
        match aggregate {
            Aggregate::Sum(_) | Aggregate::Avg(_) => {
                let number = value.number()?;
                let whole = match &value {
                    Value::Integer(number) => Some(*number),
                    Value::Text(text) => text.trim().parse().ok(),
                    _ => None,
                };
                self.integer = self
                    .integer
                    .zip(whole)
                    .and_then(|(sum, number)| sum.checked_add(number));
                self.double += number;
            }
            Aggregate::Min(_) | Aggregate::Max(_) => {
                let wanted = match aggregate {
                    Aggregate::Min(_) => std::cmp::Ordering::Less,
                    _ => std::cmp::Ordering::Greater,
                };
                let better = match &self.extreme {
                    None => true,
                    Some(best) => compare(&value, best)? == Some(wanted),
                };
                if better {
                    self.extreme = Some(value);
                }
            }
            Aggregate::Rows | Aggregate::Count(_) => {}
        }
        self.count += 1;
        Ok(())
    }

    fn result(&self, aggregate: &Aggregate) -> Value {
        #[expect(clippy::cast_precision_loss, reason = "an average is a double")]
        match aggregate {
            Aggregate::Rows | Aggregate::Count(_) => Value::Integer(i64::try_from(self.count).unwrap_or(i64::MAX)),
            _ if self.count == 0 => Value::Null,
            Aggregate::Sum(_) => self.integer.map_or(Value::Double(self.double), Value::Integer),
            Aggregate::Avg(_) => Value::Double(self.double / self.count as f64),
            Aggregate::Min(_) | Aggregate::Max(_) => self.extreme.clone().unwrap_or(Value::Null),
        }
    }
}

fn name_of(expr: &Expr, alias: Option<&str>) -> String {
    let own = match expr {
        Expr::Column(path) => path.iter().rev().find_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            _ => None,
        }),
        _ => None,
    };
    alias.or(own).unwrap_or("_1").to_owned()
}

fn object(names: impl Iterator<Item = String>, values: Vec<Value>) -> Json {
    Json::Object(names.zip(values.into_iter().map(Value::into_json)).collect())
}
