//! Arbitrary members by the models: any request that an operation takes, any answer that a service may give.
//!
//! Values are JSON with the names of the models, as calls by name take them.

use std::collections::BTreeSet;

use oss_emulator::model::{Member, Operation, Place, Protocol, Service, Shape, ShapeId, Type};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;
use serde_json::{Map, Value, json};

/// How deep shapes that hold themselves go.
const MAX_DEPTH: usize = 4;

/// Which way a value travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the service, which takes known values of vocabularies only.
    Request,
    /// From the service to the client, which must bear what it does not know.
    Answer,
}

/// Headers that belong to the transfer: a client computes or compares them, so they have no arbitrary values.
const TRANSFER_HEADERS: [&str; 6] = [
    "content-length",
    "content-md5",
    "content-range",
    "transfer-encoding",
    "x-oss-hash-crc64ecma",
    "x-oss-callback",
];

/// What the strategies of one direction need.
#[derive(Clone, Copy)]
struct Generator {
    service: &'static Service,
    direction: Direction,
    /// Lists are as long as they may be, up to this.
    long: Option<usize>,
    /// Every member is given.
    filled: bool,
}

/// Any members that the operation takes.
pub fn request(service: &'static Service, operation: &'static Operation) -> BoxedStrategy<Value> {
    Generator {
        service,
        direction: Direction::Request,
        long: None,
        filled: false,
    }
    .request(operation)
}

/// Every member that the operation takes.
pub fn filled_request(service: &'static Service, operation: &'static Operation) -> BoxedStrategy<Value> {
    Generator {
        service,
        direction: Direction::Request,
        long: None,
        filled: true,
    }
    .request(operation)
}

/// Any members that the operation takes, with lists as long as they may be, up to `length`.
pub fn long_request(service: &'static Service, operation: &'static Operation, length: usize) -> BoxedStrategy<Value> {
    Generator {
        service,
        direction: Direction::Request,
        long: Some(length),
        filled: false,
    }
    .request(operation)
}

/// Any members that an answer may have.
pub fn answer(service: &'static Service, operation: &'static Operation) -> BoxedStrategy<Value> {
    let generator = Generator {
        service,
        direction: Direction::Answer,
        long: None,
        filled: false,
    };
    generator.object(&operation.result, 0)
}

/// Any members that an answer may have, with lists of `length` items.
pub fn long_answer(service: &'static Service, operation: &'static Operation, length: usize) -> BoxedStrategy<Value> {
    let generator = Generator {
        service,
        direction: Direction::Answer,
        long: Some(length),
        filled: false,
    };
    generator.object(&operation.result, 0)
}

/// Only what the operation cannot do without.
pub fn minimal_request(service: &'static Service, operation: &'static Operation) -> BoxedStrategy<Value> {
    let generator = Generator {
        service,
        direction: Direction::Request,
        long: None,
        filled: false,
    };
    let set = operation.any_of.first().cloned().unwrap_or_default();
    let needed = operation
        .request
        .iter()
        .filter(|member| member.required || set.contains(&member.name))
        .map(|member| generator.named(member, 0, true));
    collected(needed.collect())
}

impl Generator {
    fn request(self, operation: &'static Operation) -> BoxedStrategy<Value> {
        let any = self.object(&operation.request, 0);
        let Some(set) = operation.any_of.first() else {
            return any;
        };
        // One of the sets must be complete; the first always is.
        let complete: Vec<_> = operation
            .request
            .iter()
            .filter(|member| set.contains(&member.name))
            .map(|member| self.named(member, 0, true))
            .collect();
        (any, collected(complete))
            .prop_map(|(mut any, complete)| {
                if let (Some(any), Value::Object(complete)) = (any.as_object_mut(), complete) {
                    any.extend(complete);
                }
                any
            })
            .boxed()
    }

    /// An object with the required members and any of the others.
    fn object(self, members: &'static [Member], depth: usize) -> BoxedStrategy<Value> {
        let usable = members.iter().filter(|member| self.is_usable(member));
        collected(usable.map(|member| self.named(member, depth, false)).collect())
    }

    fn is_usable(self, member: &Member) -> bool {
        let is_transfer = member.place == Place::Header
            && member
                .wire
                .first()
                .is_some_and(|wire| TRANSFER_HEADERS.contains(&wire.to_ascii_lowercase().as_str()));
        !is_transfer && !matches!(member.place, Place::Local | Place::Callback)
    }

