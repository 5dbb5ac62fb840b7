//! JSON documents by the models' shapes.

use std::collections::BTreeMap;

use oss_codegen::api::{Member, Service, Type};
use serde_json::{Map, Number, Value as Json};

use super::scalar;
use crate::time;
use crate::value::{Record, Value};

/// Reads the keys of an object as members; the error names the key.
pub(crate) fn read(service: &Service, members: &[&Member], object: &Map<String, Json>) -> Result<Record, String> {
    let named = |member: &Member, key: &str| {
        member.wire.first().is_some_and(|wire| wire == key) || member.aliases.iter().any(|alias| alias == key)
    };
    if let Some(unknown) = object
        .keys()
        .find(|key| !members.iter().any(|member| member.rest || named(member, key)))
    {
        return Err(format!("the key {unknown} is not known"));
    }
    let mut record = Record::new();
    for member in members {
        if member.rest {
            let left = object
                .iter()
                .filter(|(key, _)| !members.iter().any(|other| !other.rest && named(other, key)));
            let left = Json::Object(left.map(|(key, json)| (key.clone(), json.clone())).collect());
            let value = read_value(service, &member.ty, &member.name, &left)?;
            if !matches!(&value, Value::Map(entries) if entries.is_empty()) {
                record.set(&member.name, value);
            }
            continue;
        }
        let found = object
            .iter()
            .find(|(key, value)| named(member, key) && !value.is_null());
        let name = member.wire.first().map(String::as_str).unwrap_or_default();
        match found {
            Some((key, json)) => {
                let value = read_value(service, &member.ty, key, json)?;
                scalar::check(member, &value).map_err(|why| format!("the key {name} {why}"))?;
                record.set(&member.name, value);
            }
            None if member.required => return Err(format!("the key {name} is missing")),
            None => {}
        }
    }
    Ok(record)
}

/// Reads a value by its type; the error names the key.
pub(crate) fn read_value(service: &Service, ty: &Type, key: &str, json: &Json) -> Result<Value, String> {
    let wrong = |expected: &str| Err(format!("the key {key} is not {expected}"));
    match (ty, json) {
        (Type::Any, any) => Ok(Value::Json(any.clone())),
        (Type::Integer, Json::Number(number)) => match number.as_i64() {
            Some(number) => Ok(Value::Integer(number)),
            None => wrong("a 64-bit integer"),
        },
        (Type::Float | Type::Float32, Json::Number(number)) => match number.as_f64() {
            Some(number) => Ok(Value::Float(number)),
            None => wrong("a number"),
        },
        (Type::Timestamp(_), Json::Number(number)) => match number.as_i64().and_then(time::from_unix) {
            Some(at) => Ok(Value::Time(at)),
            None => wrong("a timestamp"),
        },
        (Type::Bool, Json::Bool(flag)) => Ok(Value::Bool(*flag)),
        (Type::Integer | Type::Float | Type::Float32 | Type::Bool, _) => match ty {
            Type::Bool => wrong("true or false"),
            _ => wrong("a number"),
        },
        (Type::Shape(id), Json::Object(object)) => {
            let members: Vec<_> = service.shape(*id).members.iter().collect();
            let record = read(service, &members, object)?;
            super::check_together(service.shape(*id), &record)?;
            Ok(Value::Record(record))
        }
        (Type::List(item), Json::Array(items)) => {
            let items = items.iter().map(|json| read_value(service, item, key, json));
            Ok(Value::List(items.collect::<Result<_, _>>()?))
        }
        (Type::Map(item), Json::Object(object)) => {
            let entries = object
                .iter()
                .map(|(name, json)| Ok((name.clone(), read_value(service, item, name, json)?)));
            Ok(Value::Map(entries.collect::<Result<BTreeMap<_, _>, String>>()?))
        }
        (Type::Shape(_) | Type::Map(_), _) => wrong("an object"),
        (Type::List(_), _) => wrong("a list"),
        (scalar_type, Json::String(raw)) => match scalar::read(service, scalar_type, raw) {
            Ok(value) => Ok(value),
            Err(expected) => wrong(&expected),
        },
        _ => wrong("a string"),
    }
}

/// Writes members as an object.
pub(crate) fn write(service: &Service, members: &[&Member], record: &Record) -> Map<String, Json> {
    let mut object = Map::new();
    for member in members {
        if let (Some(value), Some(name)) = (record.get(&member.name), member.wire.first()) {
            match (member.rest, write_value(service, &member.ty, value)) {
                (true, Json::Object(entries)) => object.extend(entries),
                (_, value) => drop(object.insert(name.clone(), value)),
            }
        }
    }
    object
}

/// Writes a value by its type.
pub(crate) fn write_value(service: &Service, ty: &Type, value: &Value) -> Json {
    match (ty, value) {
        (_, Value::Json(json)) => json.clone(),
        (Type::Shape(id), Value::Record(record)) => {
            let members: Vec<_> = service.shape(*id).members.iter().collect();
            Json::Object(write(service, &members, record))
        }
        (Type::List(item), Value::List(items)) => items.iter().map(|value| write_value(service, item, value)).collect(),
        (Type::Map(item), Value::Map(entries)) => {
            let entries = entries
                .iter()
                .map(|(name, value)| (name.clone(), write_value(service, item, value)));
            Json::Object(entries.collect())
        }
        (_, Value::Integer(number)) => Json::from(*number),
        (_, Value::Float(number)) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
        (_, Value::Bool(flag)) => Json::Bool(*flag),
        (Type::Timestamp(oss_codegen::api::TimestampFormat::Iso8601), Value::Time(at)) => {
            Json::String(time::iso8601(*at))
        }
        (ty, value) => scalar::write(ty, value).map_or(Json::Null, Json::String),
    }
}
