//! Collecting a request: members go in, an [`OperationInput`] comes out.

use std::borrow::Cow;
use std::collections::BTreeMap;

use http::header::{CONTENT_TYPE, HeaderValue};

use super::{OperationInput, Protocol, Spec};
use crate::body::Body;
use crate::check::{self, Invalid};
#[cfg(feature = "json")]
use crate::json::{Names, ToJson};
use crate::percent;
use crate::text::ToText;
use crate::xml::{WriteXml, XmlWriter};

/// Collects the members of a request.
///
/// The first problem is kept with the name of its member; the call then fails with
/// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) and nothing is sent.
#[derive(Debug)]
pub struct Encoder {
    input: OperationInput,
    protocol: Protocol,
}

impl Encoder {
    /// An encoder that holds the fixed parts of an operation.
    pub(crate) fn new(spec: &'static Spec) -> Self {
        Encoder {
            input: OperationInput::of(spec),
            protocol: spec.service.protocol,
        }
    }

    /// What was collected. Parameters of RPC services have become a form.
    pub(crate) fn finish(mut self) -> OperationInput {
        if self.protocol == Protocol::RpcJson {
            self.form();
        }
        self.input
    }

    /// Sets the bucket.
    pub fn bucket(&mut self, bucket: &str) {
        self.input.bucket = Some(bucket.to_owned());
    }

    /// Sets the bucket to the one that an ARN names, unless an earlier member has set it.
    ///
    /// The ARN may be that of a table: what follows the name of its bucket is cut off.
    pub fn bucket_arn(&mut self, arn: Option<&str>) {
        if let (None, Some(arn)) = (&self.input.bucket, arn) {
            self.input.bucket = Some(bucket_of_arn(arn).to_owned());
        }
    }

    /// Sets the key.
    pub fn key(&mut self, key: &str) {
        self.input.key = Some(key.to_owned());
    }

    /// Appends a fixed segment to the path of an operation that has a path of its own.
    pub fn path_literal(&mut self, segment: &str) {
        self.path().push_str(segment);
    }

    /// Appends a member to the path, percent-encoded as one segment.
    pub fn path_segment(&mut self, member: &str, value: &str) {
        if value.is_empty() {
            self.input.problem(member, "must not be empty");
        }
        percent::push_component(self.path(), value);
    }

    /// The path so far, ready for another segment. Its first slash is the address's.
    fn path(&mut self) -> &mut String {
        match &mut self.input.path {
            Some(path) => {
                path.push('/');
                path
            }
            path => path.get_or_insert_default(),
        }
    }

    /// Sets a query parameter if there is a value.
    pub fn query<T: ToText + ?Sized>(&mut self, member: &str, wire: &'static str, value: Option<&T>) {
        if let Some(value) = value {
            self.query_value(member, wire, value);
        }
    }

    /// Sets a query parameter.
    pub fn query_value<T: ToText + ?Sized>(&mut self, _member: &str, wire: &'static str, value: &T) {
        self.input
            .set_query(Cow::Borrowed(wire), Some(value.to_text().into_owned()));
    }

    /// Sets a query parameter to a JSON document with the names of the service, if there is something to write.
    #[cfg(feature = "json")]
    pub fn query_json<T: ToJson + ?Sized>(&mut self, _member: &str, wire: &'static str, value: &T) {
        if !value.is_absent(Names::Wire) {
            let document = value.to_json(Names::Wire).to_string();
            self.input.set_query(Cow::Borrowed(wire), Some(document));
        }
    }

