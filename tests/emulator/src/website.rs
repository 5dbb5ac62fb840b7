//! Buckets as static websites: index pages, error pages and redirections for visitors without a signature.

use http::{HeaderMap, Method};

use crate::answer::{Rendered, RenderedBody, insert};
use crate::document::xml::{self, Strictness};
use crate::error::ServiceError;
use crate::request::Head;
use crate::state::State;
use crate::text;
use crate::value::Record;

/// What the document is stored under.
const KIND: &str = "website";

/// The website that a request visits.
pub(crate) struct Site {
    configuration: Record,
}

/// What becomes of a page that does not exist.
pub(crate) enum Missing {
    /// A redirection.
    Answer(Rendered),
    /// Another page of the bucket, with its own status where there is one.
    Page { key: String, status: Option<u16> },
    /// The error as it is.
    Nothing,
}

impl Site {
    /// The website of a request: unsigned, for reading, to a host that names a bucket with such a configuration.
    pub(crate) fn of(state: &State, head: &Head) -> Result<Option<Self>, ServiceError> {
        let reads = head.method == Method::GET || head.method == Method::HEAD;
        let signed = head.headers.contains_key("authorization")
            || ["Signature", "OSSAccessKeyId", "x-oss-signature", "x-oss-credential"]
                .iter()
                .any(|name| head.query.has(name));
        let (true, false, true, Some(bucket)) = (reads, signed, head.address.hosted, head.bucket()) else {
            return Ok(None);
        };
        let Some(service) = state.api.service("oss") else {
            return Ok(None);
        };
        let asks_otherwise = head.query.iter().any(|parameter| {
            let name = parameter.name.as_str();
            !name.starts_with("response-")
                && !name.starts_with("x-oss-")
                && service.subresources.iter().any(|other| other == name)
        });
        if asks_otherwise {
            return Ok(None);
        }
        let Ok(Some(stored)) = state.store.config(bucket, KIND) else {
            return Ok(None);
        };
        let unreadable = || ServiceError::internal("The stored website configuration cannot be read.");
        let shape = service
            .shapes
            .iter()
            .position(|shape| shape.wire == "WebsiteConfiguration")
            .ok_or_else(unreadable)?;
        let text = std::str::from_utf8(&stored).map_err(|_| unreadable())?;
        let root = xml::parse(text).map_err(|_| unreadable())?;
        let id = oss_codegen::api::ShapeId(shape);
        let configuration = xml::read_shape(service, id, &root, Strictness::Stored).map_err(|_| unreadable())?;
        Ok(Some(Self { configuration }))
    }

    /// The page that a request asks for: itself, or an index page for a directory.
    pub(crate) fn page(&self, key: Option<&str>) -> Option<String> {
        let index = self.configuration.record("index_document");
        match (key, index) {
            (Some(key), None) => Some(key.to_owned()),
            (Some(key), _) if !key.ends_with('/') => Some(key.to_owned()),
            (Some(key), Some(index)) if index.flag("support_sub_dir") => {
                Some(format!("{key}{}", index.text_or_empty("suffix")))
            }
            (_, Some(index)) => Some(index.text_or_empty("suffix").to_owned()),
            (None, None) => None,
        }
    }

    /// A redirection that does not wait for the page to be missing.
    pub(crate) fn redirection(&self, head: &Head) -> Result<Option<Rendered>, ServiceError> {
        self.rule(head, None).map(|rule| redirect(rule, head)).transpose()
    }

    /// What a visitor gets in the place of a page that does not exist.
    pub(crate) fn missing(&self, head: &Head, exists: impl Fn(&str) -> bool) -> Result<Missing, ServiceError> {
        if let (Some(key), Some(index)) = (head.key(), self.configuration.record("index_document"))
            && index.flag("support_sub_dir")
            && !key.ends_with('/')
        {
            let page = format!("{key}/{}", index.text_or_empty("suffix"));
            match index.integer("type").unwrap_or_default() {
                0 if exists(&page) => {
                    return Ok(Missing::Answer(moved(302, &format!("/{}/", text::encode_path(key)))));
                }
                2 if exists(&page) => {
                    return Ok(Missing::Page {
                        key: page,
                        status: None,
                    });
                }
                _ => {}
            }
        }
        if let Some(rule) = self.rule(head, Some(404)) {
            return redirect(rule, head).map(Missing::Answer);
        }
        Ok(match self.configuration.record("error_document") {
            Some(error) => Missing::Page {
                key: error.text_or_empty("key").to_owned(),
                status: Some(match error.integer("http_status") {
                    Some(200) => 200,
                    _ => 404,
                }),
            },
            None => Missing::Nothing,
        })
    }

    /// The first rule, by its number, whose condition holds.
    fn rule(&self, head: &Head, status: Option<i64>) -> Option<&Record> {
        let mut rules: Vec<&Record> = self
            .configuration
            .record("routing_rules")?
            .records("routing_rules")
            .collect();
        rules.sort_by_key(|rule| rule.integer("rule_number").unwrap_or_default());
        rules.into_iter().find(|rule| holds(rule, head, status))
    }
}

