//! Every document of every operation of the models, damaged in every way that the models can tell: elements that are not
//! known, missing, of another type, out of their range, too many or too long; no document, a huge one, and another one.
//!
//! The documents are made of the models here, so a new operation is tested as soon as it has a model. [`EXCEPTIONS`] lists where
//! the service has a better code than its general one, or takes what is damaged.

use std::collections::BTreeSet;

use oss_emulator::DEFAULT_ACCOUNT_ID;
use oss_emulator::model::{BodyKind, Member, Operation, Place, Protocol, Resource, Segment, Service, ShapeId, Type};

use crate::client::{Client, Request, Response, encode, start_with_bucket};

/// What a damaged document is refused with, where that is not the general code of its service.
struct Exception {
    operation: &'static str,
    /// End of the place in the document, names joined with `/`; empty for any.
    place: &'static str,
    damage: Damage,
    status: u16,
    code: &'static str,
}

const fn except(
    operation: &'static str,
    place: &'static str,
    damage: Damage,
    status: u16,
    code: &'static str,
) -> Exception {
    Exception {
        operation,
        place,
        damage,
        status,
        code,
    }
}

const EXCEPTIONS: &[Exception] = &[
    // Documents that may be left out: the models have them as optional.
    except("PutBucket", "", Damage::Empty, 200, ""),
    except("CreateAgenticBucket", "", Damage::Empty, 200, ""),
    except("ListVectorIndexes", "", Damage::Empty, 200, ""),
    except("RestoreObject", "", Damage::Empty, 400, "OperationNotSupported"),
    except("OpenMetaQuery", "", Damage::Empty, 400, "MetaQueryAlreadyExist"),
    // Codes that the models document for these values, see `errors` of the operations.
    except(
        "",
        "/SSEAlgorithm",
        Damage::WrongType,
        400,
        "InvalidEncryptionAlgorithmError",
    ),
    except(
        "PutBucketEncryption",
        "/KMSDataEncryption",
        Damage::WrongType,
        400,
        "InvalidDataEncryptionAlgorithmError",
    ),
    except("PutBucketTags", "/Key", Damage::OutOfRange, 400, "InvalidTag"),
    except("PutBucketTags", "/Value", Damage::OutOfRange, 400, "InvalidTag"),
    except("PutObjectTagging", "/Key", Damage::OutOfRange, 400, "InvalidTag"),
    except("PutObjectTagging", "/Value", Damage::OutOfRange, 400, "InvalidTag"),
    // And for lists.
    except("PutBucketTags", "/Tag", Damage::TooMany, 400, "TooManyTags"),
    except("PutBucketCors", "CORSRule", Damage::TooMany, 400, "CORSRuleBeyondLimit"),
    except(
        "DeleteBucketReplication",
        "ID",
        Damage::TooMany,
        400,
        "TooManyReplicationRules",
    ),
];