    /// Sets a header if there is a value.
    pub fn header<T: ToText + ?Sized>(&mut self, member: &str, wire: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.header_value(member, wire, value);
        }
    }

    /// Sets a header.
    pub fn header_value<T: ToText + ?Sized>(&mut self, member: &str, wire: &str, value: &T) {
        self.input.set_header(member, wire, &value.to_text());
    }

    /// Sets a header for each entry of a map, named by the prefix and the entry's key.
    pub fn header_map(&mut self, member: &str, prefix: &str, values: &BTreeMap<String, String>) {
        let mut name = prefix.to_owned();
        for (key, value) in values {
            name.truncate(prefix.len());
            name.push_str(key);
            if key.is_empty() {
                self.input.problem(member, "must not have an empty name");
            }
            self.input.set_header(member, &name, value);
        }
    }

    /// Sets the source of a copy; the bucket is the request's own unless given.
    ///
    /// Call it after [`bucket`](Encoder::bucket).
    pub fn copy_source(&mut self, bucket: Option<&str>, key: &str, version_id: Option<&str>) {
        if key.is_empty() {
            return self.input.problem("source_key", "must not be empty");
        }
        let bucket = bucket.or(self.input.bucket.as_deref()).unwrap_or_default();
        let mut source = String::with_capacity(bucket.len() + key.len() + 2);
        source.push('/');
        percent::push_component(&mut source, bucket);
        source.push('/');
        percent::push_path(&mut source, key);
        if let Some(version_id) = version_id {
            source.push_str("?versionId=");
            // Ids of the service need no escape; another text must not become more parameters.
            percent::push_component(&mut source, version_id);
        }
        self.input.set_header("source_key", "x-oss-copy-source", &source);
    }

    /// Sets the payload to an XML document.
    pub fn xml<T: WriteXml + ?Sized>(&mut self, member: &str, root: &str, value: &T) {
        let document = XmlWriter::document(root, value).map_err(|invalid| invalid.inside(member));
        self.document(document);
    }

    /// Sets the payload to an XML document if there is one.
    pub fn xml_optional<T: WriteXml + ?Sized>(&mut self, member: &str, root: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.xml(member, root, value);
        }
    }

    /// Sets the payload to the XML document that is the only element that `value` writes.
    pub fn xml_element<T: WriteXml + ?Sized>(&mut self, member: &str, value: &T) {
        let mut writer = XmlWriter::new();
        value.write_xml(&mut writer);
        self.document(writer.finish().map_err(|invalid| invalid.inside(member)));
    }

    /// Sets the payload to an XML document whose root has members of the request as children.
    pub fn xml_fields(&mut self, root: &str, write: impl FnOnce(&mut XmlWriter)) {
        let mut writer = XmlWriter::new();
        writer.open(root);
        write(&mut writer);
        writer.close(root);
        self.document(writer.finish());
    }

    fn document(&mut self, document: Result<Vec<u8>, Invalid>) {
        match document {
            Ok(document) => {
                self.input.body = document.into();
                self.content_type("application/xml");
            }
            Err(invalid) => {
                self.input.problem.get_or_insert(invalid);
            }
        }
    }

    /// Sets the payload to a JSON document, as the value of `root` if there is one.
    #[cfg(feature = "json")]
    pub fn json(&mut self, root: Option<&str>, value: impl Into<serde_json::Value>) {
        let mut value = value.into();
        if let Some(root) = root {
            let mut object = serde_json::Map::new();
            object.insert(root.to_owned(), value);
            value = object.into();
        }
        self.input.body = value.to_string().into();
        self.content_type("application/json");
    }

    /// Sets the payload to a text, verbatim.
    pub fn text(&mut self, _member: &str, text: &str) {
        self.input.body = text.to_owned().into();
    }

    /// Sets the payload to a text after a name: `name=text`, both verbatim.
    pub fn named_text(&mut self, _member: &str, name: &str, text: &str) {
        self.input.body = format!("{name}={text}").into();
    }

    /// Sets the payload.
    pub fn stream(&mut self, body: &Body) {
        self.input.body = body.clone();
    }

    /// Sets the CRC-64 that the payload continues, for the operations that append.
    pub fn initial_crc64(&mut self, crc: Option<u64>) {
        self.input.initial_crc64 = crc;
    }

    /// Checks that a number is from `min` to `max`.
    pub fn check_range(&mut self, member: &str, value: i64, min: i64, max: i64) {
        self.check(member, check::range(value, min, max));
    }

    /// Checks that a text has from `min` to `max` bytes.
    pub fn check_length(&mut self, member: &str, value: &str, min: u64, max: u64) {
        self.check(member, check::length(value, min, max));
    }

    /// Checks that a list has at most `max` items.
    pub fn check_items(&mut self, member: &str, count: usize, max: u64) {
        self.check(member, check::items(count, max));
    }

    /// Checks that a required member is there.
    pub fn require(&mut self, member: &str, is_present: bool) {
        self.check(member, check::required(is_present));
    }

    /// Reports a member that breaks a rule, worded as the rest of a sentence. Only the first report counts.
    pub fn invalid(&mut self, member: &str, rule: &str) {
        self.input.problem(member, rule);
    }

    fn check(&mut self, member: &str, rule: Option<String>) {
        if let Some(rule) = rule {
            self.input.problem.get_or_insert_with(|| Invalid::new(member, rule));
        }
    }

    fn content_type(&mut self, value: &'static str) {
        self.input
            .headers
            .entry(CONTENT_TYPE)
            .or_insert(HeaderValue::from_static(value));
    }

    fn form(&mut self) {
        let mut form = String::new();
        for (name, value) in std::mem::take(&mut self.input.query) {
            if !form.is_empty() {
                form.push('&');
            }
            percent::push_component(&mut form, &name);
            form.push('=');
            percent::push_component(&mut form, value.as_deref().unwrap_or_default());
        }
        self.input.body = form.into();
        self.content_type("application/x-www-form-urlencoded");
    }
}

