//! Parsing documents that others wrote: the parser builds a tree, which can become many times as large as its document.

use serde_json::Value;

use super::JsonError;

/// Values in a document. The largest answers are vectors with their data: a thousand of 4096 numbers.
const MAX_VALUES: usize = 5_000_000;

/// Objects in a document, each of which may become a large struct.
const MAX_OBJECTS: usize = 500_000;

/// Reads a document. Of a name that an object has twice, the last value counts.
pub(crate) fn parse(document: &[u8]) -> Result<Value, JsonError> {
    let rule = |what: &str, most: usize| JsonError::new(format!("must have at most {most} {what}"));
    // Commas and brackets in texts count too, which makes the limit somewhat lower for documents that are near it.
    let (mut values, mut objects) = (0, 0);
    for byte in document {
        match byte {
            b'{' => objects += 1,
            b',' | b'[' => values += 1,
            _ => {}
        }
    }
    // Few documents are so large; for them it is worth to look closer.
    if values > MAX_VALUES || objects > MAX_OBJECTS {
        (values, objects) = outside_of_texts(document);
    }
    if objects > MAX_OBJECTS {
        return Err(rule("objects", MAX_OBJECTS));
    }
    if values > MAX_VALUES {
        return Err(rule("values", MAX_VALUES));
    }
    serde_json::from_slice(document).map_err(|error| JsonError::new(format!("must be JSON: {error}")))
}

/// Values and objects, without what stands in texts.
fn outside_of_texts(document: &[u8]) -> (usize, usize) {
    let (mut values, mut objects) = (0, 0);
    let mut bytes = document.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' => objects += 1,
            b',' | b'[' => values += 1,
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => drop(bytes.next()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    (values, objects)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_are_read_and_of_twins_the_last_counts() {
        assert_eq!(
            parse(br#"{"a": [1, {"b": "\u65e5,[{"}]}"#),
            Ok(json!({"a": [1, {"b": "日,[{"}]}))
        );
        assert_eq!(parse(br#"{"a": 1, "a": "2"}"#), Ok(json!({"a": "2"})));
    }

    #[test]
    fn what_is_no_document_is_an_error() {
        let deep = |open: &str, close: &str| [open.repeat(100_000), close.repeat(100_000)].concat();
        let rows: [&[u8]; 12] = [
            b"",
            b"{",
            b"{\"a\": }",
            b"{\"a\": 1,}",
            b"{} {}",
            b"{\"a\": 01}",
            b"{\"a\": NaN}",
            b"{\"a\": \"\xff\"}",
            b"{\"a\": \"\\ud800\"}",
            b"{\"a\": \"\n\"}",
            deep("[", "]").leak().as_bytes(),
            deep("{\"a\":", "}").leak().as_bytes(),
        ];
        for document in rows {
            let error = parse(document).unwrap_err().to_string();
            assert!(error.starts_with("the document must") && error.len() < 200, "{error}");
        }
        let whole = br#"{"a": [1.5, {"b": "c\"d"}, null, true], "e": {}}"#;
        for at in 0..whole.len() {
            assert!(parse(&whole[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_document_that_would_fill_the_memory_is_refused() {
        let run = |item: &str, count: usize| format!("[{}1]", item.repeat(count));
        let rows = [
            (run("{},", MAX_OBJECTS), true),
            (run("{},", MAX_OBJECTS + 1), false),
            (run("1,", MAX_VALUES - 1), true),
            (run("1,", MAX_VALUES), false),
            (run("[],", MAX_VALUES), false),
            // The same in a text is only a text.
            (format!("[\"{}\"]", "\\\",{[".repeat(MAX_VALUES)), true),
        ];
        for (document, is_good) in rows {
            assert_eq!(parse(document.as_bytes()).is_ok(), is_good, "{}", &document[..8]);
        }
    }
}