/// Members that a document needs beside those that the models call required, by their shape: the rules are beyond the models.
const NEEDED: &[(&str, &str)] = &[
    ("HttpsConfiguration", "tls"),
    ("Tls", "tls_versions"),
    ("LifecycleRule", "expiration"),
    ("LifecycleRuleExpiration", "days"),
    ("UserDefinedLogFieldsConfiguration", "header_set"),
    ("MetadataConfiguration", "journal_table_configuration"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Damage {
    /// An element that the models do not know.
    Unknown,
    /// A required element is not there.
    Missing,
    /// Text that is no number, flag, time or value of an enumeration; text where there should be elements.
    WrongType,
    /// A number beyond its range, a text beyond its length.
    OutOfRange,
    TooMany,
    Empty,
    TooLarge,
    OtherRoot,
}

/// A document, before it is XML or JSON.
#[derive(Debug, Clone)]
enum Tree {
    /// A scalar, with quotes in JSON or without.
    Text(String, bool),
    Object(Vec<(String, Tree)>),
    List(Vec<Tree>),
}

impl Tree {
    fn xml(&self, name: &str) -> String {
        match self {
            Self::Text(text, _) => format!("<{name}>{text}</{name}>"),
            Self::List(items) => items.iter().map(|item| item.xml(name)).collect(),
            Self::Object(_) => format!("<{name}>{}</{name}>", self.inner()),
        }
    }

    /// The elements of an object without the object's own.
    fn inner(&self) -> String {
        match self {
            Self::Object(entries) => entries.iter().map(|(name, value)| value.xml(name)).collect(),
            _ => String::new(),
        }
    }

    fn json(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Self::Text(text, true) => quoted(text),
            Self::Text(text, false) => text.clone(),
            Self::List(items) => format!("[{}]", items.iter().map(Self::json).collect::<Vec<_>>().join(",")),
            Self::Object(entries) => {
                let entries = entries
                    .iter()
                    .map(|(name, value)| format!("{}:{}", quoted(name), value.json()));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// What is done to one member of a document.
#[derive(Debug, Clone)]
enum Act {
    Keep,
    Drop,
    Put(Tree),
    /// So many times what one item is.
    Repeat(usize),
    /// An element beside the others of a structure.
    Add,
}

/// A way through the members of shapes, by their positions.
type Way = Vec<usize>;

/// Makes documents of a service.
struct Maker<'s> {
    service: &'s Service,
    is_xml: bool,
}

impl Maker<'_> {
    /// The members with what they must have, and what lies on the way.
    fn object(&self, shape: &str, members: &[&Member], one_of: bool, way: &[usize], act: &Act) -> Tree {
        let is_needed = |member: &Member| member.required || NEEDED.contains(&(shape, member.name.as_str()));
        let mut entries = Vec::new();
        for (at, member) in members.iter().enumerate() {
            let is_next = way.first() == Some(&at);
            let is_wanted = is_next || !one_of && is_needed(member) || one_of && way.is_empty() && at == 0;
            if !is_wanted {
                continue;
            }
            let value = match (is_next, way.len(), act) {
                (true, 1, Act::Drop) => continue,
                (true, 1, Act::Put(tree)) => tree.clone(),
                (true, 1, Act::Repeat(times)) => {
                    let one = self.value(member, inner(&member.ty), &[], &Act::Keep);
                    Tree::List(vec![one; *times])
                }
                (true, ..) => self.value(member, &member.ty, &way[1..], act),
                (false, ..) => self.value(member, &member.ty, &[], &Act::Keep),
            };
            entries.push(self.wrapped(member, value));
        }
        if way.is_empty() && matches!(act, Act::Add) {
            entries.push(("Nonesuch".to_owned(), Tree::Text("x".to_owned(), true)));
        }
        Tree::Object(entries)
    }

    /// Under the names of a member, of which XML may have several.
    fn wrapped(&self, member: &Member, value: Tree) -> (String, Tree) {
        let (outer, rest) = member.wire.split_first().expect("a name");
        let value = rest
            .iter()
            .rev()
            .fold(value, |value, name| Tree::Object(vec![(name.clone(), value)]));
        (outer.clone(), value)
    }

    fn value(&self, member: &Member, ty: &Type, way: &[usize], act: &Act) -> Tree {
        match ty {
            Type::Shape(id) => {
                let shape = self.service.shape(*id);
                let members: Vec<_> = shape.members.iter().collect();
                self.object(&shape.name, &members, shape.one_of, way, act)
            }
            Type::List(item) => {
                let item = self.value(member, item, way, act);
                Tree::List(vec![item])
            }
            Type::Map(item) => Tree::Object(vec![("a".to_owned(), self.value(member, item, way, act))]),
            Type::Integer => Tree::Text(member.range.map_or(1, |(least, _)| least.max(1)).to_string(), false),
            Type::Float | Type::Float32 => Tree::Text("1.5".to_owned(), false),
            Type::Bool => Tree::Text("true".to_owned(), false),
            Type::Any => Tree::Object(Vec::new()),
            ty => Tree::Text(sample(self.service, member, ty), true),
        }
    }

    /// All ways to members below a shape; a shape within itself is not entered again.
    fn ways(&self, members: &[&Member], way: &Way, within: &[ShapeId], found: &mut Vec<Way>) {
        for (at, member) in members.iter().enumerate().filter(|(_, member)| !member.rest) {
            let mut way = way.clone();
            way.push(at);
            found.push(way.clone());
            if let Some(id) = member.ty.shape()
                && !within.contains(&id)
            {
                let within = [within, &[id]].concat();
                let members: Vec<_> = self.service.shape(id).members.iter().collect();
                self.ways(&members, &way, &within, found);
            }
        }
    }

    /// The member at the end of a way, with the names on it.
    fn at<'m>(&'m self, members: &[&'m Member], way: &[usize]) -> (&'m Member, String) {
        let (first, rest) = way.split_first().expect("a way");
        let member = members[*first];
        let name = member.wire.join("/");
        let Some(id) = member.ty.shape().filter(|_| !rest.is_empty()) else {
            return (member, name);
        };
        let members: Vec<_> = self.service.shape(id).members.iter().collect();
        let (found, below) = self.at(&members, rest);
        (found, format!("{name}/{below}"))
    }

    /// What can be wrong with a member.
    fn damages(&self, member: &Member) -> Vec<(Damage, Act)> {
        let text = |text: &str| Act::Put(Tree::Text(text.to_owned(), true));
        let mut acts = Vec::new();
        if member.required {
            acts.push((Damage::Missing, Act::Drop));
        }
        match inner(&member.ty) {
            Type::Integer | Type::Float | Type::Float32 => acts.push((Damage::WrongType, text("many"))),
            Type::Bool => acts.push((Damage::WrongType, text("perhaps"))),
            Type::Timestamp(_) => acts.push((Damage::WrongType, text("yesterday"))),
            Type::Enum(_) => acts.push((Damage::WrongType, text("Nonesuch"))),
            Type::Shape(id) => {
                let members = &self.service.shape(*id).members;
                let takes_nothing = members.iter().all(|member| !member.required);
                if !members.iter().any(|member| member.rest) {
                    acts.push((Damage::Unknown, Act::Add));
                }
                if !self.is_xml || !takes_nothing {
                    acts.push((Damage::WrongType, text("text")));
                }
            }
            _ if !self.is_xml && matches!(member.ty, Type::List(_) | Type::Map(_)) => {
                acts.push((Damage::WrongType, text("text")));
            }
            _ => {}
        }
        if let Some((least, most)) = member.range {
            for number in [least.checked_sub(1), most.checked_add(1)].into_iter().flatten() {
                acts.push((Damage::OutOfRange, Act::Put(Tree::Text(number.to_string(), false))));
            }
        }
        if let Some((_, most)) = member.length.filter(|(_, most)| *most < 100_000) {
            let most = usize::try_from(most).expect("a small number");
            acts.push((Damage::OutOfRange, text(&"a".repeat(most + 1))));
        }
        if let Some(most) = member.max_items.filter(|most| *most <= 2000) {
            let most = usize::try_from(most).expect("a small number");
            acts.push((Damage::TooMany, Act::Repeat(most + 1)));
        }
        acts
    }
}

fn inner(ty: &Type) -> &Type {
    match ty {
        Type::List(item) => item.as_ref(),
        ty => ty,
    }
}

/// A value that a member takes.
fn sample(service: &Service, member: &Member, ty: &Type) -> String {
    match ty {
        Type::Integer => member.range.map_or(1, |(least, _)| least.max(1)).to_string(),
        Type::Bool => "true".to_owned(),
        Type::Timestamp(_) => "2023-12-18T00:00:00.000Z".to_owned(),
        Type::Enum(id) => service.enumeration(*id).values[0].wire.clone(),
        Type::Base64String | Type::Bytes => "YWJj".to_owned(),
        _ => match member.name.as_str() {
            "table_bucket_arn" => arn("lake"),
            "domain" | "cname" => "files.example.com".to_owned(),
            "namespace" => "sales".to_owned(),
            _ => {
                let least = member.length.map_or(0, |(least, _)| least);
                "sample".repeat(1 + usize::try_from(least).expect("a small number") / 6)
            }
        },
    }
}

fn arn(bucket: &str) -> String {
    format!("acs:osstables:cn-hangzhou:{DEFAULT_ACCOUNT_ID}:bucket/{bucket}")
}

/// The request of an operation with all it needs but the document.
fn envelope(service: &Service, operation: &Operation) -> Request {
    let method = operation.method.as_str();
    let vectors = |name: &str| format!("/acs:ossvector:cn-hangzhou:{DEFAULT_ACCOUNT_ID}:{name}/");
    let mut request = match (service.name.as_str(), &operation.resource) {
        ("vectors", Resource::Bucket) => Request::new(method, "/vectors/").resource(&vectors("vectors")),
        ("vectors", _) => Request::new(method, "/").resource("/acs:ossvector:cn-hangzhou::/"),
        ("agentic", Resource::Bucket) => {
            Request::new(method, &format!("/agents-{DEFAULT_ACCOUNT_ID}-cn-hangzhou-ab-apsr"))
        }
        (_, Resource::Bucket) => Request::new(method, "/bucket"),
        (_, Resource::Object) => Request::new(method, "/bucket/k"),
        (_, Resource::Service) => Request::new(method, "/"),
        (_, Resource::Path(segments)) => {
            let segment = |segment: &Segment| match segment {
                Segment::Literal(text) => text.clone(),
                Segment::Member(name) => {
                    let member = operation.request.iter().find(|member| member.name == *name);
                    member.map_or_else(String::new, |member| sample(service, member, &member.ty))
                }
            };
            let segments: Vec<String> = segments.iter().map(segment).collect();
            let decoded = format!("/{}", segments.join("/"));
            let resource = match segments.iter().any(|segment| segment.starts_with("acs:")) {
                true => format!("/{}{decoded}", arn("lake")),
                false => format!("/acs:osstables:cn-hangzhou::bucket/{decoded}"),
            };
            let mut request = Request::new(method, "/").encoded().resource(&resource);
            let encoded: Vec<String> = segments.iter().map(|segment| encode(segment)).collect();
            request.path = format!("/{}", encoded.join("/"));
            request
        }
    };
    for (name, value) in &operation.query {
        request = request.query(name, value.as_deref().unwrap_or_default());
    }
    for member in operation.request.iter().filter(|member| member.required) {
        let wire = member.wire.first().map(String::as_str).unwrap_or_default();
        match member.place {
            Place::Query => request = request.query(wire, &sample(service, member, &member.ty)),
            Place::Header => request = request.header(wire, &sample(service, member, &member.ty)),
            _ => {}
        }
    }
    if service.protocol == Protocol::RestJson {
        request = request.header("content-type", "application/json");
    }
    request
}

/// The shape of an operation's document, if it is one, its root, its members, and whether there is exactly one of them.
fn document<'s>(service: &'s Service, operation: &'s Operation) -> (String, String, Vec<&'s Member>, bool) {
    let whole = operation.request.iter().find(|member| member.place == Place::Body);
    match whole.map(|member| &member.ty) {
        Some(Type::Shape(id)) => {
            let shape = service.shape(*id);
            let members = shape.members.iter().collect();
            (shape.name.clone(), shape.wire.clone(), members, shape.one_of)
        }
        Some(_) => (String::new(), String::new(), Vec::new(), false),
        None => {
            let fields = operation.request.iter().filter(|member| member.place == Place::Field);
            let root = operation.request_root.clone().unwrap_or_default();
            (String::new(), root, fields.collect(), false)
        }
    }
}

/// Status and code of an answer of any service.
fn outcome(answer: &Response) -> (u16, String) {
    if answer.status < 400 {
        return (answer.status, String::new());
    }
    let in_json = || {
        let document: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
        Some(document["Error"]["Code"].as_str()?.to_owned())
    };
    let code = answer
        .element("Code")
        .or_else(|| answer.header("x-oss-error-type").map(str::to_owned))
        .or_else(in_json);
    (answer.status, code.unwrap_or_default())
}

/// What a service refuses damaged documents with in general.
fn general(service: &Service, damage: Damage) -> (u16, &'static str) {
    match (service.protocol, service.name.as_str(), damage) {
        (_, "tables", _) => (400, "BadRequestException"),
        (_, _, Damage::TooLarge) => (400, "EntityTooLarge"),
        (Protocol::RestXml, ..) => (400, "MalformedXML"),
        (_, _, Damage::Missing | Damage::Empty) => (400, "MissingArgument"),
        (_, _, Damage::OtherRoot) => (400, "MalformedJson"),
        _ => (400, "InvalidArgument"),
    }
}

/// JSON of so many mebibytes.
fn padded(mebibytes: usize) -> String {
    format!("{{\"a\": \"{}\"}}", "a".repeat(mebibytes << 20))
}

struct Matrix {
    client: Client,
    sent: usize,
    operations: BTreeSet<String>,
    used: BTreeSet<usize>,
    differences: Vec<String>,
}

impl Matrix {
    /// With what the documents are for.
    async fn of(client: Client) -> Self {
        client.send(Request::put("/bucket/k").body("content")).await;
        let mut matrix = Matrix {
            client,
            sent: 0,
            operations: BTreeSet::new(),
            used: BTreeSet::new(),
            differences: Vec::new(),
        };
        let api = oss_emulator::model::api().expect("the models load");
        for (service, operation, body) in [
            ("vectors", "PutVectorBucket", ""),
            ("agentic", "CreateAgenticBucket", ""),
            ("tables", "CreateTableBucket", "{\"name\": \"lake\"}"),
        ] {
            let service = api.service(service).expect("the service");
            let operation = service.operation(operation).expect("the operation");
            let made = matrix.send(service, envelope(service, operation).body(body)).await;
            assert_eq!(made.0, 200, "{}: {made:?}", operation.name);
        }

        matrix
    }

    async fn send(&mut self, service: &Service, request: Request) -> (u16, String) {
        self.sent += 1;
        let client = Client {
            product: service.product.clone(),
            ..self.client.clone()
        };
        outcome(&client.send(request).await)
    }

    async fn refused(&mut self, service: &Service, operation: &Operation, place: &str, damage: Damage, body: String) {
        let shown: String = body.chars().take(300).collect();
        let answer = self.send(service, envelope(service, operation).body(body)).await;
        let exception = EXCEPTIONS.iter().position(|exception| {
            (exception.operation == operation.name || exception.operation.is_empty())
                && exception.damage == damage
                && place.ends_with(exception.place)
        });
        let (status, code) = match exception {
            Some(at) => {
                self.used.insert(at);
                (EXCEPTIONS[at].status, EXCEPTIONS[at].code)
            }
            None => general(service, damage),
        };
        if answer != (status, code.to_owned()) {
            self.differences.push(format!(
                "{} {}: {place}: {damage:?}: {answer:?} instead of {status} {code}: {shown}",
                service.name, operation.name
            ));
        }
    }

    async fn operation(&mut self, service: &Service, operation: &Operation) {
        let is_xml = service.protocol == Protocol::RestXml;
        let maker = Maker { service, is_xml };
        let (shape, root, members, one_of) = document(service, operation);
        if members.is_empty() {
            return;
        }
        self.operations.insert(format!("{} {}", service.name, operation.name));
        let write = |way: &[usize], act: &Act| {
            let tree = maker.object(&shape, &members, one_of, way, act);
            match is_xml {
                true if one_of => tree.inner(),
                true => tree.xml(&root),
                false => match root.as_str() {
                    "" => tree.json(),
                    _ if operation.request_root.is_some() => Tree::Object(vec![(root.clone(), tree)]).json(),
                    _ => tree.json(),
                },
            }
        };
        // What is refused below is refused for its damage: without it the document is read.
        let whole = self
            .send(service, envelope(service, operation).body(write(&[], &Act::Keep)))
            .await;
        if whole.0 >= 500 && whole.0 != 501 || matches!(whole.1.as_str(), "MalformedXML" | "MalformedJson") {
            self.differences.push(format!(
                "{} {}: undamaged: {whole:?}: {}",
                service.name,
                operation.name,
                write(&[], &Act::Keep)
            ));
        }
        let mut ways = Vec::new();
        maker.ways(&members, &Vec::new(), &[], &mut ways);
        for way in ways {
            let (member, place) = maker.at(&members, &way);
            for (damage, act) in maker.damages(member) {
                self.refused(service, operation, &place, damage, write(&way, &act))
                    .await;
            }
        }
        if !one_of {
            self.refused(service, operation, "", Damage::Unknown, write(&[], &Act::Add))
                .await;
        }
        let (other, large) = match is_xml {
            true => (
                "<Nonesuch/>".to_owned(),
                format!("<{root}><!--{}--></{root}>", "a".repeat(6 << 20)),
            ),
            // Vectors are many numbers, so their documents may be larger.
            false if operation.name == "PutVectors" => ("[]".to_owned(), padded(48)),
            false => ("[]".to_owned(), padded(6)),
        };
        self.refused(service, operation, "", Damage::OtherRoot, other).await;
        self.refused(service, operation, "", Damage::Empty, String::new()).await;
        self.refused(service, operation, "", Damage::TooLarge, large).await;
    }
}

#[tokio::test]
async fn damaged_documents_are_refused_with_the_codes_of_the_service() {
    let (_emulator, client) = start_with_bucket().await;
    let mut matrix = Matrix::of(client).await;
    let api = oss_emulator::model::api().expect("the models load");
    for service in &api.services {
        for (_, operation) in service.operations() {
            if operation.request_body == BodyKind::Document && service.protocol != Protocol::RpcJson {
                matrix.operation(service, operation).await;
            }
        }
    }
    assert!(
        matrix.differences.is_empty(),
        "{} of {} requests of {} operations:\n{}",
        matrix.differences.len(),
        matrix.sent,
        matrix.operations.len(),
        matrix.differences.join("\n")
    );
    assert!(matrix.operations.len() >= 78, "{:?}", matrix.operations);
    let unused: Vec<&str> = (0..EXCEPTIONS.len())
        .filter(|at| !matrix.used.contains(at))
        .map(|at| EXCEPTIONS[at].operation)
        .collect();
    assert!(unused.is_empty(), "exceptions that are none: {unused:?}");
}

/// Policies, which are text to the models and JSON to the service.
#[tokio::test]
async fn texts_that_are_no_policies_are_refused() {
    let (_emulator, client) = start_with_bucket().await;
    let mut matrix = Matrix::of(client).await;
    let api = oss_emulator::model::api().expect("the models load");
    for service in &api.services {
        for (_, operation) in service.operations() {
            if operation.request_body != BodyKind::Text {
                continue;
            }
            matrix.operations.insert(format!("{} {}", service.name, operation.name));
            for text in [
                "",
                " ",
                "{",
                "[]",
                "text",
                "{}",
                "{\"Statement\": 1}",
                "<Policy/>",
                "null",
            ] {
                let answer = matrix.send(service, envelope(service, operation).body(text)).await;
                let code = match operation.name.contains("Policy") {
                    true => "InvalidPolicyDocument",
                    false => "InvalidArgument",
                };
                assert_eq!(answer, (400, code.to_owned()), "{} {text:?}", operation.name);
            }
        }
    }
    assert!(matrix.operations.len() >= 7, "{:?}", matrix.operations);
}

#[tokio::test]
async fn damaged_documents_in_parameters_are_refused() {
    let (_emulator, client) = start_with_bucket().await;
    let mut matrix = Matrix::of(client).await;
    let api = oss_emulator::model::api().expect("the models load");
    for service in &api.services {
        for (_, operation) in service.operations() {
            for member in operation
                .request
                .iter()
                .filter(|member| member.place == Place::QueryJson)
            {
                let name = member.wire.first().expect("a name");
                for text in [
                    "{",
                    "text",
                    "<a/>",
                    "1",
                    "[1",
                    "{\"Nonesuch\": 1}",
                    "[{\"Nonesuch\": 1}]",
                ] {
                    let mut request = envelope(service, operation);
                    request.query.retain(|(other, _)| other != name);
                    let answer = matrix.send(service, request.query(name, text)).await;
                    // What is missing beside it may be told first.
                    let is_refused =
                        answer.0 == 400 && matches!(answer.1.as_str(), "InvalidArgument" | "MissingArgument");
                    assert!(is_refused, "{} {name} {text:?}: {answer:?}", operation.name);
                }
            }
        }
    }
    assert!(matrix.sent > 100, "{}", matrix.sent);
}