fn holds(rule: &Record, head: &Head, status: Option<i64>) -> bool {
    let nothing = Record::new();
    let condition = rule.record("condition").unwrap_or(&nothing);
    let key = head.key().unwrap_or_default();
    let header = |wanted: &Record| {
        let Some(value) = head.header(&wanted.text_or_empty("key").to_ascii_lowercase()) else {
            return false;
        };
        let fits = |name: &str, test: fn(&str, &str) -> bool| wanted.text(name).is_none_or(|text| test(value, text));
        fits("equals", |value, text| value == text)
            && fits("starts_with", |value, text| value.starts_with(text))
            && fits("ends_with", |value, text| value.ends_with(text))
    };
    condition.integer("http_error_code_returned_equals") == status
        && condition
            .text("key_prefix_equals")
            .is_none_or(|prefix| key.starts_with(prefix))
        && condition
            .text("key_suffix_equals")
            .is_none_or(|suffix| key.ends_with(suffix))
        && condition.records("include_headers").all(header)
}

fn redirect(rule: &Record, head: &Head) -> Result<Rendered, ServiceError> {
    let nothing = Record::new();
    let redirect = rule.record("redirect").unwrap_or(&nothing);
    let kind = redirect.text_or_empty("redirect_type");
    if !matches!(kind, "External" | "AliCDN") {
        return Err(ServiceError::not_implemented(format!(
            "the redirection {kind} of a website"
        )));
    }
    let key = head.key().unwrap_or_default();
    let prefix = rule
        .record("condition")
        .map_or("", |condition| condition.text_or_empty("key_prefix_equals"));
    let replaces = redirect.flag("enable_replace_prefix") || !redirect.has("enable_replace_prefix");
    let target = match (
        redirect.text("replace_key_with"),
        redirect.text("replace_key_prefix_with"),
    ) {
        (Some(template), _) => template.replace("${key}", key),
        (None, Some(start)) if replaces => format!("{start}{}", key.strip_prefix(prefix).unwrap_or(key)),
        _ => key.to_owned(),
    };
    let host = redirect
        .text("host_name")
        .filter(|host| !host.is_empty())
        .unwrap_or(&head.host);
    let protocol = redirect
        .text("protocol")
        .filter(|protocol| !protocol.is_empty())
        .unwrap_or("http");
    let mut location = format!("{protocol}://{host}/{}", text::encode_path(&target));
    if redirect.flag("pass_query_string") {
        let pairs = head.query.iter().map(|parameter| match parameter.value.as_str() {
            "" => text::encode(&parameter.name),
            value => format!("{}={}", text::encode(&parameter.name), text::encode(value)),
        });
        let query = pairs.collect::<Vec<_>>().join("&");
        if !query.is_empty() {
            location = format!("{location}?{query}");
        }
    }
    let status = redirect
        .integer("http_redirect_code")
        .and_then(|code| u16::try_from(code).ok())
        .unwrap_or(301);
    Ok(moved(status, &location))
}

fn moved(status: u16, location: &str) -> Rendered {
    let mut headers = HeaderMap::new();
    insert(&mut headers, "location", location);
    Rendered {
        status,
        headers,
        body: RenderedBody::Full(bytes::Bytes::new()),
    }
}

/// Checks what the shape of the document cannot say.
pub(crate) fn check(configuration: &Record) -> Result<(), ServiceError> {
    let invalid = |why: &str, name: &str, value: &str| Err(ServiceError::invalid_argument(why, name, value));
    let parts = ["index_document", "error_document", "routing_rules"];
    if !parts.iter().any(|part| configuration.has(part)) {
        return invalid(
            "A website needs an index document, an error document or rules.",
            "WebsiteConfiguration",
            "",
        );
    }
    if let Some(index) = configuration.record("index_document") {
        let suffix = index.text_or_empty("suffix");
        if suffix.is_empty() || suffix.contains('/') {
            return invalid("The suffix is empty or has a slash.", "Suffix", suffix);
        }
    }
    if let Some(error) = configuration.record("error_document") {
        if error.text_or_empty("key").is_empty() {
            return invalid("The key of the error document is empty.", "Key", "");
        }
        if let Some(status) = error
            .integer("http_status")
            .filter(|status| ![200, 404].contains(status))
        {
            return invalid(
                "The status of the error document is 200 or 404.",
                "HttpStatus",
                &status.to_string(),
            );
        }
    }
    let mut numbers = Vec::new();
    let rules = configuration.record("routing_rules");
    for rule in rules.iter().flat_map(|rules| rules.records("routing_rules")) {
        let number = rule.integer("rule_number").unwrap_or_default();
        if number < 1 || numbers.contains(&number) {
            return invalid(
                "The number of a rule is not positive or not unique.",
                "RuleNumber",
                &number.to_string(),
            );
        }
        numbers.push(number);
        let (Some(condition), Some(redirect)) = (rule.record("condition"), rule.record("redirect")) else {
            return invalid(
                "A rule needs a condition and a redirection.",
                "RoutingRule",
                &number.to_string(),
            );
        };
        if let Some(code) = redirect
            .integer("http_redirect_code")
            .filter(|code| ![301, 302, 307].contains(code))
        {
            return invalid(
                "A redirection is 301, 302 or 307.",
                "HttpRedirectCode",
                &code.to_string(),
            );
        }
        if redirect.text("redirect_type") == Some("Mirror") {
            let url = redirect.text_or_empty("mirror_url");
            if !(url.starts_with("http://") || url.starts_with("https://")) || !url.ends_with('/') {
                return invalid(
                    "MirrorURL must begin with http:// or https:// and end with a slash.",
                    "MirrorURL",
                    url,
                );
            }
            if condition.integer("http_error_code_returned_equals") != Some(404) {
                return invalid("A mirror rule must say 404.", "HttpErrorCodeReturnedEquals", "");
            }
        }
    }
    Ok(())
}
