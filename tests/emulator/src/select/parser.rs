//! From the text of a query to what it asks for, within limits.

use super::like::Pattern;
use super::sql::{Aggregate, Comparison, Expr, Items, Kind, Operator, Query, Step};
use super::token::{Token, tokens};

/// Deepest nesting of an expression.
const MAX_DEPTH: usize = 32;
/// Most operators of a query: an expression is as deep as they are many.
const MAX_OPERATORS: usize = 256;
/// Most columns of a result, as at the service.
const MAX_ITEMS: usize = 1000;
/// Most values of a list, as at the service.
const MAX_LIST: usize = 1024;

/// Parses a query; the error says what is wrong.
pub(crate) fn parse(text: &str) -> Result<Query, String> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        operators: 0,
    };
    let mut query = parser.query()?;
    query.forget_alias(parser.alias()?.as_deref());
    Ok(query)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    /// Operators so far.
    operators: usize,
}

enum Item {
    Value(Expr),
    Aggregate(Aggregate),
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(found)) if *found == symbol);
        self.at += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &str) -> Result<(), String> {
        match self.take_word(word) {
            true => Ok(()),
            false => Err(self.unexpected(word)),
        }
    }

    fn expect(&mut self, symbol: &str) -> Result<(), String> {
        match self.take(symbol) {
            true => Ok(()),
            false => Err(self.unexpected(symbol)),
        }
    }

    fn unexpected(&self, wanted: &str) -> String {
        match self.peek() {
            Some(token) => format!("{wanted} is expected where {token} stands"),
            None => format!("{wanted} is expected at the end"),
        }
    }

    fn query(&mut self) -> Result<Query, String> {
        self.expect_word("select")?;
        let items = self.items()?;
        self.expect_word("from")?;
        self.expect_word("ossobject")?;
        let from = self.steps(true)?;
        // The alias is read again when the columns are known.
        let alias_at = self.at;
        self.skip_alias();
        let condition = match self.take_word("where") {
            true => Some(self.holding()?),
            false => None,
        };
        let limit = match self.take_word("limit") {
            false => None,
            true => match self.next() {
                Some(Token::Integer(limit)) => Some(u64::try_from(limit).map_err(|_| "the limit is negative")?),
                _ => return Err("the limit is not a number".to_owned()),
            },
        };
        self.take(";");
        if self.peek().is_some() {
            return Err(self.unexpected("the end"));
        }
        self.at = alias_at;
        Ok(Query {
            items,
            from,
            condition,
            limit,
        })
    }

    fn skip_alias(&mut self) {
        let explicit = self.take_word("as");
        if explicit || matches!(self.peek(), Some(Token::Word(word)) if !is_keyword(word)) {
            self.at += 1;
        }
    }

    /// The alias of the object, read where the parser stands.
    fn alias(&mut self) -> Result<Option<String>, String> {
        let explicit = self.take_word("as");
        match self.peek() {
            Some(Token::Word(word)) if !is_keyword(word) => Ok(Some(word.clone())),
            Some(Token::Quoted(name)) if explicit => Ok(Some(name.clone())),
            _ if explicit => Err(self.unexpected("an alias")),
            _ => Ok(None),
        }
    }

    fn items(&mut self) -> Result<Items, String> {
        if self.take("*") {
            return Ok(Items::All);
        }
        let (mut values, mut aggregates) = (Vec::new(), Vec::new());
        loop {
            let item = self.item()?;
            let alias = match self.take_word("as") {
                false => None,
                true => match self.next() {
                    Some(Token::Word(name) | Token::Quoted(name)) => Some(name),
                    _ => return Err("as is not followed by a name".to_owned()),
                },
            };
            match item {
                Item::Value(expr) => values.push((expr, alias)),
                Item::Aggregate(aggregate) => aggregates.push((aggregate, alias)),
            }
            if !self.take(",") {
                break;
            }
            if values.len() + aggregates.len() >= MAX_ITEMS {
                return Err(format!("more than {MAX_ITEMS} columns are selected"));
            }
        }
        match (values.is_empty(), aggregates.is_empty()) {
            (false, true) => Ok(Items::Values(values)),
            (true, false) => Ok(Items::Aggregates(aggregates)),
            _ => Err("columns and aggregates cannot be selected together".to_owned()),
        }
    }

    fn item(&mut self) -> Result<Item, String> {
        let name = match (self.peek(), self.tokens.get(self.at + 1)) {
            (Some(Token::Word(name)), Some(Token::Symbol("("))) => name.to_ascii_lowercase(),
            _ => return self.value(0).map(Item::Value),
        };
        if name == "cast" {
            return self.value(0).map(Item::Value);
        }
        self.at += 2;
        if name == "count" && self.take("*") {
            self.expect(")")?;
            return Ok(Item::Aggregate(Aggregate::Rows));
        }
        let make: fn(Expr) -> Aggregate = match name.as_str() {
            "count" => Aggregate::Count,
            "sum" => Aggregate::Sum,
            "avg" => Aggregate::Avg,
            "min" => Aggregate::Min,
            "max" => Aggregate::Max,
            other => return Err(format!("the function {other} is not known")),
        };
        let of = self.value(0)?;
        self.expect(")")?;
        Ok(Item::Aggregate(make(of)))
    }

    fn deeper(depth: usize) -> Result<usize, String> {
        match depth < MAX_DEPTH {
            true => Ok(depth + 1),
            false => Err(format!("an expression is nested deeper than {MAX_DEPTH}")),
        }
    }

    fn count_operator(&mut self) -> Result<(), String> {
        self.operators += 1;
        match self.operators <= MAX_OPERATORS {
            true => Ok(()),
            false => Err(format!("the query has more than {MAX_OPERATORS} operators")),
        }
    }

    /// An expression that holds or not.
    fn holding(&mut self) -> Result<Expr, String> {
        let expr = self.disjunction(0)?;
        self.condition(expr)
    }

    fn condition(&self, expr: Expr) -> Result<Expr, String> {
        match expr.is_condition() {
            true => Ok(expr),
            false => Err(self.unexpected("a comparison")),
        }
    }

    /// An expression that has a value.
    fn value(&mut self, depth: usize) -> Result<Expr, String> {
        let expr = self.sum(depth)?;
        Self::valued(expr)
    }

    fn valued(expr: Expr) -> Result<Expr, String> {
        match expr.is_condition() {
            true => Err("a condition stands where a value is expected".to_owned()),
            false => Ok(expr),
        }
    }

    fn disjunction(&mut self, depth: usize) -> Result<Expr, String> {
        let depth = Self::deeper(depth)?;
        let mut left = self.conjunction(depth)?;
        while self.take_word("or") {
            self.count_operator()?;
            let right = self.conjunction(depth)?;
            left = Expr::Or(Box::new(self.condition(left)?), Box::new(self.condition(right)?));
        }
        Ok(left)
    }

    fn conjunction(&mut self, depth: usize) -> Result<Expr, String> {
        let mut left = self.negation(depth)?;
        while self.take_word("and") {
            self.count_operator()?;
            let right = self.negation(depth)?;
            left = Expr::And(Box::new(self.condition(left)?), Box::new(self.condition(right)?));
        }
        Ok(left)
    }

    fn negation(&mut self, depth: usize) -> Result<Expr, String> {
        let depth = Self::deeper(depth)?;
        if self.take_word("not") {
            let inner = self.negation(depth)?;
            return Ok(Expr::Not(Box::new(self.condition(inner)?)));
        }
        self.predicate(depth)
    }

    /// A comparison or its like; or what stands on its left alone, which may be a condition in parentheses.
    fn predicate(&mut self, depth: usize) -> Result<Expr, String> {
        let left = self.sum(depth)?;
        if self.take_word("is") {
            let negated = self.take_word("not");
            self.expect_word("null")?;
            return Ok(negate(Expr::IsNull(Box::new(Self::valued(left)?)), negated));
        }
        let negated = self.take_word("not");
        if self.take_word("like") {
            let left = Box::new(Self::valued(left)?);
            return Ok(negate(Expr::Like(left, self.pattern()?), negated));
        }
        if self.take_word("between") {
            let left = Box::new(Self::valued(left)?);
            let least = Box::new(self.value(depth)?);
            self.expect_word("and")?;
            let most = Box::new(self.value(depth)?);
            return Ok(negate(Expr::Between(left, least, most), negated));
        }
        if self.take_word("in") {
            let left = Box::new(Self::valued(left)?);
            self.expect("(")?;
            let mut list = vec![self.value(depth)?];
            while self.take(",") {
                list.push(self.value(depth)?);
                if list.len() > MAX_LIST {
                    return Err(format!("a list has more than {MAX_LIST} values"));
                }
            }
            self.expect(")")?;
            return Ok(negate(Expr::In(left, list), negated));
        }
        if negated {
            return Err(self.unexpected("like, between or in"));
        }
        let comparison = match self.peek() {
            Some(Token::Symbol("=")) => Comparison::Equal,
            Some(Token::Symbol("!=" | "<>")) => Comparison::NotEqual,
            Some(Token::Symbol("<")) => Comparison::Less,
            Some(Token::Symbol("<=")) => Comparison::LessOrEqual,
            Some(Token::Symbol(">")) => Comparison::Greater,
            Some(Token::Symbol(">=")) => Comparison::GreaterOrEqual,
            _ => return Ok(left),
        };
        self.at += 1;
        let left = Box::new(Self::valued(left)?);
        Ok(Expr::Compare(comparison, left, Box::new(self.value(depth)?)))
    }

    fn pattern(&mut self) -> Result<Pattern, String> {
        let Some(Token::Text(pattern)) = self.next() else {
            return Err("like is not followed by a text".to_owned());
        };
        let escape = match self.take_word("escape") {
            false => None,
            true => match self.next() {
                Some(Token::Text(text)) if text.chars().count() == 1 => text.chars().next(),
                _ => return Err("escape is not followed by one character".to_owned()),
            },
        };
        Pattern::new(&pattern, escape)
    }

    fn sum(&mut self, depth: usize) -> Result<Expr, String> {
        let signs: &[(&str, Operator)] = &[("+", Operator::Plus), ("-", Operator::Minus), ("||", Operator::Joined)];
        self.chain(depth, signs, Self::product)
    }

    fn product(&mut self, depth: usize) -> Result<Expr, String> {
        let signs: &[(&str, Operator)] = &[
            ("*", Operator::Times),
            ("/", Operator::Divided),
            ("%", Operator::Modulo),
        ];
        self.chain(depth, signs, Self::operand)
    }

    /// Operands with operators of one rank between them, which are worked off from the left.
    fn chain(
        &mut self,
        depth: usize,
        signs: &[(&str, Operator)],
        operand: fn(&mut Self, usize) -> Result<Expr, String>,
    ) -> Result<Expr, String> {
        let mut left = operand(self, depth)?;
        while let Some((_, operator)) = signs.iter().find(|(sign, _)| self.take(sign)) {
            self.count_operator()?;
            let right = operand(self, depth)?;
            let (checked, right) = (Self::valued(left)?, Self::valued(right)?);
            left = Expr::Arithmetic(*operator, Box::new(checked), Box::new(right));
        }
        Ok(left)
    }

    fn operand(&mut self, depth: usize) -> Result<Expr, String> {
        let depth = Self::deeper(depth)?;
        if self.take("-") {
            return Ok(match Self::valued(self.operand(depth)?)? {
                Expr::Integer(number) => Expr::Integer(-number),
                Expr::Double(number) => Expr::Double(-number),
                other => Expr::Arithmetic(Operator::Minus, Box::new(Expr::Integer(0)), Box::new(other)),
            });
        }
        if self.take("(") {
            let inner = self.disjunction(depth)?;
            self.expect(")")?;
            return Ok(inner);
        }
        match self.next() {
            Some(Token::Integer(number)) => Ok(Expr::Integer(number)),
            Some(Token::Double(number)) => Ok(Expr::Double(number)),
            Some(Token::Text(text)) => Ok(Expr::Text(text)),
            Some(Token::Quoted(name)) => self.column(name),
            Some(Token::Word(word)) => match word.to_ascii_lowercase().as_str() {
                "true" => Ok(Expr::Bool(true)),
                "false" => Ok(Expr::Bool(false)),
                "null" => Ok(Expr::Null),
                "cast" if self.take("(") => {
                    let inner = self.value(depth)?;
                    self.expect_word("as")?;
                    let kind = self.kind()?;
                    self.expect(")")?;
                    Ok(Expr::Cast(Box::new(inner), kind))
                }
                other if is_keyword(other) => Err(format!("the keyword {other} stands where a value is expected")),
                _ => self.column(word),
            },
            _ => {
                self.at -= 1;
                Err(self.unexpected("a value"))
            }
        }
    }

    fn kind(&mut self) -> Result<Kind, String> {
        let Some(Token::Word(word)) = self.next() else {
            return Err("cast has no type".to_owned());
        };
        match word.to_ascii_lowercase().as_str() {
            "int" | "integer" | "bigint" => Ok(Kind::Integer),
            "double" | "float" => Ok(Kind::Double),
            "string" | "varchar" => Ok(Kind::Text),
            "bool" | "boolean" => Ok(Kind::Bool),
            "timestamp" => Ok(Kind::Timestamp),
            other => Err(format!("the type {other} is not known")),
        }
    }

    fn column(&mut self, first: String) -> Result<Expr, String> {
        let mut path = vec![Step::Name(first)];
        path.extend(self.steps(false)?);
        Ok(Expr::Column(path))
    }

    /// `.name`, `[3]` and, where lists may be unfolded, `[*]`.
    fn steps(&mut self, unfold: bool) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        loop {
            if self.take(".") {
                match self.next() {
                    Some(Token::Word(name) | Token::Quoted(name)) => steps.push(Step::Name(name)),
                    _ => return Err("a dot is not followed by a name".to_owned()),
                }
            } else if self.take("[") {
                match self.next() {
                    Some(Token::Integer(index)) => {
                        steps.push(Step::Index(usize::try_from(index).map_err(|_| "an index is negative")?));
                    }
                    Some(Token::Symbol("*")) if unfold => steps.push(Step::Each),
                    _ => return Err("an index is not a number".to_owned()),
                }
                self.expect("]")?;
            } else {
                return Ok(steps);
            }
        }
    }
}

