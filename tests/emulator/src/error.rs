//! Errors of the service: a code, its status, a sentence, and the document that carries them.

use std::fmt::Write as _;

use quick_xml::escape::escape;

/// An answer that refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// Further elements of the document, in order.
    pub(crate) details: Vec<(String, String)>,
    /// Further headers.
    pub(crate) headers: Vec<(String, String)>,
    /// What is known of the cause. Few errors have one, so it is boxed.
    pub(crate) cause: Option<Box<Cause>>,
}

/// The cause of an error as the service documents it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cause {
    number: Option<&'static str>,
    /// What a denial tells about itself: who was denied what, and by what.
    denial: Vec<(&'static str, String)>,
}

impl ServiceError {
    pub(crate) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            details: Vec::new(),
            headers: Vec::new(),
            cause: None,
        }
    }

    /// Tells more about a denial.
    pub(crate) fn denial<'t>(mut self, about: impl IntoIterator<Item = (&'static str, &'t str)>) -> Self {
        self.cause.get_or_insert_default().denial = about
            .into_iter()
            .map(|(name, value)| (name, value.to_owned()))
            .collect();
        self
    }

    /// Gives the error the number that the service documents for its cause.
    pub(crate) fn numbered(mut self, number: &'static str) -> Self {
        self.cause.get_or_insert_default().number = Some(number);
        self
    }

    /// Adds an element to the error document.
    pub(crate) fn detail(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.details.push((name.into(), value.into()));
        self
    }

    /// Adds a header to the answer.
    pub(crate) fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn invalid_argument(message: impl Into<String>, name: &str, value: &str) -> Self {
        Self::new(400, "InvalidArgument", message)
            .detail("ArgumentName", name)
            .detail("ArgumentValue", value)
    }

    /// The refusal of a body of more than `limit` bytes.
    pub(crate) fn entity_too_large(limit: u64) -> Self {
        Self::new(
            400,
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed object size.",
        )
        .detail("MaxSizeAllowed", limit.to_string())
    }

    pub(crate) fn malformed_xml(why: impl Into<String>) -> Self {
        Self::new(
            400,
            "MalformedXML",
            format!(
                "The XML you provided was not well-formed or did not validate against our published schema: {}.",
                why.into()
            ),
        )
    }

    pub(crate) fn not_implemented(what: impl Into<String>) -> Self {
        Self::new(
            501,
            "NotImplemented",
            format!("The emulator does not implement {}.", what.into()),
        )
    }

    pub(crate) fn internal(why: impl Into<String>) -> Self {
        Self::new(500, "InternalError", why)
    }

    pub(crate) fn access_denied(message: impl Into<String>) -> Self {
        Self::new(403, "AccessDenied", message)
    }

    pub(crate) fn no_such_bucket(bucket: &str) -> Self {
        Self::new(404, "NoSuchBucket", "The specified bucket does not exist.").detail("BucketName", bucket)
    }

    pub(crate) fn no_such_key(key: &str) -> Self {
        Self::new(404, "NoSuchKey", "The specified key does not exist.").detail("Key", key)
    }

    /// The emulator's error number. The service numbers causes, the emulator numbers codes: stable, and of the same form.
    pub(crate) fn ec(&self) -> String {
        if let Some(number) = self.cause.as_ref().and_then(|cause| cause.number) {
            return number.to_owned();
        }
        let class = match self.status {
            403 => "0002",
            404 => "0026",
            _ => "0016",
        };
        let number = self
            .code
            .bytes()
            .fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
        format!("{class}-{:08}", number % 100_000)
    }

    /// The XML document of the OSS services.
    pub(crate) fn xml(&self, request_id: &str, host: &str) -> String {
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n");
        let ec = self.ec();
        let link = format!("https://api.alibabacloud.com/troubleshoot?q={ec}");
        let fixed = [
            ("Code", self.code.as_str()),
            ("Message", &self.message),
            ("RequestId", request_id),
            ("HostId", host),
        ];
        let details = self.details.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in fixed
            .into_iter()
            .chain(details)
            .chain([("EC", ec.as_str()), ("RecommendDoc", &link)])
        {
            let _ = writeln!(text, "  <{name}>{}</{name}>", escape(printable(value)));
        }
        let denial = self.about_denial();
        if !denial.is_empty() {
            text.push_str("  <AccessDeniedDetail>\n");
            for (name, value) in denial {
                let _ = writeln!(text, "    <{name}>{}</{name}>", escape(printable(value)));
            }
            text.push_str("  </AccessDeniedDetail>\n");
        }
        text.push_str("</Error>\n");
        text
    }

    /// The JSON document of services with JSON bodies.
    pub(crate) fn json(&self, request_id: &str, host: &str) -> String {
        let mut fields = self.fields(request_id, host);
        fields.insert("EC".into(), self.ec().into());
        serde_json::json!({ "Error": fields }).to_string()
    }

    /// The JSON document of the tables service, whose code stands in a header.
    pub(crate) fn flat_json(&self, request_id: &str) -> String {
        let details = self.details.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let fields = [("message", self.message.as_str()), ("requestId", request_id)];
        let fields = fields.into_iter().chain(details);
        let fields: serde_json::Map<_, _> = fields.map(|(name, value)| (name.to_owned(), value.into())).collect();
        serde_json::Value::Object(fields).to_string()
    }

    /// The JSON document of RPC services.
    pub(crate) fn rpc(&self, request_id: &str, host: &str) -> String {
        let mut fields = self.fields(request_id, host);
        fields.insert(
            "Recommend".into(),
            format!("https://api.alibabacloud.com/troubleshoot?q={}", self.code).into(),
        );
        serde_json::Value::Object(fields).to_string()
    }

    fn fields(&self, request_id: &str, host: &str) -> serde_json::Map<String, serde_json::Value> {
        let fixed = [
            ("Code", self.code.as_str()),
            ("Message", &self.message),
            ("RequestId", request_id),
            ("HostId", host),
        ];
        let details = self.details.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        fixed
            .into_iter()
            .chain(details)
            .map(|(name, value)| (name.to_owned(), value.into()))
            .chain(self.denial_field())
            .collect()
    }

    fn about_denial(&self) -> &[(&'static str, String)] {
        self.cause.as_ref().map_or(&[], |cause| &cause.denial)
    }

    fn denial_field(&self) -> Option<(String, serde_json::Value)> {
        let about = self
            .about_denial()
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_str().into()));
        let about: serde_json::Map<_, _> = about.collect();
        (!about.is_empty()).then(|| ("AccessDeniedDetail".to_owned(), about.into()))
    }
}

/// Error documents quote what clients sent; XML cannot hold most control characters, not even escaped.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && !matches!(c, '\n' | '\r' | '\t') {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_values_do_not_break_the_document() {
        let error = ServiceError::no_such_key("a<b>&\u{0}\"");
        let text = error.xml("ID", "h");
        assert!(text.contains("<Key>a&lt;b&gt;&amp;\u{fffd}&quot;</Key>"), "{text}");
        assert!(text.contains("<Code>NoSuchKey</Code>"));
    }

    #[test]
    fn the_error_number_has_the_form_of_the_service() {
        let ec = ServiceError::no_such_key("k").ec();
        assert_eq!(ec.len(), 13);
        assert!(ec.starts_with("0026-"));
    }
}
