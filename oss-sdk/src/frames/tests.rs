//! Frames in order, and frames as a broken line or an attacker would send them.

use std::fmt::Write as _;

use super::*;

fn frame(kind: u32, payload: &[u8], checksum: u32) -> Vec<u8> {
    let mut frame = vec![VERSION];
    frame.extend_from_slice(&kind.to_be_bytes()[1..]);
    frame.extend_from_slice(&u32::try_from(payload.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(&[0xAA; 4]);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&checksum.to_be_bytes());
    frame
}

fn checked(kind: u32, payload: &[u8]) -> Vec<u8> {
    frame(kind, payload, Crc32::of(payload))
}

fn data(offset: u64, data: &[u8]) -> Vec<u8> {
    checked(DATA, &[&offset.to_be_bytes(), data].concat())
}

fn end(status: u32, message: &str) -> Vec<u8> {
    let payload = [
        &77_u64.to_be_bytes()[..],
        &99_u64.to_be_bytes(),
        &status.to_be_bytes(),
        message.as_bytes(),
    ];
    checked(SELECT_END, &payload.concat())
}

/// Reads frames that come in these pieces.
fn read<'a>(set: FrameSet, pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, Result<EndFrame, FrameFault>) {
    let mut reader = FrameReader::new(set);
    let mut found = Vec::new();
    for piece in pieces {
        reader.feed(Bytes::copy_from_slice(piece));
        loop {
            match reader.next() {
                Ok(Some(data)) => found.extend_from_slice(&data),
                Ok(None) => break,
                Err(fault) => return (found, Err(fault)),
            }
        }
        assert!(reader.gathered.len() <= MAX_CONTROL as usize);
    }
    let end = reader.finish().cloned();
    (found, end)
}

fn select(bytes: &[u8]) -> (Vec<u8>, Result<EndFrame, FrameFault>) {
    read(FrameSet::Select, [bytes])
}

fn answer() -> Vec<u8> {
    [
        data(0, b"first,"),
        checked(CONTINUOUS, &8_u64.to_be_bytes()),
        data(6, b""),
        frame(DATA, &[&6_u64.to_be_bytes()[..], b"second\n"].concat(), 0),
        end(200, ""),
    ]
    .concat()
}

fn ended() -> EndFrame {
    EndFrame {
        offset: 77,
        total_scanned: 99,
        status: 200,
        ..EndFrame::default()
    }
}

#[test]
fn data_comes_out_however_the_bytes_are_split() {
    let answer = answer();
    let expected = (b"first,second\n".to_vec(), Ok(ended()));
    assert_eq!(select(&answer), expected);
    assert_eq!(read(FrameSet::Select, answer.chunks(1)), expected);
    for at in 0..=answer.len() {
        assert_eq!(read(FrameSet::Select, [&answer[..at], &answer[at..]]), expected, "{at}");
    }
    for size in 2..40 {
        assert_eq!(read(FrameSet::Select, answer.chunks(size)), expected, "{size}");
    }
}

#[test]
fn every_cut_answer_is_noticed() {
    let answer = answer();
    for at in 0..answer.len() {
        assert_eq!(select(&answer[..at]).1, Err(FrameFault::Truncated), "{at}");
    }
    let error = FrameFault::Truncated.into_error();
    assert_eq!(error.kind(), ErrorKind::Transport);
}

#[test]
fn every_changed_byte_of_a_checked_payload_is_noticed() {
    for whole in [data(3, b"payload"), end(200, "text")] {
        for at in 12..whole.len() - 4 {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << bit;
                let (_, result) = select(&damaged);
                assert!(
                    matches!(result, Err(FrameFault::Checksum { .. })),
                    "{at}.{bit}: {result:?}"
                );
            }
        }
    }
    let error = FrameFault::Checksum {
        of_payload: 1,
        in_frame: 2,
    }
    .into_error();
    assert_eq!(error.kind(), ErrorKind::ChecksumMismatch);
    assert_eq!(
        error.message(),
        "crc-32 of a frame differs: 1 of the bytes received, 2 by the service"
    );
}

