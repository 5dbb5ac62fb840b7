//! The API after resolution: what the emitters, the emulator and the derive macros read.
//!
//! Nothing here is optional that resolution can decide, references are ids instead of names, and everything is
//! in a fixed order: services and groups by name, operations, members and enum values as their file has them.
//! The types carry no YAML, so the macro crate uses them without a parser.

use std::collections::BTreeMap;

/// Index of a [`Shape`] in [`Service::shapes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShapeId(pub usize);

/// Index of an [`Enum`] in [`Service::enums`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnumId(pub usize);

/// All services of a models directory.
#[derive(Debug, Clone, Default)]
pub struct Api {
    /// Sorted by name.
    pub services: Vec<Service>,
}

/// How requests and answers of a service are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// REST with XML documents.
    RestXml,
    /// REST with JSON documents.
    RestJson,
    /// `Action=` parameters in a form, JSON answers.
    RpcJson,
}

/// What the signature calls the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningResource {
    /// `/bucket/key`.
    Bucket,
    /// `/acs:ossvector:{region}:{account}:{bucket}/{key}`.
    VectorArn,
    /// `/{table bucket ARN}/{key}`.
    TableArn,
    /// ACS3-HMAC-SHA256, the signature of RPC services.
    Acs3,
}

/// First label of a virtual-hosted address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketHost {
    /// `{bucket}`.
    Bucket,
    /// `{bucket}-{account_id}`.
    BucketAndAccount,
}

/// One service.
#[derive(Debug, Clone)]
pub struct Service {
    /// Directory name, e.g. `oss`.
    pub name: String,
    /// Sentences for the module's documentation.
    pub doc: String,
    /// How documents are written.
    pub protocol: Protocol,
    /// Product in the V4 scope.
    pub product: String,
    /// `Version` parameter of RPC services.
    pub api_version: Option<String>,
    /// Host templates by kind (`public`, `internal`, `dual_stack`, ...).
    pub hosts: BTreeMap<String, String>,
    /// First label of a virtual-hosted address.
    pub bucket_host: BucketHost,
    /// Template of what the service calls a bucket, when callers give a short name; with `{bucket}`, `{account_id}`, `{region}`.
    pub bucket_name: Option<String>,
    /// Template of another first label, used when the client is told to use aliases; with `{bucket}`.
    pub alias_host: Option<String>,
    /// What the signature calls the resource.
    pub signing: SigningResource,
    /// Query keys that V1 signs, sorted, besides `x-oss-*`: the service's list, all flags and extras of operations.
    pub subresources: Vec<String>,
    /// Documented error codes, sorted by code.
    pub errors: Vec<ErrorCode>,
    /// Sorted by name.
    pub groups: Vec<Group>,
    /// Sorted by name.
    pub waiters: Vec<Waiter>,
    /// Sorted by name.
    pub shapes: Vec<Shape>,
    /// Sorted by name.
    pub enums: Vec<Enum>,
}

/// A documented error code.
#[derive(Debug, Clone)]
pub struct ErrorCode {
    /// As on the wire, e.g. `NoSuchKey`.
    pub code: String,
    /// HTTP status it comes with.
    pub status: u16,
    /// What it means.
    pub doc: String,
}

/// The operations of one file.
#[derive(Debug, Clone)]
pub struct Group {
    /// File stem, e.g. `bucket_cors`.
    pub name: String,
    /// Path of the file relative to the repository, with `/`, e.g. `models/oss/bucket_cors.yaml`.
    pub source: String,
    /// In file order.
    pub operations: Vec<Operation>,
}

/// Calls an operation until something has happened.
#[derive(Debug, Clone)]
pub struct Waiter {
    /// snake_case; the client method is `wait_until_` and this.
    pub name: String,
    /// Group it stands in.
    pub group: String,
    /// Documentation.
    pub doc: String,
    /// Name of the operation.
    pub operation: String,
    /// Seconds before the second call.
    pub delay: u64,
    /// Most seconds between two calls.
    pub max_delay: u64,
    /// Seconds after which waiting fails.
    pub timeout: u64,
    /// Conditions that end the wait well, tried first.
    pub done: Vec<Condition>,
    /// Conditions that end it badly, tried second.
    pub fail: Vec<Condition>,
    /// Conditions for another call, tried last.
    pub again: Vec<Condition>,
}

/// What a waiter looks for in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The call succeeded.
    Success,
    /// The service answered with one of these codes.
    Error(Vec<String>),
    /// A member of the result, by names from the result down, has a value that fits. At a list any item may.
    Member {
        /// Member names.
        path: Vec<String>,
        /// What its value must be.
        test: Test,
    },
}

/// What a [`Condition`] asks of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// One of these wire values.
    Is(Vec<String>),
    /// A text that contains this.
    Contains(String),
    /// A text that ends so.
    EndsWith(String),
}

