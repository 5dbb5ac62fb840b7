//! Faults on demand.

use std::time::Duration;

use oss_emulator::{Fault, FaultAction};

use crate::client::{NOON_HTTP, Request, start_with_bucket};

#[tokio::test]
async fn errors_come_as_often_as_asked() {
    let (emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("x")).await;
    let action = FaultAction::Error {
        status: 503,
        code: "ServiceBusy".to_owned(),
        retry_after: Some(2),
    };
    emulator
        .faults()
        .add(Fault::new(action).operation("GetObject").times(2));
    for status in [503, 503, 200] {
        let answer = client.send(Request::get("/bucket/k")).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("retry-after").is_some(), status == 503);
    }
    assert_eq!(emulator.faults().pending(), 0);
    let codes: Vec<_> = emulator
        .requests()
        .of("GetObject")
        .into_iter()
        .map(|record| record.code)
        .collect();
    assert_eq!(
        codes,
        [Some("ServiceBusy".to_owned()), Some("ServiceBusy".to_owned()), None]
    );
}

#[tokio::test]
async fn connections_break_before_during_and_after() {
    let (emulator, client) = start_with_bucket().await;
    let put = |body: Vec<u8>| client.sign(Request::put("/bucket/k").body(body));
    emulator.faults().add(Fault::new(FaultAction::ResetOnArrival));
    assert!(client.try_send(put(b"a".to_vec())).await.is_err());
    emulator.faults().add(Fault::new(FaultAction::ResetDuringRequest(10)));
    assert!(client.try_send(put(vec![b'x'; 100])).await.is_err());
    assert_eq!(client.send(Request::get("/bucket/k")).await.status, 404);
    emulator.faults().add(Fault::new(FaultAction::DropAnswer).method("PUT"));
    assert!(client.try_send(put(b"stored".to_vec())).await.is_err());
    assert_eq!(client.send(Request::get("/bucket/k")).await.text(), "stored");
}

#[tokio::test]
async fn bodies_are_cut_and_corrupted() {
    let (emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("0123456789")).await;
    let get = || client.sign(Request::get("/bucket/k"));
    emulator.faults().add(Fault::new(FaultAction::TruncateBody(4)).key("k"));
    let cut = client.try_send(get()).await;
    assert!(cut.is_err(), "{cut:?}");
    emulator.faults().add(Fault::new(FaultAction::CorruptByte(4)));
    let corrupt = client.try_send(get()).await.unwrap();
    assert_eq!(corrupt.body.len(), 10);
    assert_eq!(
        corrupt.body.iter().zip(b"0123456789").filter(|(a, b)| a != b).count(),
        1
    );
    emulator.faults().add(Fault::new(FaultAction::WrongCrc));
    let wrong = client.try_send(get()).await.unwrap();
    let right = client.try_send(get()).await.unwrap();
    assert_ne!(
        wrong.header("x-oss-hash-crc64ecma"),
        right.header("x-oss-hash-crc64ecma")
    );
}

#[tokio::test]
async fn time_can_be_wrong_for_a_request() {
    let (emulator, client) = start_with_bucket().await;
    emulator.faults().add(Fault::new(FaultAction::ClockOffset(3600)));
    let answer = client.send(Request::get("/bucket/")).await;
    assert_eq!(answer.error(), (403, "RequestTimeTooSkewed".to_owned()));
    assert_eq!(answer.header("date"), Some("Sun, 17 Dec 2023 17:20:57 GMT"));
    assert_eq!(
        client.send(Request::get("/bucket/")).await.header("date"),
        Some(NOON_HTTP)
    );
}

#[tokio::test]
async fn a_stalled_request_stays_silent() {
    let (emulator, client) = start_with_bucket().await;
    emulator.faults().add(Fault::new(FaultAction::Stall));
    let stalled = tokio::time::timeout(Duration::from_millis(200), client.send(Request::get("/bucket/")));
    assert!(stalled.await.is_err());
    emulator
        .faults()
        .add(Fault::new(FaultAction::Delay(Duration::from_millis(1))));
    assert_eq!(client.send(Request::get("/bucket/")).await.status, 200);
}