    /// Whether a shape has no end.
    fn holds_itself(self, id: ShapeId) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![id];
        while let Some(next) = open.pop() {
            let inner = self
                .service
                .shape(next)
                .members
                .iter()
                .filter_map(|member| member.ty.shape());
            open.extend(inner.filter(|inner| seen.insert(*inner)));
        }
        seen.contains(&id)
    }

    /// A member with its name, or nothing.
    fn named(self, member: &'static Member, depth: usize, always: bool) -> BoxedStrategy<Option<(String, Value)>> {
        let is_copy_source = matches!(member.place, Place::CopySourceBucket | Place::CopySourceKey);
        let needed = always || member.required || is_copy_source || member.place == Place::Frame;
        if !needed && depth >= MAX_DEPTH && member.ty.shape().is_some_and(|id| self.holds_itself(id)) {
            return Just(None).boxed();
        }
        let value = self.value(member, &member.ty, depth);
        let name = member.name.clone();
        let named = value.prop_map(move |value| (name.clone(), value));
        match needed || self.filled {
            true => named.prop_map(Some).boxed(),
            false => proptest::option::of(named).boxed(),
        }
    }

    fn value(mut self, member: &'static Member, ty: &'static Type, depth: usize) -> BoxedStrategy<Value> {
        if member.place == Place::QueryJson {
            // A target has at most 64 KiB here, and less elsewhere.
            self.long = self.long.map(|length| length.min(50));
        }
        match ty {
            Type::Stream => text_in_body()
                .prop_map(|text| json!({"$text": format!("{text}x")}))
                .boxed(),
            Type::Integer => self.integer(member),
            Type::Float | Type::Float32 => quarters(member.range),
            Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
            Type::Timestamp(_) => timestamp().boxed(),
            Type::Any => json_value().boxed(),
            Type::Bytes => Just(json!("Ynl0ZXM=")).boxed(),
            Type::Base64String | Type::String => self.text(member).prop_map(Value::String).boxed(),
            Type::Enum(id) => {
                let values = &self.service.enumeration(*id).values;
                let known = proptest::sample::select(values.iter().map(|value| value.wire.clone()).collect::<Vec<_>>());
                match (self.direction, &member.place) {
                    (Direction::Answer, Place::Field) => prop_oneof![4 => known, 1 => Just("Not-Known-Yet".to_owned())]
                        .prop_map(Value::String)
                        .boxed(),
                    _ => known.prop_map(Value::String).boxed(),
                }
            }
            Type::Shape(id) => self.shape(self.service.shape(*id), depth + 1),
            Type::List(item) => {
                let most = usize::try_from(member.max_items.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
                let least = usize::from(member.required);
                let size = match self.long {
                    Some(length) => length.min(most)..=length.min(most),
                    None => least..=3.min(most).max(least),
                };
                // Lists within the items of a long one are short, or the whole would have no end.
                let items = Generator { long: None, ..self };
                vec(items.value(member, item, depth), size)
                    .prop_map(Value::Array)
                    .boxed()
            }
            Type::Map(item) => {
                let name = match member.place {
                    Place::HeaderMap => "[a-z][a-z0-9-]{0,12}[a-z0-9]",
                    _ => "[A-Za-z][A-Za-z0-9_]{0,12}",
                };
                // Only an answer can say that there are none of them.
                let may_be_empty = self.direction == Direction::Answer && member.place == Place::Field && !member.rest;
                let least = usize::from(!may_be_empty || member.required || self.filled);
                proptest::collection::btree_map(name, self.value(member, item, depth), least..=3)
                    .prop_map(|map| json!(map))
                    .boxed()
            }
        }
    }

    fn shape(self, shape: &'static Shape, depth: usize) -> BoxedStrategy<Value> {
        if shape.one_of {
            let alternatives = shape.members.iter().map(|member| self.named(member, depth, true));
            return Union::new(alternatives)
                .prop_map(|chosen| Value::Object(chosen.into_iter().collect()))
                .boxed();
        }
        let exclusive = shape.exclusive.clone();
        let mut any = self.object(&shape.members, depth);
        if self.direction == Direction::Request && !exclusive.is_empty() {
            any = (any, 0..60_usize)
                .prop_map(move |(mut any, kept)| {
                    if let Some(any) = any.as_object_mut() {
                        for set in &exclusive {
                            let mut given: Vec<&String> = set.iter().filter(|name| any.contains_key(*name)).collect();
                            let kept = kept % given.len().max(1);
                            given.rotate_left(kept);
                            let surplus: Vec<String> = given.into_iter().skip(1).cloned().collect();
                            surplus.iter().for_each(|name| drop(any.remove(name)));
                        }
                    }
                    any
                })
                .boxed();
        }
        any
    }

    fn integer(self, member: &Member) -> BoxedStrategy<Value> {
        let (least, most) = match (self.direction, member.range) {
            (Direction::Request, Some(range)) => range,
            // Frames have 32 bits for some numbers.
            (_, _) if member.place == Place::Frame => (200, 299),
            _ => (-9_007_199_254_740_993, i64::MAX),
        };
        prop_oneof![Just(least), Just(most), least..=most]
            .prop_map(|number| json!(number))
            .boxed()
    }

    fn text(self, member: &'static Member) -> BoxedStrategy<String> {
        if member.bucket_arn {
            let arn = "acs:osstables:cn-hangzhou:1234567890123456:bucket/[a-z][a-z0-9]{2,20}";
            let pattern = if member.name == "table_arn" {
                format!("{arn}/table/[a-z0-9-]{{4,20}}")
            } else {
                arn.to_owned()
            };
            return matching(&pattern);
        }
        if let Some(pattern) = &member.pattern {
            let (least, most) = member.length.unwrap_or((0, u64::MAX));
            let fits = move |text: &String| {
                let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
                (least..=most).contains(&length)
            };
            return matching(pattern).prop_filter("length", fits).boxed();
        }
        let any = match member.place {
            Place::Bucket | Place::CopySourceBucket => matching("[a-z0-9][a-z0-9-]{1,17}[a-z0-9]"),
            Place::Header | Place::HeaderMap => matching("[!-~]([ -~]{0,30}[!-~])?"),
            Place::Path => matching("[ -~é€😀]{1,20}x"),
            // Keys do not begin with a slash or backslash.
            Place::Key | Place::CopySourceKey => text_in_body()
                .prop_map(|text| format!("{}x", text.trim_start_matches(['/', '\\'])))
                .boxed(),
            // A text of nothing is the same as none here.
            Place::Query | Place::Text | Place::CopySourceVersionId => text_in_body()
                .prop_map(|text| format!("{}x", text.trim_start_matches('\\')))
                .boxed(),
            // Parameters of a form: none is the same as an empty one.
            Place::Field if self.direction == Direction::Request && self.service.protocol == Protocol::RpcJson => {
                text_in_body().prop_map(|text| format!("{text}x")).boxed()
            }
            Place::Frame => matching("[!-~][ -~]{0,40}"),
            _ => text_in_body(),
        };
        let (least, most) = match self.direction {
            Direction::Request => member.length.unwrap_or((0, u64::MAX)),
            Direction::Answer => (0, u64::MAX),
        };
        let in_header = matches!(member.place, Place::Header | Place::HeaderMap);
        any.prop_map(move |text| {
            let mut text = fitted(text, least, most);
            // Blanks at the end of a header are none of it.
            if in_header && text.ends_with(' ') {
                text.pop();
                text.push('x');
            }
            text
        })
        .boxed()
    }
}