/// A fixed query value that holds when a member is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryWhen {
    /// Names from the request down.
    pub member: Vec<String>,
    /// Query key.
    pub key: String,
    /// Its value instead of the fixed one.
    pub value: String,
}

/// HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are HTTP's own words")]
pub enum Method {
    Get,
    Put,
    Head,
    Post,
    Delete,
    Options,
}

/// What the path addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// `/`.
    Service,
    /// `/{bucket}`.
    Bucket,
    /// `/{bucket}/{key}`.
    Object,
    /// Any other template, as literal and placeholder segments.
    Path(Vec<Segment>),
}

/// One segment of a path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Fixed text.
    Literal(String),
    /// Name of a request member.
    Member(String),
}

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// UpperCamelCase, as on the wire, e.g. `PutBucketCors`.
    pub name: String,
    /// snake_case, the client method.
    pub method_name: String,
    /// Documentation sentences.
    pub doc: String,
    /// Page of the API reference.
    pub reference: Option<String>,
    /// HTTP method.
    pub method: Method,
    /// What the path addresses.
    pub resource: Resource,
    /// Fixed query; `None` is a flag.
    pub query: Vec<(String, Option<String>)>,
    /// Fixed headers.
    pub headers: Vec<(String, String)>,
    /// Request members in file order, `bucket` and `key` first when the path has them.
    pub request: Vec<Member>,
    /// Result members in file order.
    pub result: Vec<Member>,
    /// Root element or key of the request's `field` members.
    pub request_root: Option<String>,
    /// Root element or key of the result's `field` members.
    pub result_root: Option<String>,
    /// What the request's payload is.
    pub request_body: BodyKind,
    /// What the answer's payload is.
    pub result_body: BodyKind,
    /// Whether `Content-MD5` is sent.
    pub content_md5: bool,
    /// Statuses that are a success; empty means every 2xx.
    pub success: Vec<u16>,
    /// Whether the request may be repeated after its answer got lost.
    pub idempotent: bool,
    /// Whether it can be presigned.
    pub presign: bool,
    /// How it pages.
    pub paginate: Option<Paginate>,
    /// Fixed query values that depend on members.
    pub query_when: Vec<QueryWhen>,
    /// Sets of request members of which at least one must be given completely; empty when there is no such rule.
    pub any_of: Vec<Vec<String>>,
    /// Expected error codes.
    pub errors: Vec<String>,
    /// Named behaviours.
    pub traits: Vec<Trait>,
    /// Flags of the fixed query and extra sub-resources, for V1.
    pub subresources: Vec<String>,
    /// First version that has it.
    pub since: Option<String>,
    /// What to use instead.
    pub deprecated: Option<String>,
}

/// What a payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// Nothing.
    None,
    /// An XML or JSON document, by the service's protocol.
    Document,
    /// Text passed through.
    Text,
    /// A stream of bytes.
    Stream,
    /// Frames that are read to the end and leave `frame` members.
    Frames,
}

/// Named behaviour of the runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "docs/model-format.md explains each; the names are the same")]
pub enum Trait {
    ContentTypeFromKey,
    UploadCrc64,
    AppendCrc64,
    DownloadCrc64,
    ResumableDownload,
    Callback,
    ErrorInSuccess,
    SortParts,
    Slow,
    Unsigned,
    ResultByContentType,
    SelectFrames,
    MetaFrames,
}

/// How an operation pages.
#[derive(Debug, Clone)]
pub struct Paginate {
    /// Request member fed by result member. Result members are paths: names joined with `.`.
    pub tokens: Vec<(String, String)>,
    /// Result member, as a path, that says whether there is another page.
    pub more: Option<String>,
    /// Result members, as paths, that are the items; the first is the one `.items()` yields.
    pub items: Vec<String>,
    /// Request member that limits a page.
    pub limit: Option<String>,
}

/// Where a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "docs/model-format.md explains each; the names are the same")]
pub enum Place {
    Bucket,
    Key,
    Path,
    Query,
    /// Query parameter that holds a JSON document.
    QueryJson,
    Header,
    /// The wire name is the prefix.
    HeaderMap,
    /// The whole document.
    Body,
    /// Child of the document's root, by wire path.
    Field,
    /// The whole body; with a wire name it is sent as `wire=text`.
    Text,
    RootText,
    Stream,
    CopySourceBucket,
    CopySourceKey,
    CopySourceVersionId,
    Callback,
    /// Not on the wire: input of a trait.
    Local,
    /// Read from the end frame, by the member's name.
    Frame,
}

/// How a timestamp is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TimestampFormat {
    Iso8601,
    HttpDate,
    UnixSeconds,
}

