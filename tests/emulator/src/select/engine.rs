//! Runs a query over rows and writes what it finds.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value as Json;

use super::like::Steps;
use super::outlet::Outlet;
use super::rows::{RowView, invalid_json, invalid_line};
use super::sql::{Aggregate, Expr, Items, Query, Step};
use super::value::{Context, Row, Unfit, Value, compare};
use crate::error::ServiceError;

/// Most that a row of a result may weigh.
const MAX_ROW: usize = 32 * 1024 * 1024;

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
    /// Names of the results in JSON.
    labels: Vec<String>,
    header_done: bool,
    sums: Vec<Sum>,
    found: u64,
    skipped: u64,
    pub(super) out: Outlet,
}

/// What an aggregate has come to.
#[derive(Debug, Clone, Default)]
struct Sum {
    count: u64,
    integer: Option<i64>,
    double: f64,
    extreme: Option<Value>,
    /// What the extreme weighs.
    weight: usize,
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

    fn is_null(&self, path: &[Step]) -> Option<bool> {
        let [Step::Name(name)] = path else {
            return None;
        };
        self.fields.get(index(name, self.names)?).map(|_| false)
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

impl JsonRow<'_> {
    fn find(&self, path: &[Step]) -> Option<&Json> {
        path.iter().try_fold(self.value, |value, step| match step {
            Step::Name(name) => value.get(name),
            Step::Index(index) => value.get(index),
            Step::Each => None,
        })
    }
}

impl Row for JsonRow<'_> {
    fn column(&self, path: &[Step]) -> Option<Value> {
        let found = self.find(path);
        found.map(|json| Value::of_json(json, self.numbers_as_text))
    }

    fn is_null(&self, path: &[Step]) -> Option<bool> {
        self.find(path).map(Json::is_null)
    }
}

impl Engine {
    pub(super) fn new(query: Query, options: Options, out: Outlet) -> Self {
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
            labels: labels(&query.items),
            query,
            options,
            names: Vec::new(),
            sums,
            found: 0,
            skipped: 0,
            out,
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
        match &self.query.items {
            Items::All => self.write_csv(fields.iter().map(|name| Cow::Borrowed(*name))),
            Items::Values(items) => {
                let named = |(expr, alias): &(Expr, Option<String>)| match (alias, expr) {
                    (Some(alias), _) => Some(alias.clone()),
                    (None, Expr::Column(path)) => match path.as_slice() {
                        [Step::Name(name)] => {
                            let at = index(name, &self.names)?;
                            fields.get(at).map(|name| (*name).to_owned())
                        }
                        _ => None,
                    },
                    _ => None,
                };
                let names: Vec<_> = items.iter().map(|item| named(item).unwrap_or_default()).collect();
                self.write_csv(names.iter().map(|name| Cow::Borrowed(name.as_str())));
            }
            Items::Aggregates(_) => {}
        }
    }

    /// Takes a row; false when the query wants no more.
    pub(super) fn row(&mut self, view: RowView<'_>) -> Result<bool, ServiceError> {
        match view {
            RowView::Csv(fields) => {
                let names = std::mem::take(&mut self.names);
                let outcome = self.take(&CsvRow { fields, names: &names }, view);
                self.names = names;
                outcome
            }
            RowView::Json(value) => {
                let from = std::mem::take(&mut self.query.from);
                let outcome = self.unfold(value, &from);
                self.query.from = from;
                outcome
            }
        }
    }

