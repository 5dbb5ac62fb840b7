//! Derive macros of `oss-sdk`: operations that no model has, with the wire behaviour of those that have one.
//!
//! Attributes and models become the same types, and the same emitters write the code for both. Use the macros through
//! the SDK's feature `derive`, which gives them as `oss_sdk::{OssOperation, ToXml, FromXml, OssEnum}`.
//!
//! What a model can say and an attribute cannot: documents and queries in JSON, so that derived operations are of the
//! client's own service as far as it speaks XML; frames of SelectObject, results by content type, checksums that are
//! continued from an earlier answer, sorted parts; members that exclude one another; waiters, which are written with
//! `oss_sdk::wait` by hand; and calls by name, which know the models alone.

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

mod attrs;
mod expand;
mod http;
mod lower;

/// Makes a struct an operation that a client can `invoke`.
///
/// ```no_run
/// use oss_sdk::{FromXml, OssOperation, ToXml};
///
/// #[derive(OssOperation)]
/// #[oss(http = "PUT /{bucket}?cors", content_md5)]
/// struct PutCors {
///     #[oss(bucket)]
///     bucket: String,
///     #[oss(body)]
///     configuration: Cors,
/// }
///
/// #[derive(OssOperation)]
/// #[oss(http = "GET /{bucket}?cors", output = Cors)]
/// struct GetCors {
///     #[oss(bucket)]
///     bucket: String,
/// }
///
/// #[derive(Default, ToXml, FromXml)]
/// #[oss(wire = "CORSConfiguration")]
/// struct Cors {
///     #[oss(wire = "CORSRule", max_items = 10)]
///     rules: Vec<Rule>,
/// }
///
/// #[derive(Default, ToXml, FromXml)]
/// struct Rule {
///     #[oss(wire = "AllowedOrigin")]
///     origins: Vec<String>,
///     #[oss(wire = "AllowedMethod")]
///     methods: Vec<String>,
///     max_age_seconds: Option<i64>,
/// }
///
/// # async fn example(client: oss_sdk::Client) -> Result<(), oss_sdk::Error> {
/// let configuration = client.invoke(GetCors { bucket: "examplebucket".into() }).await?;
/// client.invoke(PutCors { bucket: "otherbucket".into(), configuration }).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Attributes of the struct
///
/// | attribute | meaning |
/// | --- | --- |
/// | `http = "PUT /{bucket}?cors"` | Method, path and fixed query. Required. |
/// | `output = Type` | What the answer becomes: a type that derives [`FromXml`]. `()` by default. |
/// | `name = "PutBucketCors"` | The name in errors and logs. That of the struct by default. |
/// | `content_md5` | Sends `Content-MD5` of the payload. |
/// | `success(200, 204)` | Statuses that are a success. Every 2xx by default. |
/// | `idempotent`, `not_idempotent` | Whether the request may be repeated after its answer got lost. It may by default for all methods but POST. |
/// | `headers("x-oss-a: b")` | Headers that every request has. |
/// | `any_of("a", "b")` | Of these fields at least one must be given. |
/// | `paginate(...)` | The answer comes in pages; see below. |
/// | `presign` | The operation can be presigned. |
/// | `subresources("style")` | Query keys that signature V1 signs besides the flags of the fixed query. |
/// | `content_type_from_key`, `upload_crc64`, `download_crc64`, `resumable_download`, `callback`, `error_in_success`, `slow`, `unsigned` | The behaviours of the model format with these names. |
/// | `crate = "renamed"` | The SDK's crate, when it is not called `oss_sdk`. |
///
/// # Attributes of a field
///
/// Each field says where it goes:
///
/// | attribute | place |
/// | --- | --- |
/// | `bucket`, `key`, `path` | The part of the path with this name. |
/// | `query = "max-keys"` | A query parameter. An `Option` is left out when it is `None`. |
/// | `header = "x-oss-acl"` | A header. |
/// | `headers = "x-oss-meta-"` | A `BTreeMap<String, String>`; the names follow the prefix. |
/// | `body`, `body = "Root"` | An XML document: a type that derives [`ToXml`]. |
/// | `text`, `stream` | The payload as a `String`, or as a `Body`. |
/// | `copy_source_bucket`, `copy_source_key`, `copy_source_version_id` | Parts of `x-oss-copy-source`. |
///
/// `range(1, 1000)`, `length(1, 63)` and `max_items = 10` are checked before anything is sent. `format = "http"` writes a
/// `Timestamp` as an HTTP date (the default in headers), `"iso8601"` (the default elsewhere) or `"unix"`. Types other
/// than texts, numbers, booleans and timestamps need `ToText`, which [`OssEnum`] derives.
///
/// # Pages
///
/// With `paginate` the call has `paginate()` and `items()`, as those of the SDK's own listings. `items` is the `Vec` in
/// the answer that they list and `item` the type of one; `tokens` says which field of the request is filled from which
/// field of the answer, of type `String` or `i64` or an `Option` of one; `more` is the `bool` that says whether there is
/// another page, without which the first token says it. A name with dots is a field in a structure. The request is
/// cloned, so it derives `Clone`.
///
/// ```no_run
/// use oss_sdk::{FromXml, OssOperation};
///
/// #[derive(Clone, OssOperation)]
/// #[oss(
///     http = "GET /{bucket}?encoding-type=url",
///     output = Page,
///     paginate(items = "contents", item = Entry, more = "is_truncated", tokens(marker = "next_marker"))
/// )]
/// struct List {
///     #[oss(bucket)]
///     bucket: String,
///     #[oss(query = "marker")]
///     marker: Option<String>,
/// }
///
/// #[derive(Default, FromXml)]
/// #[oss(wire = "ListBucketResult")]
/// struct Page {
///     encoding_type: Option<String>,
///     is_truncated: bool,
///     #[oss(url_decoded)]
///     next_marker: Option<String>,
///     #[oss(url_decoded)]
///     contents: Vec<Entry>,
/// }
///
/// #[derive(Default, FromXml)]
/// struct Entry {
///     #[oss(url_decoded)]
///     key: String,
///     size: i64,
/// }
///
/// # async fn example(client: oss_sdk::Client) -> Result<(), oss_sdk::Error> {
/// let mut entries = client.invoke(List { bucket: "examplebucket".into(), marker: None }).items();
/// while let Some(entry) = entries.try_next().await? {
///     println!("{} {}", entry.key, entry.size);
/// }
/// # Ok(())
/// # }
/// ```
#[proc_macro_derive(OssOperation, attributes(oss))]
pub fn oss_operation(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::oss_operation(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Writes a struct as XML: a document, or an element of one.
///
/// ```
/// use oss_sdk::ToXml;
/// use oss_sdk::xml::XmlWriter;
///
/// #[derive(ToXml)]
/// #[oss(wire = "RefererConfiguration")]
/// struct Referers {
///     allow_empty_referer: bool,
///     #[oss(wire = "RefererList>Referer", max_items = 3)]
///     referers: Vec<String>,
///     note: Option<String>,
/// }
///
/// let referers =
///     Referers { allow_empty_referer: true, referers: vec!["https://example.com".into()], note: None };
/// let document = XmlWriter::document("RefererConfiguration", &referers)?;
/// let document = String::from_utf8_lossy(&document);
/// assert!(document.contains("<RefererList><Referer>https://example.com</Referer></RefererList>"));
/// # Ok::<(), oss_sdk::Invalid>(())
/// ```
///
/// An `Option` that is `None` and an empty `Vec` are left out. Fields whose types are neither texts, numbers, booleans
/// nor timestamps derive `ToXml` themselves; with `value` they are written by their `ToText`.
///
/// | attribute | meaning |
/// | --- | --- |
/// | `wire = "Name"` on the struct | The root element. The struct's name by default. |
/// | `wire = "Name"`, `wire = "Outer>Name"` on a field | The element. The field's name in UpperCamelCase by default. |
/// | `required` | A `Vec` must not be empty. |
/// | `range(1, 10)`, `length(1, 63)`, `max_items = 10` | Checked before anything is sent. |
/// | `format = "iso8601"`, `"http"`, `"unix"` | How a `Timestamp` is written. |
/// | `value` | The type has a text form of its own. |
/// | `crate = "renamed"` on the struct | The SDK's crate, when it is not called `oss_sdk`. |
#[proc_macro_derive(ToXml, attributes(oss))]
pub fn to_xml(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::to_xml(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Reads a struct from an answer: from its XML document, and from its headers.
///
/// ```
/// use oss_sdk::FromXml;
/// use oss_sdk::xml;
///
/// #[derive(Debug, Default, PartialEq, FromXml)]
/// #[oss(wire = "RefererConfiguration")]
/// struct Referers {
///     allow_empty_referer: bool,
///     #[oss(wire = "RefererList>Referer")]
///     referers: Vec<String>,
///     note: Option<String>,
///     #[oss(default)]
///     revision: i64,
/// }
///
/// let document = b"<RefererConfiguration><AllowEmptyReferer>true</AllowEmptyReferer>\
///     <RefererList><Referer>https://example.com</Referer></RefererList></RefererConfiguration>";
/// let mut referers = Referers::default();
/// xml::read_document(document, Some("RefererConfiguration"), &mut referers)?;
/// assert_eq!(referers.referers, ["https://example.com"]);
/// # Ok::<(), oss_sdk::xml::XmlError>(())
/// ```
///
/// The struct implements `Default`. An element that is absent is an error, unless the field is an `Option`, a `Vec` or
/// has `default`. Unknown elements are skipped.
///
/// | attribute | meaning |
/// | --- | --- |
/// | `wire = "Name"` on the struct | The root element that is expected. Any by default. |
/// | `wire`, `format`, `value`, `crate` | As for [`ToXml`]. |
/// | `aliases("Old")` | Other names of the element. |
/// | `url_decoded` | The text, or the marked texts in the structure, are percent-decoded when the answer's field `encoding_type` is `url`. |
/// | `default` | Without the element the field has the default of its type. |
/// | `header = "ETag"` | A header of the answer. |
/// | `headers = "x-oss-meta-"` | All headers with this prefix, as a `BTreeMap<String, String>`. |
/// | `body`, `body = "Root"` | The whole document: a type that derives `FromXml`. |
/// | `root_text` | The text of the root element. |
/// | `text`, `stream` | The payload as a `String`, or as a `ResponseBody` that streams it. |
/// | `callback` | What the application answered to a callback, as an `Option<String>`. |
/// | `meta` | The `ResultMeta` with status, headers and request id. |
#[proc_macro_derive(FromXml, attributes(oss))]
pub fn from_xml(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::from_xml(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes an enum of texts open: a text that it does not know is kept, not an error.
///
/// ```
/// use oss_sdk::{FromText, OssEnum, ToText};
///
/// #[derive(Debug, Clone, PartialEq, OssEnum)]
/// enum Tier {
///     Standard,
///     #[oss(wire = "cold-line", aliases("Cold"))]
///     Cold,
///     Unknown(String),
/// }
///
/// assert_eq!(Tier::Cold.to_text(), "cold-line");
/// assert_eq!(Tier::from("Cold"), Tier::Cold);
/// let new = Tier::from_text("Glacial")?;
/// assert_eq!(new, Tier::Unknown("Glacial".into()));
/// assert_eq!(new.to_string(), "Glacial");
/// # Ok::<(), oss_sdk::TextError>(())
/// ```
///
/// It implements `ToText` and `FromText`, so that it stands in queries, headers and, with `value`, in documents;
/// `From<&str>`, `From<String>`, `FromStr` and `Display`; `Default`, which is an empty text; and has `as_str`. One variant
/// holds a `String`: what is not known.
///
/// | attribute of a variant | meaning |
/// | --- | --- |
/// | `wire = "cold-line"` | The text. The variant's name by default. |
/// | `aliases("Cold")` | Other texts that are read as the variant. |
///
/// | attribute of the enum | meaning |
/// | --- | --- |
/// | `crate = "renamed"` | The SDK's crate, when it is not called `oss_sdk`. |
#[proc_macro_derive(OssEnum, attributes(oss))]
pub fn oss_enum(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::oss_enum(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
