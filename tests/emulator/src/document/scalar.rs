//! Scalars as text: the same rules for elements, headers, query parameters and strings of JSON.

use oss_codegen::api::{Member, Service, TimestampFormat, Type};
use regex_lite::Regex;

use crate::value::Value;
use crate::{text, time};

/// Reads a scalar; the error says what the text should have been.
pub(crate) fn read(service: &Service, ty: &Type, raw: &str) -> Result<Value, String> {
    match ty {
        Type::String | Type::Any => Ok(Value::Text(raw.to_owned())),
        Type::Integer => raw
            .trim()
            .parse()
            .map(Value::Integer)
            .map_err(|_| "an integer".to_owned()),
        Type::Float | Type::Float32 => match raw.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Float(number)),
            _ => Err("a number".to_owned()),
        },
        Type::Bool => match raw.trim() {
            flag if flag.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
            flag if flag.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
            _ => Err("true or false".to_owned()),
        },
        Type::Timestamp(format) => read_time(*format, raw.trim())
            .map(Value::Time)
            .ok_or_else(|| "a timestamp".to_owned()),
        Type::Base64String => text::base64_decode(raw.trim())
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .map(Value::Text)
            .ok_or_else(|| "Base64 of text".to_owned()),
        Type::Bytes => match text::base64_decode(raw.trim()) {
            Some(_) => Ok(Value::Text(raw.trim().to_owned())),
            None => Err("Base64".to_owned()),
        },
        Type::Enum(id) => {
            let values = &service.enumeration(*id).values;
            match values.iter().find(|value| value.wire == raw) {
                Some(_) => Ok(Value::Text(raw.to_owned())),
                None => Err(format!(
                    "one of {}",
                    values
                        .iter()
                        .map(|value| value.wire.as_str())
                        .collect::<Vec<_>>()
                        .join(", ")
                )),
            }
        }
        Type::Shape(_) | Type::List(_) | Type::Map(_) | Type::Stream => Err("a structure".to_owned()),
    }
}

fn read_time(format: TimestampFormat, raw: &str) -> Option<std::time::SystemTime> {
    match format {
        TimestampFormat::Iso8601 => time::parse_iso8601(raw),
        TimestampFormat::HttpDate => time::parse_http_date(raw),
        TimestampFormat::UnixSeconds => raw.parse().ok().and_then(time::from_unix),
    }
}

/// Writes a scalar; nothing when the value is none of this type.
pub(crate) fn write(ty: &Type, value: &Value) -> Option<String> {
    match (value, ty) {
        (Value::Text(text), Type::Base64String) => Some(text::base64(text.as_bytes())),
        (Value::Text(text), _) => Some(text.clone()),
        (Value::Integer(number), _) => Some(number.to_string()),
        (Value::Float(number), _) => Some(number.to_string()),
        (Value::Bool(flag), _) => Some(flag.to_string()),
        (Value::Time(at), Type::Timestamp(TimestampFormat::HttpDate)) => Some(time::http_date(*at)),
        (Value::Time(at), Type::Timestamp(TimestampFormat::UnixSeconds)) => Some(time::unix_seconds(*at).to_string()),
        (Value::Time(at), _) => Some(time::iso8601_millis(*at)),
        _ => None,
    }
}

/// Checks a value against the limits of its member; the error says which one it breaks.
pub(crate) fn check(member: &Member, value: &Value) -> Result<(), String> {
    match value {
        Value::Integer(number) => match member.range {
            Some((least, greatest)) if !(least..=greatest).contains(number) => {
                Err(format!("is not within {least} and {greatest}"))
            }
            _ => Ok(()),
        },
        #[expect(clippy::cast_precision_loss, reason = "limits of fractions are small numbers")]
        Value::Float(number) => match member.range {
            Some((least, greatest)) if !(least as f64..=greatest as f64).contains(number) => {
                Err(format!("is not within {least} and {greatest}"))
            }
            _ => Ok(()),
        },
        Value::Text(text) => check_text(member, text),
        Value::List(items) => match member.max_items {
            Some(most) if u64::try_from(items.len()).unwrap_or(u64::MAX) > most => {
                Err(format!("has more than {most} items"))
            }
            _ => items.iter().try_for_each(|item| {
                if matches!(item, Value::Text(_)) {
                    check(member, item)
                } else {
                    Ok(())
                }
            }),
        },
        _ => Ok(()),
    }
}

fn check_text(member: &Member, text: &str) -> Result<(), String> {
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    if let Some((least, greatest)) = member.length
        && !(least..=greatest).contains(&length)
    {
        return Err(format!("is not between {least} and {greatest} bytes long"));
    }
    if let Some(pattern) = &member.pattern {
        let regex = Regex::new(&format!("^(?:{pattern})$"))
            .map_err(|error| format!("has a pattern that cannot be checked: {error}"))?;
        if !regex.is_match(text) {
            return Err(format!("does not match {pattern}"));
        }
    }
    Ok(())
}
