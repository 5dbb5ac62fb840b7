//! Answers in frames, as the service writes them.

use oss_sdk::http::Method;
use oss_sdk::operation::{Encoder, MetaFrame, Protocol, Reply, ServiceSpec, Spec};
use oss_sdk::{Error, Operation, ResponseBody};
use oss_suite::random::Random;

static SERVICE: ServiceSpec =
    ServiceSpec::new("frames", Protocol::RestXml).hosts(&[("public", "oss-{region}.aliyuncs.com")]);

/// An operation whose payload is the data of its frames.
pub(super) struct Select;

impl Operation for Select {
    type Output = ResponseBody;

    fn spec() -> &'static Spec {
        static SPEC: Spec = Spec::new(&SERVICE, "Select", Method::POST)
            .streams_response()
            .select_frames();
        &SPEC
    }

    fn encode(&self, out: &mut Encoder) {
        out.bucket("examplebucket");
        out.key("key");
    }

    fn decode(mut reply: Reply) -> Result<ResponseBody, Error> {
        Ok(reply.stream())
    }
}

/// An operation whose answer is an end frame.
pub(super) struct Meta;

impl Operation for Meta {
    type Output = MetaFrame;

    fn spec() -> &'static Spec {
        static SPEC: Spec = Spec::new(&SERVICE, "Meta", Method::POST).meta_frames();
        &SPEC
    }

    fn encode(&self, out: &mut Encoder) {
        out.bucket("examplebucket");
        out.key("key");
    }

    fn decode(reply: Reply) -> Result<MetaFrame, Error> {
        reply.frames()
    }
}

/// A good answer with data, and the data.
pub(super) fn select(random: &mut Random) -> (Vec<u8>, Vec<u8>) {
    let (mut answer, mut data) = (Vec::new(), Vec::new());
    for _ in 0..random.below(8) {
        if random.below(3) == 0 {
            push(random, &mut answer, 0x80_0004, &(data.len() as u64).to_be_bytes());
            continue;
        }
        let most = if random.below(50) == 0 { 1 << 20 } else { 200 };
        let length = random.below(most);
        let piece = random.bytes(length as usize);
        let payload = [&(data.len() as u64).to_be_bytes()[..], &piece].concat();
        push(random, &mut answer, 0x80_0001, &payload);
        data.extend_from_slice(&piece);
    }
    let mut end = numbers(random, &[8, 8]);
    end.extend_from_slice(&200_u32.to_be_bytes());
    message(random, &mut end);
    push(random, &mut answer, 0x80_0005, &end);
    (answer, data)
}

/// A good answer without data.
pub(super) fn meta(random: &mut Random) -> Vec<u8> {
    let mut answer = Vec::new();
    for _ in 0..random.below(4) {
        push(random, &mut answer, 0x80_0004, &[0; 8]);
    }
    let is_csv = random.below(2) == 0;
    let mut end = numbers(random, &[8, 8]);
    end.extend_from_slice(&200_u32.to_be_bytes());
    end.extend(numbers(random, if is_csv { &[4, 8, 4] } else { &[4, 8] }));
    message(random, &mut end);
    push(random, &mut answer, if is_csv { 0x80_0006 } else { 0x80_0007 }, &end);
    answer
}

fn numbers(random: &mut Random, sizes: &[usize]) -> Vec<u8> {
    sizes.iter().flat_map(|size| random.bytes(*size)).collect()
}

fn message(random: &mut Random, payload: &mut Vec<u8>) {
    if random.below(2) == 0 {
        payload.extend_from_slice(b"SomeCode.A sentence.");
    }
}

/// Appends a frame; some have no checksum.
fn push(random: &mut Random, answer: &mut Vec<u8>, kind: u32, payload: &[u8]) {
    answer.extend_from_slice(&(0x0100_0000 | kind).to_be_bytes());
    answer.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    answer.extend_from_slice(&[0; 4]);
    answer.extend_from_slice(payload);
    let checksum = match random.below(4) {
        0 => 0,
        _ => crc32fast::hash(payload),
    };
    answer.extend_from_slice(&checksum.to_be_bytes());
}
