//! Sample answers in frames, byte by byte: what SelectObject and CreateSelectObjectMeta send.

/// Version of the frames, before their type.
const VERSION: u32 = 0x0100_0000;
const DATA: u32 = 0x80_0001;
const CONTINUOUS: u32 = 0x80_0004;
const SELECT_END: u32 = 0x80_0005;
const META_END_CSV: u32 = 0x80_0006;
const META_END_JSON: u32 = 0x80_0007;

/// Bytes of the object that the frames say were read.
const SCANNED: u64 = 7000;

/// Data in two frames with a sign of life between them, and the end.
pub(super) fn select(data: &[u8]) -> Vec<u8> {
    let (first, second) = data.split_at(data.len() / 2);
    let mut out = Vec::new();
    frame(&mut out, DATA, &[&1000_u64.to_be_bytes(), first]);
    frame(&mut out, CONTINUOUS, &[&2000_u64.to_be_bytes()]);
    frame(&mut out, DATA, &[&SCANNED.to_be_bytes(), second]);
    let (offset, scanned) = (SCANNED.to_be_bytes(), SCANNED.to_be_bytes());
    frame(&mut out, SELECT_END, &[&offset, &scanned, &206_u32.to_be_bytes()]);
    out
}

/// A sign of life and the end, which counts columns when the members `wanted` do.
pub(super) fn meta(wanted: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    frame(&mut out, CONTINUOUS, &[&1000_u64.to_be_bytes()]);
    let (offset, scanned) = (SCANNED.to_be_bytes(), SCANNED.to_be_bytes());
    let (status, splits, rows) = (200_u32.to_be_bytes(), 2_u32.to_be_bytes(), 100_u64.to_be_bytes());
    let columns = 4_u32.to_be_bytes();
    let (kind, counts): (u32, &[&[u8]]) = match wanted.contains(&"cols_count") {
        true => (META_END_CSV, &[&offset, &scanned, &status, &splits, &rows, &columns]),
        false => (META_END_JSON, &[&offset, &scanned, &status, &splits, &rows]),
    };
    frame(&mut out, kind, counts);
    out
}

/// Version and type, length, checksum of the header, payload, CRC-32 of the payload.
fn frame(out: &mut Vec<u8>, kind: u32, parts: &[&[u8]]) {
    let payload = parts.concat();
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let header = [(VERSION | kind).to_be_bytes(), length.to_be_bytes()].concat();
    out.extend_from_slice(&header);
    out.extend_from_slice(&crc32(&header).to_be_bytes());
    out.extend_from_slice(&payload);
    out.extend_from_slice(&crc32(&payload).to_be_bytes());
}

/// CRC-32 of IEEE 802.3, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc >>= 1;
            if carry == 1 {
                crc ^= 0xedb8_8320;
            }
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_frame_has_its_five_parts() {
        let mut out = Vec::new();
        frame(&mut out, CONTINUOUS, &[&7_u64.to_be_bytes()]);
        assert_eq!(out.len(), 4 + 4 + 4 + 8 + 4);
        assert_eq!(out[..8], [1, 0x80, 0, 4, 0, 0, 0, 8]);
        assert_eq!(out[12..20], 7_u64.to_be_bytes());
        assert_eq!(out[20..], crc32(&7_u64.to_be_bytes()).to_be_bytes());
    }
}