    fn unfold(&mut self, value: &Json, from: &[Step]) -> Result<bool, ServiceError> {
        let Some((step, rest)) = from.split_first() else {
            let row = JsonRow {
                value,
                numbers_as_text: self.options.numbers_as_text,
            };
            return self.take(&row, RowView::Json(value));
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

    fn take(&mut self, row: &dyn Row, view: RowView<'_>) -> Result<bool, ServiceError> {
        if self.out.is_gone() || self.query.limit.is_some_and(|limit| self.found >= limit) {
            return Ok(false);
        }
        match self.try_take(row, view) {
            Ok(()) => {
                self.out.end_row();
                Ok(self.query.limit.is_none_or(|limit| self.found < limit))
            }
            Err(Unfit) => {
                self.skipped += 1;
                let why = "more rows than allowed do not fit the query";
                match (self.skipped > self.options.max_skipped, view) {
                    (true, RowView::Csv(_)) => Err(invalid_line(why)),
                    (true, RowView::Json(_)) => Err(invalid_json(why)),
                    (false, _) => Ok(true),
                }
            }
        }
    }

    fn try_take(&mut self, row: &dyn Row, view: RowView<'_>) -> Result<(), Unfit> {
        let context = Context {
            row,
            skip_partial: self.options.skip_partial,
            steps: &Steps::of_a_row(),
        };
        if let Some(condition) = &self.query.condition
            && context.holds(condition)? != Some(true)
        {
            return Ok(());
        }
        match &self.query.items {
            Items::All => match view {
                RowView::Csv(fields) => self.write_csv(fields.iter().map(|field| Cow::Borrowed(*field))),
                RowView::Json(value) => self.write_json(&value.to_string()),
            },
            Items::Values(items) => {
                let mut weight = 0;
                let mut values = Vec::with_capacity(items.len());
                for (expr, _) in items {
                    let value = context.value(expr)?;
                    weight += value.weight();
                    if weight > MAX_ROW {
                        return Err(Unfit);
                    }
                    values.push(value);
                }
                match (&self.options.output, view) {
                    (Output::Json { .. }, _) => self.write_object(values),
                    (
                        Output::Csv {
                            keep_all_columns: true, ..
                        },
                        RowView::Csv(fields),
                    ) => {
                        let mut all = vec![Value::Null; fields.len()];
                        for ((expr, _), value) in items.iter().zip(values) {
                            if let Expr::Column(path) = expr
                                && let [Step::Name(name)] = path.as_slice()
                                && let Some(place) = row.place(name).and_then(|at| all.get_mut(at))
                            {
                                *place = value;
                            }
                        }
                        self.write_values(&all);
                    }
                    (Output::Csv { .. }, _) => self.write_values(&values),
                }
            }
            Items::Aggregates(aggregates) => {
                // Either all of them take the row or none.
                let pairs = aggregates.iter().zip(&self.sums);
                let mut weight = 0;
                let gains = pairs.map(|((aggregate, _), sum)| {
                    let gain = sum.gain(aggregate, context)?;
                    weight += match &gain {
                        Gain::Extreme(Some(value)) => value.weight(),
                        _ => sum.weight,
                    };
                    if weight > MAX_ROW { Err(Unfit) } else { Ok(gain) }
                });
                let gains = gains.collect::<Result<Vec<_>, _>>()?;
                for (sum, gain) in self.sums.iter_mut().zip(gains) {
                    sum.add(gain);
                }
            }
        }
        self.found += 1;
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
            true => self.write_object(values),
            false => self.write_values(&values),
        }
    }

    /// Writes values under their labels, in the order of the query.
    fn write_object(&mut self, values: Vec<Value>) {
        let members = self.labels.iter().zip(values).map(|(label, value)| {
            let label = Json::from(label.as_str());
            format!("{label}:{}", value.into_json())
        });
        let members: Vec<_> = members.collect();
        self.write_json(&format!("{{{}}}", members.join(",")));
    }

    fn write_json(&mut self, json: &str) {
        if let Output::Json { record } = &self.options.output {
            self.out.write(json.as_bytes());
            self.out.write(record);
        }
    }

    fn write_values(&mut self, values: &[Value]) {
        self.write_csv(values.iter().map(|value| match value {
            Value::Text(text) => Cow::Borrowed(text.as_str()),
            other => Cow::Owned(other.to_string()),
        }));
    }

    fn write_csv<'v>(&mut self, values: impl Iterator<Item = Cow<'v, str>>) {
        let Output::Csv {
            record, field, quote, ..
        } = &self.options.output
        else {
            return;
        };
        for (at, text) in values.enumerate() {
            if at > 0 {
                self.out.write(&[*field]);
            }
            let text = text.as_bytes();
            let is_special = |byte: &u8| byte == field || byte == quote || record.contains(byte);
            if text.iter().any(is_special) {
                self.out.write(&[*quote]);
                for part in text.split_inclusive(|byte| byte == quote) {
                    self.out.write(part);
                    if part.ends_with(&[*quote]) {
                        self.out.write(&[*quote]);
                    }
                }
                self.out.write(&[*quote]);
            } else {
                self.out.write(text);
            }
        }
        self.out.write(record);
    }
}

/// What a row adds to an aggregate.
enum Gain {
    Nothing,
    Count,
    Number {
        double: f64,
        whole: Option<i64>,
    },
    /// A value that is better than what was best so far, or not.
    Extreme(Option<Value>),
}

impl Sum {
    fn gain(&self, aggregate: &Aggregate, context: Context<'_>) -> Result<Gain, Unfit> {
        let (expr, wanted) = match aggregate {
            Aggregate::Rows => return Ok(Gain::Count),
            Aggregate::Count(expr) | Aggregate::Sum(expr) | Aggregate::Avg(expr) => (expr, None),
            Aggregate::Min(expr) => (expr, Some(Ordering::Less)),
            Aggregate::Max(expr) => (expr, Some(Ordering::Greater)),
        };
        let value = context.value(expr)?;
        if value == Value::Null {
            return Ok(Gain::Nothing);
        }
        if wanted.is_some() {
            let better = match &self.extreme {
                None => true,
                Some(best) => compare(&value, best)? == wanted,
            };
            return Ok(Gain::Extreme(better.then_some(value)));
        }
        match aggregate {
            Aggregate::Count(_) => Ok(Gain::Count),
            _ => Ok(Gain::Number {
                double: value.number()?,
                whole: value.whole(),
            }),
        }
    }

    fn add(&mut self, gain: Gain) {
        match gain {
            Gain::Nothing => return,
            Gain::Count => {}
            Gain::Number { double, whole } => {
                self.double += double;
                let both = self.integer.zip(whole);
                self.integer = both.and_then(|(sum, number)| sum.checked_add(number));
            }
            Gain::Extreme(None) => {}
            Gain::Extreme(Some(better)) => {
                self.weight = better.weight();
                self.extreme = Some(better);
            }
        }
        self.count += 1;
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

/// What results are called in JSON: by their alias, their column or their place, and no two alike.
fn labels(items: &Items) -> Vec<String> {
    let given: Vec<Option<&str>> = match items {
        Items::All => return Vec::new(),
        Items::Values(values) => values
            .iter()
            .map(|(expr, alias)| alias.as_deref().or(last_name(expr)))
            .collect(),
        Items::Aggregates(aggregates) => aggregates.iter().map(|(_, alias)| alias.as_deref()).collect(),
    };
    let mut labels: Vec<String> = Vec::with_capacity(given.len());
    for (at, name) in given.into_iter().enumerate() {
        let mut label = name.map_or_else(|| format!("_{}", at + 1), str::to_owned);
        while labels.contains(&label) {
            label = format!("{label}_{}", at + 1);
        }
        labels.push(label);
    }
    labels
}

fn last_name(expr: &Expr) -> Option<&str> {
    let Expr::Column(path) = expr else { return None };
    path.iter().rev().find_map(|step| match step {
        Step::Name(name) => Some(name.as_str()),
        _ => None,
    })
}