/// Type of a member or of a list's or map's items.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Type {
    String,
    /// `i64`.
    Integer,
    /// `f64`.
    Float,
    /// `f32`.
    Float32,
    Bool,
    Timestamp(TimestampFormat),
    /// Any JSON value.
    Any,
    /// Base64 on the wire.
    Bytes,
    /// Text that is base64 on the wire.
    Base64String,
    Shape(ShapeId),
    Enum(EnumId),
    List(Box<Type>),
    /// From string.
    Map(Box<Type>),
    /// Request payload or streaming answer; only with [`Place::Stream`].
    Stream,
}

/// Value when a result member is absent.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Literal {
    String(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
}

/// Member of a request, a result or a shape.
#[derive(Debug, Clone)]
pub struct Member {
    /// snake_case model name (not yet escaped for Rust).
    pub name: String,
    /// Where it is; [`Place::Field`] for members of shapes.
    pub place: Place,
    /// Names from the outside in: one, or wrapper and item. Empty where the place has no name.
    pub wire: Vec<String>,
    /// Other names accepted on reading.
    pub aliases: Vec<String>,
    /// Type, lists and maps included.
    pub ty: Type,
    /// Must be given (request), is always sent (result).
    pub required: bool,
    /// What the service assumes, or the value when absent.
    pub default: Option<Literal>,
    /// Least and greatest number.
    pub range: Option<(i64, i64)>,
    /// Least and greatest length in bytes.
    pub length: Option<(u64, u64)>,
    /// Most items.
    pub max_items: Option<u64>,
    /// Regular expression of the whole value.
    pub pattern: Option<String>,
    /// Stands before a string on the wire and not in the member.
    pub prefix: Option<String>,
    /// The ARN of the bucket that the request is sent and signed for; of several the first that is set.
    pub bucket_arn: bool,
    /// A map that holds the keys of the object that no other member has.
    pub rest: bool,
    /// Never shown.
    pub sensitive: bool,
    /// Percent-encoded when the answer says so.
    pub url_decoded: bool,
    /// First version that has it.
    pub since: Option<String>,
    /// What to use instead.
    pub deprecated: Option<String>,
    /// Documentation.
    pub doc: String,
}

/// A structure.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Rust name, e.g. `CorsRule`.
    pub name: String,
    /// Element name as a document of its own.
    pub wire: String,
    /// Documentation.
    pub doc: String,
    /// Members in file order.
    pub members: Vec<Member>,
    /// Group it stands in, or `common`.
    pub group: String,
    /// Reached from a request.
    pub input: bool,
    /// Reached from a result.
    pub output: bool,
    /// Contains itself, so the recursive member is boxed unless in a list or map.
    pub recursive: bool,
    /// It or a shape below it has a `url_decoded` member.
    pub url_decoded: bool,
    /// Reached from a `query_json` member, so it is written as JSON whatever the protocol.
    pub query_json: bool,
    /// Exactly one member is given; as a document it is that member's element.
    pub one_of: bool,
    /// Sets of members of which at most one each may be given.
    pub exclusive: Vec<Vec<String>>,
}

/// An open vocabulary.
#[derive(Debug, Clone)]
pub struct Enum {
    /// Rust name.
    pub name: String,
    /// Documentation.
    pub doc: String,
    /// In file order.
    pub values: Vec<EnumValue>,
    /// Group it stands in, or `common`.
    pub group: String,
}

/// One value of an [`Enum`].
#[derive(Debug, Clone)]
pub struct EnumValue {
    /// As on the wire.
    pub wire: String,
    /// Rust variant.
    pub variant: String,
    /// Documentation.
    pub doc: String,
}

impl Service {
    /// The shape of an id.
    pub fn shape(&self, id: ShapeId) -> &Shape {
        &self.shapes[id.0]
    }

    /// The enum of an id.
    pub fn enumeration(&self, id: EnumId) -> &Enum {
        &self.enums[id.0]
    }

    /// All operations with their group, in order.
    pub fn operations(&self) -> impl Iterator<Item = (&Group, &Operation)> {
        self.groups
            .iter()
            .flat_map(|group| group.operations.iter().map(move |operation| (group, operation)))
    }

    /// The operation of a name.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations()
            .map(|(_, operation)| operation)
            .find(|operation| operation.name == name)
    }
}

impl Api {
    /// The service of a name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }
}

impl Method {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Put => "PUT",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
        }
    }
}

impl Operation {
    /// Whether the operation has a trait.
    pub fn has(&self, wanted: Trait) -> bool {
        self.traits.contains(&wanted)
    }
}

impl Type {
    /// The shape this type is or holds, however deep.
    pub fn shape(&self) -> Option<ShapeId> {
        match self {
            Type::Shape(id) => Some(*id),
            Type::List(item) | Type::Map(item) => item.shape(),
            _ => None,
        }
    }
}