fn negate(expr: Expr, negated: bool) -> Expr {
    match negated {
        true => Expr::Not(Box::new(expr)),
        false => expr,
    }
}

fn is_keyword(word: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "select", "from", "where", "limit", "and", "or", "not", "like", "escape", "between", "in", "is", "as", "group",
        "order", "by", "having", "join", "union",
    ];
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_parse_or_say_why_not() {
        for good in [
            "select * from ossobject",
            "SELECT _1, s.name AS n FROM ossobject AS s WHERE NOT (_2 > -4.5e1 AND _3 LIKE 'a%' ESCAPE '\\') OR _4 IS NOT NULL LIMIT 5;",
            "select count(*), sum(cast(_1 as int)) from ossobject where _1 in (1, 2) and _2 not between 'a' and 'b'",
            "select s.a[0].\"b c\" from ossobject.rows[*] s where s.x = 'it''s'",
            "select -a * (b + 2) / 3 % 4 - 1, 'x' || b from ossobject where ((a) + 1) * 2 > (b) and ((a = 1) or (not (b = 2)))",
        ] {
            assert!(parse(good).is_ok(), "{good}: {:?}", parse(good));
        }
        let deep = format!(
            "select * from ossobject where {}a = 1{}",
            "(".repeat(100),
            ")".repeat(100)
        );
        let nots = format!("select * from ossobject where {} a = 1", "not ".repeat(100_000));
        let ors = format!("select * from ossobject where a = 1{}", " or a = 1".repeat(2000));
        let sums = format!("select a{} from ossobject", " + a".repeat(2000));
        let signs = format!("select {}a from ossobject", "- ".repeat(100));
        let wide = format!("select a{} from ossobject", ", a".repeat(1000));
        let list = format!("select * from ossobject where a in (1{})", ", 1".repeat(1024));
        let pattern = format!("select * from ossobject where a like '{}'", "%a".repeat(1000));
        for bad in [
            "",
            "select",
            "select from ossobject",
            "select * from other",
            "select * from ossobject where",
            "select * from ossobject where a",
            "select * from ossobject where a = ",
            "select * from ossobject where a like 1",
            "select * from ossobject limit -1",
            "select * from ossobject limit x",
            "select * from ossobject group by a",
            "select a, count(*) from ossobject",
            "select upper(a) from ossobject",
            "select cast(a as blob) from ossobject",
            "select * from ossobject where a = 'open",
            "select a[99999999999999999999] from ossobject",
            "select * from ossobject where a # 1",
            "insert into ossobject",
            deep.as_str(),
            nots.as_str(),
            ors.as_str(),
            sums.as_str(),
            signs.as_str(),
            wide.as_str(),
            list.as_str(),
            pattern.as_str(),
            "select (a = 1) + 1 from ossobject",
            "select a = 1 from ossobject",
            "select * from ossobject where (a)",
            "select * from ossobject where (a = 1) = 2",
            "select * from ossobject where a and b = 1",
            "select * from ossobject where a + = 1",
        ] {
            assert!(parse(bad).is_err(), "{}", &bad[..bad.len().min(80)]);
        }
    }

    #[test]
    fn the_name_of_the_object_is_no_part_of_columns() {
        let query = parse("select s.a, ossobject.b, s from ossobject s").unwrap();
        let column = |name: &str| (Expr::Column(vec![Step::Name(name.to_owned())]), None);
        assert_eq!(query.items, Items::Values(vec![column("a"), column("b"), column("s")]));
    }
}