/// Cuts a text, or fills it, to a length in bytes.
fn fitted(mut text: String, least: u64, most: u64) -> String {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    while text.len() > most {
        text.pop();
    }
    while u64::try_from(text.len()).unwrap_or(u64::MAX) < least {
        text.push('x');
    }
    text
}

fn collected(members: Vec<BoxedStrategy<Option<(String, Value)>>>) -> BoxedStrategy<Value> {
    members
        .prop_map(|members| Value::Object(members.into_iter().flatten().collect::<Map<_, _>>()))
        .boxed()
}

fn matching(pattern: &str) -> BoxedStrategy<String> {
    match proptest::string::string_regex(pattern) {
        Ok(strategy) => strategy.boxed(),
        Err(error) => panic!("{pattern}: {error}"),
    }
}

/// Text with everything that documents have to escape.
fn text_in_body() -> BoxedStrategy<String> {
    prop_oneof![
        4 => matching("[a-zA-Z0-9/_.-]{1,20}"),
        1 => Just("<a href=\"x\">&amp; 'b' ]]> &#65;</a>".to_owned()),
        1 => Just("  leading and trailing\t".to_owned()),
        1 => Just("line\r\nbreak\n".to_owned()),
        1 => Just("日本語 é 😀 \u{feff}\u{2028}".to_owned()),
        1 => Just("%41+%2B a=b&c=d?#;".to_owned()),
        1 => Just("{\"json\": [1, \"\\u0041\"]}".to_owned()),
        1 => matching("[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\u{fffe}\u{ffff}]{0,12}"),
    ]
    .boxed()
}

/// Fractions that every notation has exactly.
fn quarters(range: Option<(i64, i64)>) -> BoxedStrategy<Value> {
    let bound = |bound: i64| i32::try_from(bound.clamp(-1000, 1000) * 4).unwrap_or_default();
    let (least, greatest) = range.map_or((-4000, 4000), |(least, greatest)| (bound(least), bound(greatest)));
    (least..=greatest)
        .prop_map(|quarters| json!(f64::from(quarters) / 4.0))
        .boxed()
}

fn timestamp() -> impl Strategy<Value = Value> {
    (1970_u32..2200, 1_u32..=12, 1_u32..=28, 0_u32..24, 0_u32..60, 0_u32..60).prop_map(
        |(year, month, day, hour, minute, second)| {
            json!(format!(
                "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
            ))
        },
    )
}

/// Free JSON objects.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| json!(number)),
        text_in_body().prop_map(Value::String),
    ];
    let inner = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::Array),
            proptest::collection::btree_map("[$a-z]{1,6}", inner, 0..3).prop_map(|map| json!(map)),
        ]
    });
    proptest::collection::btree_map("[$a-z]{1,6}", inner, 1..3).prop_map(|map| json!(map))
}
