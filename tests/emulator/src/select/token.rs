//! The words of a query.

use std::fmt;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A keyword or a name.
    Word(String),
    /// A name in double quotes.
    Quoted(String),
    /// A text in single quotes.
    Text(String),
    Integer(i64),
    Double(f64),
    Symbol(&'static str),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Word(text) | Token::Quoted(text) | Token::Text(text) => f.write_str(text),
            Token::Integer(number) => write!(f, "{number}"),
            Token::Double(number) => write!(f, "{number}"),
            Token::Symbol(symbol) => f.write_str(symbol),
        }
    }
}

/// Longer symbols first.
const SYMBOLS: &[&str] = &[
    "<=", ">=", "<>", "!=", "||", "=", "<", ">", "(", ")", ",", ".", "[", "]", "*", "+", "-", "/", "%", ";",
];

/// Takes a query apart.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '\'' | '"' => {
                let (inner, length) = quoted(rest, first)?;
                let token = if first == '"' {
                    Token::Quoted(inner)
                } else {
                    Token::Text(inner)
                };
                (token, length)
            }
            '0'..='9' => number(rest)?,
            c if c.is_alphabetic() || c == '_' => {
                let length = rest
                    .find(|c: char| !c.is_alphanumeric() && c != '_')
                    .unwrap_or(rest.len());
                (Token::Word(rest[..length].to_owned()), length)
            }
            other => {
                let symbol = SYMBOLS
                    .iter()
                    .find(|symbol| rest.starts_with(**symbol))
                    .ok_or_else(|| format!("the character {other} is not known"))?;
                (Token::Symbol(symbol), symbol.len())
            }
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// A text in quotes, in which a quote is written twice, and its length with all quotes.
fn quoted(text: &str, quote: char) -> Result<(String, usize), String> {
    let mut inner = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c != quote {
            inner.push(c);
        } else if characters.next_if(|(_, next)| *next == quote).is_some() {
            inner.push(quote);
        } else {
            return Ok((inner, at + 1));
        }
    }
    Err("a quote is not closed".to_owned())
}

fn number(text: &str) -> Result<(Token, usize), String> {
    let mut length = 0;
    let mut previous = ' ';
    for c in text.chars() {
        let belongs = c.is_ascii_digit()
            || c == '.'
            || c == 'e'
            || c == 'E'
            || matches!(c, '+' | '-') && matches!(previous, 'e' | 'E');
        if !belongs {
            break;
        }
        previous = c;
        length += c.len_utf8();
    }
    let digits = &text[..length];
    let token = match digits.parse::<i64>() {
        Ok(number) => Token::Integer(number),
        Err(_) => match digits.parse::<f64>() {
            Ok(number) if digits.contains(['.', 'e', 'E']) => Token::Double(number),
            _ => return Err(format!("the number {digits} is not valid")),
        },
    };
    Ok((token, length))
}