/// The ARN of a bucket out of its own or that of a table: `acs:service:region:account:bucket/name/table/id`.
fn bucket_of_arn(arn: &str) -> &str {
    const BUCKET: &str = ":bucket/";
    let Some(name) = arn.find(BUCKET).map(|at| at + BUCKET.len()) else {
        return arn;
    };
    match arn[name..].find("/table") {
        Some(at) => &arn[..name + at],
        None => arn,
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::service::ServiceSpec;

    static SERVICE: ServiceSpec = ServiceSpec::new("oss", Protocol::RestXml);
    static SPEC: Spec = Spec::new(&SERVICE, "Test", Method::POST);

    #[test]
    fn the_bucket_of_a_table_is_cut_out_of_its_arn() {
        let rows = [
            ("acs:osstables:r:1:bucket/b", "acs:osstables:r:1:bucket/b"),
            ("acs:osstables:r:1:bucket/b/table/t", "acs:osstables:r:1:bucket/b"),
            (
                "acs:osstables:r:1:bucket/table/table/t",
                "acs:osstables:r:1:bucket/table",
            ),
            (
                "acs:osstables:r:1:bucket/tables-1/table/t",
                "acs:osstables:r:1:bucket/tables-1",
            ),
            ("acs:osstables:r:1:bucket/tables-1", "acs:osstables:r:1:bucket/tables-1"),
            ("no arn/table/t", "no arn/table/t"),
            ("", ""),
        ];
        for (arn, bucket) in rows {
            assert_eq!(bucket_of_arn(arn), bucket, "{arn}");
        }
    }

    #[test]
    fn the_first_arn_that_is_given_counts() {
        let mut encoder = Encoder::new(&SPEC);
        encoder.bucket_arn(None);
        encoder.bucket_arn(Some("acs:x:r:1:bucket/a/table/t"));
        encoder.bucket_arn(Some("acs:x:r:1:bucket/b"));
        assert_eq!(encoder.finish().bucket.as_deref(), Some("acs:x:r:1:bucket/a"));
    }

    #[test]
    fn a_text_may_follow_a_name() {
        let mut encoder = Encoder::new(&SPEC);
        encoder.named_text("process", "x-oss-process", "image/resize,w_100|sys/saveas,o_YQ==");
        let input = encoder.finish();
        assert_eq!(
            input.body.as_bytes().unwrap(),
            &b"x-oss-process=image/resize,w_100|sys/saveas,o_YQ=="[..]
        );
        assert!(!input.headers.contains_key(CONTENT_TYPE));
    }

    #[cfg(feature = "json")]
    #[test]
    fn a_document_in_a_query_is_compact_and_only_there_when_it_says_something() {
        let mut encoder = Encoder::new(&SPEC);
        encoder.query_json("fields", "withFields", &["a \" b".to_owned()].to_vec());
        encoder.query_json("empty", "empty", &Vec::<String>::new());
        encoder.query_json("none", "none", &None::<serde_json::Value>);
        let input = encoder.finish();
        assert_eq!(
            input.query,
            [(Cow::Borrowed("withFields"), Some(r#"["a \" b"]"#.to_owned()))]
        );
    }
}
