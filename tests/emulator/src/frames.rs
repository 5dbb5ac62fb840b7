//! Frames of the answers of SelectObject and CreateSelectObjectMeta: version, kind, length, header checksum, payload, CRC-32.

use crate::value::Record;

const VERSION: u8 = 1;
const DATA: u32 = 8_388_609;
const END: u32 = 8_388_613;
const META_END_CSV: u32 = 8_388_614;
const META_END_JSON: u32 = 8_388_615;

fn frame(kind: u32, payload: &[u8], checksum: bool, out: &mut Vec<u8>) {
    out.push(VERSION);
    out.extend(&kind.to_be_bytes()[1..]);
    out.extend(u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes());
    // The checksum of the header is not in use.
    out.extend([0; 4]);
    out.extend(payload);
    out.extend(if checksum { crc32fast::hash(payload) } else { 0 }.to_be_bytes());
}

/// Data in one frame, and the frame that ends a selection well.
pub(crate) fn data(payload: &[u8]) -> Vec<u8> {
    let scanned = u64::try_from(payload.len()).unwrap_or(u64::MAX);
    [data_frame(0, payload, true), end_frame(scanned, 200, "", true)].concat()
}

/// One frame of data, found up to a byte of the object.
pub(crate) fn data_frame(offset: u64, payload: &[u8], checksum: bool) -> Vec<u8> {
    let mut out = Vec::new();
    frame(DATA, &[&offset.to_be_bytes(), payload].concat(), checksum, &mut out);
    out
}

/// The frame that ends a selection, well or not.
pub(crate) fn end_frame(scanned: u64, status: u16, message: &str, checksum: bool) -> Vec<u8> {
    let mut payload = Vec::new();
    payload.extend(scanned.to_be_bytes());
    payload.extend(scanned.to_be_bytes());
    payload.extend(u32::from(status).to_be_bytes());
    payload.extend(message.as_bytes());
    let mut out = Vec::new();
    frame(END, &payload, checksum, &mut out);
    out
}

/// The frame that CreateSelectObjectMeta ends with: of a CSV when columns were counted.
pub(crate) fn meta(values: &Record) -> Vec<u8> {
    let number = |name: &str| values.integer(name).unwrap_or_default();
    let narrow = |name: &str| u32::try_from(number(name)).unwrap_or_default().to_be_bytes();
    let is_csv = values.has("cols_count");
    let mut payload = Vec::new();
    payload.extend(number("offset").to_be_bytes());
    payload.extend(number("total_scanned_bytes").to_be_bytes());
    payload.extend(narrow("meta_status"));
    payload.extend(narrow("splits_count"));
    payload.extend(number("rows_count").to_be_bytes());
    if is_csv {
        payload.extend(narrow("cols_count"));
    }
    payload.extend(values.text_or_empty("error_msg").as_bytes());
    let mut out = Vec::new();
    frame(
        if is_csv { META_END_CSV } else { META_END_JSON },
        &payload,
        true,
        &mut out,
    );
    out
}