#[test]
fn a_continuous_frame_has_a_checksum_of_its_own() {
    let answer = [
        data(0, b"a"),
        frame(CONTINUOUS, &[0; 8], Crc32::of(b"a")),
        data(1, b"b"),
        end(200, ""),
    ]
    .concat();
    assert!(matches!(select(&answer).1, Err(FrameFault::Checksum { .. })));
}

#[test]
fn headers_that_cannot_be_are_refused() {
    let header = |version: u8, kind: u32, length: u32| {
        let kind = kind.to_be_bytes();
        let mut header = vec![version, kind[1], kind[2], kind[3]];
        header.extend_from_slice(&length.to_be_bytes());
        header.extend_from_slice(&[0; 4]);
        header
    };
    let rows = [
        (FrameSet::Select, header(2, DATA, 8), FrameFault::Version(2)),
        (FrameSet::Select, header(0, DATA, 8), FrameFault::Version(0)),
        (FrameSet::Select, header(1, 0x80_0002, 8), FrameFault::Type(0x80_0002)),
        (
            FrameSet::Select,
            header(1, META_END_CSV, 36),
            FrameFault::Type(META_END_CSV),
        ),
        (FrameSet::Meta, header(1, DATA, 8), FrameFault::Type(DATA)),
        (FrameSet::Meta, header(1, SELECT_END, 20), FrameFault::Type(SELECT_END)),
    ];
    for (set, header, fault) in rows {
        assert_eq!(read(set, [&header[..]]).1, Err(fault));
    }
    for (set, kind, length) in [
        (FrameSet::Select, DATA, 7),
        (FrameSet::Select, CONTINUOUS, 7),
        (FrameSet::Select, CONTINUOUS, MAX_CONTROL + 1),
        (FrameSet::Select, SELECT_END, 19),
        (FrameSet::Select, SELECT_END, u32::MAX),
        (FrameSet::Meta, META_END_CSV, 35),
        (FrameSet::Meta, META_END_JSON, 31),
        (FrameSet::Meta, META_END_JSON, MAX_CONTROL + 1),
    ] {
        let fault = FrameFault::Length { kind, length };
        assert_eq!(read(set, [&header(1, kind, length)[..]]).1, Err(fault.clone()));
        assert_eq!(fault.into_error().kind(), ErrorKind::Decode);
    }
}

#[test]
fn data_of_any_length_is_passed_on_and_not_kept() {
    let mut reader = FrameReader::new(FrameSet::Select);
    let mut header = frame(DATA, &[0; 8], 0);
    header.truncate(20);
    header[4..8].copy_from_slice(&u32::MAX.to_be_bytes());
    reader.feed(header.into());
    assert_eq!(reader.next(), Ok(None));
    let piece = Bytes::from(vec![7; 1 << 20]);
    let mut passed: u64 = 0;
    while passed + (1 << 20) <= u64::from(u32::MAX) - 8 {
        reader.feed(piece.clone());
        let data = reader.next().unwrap().unwrap();
        assert!(std::ptr::eq(data.as_ptr(), piece.as_ptr()), "the data was copied");
        passed += data.len() as u64;
        if passed == 8 << 20 {
            // What the checksum of the rest costs is not the question here.
            reader.state = State::Data(u32::try_from(u64::from(u32::MAX) - 8 - (4000 << 20)).unwrap());
            passed = 4000 << 20;
        }
    }
    assert!(reader.gathered.capacity() <= 64);
    assert_eq!(reader.finish(), Err(FrameFault::Truncated));
}

