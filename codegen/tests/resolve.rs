//! What resolution makes of members that depend on each other, of other forms of payloads, and of waiters.

#![cfg(feature = "yaml")]

use oss_codegen::api::{
    Api, BodyKind, Condition, Member, Operation, Place, QueryWhen, Resource, Segment, Service, Shape, SigningResource,
    Test, Trait, Type,
};
use oss_codegen::{SourceFile, load};

const SERVICE: &str = "\
service: lab
protocol: rest-xml
product: oss
doc: Buckets of a laboratory.
hosts:
  public: oss-{region}.aliyuncs.com
bucket_name: \"{bucket}-{account_id}-{region}-ab\"
alias_host: \"{bucket}-alias\"
signing: bucket
errors:
  NoSuchKey: {status: 404, doc: There is nothing of this name.}
";

const GROUP: &str = r#"
service: lab
group: samples
operations:
  PutSample:
    doc: Stores a sample in one of two forms. Needs `lab:PutSample`.
    http: POST /{bucket}/{key}?x-oss-process=csv/meta
    query_when:
      - {set: sample.json, query: x-oss-process=json/meta}
    any_of: [[name], [shelf, place]]
    traits: [meta_frames]
    request:
      name: {in: query, wire: name, type: string, doc: What it is called.}
      shelf: {in: query, wire: shelf, type: integer, doc: Number of its board.}
      place: {in: query, wire: place, type: integer, doc: Where on the board it stands.}
      options: {in: query_json, wire: options, list: Options, doc: How to look at it.}
      sample: {in: body, type: Sample, required: true, doc: One of its two forms.}
    result:
      rows_count: {in: frame, type: integer, doc: How many there are.}
      version_id: {in: header, wire: x-oss-version-id, type: string, doc: What to read it by.}
  ProcessSample:
    doc: Changes a sample as a text says.
    http: POST /{bucket}/{key}?x-oss-process
    traits: [result_by_content_type]
    request:
      process: {in: text, wire: x-oss-process, required: true, doc: What to do with it.}
    result:
      status: {wire: Status, type: string, doc: How it went.}
  SelectSample:
    doc: Returns some rows of a sample.
    http: GET /{bucket}/{key}?select
    traits: [select_frames]
    request:
      lines: {in: header, wire: x-oss-part, type: string, prefix: "line-range=", doc: First and last of its lines.}
      splits: {in: header, wire: x-oss-part, type: string, prefix: "split-range=", doc: First and last of its splits.}
    result:
      body: {in: stream, doc: What was found.}
  ListSamples:
    doc: Lists the samples by their names.
    http: GET /{bucket}?samples
    paginate: {token: {marker: page.next}, more: page.more, items: page.samples}
    request:
      marker: {in: query, wire: marker, type: string, doc: Where to go on.}
    result:
      page: {in: body, type: Page, required: true, doc: One part of all.}
waiters:
  samples_ready:
    doc: Waits until nothing is looked at any more.
    operation: ListSamples
    delay: [2, 30]
    timeout: 600
    done:
      - {member: page.samples.state, is: [Ready, true]}
      - {member: page.next, ends_with: "="}
    fail: [{error: [NoSuchKey]}]
    again: [{success: true}]
  anything_there:
    doc: Waits until the first sample has come.
    operation: ListSamples
    delay: [1, 1]
    timeout: 60
    done: [{member: page.next, contains: a}]
shapes:
  Sample:
    doc: Something to look at, in one form.
    one_of: true
    members:
      csv: {wire: CsvSample, type: Rows, doc: Rows of text.}
      json: {wire: JsonSample, type: Rows, doc: Lines of documents.}
  Rows:
    doc: How rows are written.
    exclusive: [[days, years]]
    members:
      delimiter: {wire: Delimiter, type: base64_string, default: ",", doc: Stands between columns.}
      days: {wire: Days, type: integer, doc: Kept for so long.}
      years: {wire: Years, type: integer, doc: Kept for so much longer.}
  Options:
    doc: How to look at something.
    members:
      tags: {wire: Tags>Tag, list: Tag, doc: What to look for.}
      other: {map: any, doc: Whatever else there is.}
  Tag:
    doc: A word on a label.
    members:
      word: {type: string, doc: At most 32 letters.}
  Page:
    doc: A part of a long list.
    members:
      samples: {wire: Sample, list: Entry, doc: At most 100 of them.}
      next: {type: string, doc: Where to go on.}
      more: {type: bool, default: false, doc: Whether another part follows.}
  Entry:
    doc: What a list says of a sample.
    members:
      state: {type: string, doc: How far it is.}
      tag: {type: Tag, doc: What stands on its label.}
"#;

fn api() -> Api {
    let file = |path: &str, text: &str| SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let sources = [
        file("models/lab/service.yaml", SERVICE),
        file("models/lab/samples.yaml", GROUP),
    ];
    load(&sources).unwrap_or_else(|problems| panic!("{problems}"))
}

fn operation<'a>(service: &'a Service, name: &str) -> &'a Operation {
    service.operation(name).expect("an operation")
}

fn member<'a>(members: &'a [Member], name: &str) -> &'a Member {
    members.iter().find(|member| member.name == name).expect("a member")
}

fn shape<'a>(service: &'a Service, name: &str) -> &'a Shape {
    service.shapes.iter().find(|shape| shape.name == name).expect("a shape")
}

