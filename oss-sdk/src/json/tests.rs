//! Both directions, both kinds of names, and what is refused.

use serde_json::json;

use super::*;
use crate::check::Invalid;

#[derive(Debug, Default, PartialEq)]
struct Index {
    index_name: String,
    dimension: Option<i64>,
    keys: Vec<Key>,
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Default, PartialEq)]
struct Key {
    max_age: i32,
}

impl ToJson for Index {
    fn to_json(&self, names: Names) -> Value {
        let mut out = JsonObject::new(names);
        out.set("index_name", "indexName", &self.index_name);
        out.set("dimension", "dimension", &self.dimension);
        out.set("keys", "Keys", &self.keys);
        out.set("tags", "tags", &self.tags);
        out.into()
    }
}

impl FromJson for Index {
    fn from_json(value: Value, names: Names) -> Result<Self, JsonError> {
        let mut object = JsonReader::new(value, names)?;
        let value = Self {
            index_name: object.required("index_name", "indexName")?,
            dimension: object.take("dimension", "dimension")?,
            keys: object.take("keys", "Keys")?.unwrap_or_default(),
            tags: object.take("tags", "tags")?.unwrap_or_default(),
        };
        object.finish()?;
        Ok(value)
    }
}

impl ToJson for Key {
    fn to_json(&self, names: Names) -> Value {
        let mut out = JsonObject::new(names);
        out.set("max_age", "maxAge", &self.max_age);
        out.into()
    }
}

impl FromJson for Key {
    fn from_json(value: Value, names: Names) -> Result<Self, JsonError> {
        let mut object = JsonReader::new(value, names)?;
        let value = Self {
            max_age: object.required("max_age", "maxAge")?,
        };
        object.finish()?;
        Ok(value)
    }
}

#[test]
fn a_shape_is_written_and_read_under_both_names() {
    let index = Index {
        index_name: "i".to_owned(),
        dimension: Some(3),
        keys: vec![Key { max_age: 1 }],
        tags: [("a".to_owned(), "b".to_owned())].into(),
    };
    let wire = json!({"indexName": "i", "dimension": 3, "Keys": [{"maxAge": 1}], "tags": {"a": "b"}});
    let model = json!({"index_name": "i", "dimension": 3, "keys": [{"max_age": 1}], "tags": {"a": "b"}});
    for (names, expected) in [(Names::Wire, wire), (Names::Model, model)] {
        assert_eq!(index.to_json(names), expected);
        assert_eq!(Index::from_json(expected, names).unwrap(), index);
    }
}

#[test]
fn what_is_absent_is_left_out() {
    let index = Index {
        index_name: "i".to_owned(),
        ..Index::default()
    };
    assert_eq!(index.to_json(Names::Wire), json!({"indexName": "i"}));
    assert_eq!(
        index.to_json(Names::Model),
        json!({"index_name": "i", "keys": [], "tags": {}})
    );
    let read = Index::from_json(json!({"index_name": "i", "dimension": null}), Names::Model).unwrap();
    assert_eq!(read, index);
}

#[test]
fn errors_show_the_way_and_suggest_names() {
    let rows = [
        (json!([]), "the document must be an object, it is a list"),
        (json!({}), "`index_name` is required"),
        (json!({"index_name": 1}), "`index_name` must be a text, it is `1`"),
        (
            json!({"index_name": "i", "dimension": "3"}),
            "`dimension` must be an integer, it is another text",
        ),
        (
            json!({"index_name": "i", "dimension": 1.5}),
            "`dimension` must be an integer, it is `1.5`",
        ),
        (
            json!({"index_name": "i", "keys": [{"max_age": 1}, {}]}),
            "`keys[1].max_age` is required",
        ),
        (
            json!({"index_name": "i", "keys": [{"max_age": 3_000_000_000_u64}]}),
            "`keys[0].max_age` must be an integer, it is `3000000000`",
        ),
        (
            json!({"index_name": "i", "tags": {"t": {}}}),
            "`tags.t` must be a text, it is an object",
        ),
        (
            json!({"index_name": "i", "dimention": 3}),
            "`dimention` is not known; there is `dimension`",
        ),
        (
            json!({"indexName": "i", "index_name": "i"}),
            "`indexName` is not known; there is `index_name`",
        ),
        (json!({"index_name": "i", "entirely": 3}), "`entirely` is not known"),
    ];
    for (value, expected) in rows {
        let shown = value.to_string();
        assert_eq!(
            Index::from_json(value, Names::Model).unwrap_err().to_string(),
            expected,
            "{shown}"
        );
    }
    let error = Index::from_json(json!({"index_name": "i", "a\nb": 1}), Names::Model).unwrap_err();
    assert_eq!(error.to_string(), "`a\\nb` is not known");
    let invalid = Invalid::from(Index::from_json(json!(1), Names::Model).unwrap_err());
    assert_eq!(invalid.to_string(), "`input` must be an object, it is `1`");
}

#[test]
fn the_wire_is_read_leniently() {
    let value = json!({"indexName": 5, "dimension": "3", "new": true});
    let index = Index::from_json(value, Names::Wire).unwrap();
    assert_eq!((index.index_name.as_str(), index.dimension), ("5", Some(3)));
    assert_eq!(bool::from_json(json!("True"), Names::Wire), Ok(true));
    assert!(bool::from_json(json!("True"), Names::Model).is_err());
    let time = Timestamp::from_unix(784_111_777).unwrap();
    for value in [
        json!("1994-11-06T08:49:37Z"),
        json!("Sun, 06 Nov 1994 08:49:37 GMT"),
        json!(784_111_777),
    ] {
        assert_eq!(Timestamp::from_json(value, Names::Wire), Ok(time));
    }
    assert!(Timestamp::from_json(json!(784_111_777), Names::Model).is_err());
    assert_eq!(time.to_json(Names::Model), json!("1994-11-06T08:49:37Z"));
    assert_eq!(time.to_json(Names::Wire), json!("1994-11-06T08:49:37.000Z"));
}

#[test]
fn numbers_keep_their_digits() {
    for number in [0.1_f32, 1.0e-8, 3.4e38, -0.0, 16_777_217.0] {
        let text = number.to_json(Names::Wire).to_string();
        assert!(text.len() < 24, "{text}");
        assert_eq!(
            f32::from_json(serde_json::from_str(&text).unwrap(), Names::Wire),
            Ok(number)
        );
    }
    assert_eq!(0.1_f32.to_json(Names::Wire).to_string(), "0.1");
    for number in [i64::MIN, i64::MAX] {
        assert_eq!(i64::from_json(number.to_json(Names::Wire), Names::Wire), Ok(number));
    }
    assert!(u64::from_json(json!(-1), Names::Wire).is_err());
    let bytes = Bytes::from_static(b"\x00\xff");
    assert_eq!(Bytes::from_json(bytes.to_json(Names::Model), Names::Model), Ok(bytes));
    assert!(Bytes::from_json(json!("*"), Names::Model).is_err());
}
