//! Payloads in JSON: `{"$text": "..."}`, `{"$base64": "..."}` or `{"$file": "path"}`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::Body;
use crate::json::{FromJson, JsonError, Names};

impl FromJson for Body {
    /// A bare text is short for `$text`.
    fn from_json(value: Value, _names: Names) -> Result<Self, JsonError> {
        let object = match value {
            Value::String(text) => return Ok(text.into()),
            Value::Object(object) => object,
            other => {
                return Err(JsonError::expected(
                    "an object with `$text`, `$base64` or `$file`",
                    &other,
                ));
            }
        };
        let mut members = object.into_iter();
        match (members.next(), members.next()) {
            (Some((form, Value::String(text))), None) => match form.as_str() {
                "$text" => Ok(text.into()),
                "$file" => Ok(Body::from_file(text)),
                "$base64" => match BASE64.decode(&text) {
                    Ok(bytes) => Ok(bytes.into()),
                    Err(_) => Err(JsonError::new("must be base64 with padding").in_member("$base64")),
                },
                _ => Err(JsonError::new(
                    "must have one of the members `$text`, `$base64`, `$file`",
                )),
            },
            (Some((form, other)), None) => Err(JsonError::expected("a string", &other).in_member(&form)),
            _ => Err(JsonError::new(
                "must have exactly one of the members `$text`, `$base64`, `$file`",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_form_is_read_and_others_are_refused() {
        let read = |value| Body::from_json(value, Names::Model);
        assert_eq!(read(json!("a")).unwrap().as_bytes().unwrap(), "a");
        assert_eq!(read(json!({"$text": "ü"})).unwrap().as_bytes().unwrap(), "ü");
        assert_eq!(
            read(json!({"$base64": "AP8="})).unwrap().as_bytes().unwrap(),
            &b"\x00\xff"[..]
        );
        assert!(
            read(json!({"$file": "a.bin"}))
                .unwrap()
                .file_path()
                .unwrap()
                .ends_with("a.bin")
        );
        for wrong in [
            json!(1),
            json!({}),
            json!({"$text": 1}),
            json!({"$base64": "*"}),
            json!({"a": "b"}),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
        assert!(read(json!({"$text": "a", "$file": "b"})).is_err());
    }
}