#[test]
fn an_end_without_success_is_the_services_error() {
    type Row<'a> = (u32, &'a str, Option<u16>, Option<&'a str>, &'a str);
    let rows: [Row<'_>; 7] = [
        (
            400,
            "InvalidCsvLine.Line 3 is too long.",
            Some(400),
            Some("InvalidCsvLine"),
            "Line 3 is too long.",
        ),
        (
            500,
            "InternalError",
            Some(500),
            Some("InternalError"),
            "the service gave up after 99 bytes, with status 500",
        ),
        (404, "A,B.why", Some(404), Some("A,B"), "why"),
        (400, "no code here. really", Some(400), None, "no code here. really"),
        (
            302,
            "",
            Some(302),
            None,
            "the service gave up after 99 bytes, with status 302",
        ),
        (0, "x.y", None, Some("x"), "y"),
        (
            u32::MAX,
            "",
            None,
            None,
            "the service gave up after 99 bytes, with status 4294967295",
        ),
    ];
    for (status, text, expected, code, message) in rows {
        let answer = [data(0, b"partial"), end(status, text)].concat();
        let (found, result) = select(&answer);
        assert_eq!(found, b"partial");
        let error = result.unwrap_err().into_error();
        assert_eq!(
            (error.kind(), error.status(), error.code(), error.message()),
            (ErrorKind::Service, expected, code, message),
            "{status} {text}"
        );
    }
    assert!(select(&end(206, "ok")).1.is_ok());
    // What is not UTF-8 is shown as far as it goes, and a long text is no reason to fail otherwise.
    let long = "e".repeat(MAX_CONTROL as usize - 20);
    assert!(matches!(select(&end(400, &long)).1, Err(FrameFault::Failed(_))));
}

#[test]
fn nothing_may_follow_the_end() {
    for more in [&b"x"[..], &end(200, ""), &data(0, b"more")] {
        let answer = [end(200, ""), more.to_vec()].concat();
        assert_eq!(select(&answer).1, Err(FrameFault::AfterEnd));
        for at in 0..answer.len() {
            let pieces = [&answer[..at], &answer[at..]];
            assert_eq!(read(FrameSet::Select, pieces).1, Err(FrameFault::AfterEnd), "{at}");
        }
    }
}

#[test]
fn meta_frames_have_their_numbers() {
    let mut csv = Vec::new();
    csv.extend_from_slice(&1_u64.to_be_bytes());
    csv.extend_from_slice(&2_u64.to_be_bytes());
    csv.extend_from_slice(&200_u32.to_be_bytes());
    csv.extend_from_slice(&3_u32.to_be_bytes());
    csv.extend_from_slice(&4_u64.to_be_bytes());
    let json = [&csv[..], b"said"].concat();
    csv.extend_from_slice(&5_u32.to_be_bytes());
    let expected = |columns: Option<i64>, message: &str| EndFrame {
        offset: 1,
        total_scanned: 2,
        status: 200,
        splits: Some(3),
        rows: Some(4),
        columns,
        message: message.to_owned(),
    };
    let waiting = checked(CONTINUOUS, &[0; 8]).repeat(50);
    for (kind, payload, expected) in [
        (META_END_CSV, &csv, expected(Some(5), "")),
        (META_END_JSON, &json, expected(None, "said")),
    ] {
        let answer = [&waiting[..], &checked(kind, payload)].concat();
        assert_eq!(read(FrameSet::Meta, [&answer[..]]), (Vec::new(), Ok(expected.clone())));
        assert_eq!(read(FrameSet::Meta, answer.chunks(1)).1, Ok(expected));
    }
    assert_eq!(read(FrameSet::Meta, [&b""[..]]).1, Err(FrameFault::Truncated));
}

#[test]
fn changed_frames_never_panic() {
    let whole = answer();
    // xorshift: the same changes on every run.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut faults = String::new();
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        for _ in 0..=random(3) {
            let at = random(bytes.len());
            match random(3) {
                0 => bytes[at] = random(256) as u8,
                1 => drop(bytes.drain(at..(at + random(20)).min(bytes.len()))),
                _ => bytes.truncate(at.max(1)),
            }
            if bytes.is_empty() {
                break;
            }
        }
        if let Err(fault) = read(FrameSet::Select, bytes.chunks(1 + random(64))).1 {
            faults.clear();
            write!(faults, "{}", fault.into_error()).unwrap();
            assert!(!faults.is_empty());
        }
    }
}
