//! Changes of good answers into bad ones, chosen by a seed.

use oss_suite::random::Random;

/// Longest answer that changes make, in bytes; rarely reached.
const MAX: usize = 4 << 20;

/// Pieces that mean something to a parser.
const TOKENS: [&[u8]; 52] = [
    b"<",
    b">",
    b"</",
    b"/>",
    b"&",
    b";",
    b"&amp;",
    b"&#0;",
    b"&#x10FFFF;",
    b"&#xD800;",
    b"&bomb;",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"<?",
    b"?>",
    b"<!DOCTYPE a [<!ENTITY b \"cc\">]>",
    b"<a/>",
    b"<a>",
    b"</a>",
    b"<Error>",
    b"xmlns='",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b"\\u",
    b"\\ud800",
    b"null",
    b"true",
    b"-",
    b"e9999",
    b"0",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"18446744073709551616",
    b"1e309",
    b"NaN",
    b"1.5",
    b"9999-12-31T23:59:59Z",
    b"+00:00",
    b"\0",
    b"\r\n",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"%zz",
];

/// Pieces that nest.
const OPENERS: [&[u8]; 6] = [b"<a>", b"<Contents>", b"[", b"{\"a\":", b"<!--", b"<![CDATA["];

/// Changes `bytes` in a few places, with pieces of `others`.
pub(super) fn mutate(random: &mut Random, bytes: &mut Vec<u8>, others: &[&[u8]]) {
    for _ in 0..=random.below(5) {
        once(random, bytes, others);
        if bytes.len() > MAX {
            bytes.truncate(MAX);
        }
    }
}

fn once(random: &mut Random, bytes: &mut Vec<u8>, others: &[&[u8]]) {
    let at = place(random, bytes);
    match random.below(13) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        1 if at < bytes.len() => bytes[at] = random.number() as u8,
        2 | 3 => insert(bytes, at, TOKENS[index(random, TOKENS.len())]),
        4 => bytes.truncate(at),
        5 => {
            let end = end(random, bytes, at);
            bytes.drain(at..end);
        }
        6 => {
            let piece = bytes[at..end(random, bytes, at)].to_vec();
            insert(bytes, at, &piece);
        }
        // A piece in another place.
        7 => {
            let piece = bytes[at..end(random, bytes, at)].to_vec();
            let to = place(random, bytes);
            insert(bytes, to, &piece);
        }
        8 if !others.is_empty() => {
            let other = others[index(random, others.len())];
            let from = place(random, other);
            let piece = &other[from..end(random, other, from)];
            insert(bytes, at, piece);
        }
        9 => {
            let opener = OPENERS[index(random, OPENERS.len())];
            insert(bytes, at, &opener.repeat(1 + index(random, 2000)));
        }
        // A number, or what stands in place of it, becomes another.
        10 => {
            let digits = bytes[at..]
                .iter()
                .position(u8::is_ascii_digit)
                .map(|offset| at + offset);
            if let Some(at) = digits {
                let end = at + bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                bytes.splice(at..end, TOKENS[index(random, TOKENS.len())].iter().copied());
            }
        }
        11 if random.below(20) == 0 => {
            let piece = bytes[at..end(random, bytes, at)].to_vec();
            let count = MAX / 4 / piece.len().max(1);
            insert(bytes, at, &piece.repeat(1 + index(random, count.clamp(1, 100_000))));
        }
        _ => {
            let length = 1 + index(random, 16);
            let noise = random.bytes(length);
            insert(bytes, at, &noise);
        }
    }
}

fn index(random: &mut Random, limit: usize) -> usize {
    random.below(limit as u64) as usize
}

fn place(random: &mut Random, bytes: &[u8]) -> usize {
    index(random, bytes.len() + 1)
}

/// The end of a piece that begins at `at`; mostly short.
fn end(random: &mut Random, bytes: &[u8], at: usize) -> usize {
    let longest = match random.below(4) {
        0 => bytes.len(),
        _ => 64,
    };
    bytes.len().min(at + index(random, longest + 1))
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}
