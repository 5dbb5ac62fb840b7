//! What a query over objects asks for: `select ... from ossobject [where ...] [limit n]`, taken apart.

use super::like::Pattern;

/// A query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    pub(crate) items: Items,
    /// Steps from the root of a JSON document to what is queried.
    pub(crate) from: Vec<Step>,
    pub(crate) condition: Option<Expr>,
    pub(crate) limit: Option<u64>,
}

/// What is selected.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Items {
    All,
    Values(Vec<(Expr, Option<String>)>),
    Aggregates(Vec<(Aggregate, Option<String>)>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Aggregate {
    /// `count(*)`.
    Rows,
    Count(Expr),
    Sum(Expr),
    Avg(Expr),
    Min(Expr),
    Max(Expr),
}

/// A step of a path into a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Name(String),
    Index(usize),
    /// Every item of a list, only in `from`.
    Each,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What makes a value of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Plus,
    Minus,
    Times,
    Divided,
    Modulo,
    /// `||`, which joins texts.
    Joined,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    Double,
    Text,
    Bool,
    Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Column(Vec<Step>),
    Text(String),
    Integer(i64),
    Double(f64),
    Bool(bool),
    Null,
    Cast(Box<Expr>, Kind),
    Arithmetic(Operator, Box<Expr>, Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Like(Box<Expr>, Pattern),
    Between(Box<Expr>, Box<Expr>, Box<Expr>),
    In(Box<Expr>, Vec<Expr>),
    IsNull(Box<Expr>),
}

impl Query {
    /// Takes the name of the object away from the front of columns.
    pub(super) fn forget_alias(&mut self, alias: Option<&str>) {
        let names = |name: &str| name.eq_ignore_ascii_case("ossobject") || alias == Some(name);
        if let Items::Values(values) = &mut self.items {
            values.iter_mut().for_each(|(expr, _)| expr.shorten(&names));
        }
        if let Items::Aggregates(aggregates) = &mut self.items {
            for (aggregate, _) in aggregates {
                match aggregate {
                    Aggregate::Rows => {}
                    Aggregate::Count(expr)
                    | Aggregate::Sum(expr)
                    | Aggregate::Avg(expr)
                    | Aggregate::Min(expr)
                    | Aggregate::Max(expr) => expr.shorten(&names),
                }
            }
        }
        if let Some(condition) = &mut self.condition {
            condition.shorten(&names);
        }
    }
}

impl Expr {
    /// Whether it holds or not, in contrast to having a value.
    pub(super) fn is_condition(&self) -> bool {
        match self {
            Expr::Compare(..)
            | Expr::And(..)
            | Expr::Or(..)
            | Expr::Not(_)
            | Expr::Like(..)
            | Expr::Between(..)
            | Expr::In(..)
            | Expr::IsNull(_) => true,
            Expr::Column(_)
            | Expr::Text(_)
            | Expr::Integer(_)
            | Expr::Double(_)
            | Expr::Bool(_)
            | Expr::Null
            | Expr::Cast(..)
            | Expr::Arithmetic(..) => false,
        }
    }

    fn shorten(&mut self, names: &dyn Fn(&str) -> bool) {
        match self {
            Expr::Column(path) => {
                let named = matches!(path.first(), Some(Step::Name(name)) if names(name));
                if named && path.len() > 1 {
                    path.remove(0);
                }
            }
            Expr::Cast(inner, _) | Expr::Not(inner) | Expr::Like(inner, ..) | Expr::IsNull(inner) => {
                inner.shorten(names)
            }
            Expr::Compare(_, left, right)
            | Expr::Arithmetic(_, left, right)
            | Expr::And(left, right)
            | Expr::Or(left, right) => {
                left.shorten(names);
                right.shorten(names);
            }
            Expr::Between(value, least, most) => {
                for expr in [value, least, most] {
                    expr.shorten(names);
                }
            }
            Expr::In(value, list) => {
                value.shorten(names);
                list.iter_mut().for_each(|expr| expr.shorten(names));
            }
            Expr::Text(_) | Expr::Integer(_) | Expr::Double(_) | Expr::Bool(_) | Expr::Null => {}
        }
    }
}
