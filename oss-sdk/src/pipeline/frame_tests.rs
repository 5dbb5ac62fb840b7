//! Answers in frames, through the client.

use bytes::Bytes;
use http::Method;

use crate::body::ResponseBody;
use crate::checksum::Crc32;
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::fake::{Answer, Chunk, FakeTransport};
use crate::generated::oss::SERVICE;
use crate::operation::{Encoder, MetaFrame, Operation, Reply, Spec};

struct Select;

impl Operation for Select {
    type Output = ResponseBody;

    fn spec() -> &'static Spec {
        static SPEC: Spec = Spec::new(&SERVICE, "SelectObject", Method::POST)
            .query(&[("x-oss-process", Some("csv/select"))])
            .streams_response()
            .resumable_download()
            .select_frames();
        &SPEC
    }

    fn encode(&self, out: &mut Encoder) {
        out.bucket("bucket");
        out.key("key.csv");
    }

    fn decode(mut reply: Reply) -> Result<ResponseBody, Error> {
        Ok(reply.stream())
    }
}

struct Meta;

impl Operation for Meta {
    type Output = MetaFrame;

    fn spec() -> &'static Spec {
        static SPEC: Spec = Spec::new(&SERVICE, "CreateSelectObjectMeta", Method::POST).meta_frames();
        &SPEC
    }

    fn encode(&self, out: &mut Encoder) {
        out.bucket("bucket");
        out.key("key.csv");
    }

    fn decode(reply: Reply) -> Result<MetaFrame, Error> {
        reply.frames()
    }
}

fn frame(kind: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (0x0100_0000 | kind).to_be_bytes().to_vec();
    frame.extend_from_slice(&u32::try_from(payload.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&Crc32::of(payload).to_be_bytes());
    frame
}

fn data(text: &str) -> Vec<u8> {
    frame(0x80_0001, &[&[0; 8], text.as_bytes()].concat())
}

fn end(status: u32, message: &str) -> Vec<u8> {
    frame(
        0x80_0005,
        &[&[0; 16][..], &status.to_be_bytes(), message.as_bytes()].concat(),
    )
}

async fn select(answer: Answer) -> Result<ResponseBody, Error> {
    let client: Client = FakeTransport::new([answer.into()]).client();
    client.invoke(Select).await
}

#[tokio::test(start_paused = true)]
async fn a_payload_in_frames_reads_as_its_data() {
    let payload = [data("a,b\n"), data("c,d\n"), end(200, "")].concat();
    let body = select(Answer::new(200, payload.clone())).await.unwrap();
    assert_eq!(body.content_length(), None, "the declared length is that of the frames");
    assert_eq!(body.text().await.unwrap(), "a,b\nc,d\n");
    for at in 0..payload.len() {
        let chunks = [&payload[..at], &payload[at..]].map(|piece| Chunk::Data(Bytes::copy_from_slice(piece)));
        let body = select(Answer::chunks(200, None, chunks)).await.unwrap();
        assert_eq!(body.text().await.unwrap(), "a,b\nc,d\n", "{at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_raw_payload_is_passed_on_as_it_is() {
    let answer = || Answer::new(200, "a,b\n");
    let body = select(answer().header("x-oss-select-output-raw", "true"))
        .await
        .unwrap();
    assert_eq!(body.content_length(), Some(4));
    assert_eq!(body.text().await.unwrap(), "a,b\n");
    let body = select(answer().header("x-oss-select-output-raw", "false"))
        .await
        .unwrap();
    assert_eq!(body.text().await.unwrap_err().kind(), ErrorKind::Transport);
}

#[tokio::test(start_paused = true)]
async fn a_failure_at_the_end_is_an_error_behind_the_data() {
    let payload = [data("partial"), end(400, "InvalidSqlStatement.no such column")].concat();
    let mut body = select(Answer::new(200, payload)).await.unwrap();
    assert_eq!(body.chunk().await.unwrap().as_deref(), Some(&b"partial"[..]));
    let error = body.chunk().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status(), error.code(), error.operation()),
        (
            ErrorKind::Service,
            Some(400),
            Some("InvalidSqlStatement"),
            Some("SelectObject")
        )
    );
    assert_eq!(error.message(), "no such column");
    assert!(body.chunk().await.is_err(), "a failed payload goes on failing");
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_breaks_off_is_an_error_and_not_continued() {
    let whole = [data("partial"), end(200, "")].concat();
    for at in 0..whole.len() {
        let piece = Bytes::copy_from_slice(&whole[..at]);
        for (length, chunks) in [
            (None, vec![Chunk::Data(piece.clone())]),
            (Some(whole.len() as u64), vec![Chunk::Data(piece.clone())]),
            (Some(whole.len() as u64), vec![Chunk::Data(piece.clone()), Chunk::Break]),
        ] {
            let answer = Answer::chunks(200, length, chunks).header("etag", "\"e\"");
            let transport = FakeTransport::new([answer.into()]);
            let body = transport.client().invoke(Select).await.unwrap();
            let error = body.text().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Transport, "{at}: {error}");
            assert_eq!(transport.sent().len(), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn damage_is_an_error() {
    let mut damaged = [data("payload"), end(200, "")].concat();
    damaged[22] ^= 1;
    let error = select(Answer::new(200, damaged))
        .await
        .unwrap()
        .text()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ChecksumMismatch);
    let after = [end(200, ""), data("x")].concat();
    let error = select(Answer::new(200, after)).await.unwrap().text().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test(start_paused = true)]
async fn endless_frames_without_data_end_with_the_deadline() {
    let idle = frame(0x80_0004, &[0; 8]).repeat(1000);
    let chunks = (0..1000)
        .map(|_| Chunk::Data(Bytes::from(idle.clone())))
        .chain([Chunk::Hang]);
    let transport = FakeTransport::new([Answer::chunks(200, None, chunks).into()]);
    let call = transport
        .client()
        .invoke(Select)
        .timeout(std::time::Duration::from_secs(5))
        .await;
    let error = call.unwrap().bytes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn meta_frames_become_a_result() {
    let mut payload = [0; 16].to_vec();
    payload.extend_from_slice(&200_u32.to_be_bytes());
    payload.extend_from_slice(&3_u32.to_be_bytes());
    payload.extend_from_slice(&4_u64.to_be_bytes());
    payload.extend_from_slice(&5_u32.to_be_bytes());
    let good = frame(0x80_0006, &payload);
    let transport = FakeTransport::new([Answer::new(200, good).into()]);
    let meta = transport.client().invoke(Meta).await.unwrap();
    assert_eq!(
        (meta.meta_status, meta.splits_count, meta.rows_count, meta.cols_count),
        (Some(200), Some(3), Some(4), Some(5))
    );
    assert_eq!(meta.error_msg, None);

    payload[16..20].copy_from_slice(&400_u32.to_be_bytes());
    payload.extend_from_slice(b"InvalidParameter.bad");
    let transport = FakeTransport::new([Answer::new(200, frame(0x80_0006, &payload))
        .header("x-oss-request-id", "R9")
        .into()]);
    let error = transport.client().invoke(Meta).await.unwrap_err();
    assert_eq!(
        (error.status(), error.code(), error.request_id()),
        (Some(400), Some("InvalidParameter"), Some("R9"))
    );
    let transport = FakeTransport::new([Answer::new(200, "").into()]);
    let error = transport.client().invoke(Meta).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
}