#[test]
fn a_service_says_how_its_buckets_are_called() {
    let api = api();
    let service = &api.services[0];
    assert_eq!(
        service.bucket_name.as_deref(),
        Some("{bucket}-{account_id}-{region}-ab")
    );
    assert_eq!(service.alias_host.as_deref(), Some("{bucket}-alias"));
}

#[test]
fn fixed_queries_and_sets_follow_members() {
    let api = api();
    let put = operation(&api.services[0], "PutSample");
    assert_eq!(put.query, [("x-oss-process".to_owned(), Some("csv/meta".to_owned()))]);
    let json = QueryWhen {
        member: vec!["sample".to_owned(), "json".to_owned()],
        key: "x-oss-process".to_owned(),
        value: "json/meta".to_owned(),
    };
    assert_eq!(put.query_when, [json]);
    assert_eq!(put.any_of, [vec!["name"], vec!["shelf", "place"]]);
    let service = &api.services[0];
    assert!(shape(service, "Sample").one_of && !shape(service, "Rows").one_of);
    assert_eq!(shape(service, "Rows").exclusive, [["days", "years"]]);
}

#[test]
fn payloads_may_be_frames_or_text_behind_a_name() {
    let api = api();
    let service = &api.services[0];
    let put = operation(service, "PutSample");
    assert_eq!(
        (put.request_body, put.result_body),
        (BodyKind::Document, BodyKind::Frames)
    );
    assert_eq!(member(&put.result, "rows_count").place, Place::Frame);
    let process = operation(service, "ProcessSample");
    assert!(process.has(Trait::ResultByContentType));
    assert_eq!(
        (process.request_body, process.result_body),
        (BodyKind::Text, BodyKind::Document)
    );
    assert_eq!(member(&process.request, "process").wire, ["x-oss-process"]);
    let select = operation(service, "SelectSample");
    assert_eq!(
        select.result_body,
        BodyKind::Stream,
        "the runtime takes the frames out of it"
    );
}

#[test]
fn members_keep_what_stands_before_them_and_how_they_are_written() {
    let api = api();
    let service = &api.services[0];
    let select = operation(service, "SelectSample");
    let prefix = |name: &str| member(&select.request, name).prefix.as_deref();
    assert_eq!(
        (prefix("lines"), prefix("splits")),
        (Some("line-range="), Some("split-range="))
    );
    let delimiter = member(&shape(service, "Rows").members, "delimiter");
    assert_eq!(delimiter.ty, Type::Base64String);
    assert!(delimiter.default.is_some());
}

#[test]
fn shapes_in_json_queries_are_marked_however_deep() {
    let api = api();
    let service = &api.services[0];
    let options = member(&operation(service, "PutSample").request, "options");
    assert_eq!(
        (&options.place, &options.wire[..]),
        (&Place::QueryJson, &["options".to_owned()][..])
    );
    let marked: Vec<&str> = service
        .shapes
        .iter()
        .filter(|shape| shape.query_json)
        .map(|shape| shape.name.as_str())
        .collect();
    assert_eq!(marked, ["Options", "Tag"]);
    assert!(shape(service, "Tag").output, "an answer has it as XML");
}

#[test]
fn waiters_are_sorted_and_their_conditions_resolved() {
    let api = api();
    let service = &api.services[0];
    let names: Vec<&str> = service.waiters.iter().map(|waiter| waiter.name.as_str()).collect();
    assert_eq!(names, ["anything_there", "samples_ready"]);
    let ready = &service.waiters[1];
    assert_eq!((ready.delay, ready.max_delay, ready.timeout), (2, 30, 600));
    assert_eq!(
        (ready.group.as_str(), ready.operation.as_str()),
        ("samples", "ListSamples")
    );
    let path = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    assert_eq!(
        ready.done,
        [
            Condition::Member {
                path: path(&["page", "samples", "state"]),
                test: Test::Is(path(&["Ready", "true"])),
            },
            Condition::Member {
                path: path(&["page", "next"]),
                test: Test::EndsWith("=".to_owned()),
            },
        ]
    );
    assert_eq!(ready.fail, [Condition::Error(path(&["NoSuchKey"]))]);
    assert_eq!(ready.again, [Condition::Success]);
}

#[test]
fn results_page_through_paths() {
    let api = api();
    let paginate = operation(&api.services[0], "ListSamples")
        .paginate
        .clone()
        .expect("pages");
    assert_eq!(paginate.tokens, [("marker".to_owned(), "page.next".to_owned())]);
    assert_eq!(paginate.more.as_deref(), Some("page.more"));
    assert_eq!(paginate.items, ["page.samples"]);
}

#[test]
fn a_bucket_may_be_named_by_its_arn() {
    let file = |path: &str, text: &str| SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let service = SERVICE
        .replace("service: lab", "service: desks")
        .replace("rest-xml", "rest-json")
        .replace("signing: bucket", "signing: table_arn");
    let group = "\
service: desks
group: desks
operations:
  GetDesk:
    doc: Returns what is known of a desk.
    http: GET /desks/{desk_arn}
    request:
      desk_arn: {in: path, type: string, bucket_arn: true, doc: Where it stands.}
";
    let sources = [
        file("models/desks/service.yaml", &service),
        file("models/desks/desks.yaml", group),
    ];
    let api = load(&sources).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(api.services[0].signing, SigningResource::TableArn);
    let get = operation(&api.services[0], "GetDesk");
    assert!(member(&get.request, "desk_arn").bucket_arn);
    let segments = [
        Segment::Literal("desks".to_owned()),
        Segment::Member("desk_arn".to_owned()),
    ];
    assert_eq!(get.resource, Resource::Path(segments.into()));
}
