//! The frames in which `SelectObject` and `CreateSelectObjectMeta` answer.
//!
//! All numbers are big-endian. A frame is a version (1 byte, always 1), a type (3 bytes), the length of its payload (4),
//! a checksum of the header (4), the payload, and CRC-32 of the payload (4; 0 when none was asked for). The payload
//! begins with the offset that the service has reached in the object (8). An end frame comes last; what went wrong
//! on the way stands there, after a status line that said success.
//!
//! The reader is given bytes as they come and never holds more of them than a header or the payload of an end frame.

use bytes::{Buf, Bytes};
use http::StatusCode;

use crate::checksum::Crc32;
use crate::error::{Error, ErrorKind};

const VERSION: u8 = 1;
const DATA: u32 = 0x80_0001;
const CONTINUOUS: u32 = 0x80_0004;
const SELECT_END: u32 = 0x80_0005;
const META_END_CSV: u32 = 0x80_0006;
const META_END_JSON: u32 = 0x80_0007;

/// Longest payload of a frame other than data. They are numbers and one message.
const MAX_CONTROL: u32 = 64 * 1024;

/// Which operation's frames are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameSet {
    /// Data, ended by status and message.
    Select,
    /// No data; the end frame has the numbers.
    Meta,
}

/// What an end frame says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EndFrame {
    pub(crate) offset: i64,
    pub(crate) total_scanned: i64,
    pub(crate) status: i64,
    pub(crate) splits: Option<i64>,
    pub(crate) rows: Option<i64>,
    pub(crate) columns: Option<i64>,
    pub(crate) message: String,
}

/// What is wrong with frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FrameFault {
    Version(u8),
    Type(u32),
    Length {
        kind: u32,
        length: u32,
    },
    Checksum {
        of_payload: u32,
        in_frame: u32,
    },
    AfterEnd,
    Truncated,
    /// The end frame says that the operation failed.
    Failed(EndFrame),
}

/// Takes frames apart.
#[derive(Debug)]
pub(crate) struct FrameReader {
    set: FrameSet,
    /// What came and was not looked at yet.
    input: Bytes,
    /// Bytes of a number or an end frame that have come so far.
    gathered: Vec<u8>,
    crc: Crc32,
    state: State,
    end: Option<EndFrame>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    /// The offset before the data, and how much data follows it.
    Offset(u32),
    Data(u32),
    Control {
        kind: u32,
        length: u32,
    },
    Checksum,
    Ended,
}

impl FrameReader {
    pub(crate) fn new(set: FrameSet) -> Self {
        FrameReader {
            set,
            input: Bytes::new(),
            gathered: Vec::new(),
            crc: Crc32::new(),
            state: State::Header,
            end: None,
        }
    }

    /// Gives it more bytes, after [`next`](Self::next) had no more data in those before.
    pub(crate) fn feed(&mut self, input: Bytes) {
        debug_assert!(self.input.is_empty(), "bytes of a payload were skipped");
        self.input = input;
    }

    /// The next piece of data, `None` when there is none in what has come. The checksum of a piece is compared at the
    /// end of its frame, behind it.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, FrameFault> {
        loop {
            match self.state {
                State::Header => {
                    let Some(header) = self.gather::<12>() else {
                        return Ok(None);
                    };
                    self.state = self.header(&header)?;
                    self.crc = Crc32::new();
                }
                State::Offset(data) => {
                    let Some(offset) = self.gather::<8>() else {
                        return Ok(None);
                    };
                    self.crc.update(&offset);
                    self.state = State::Data(data);
                }
                State::Data(0) => self.state = State::Checksum,
                State::Data(left) => {
                    let size = self.input.len().min(left as usize);
                    if size == 0 {
                        return Ok(None);
                    }
                    let data = self.input.split_to(size);
                    self.crc.update(&data);
                    // It is at most `left`.
                    self.state = State::Data(left - size as u32);
                    return Ok(Some(data));
                }
                State::Control { kind, length } => {
                    if !self.gather_into(length as usize) {
                        return Ok(None);
                    }
                    self.crc.update(&self.gathered);
                    if kind != CONTINUOUS {
                        self.end = Some(end_frame(kind, &self.gathered));
                    }
                    self.gathered.clear();
                    self.state = State::Checksum;
                }
                State::Checksum => {
                    let Some(checksum) = self.gather::<4>() else {
                        return Ok(None);
                    };
                    let (in_frame, of_payload) = (u32::from_be_bytes(checksum), self.crc.value());
                    if in_frame != 0 && in_frame != of_payload {
                        return Err(FrameFault::Checksum { of_payload, in_frame });
                    }
                    self.state = match &self.end {
                        Some(end) if end.status / 100 != 2 => return Err(FrameFault::Failed(end.clone())),
                        Some(_) => State::Ended,
                        None => State::Header,
                    };
                }
                State::Ended if self.input.is_empty() => return Ok(None),
                State::Ended => return Err(FrameFault::AfterEnd),
            }
        }
    }

    /// What the end frame says, when everything has come.
    pub(crate) fn finish(&self) -> Result<&EndFrame, FrameFault> {
        match &self.end {
            Some(end) if self.state == State::Ended => Ok(end),
            _ => Err(FrameFault::Truncated),
        }
    }

    /// A number of bytes, once all have come.
    fn gather<const N: usize>(&mut self) -> Option<[u8; N]> {
        if !self.gather_into(N) {
            return None;
        }
        let bytes = self.gathered.first_chunk().copied();
        self.gathered.clear();
        bytes
    }

    fn gather_into(&mut self, wanted: usize) -> bool {
        let size = self.input.len().min(wanted - self.gathered.len());
        self.gathered.extend_from_slice(&self.input[..size]);
        self.input.advance(size);
        self.gathered.len() == wanted
    }

    /// What follows a header. Its own checksum is not compared: which bytes it covers is not documented.
    fn header(&self, header: &[u8; 12]) -> Result<State, FrameFault> {
        let [version, kind @ .., l0, l1, l2, l3, _, _, _, _] = *header;
        if version != VERSION {
            return Err(FrameFault::Version(version));
        }
        let kind = u32::from_be_bytes([0, kind[0], kind[1], kind[2]]);
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        let (least, most) = match (self.set, kind) {
            (_, CONTINUOUS) => (8, MAX_CONTROL),
            (FrameSet::Select, DATA) => (8, u32::MAX),
            (FrameSet::Select, SELECT_END) => (20, MAX_CONTROL),
            (FrameSet::Meta, META_END_CSV) => (36, MAX_CONTROL),
            (FrameSet::Meta, META_END_JSON) => (32, MAX_CONTROL),
            _ => return Err(FrameFault::Type(kind)),
        };
        if !(least..=most).contains(&length) {
            return Err(FrameFault::Length { kind, length });
        }
        Ok(match kind {
            DATA => State::Offset(length - 8),
            kind => State::Control { kind, length },
        })
    }
}

/// Reads the payload of an end frame, which is at least as long as its numbers.
fn end_frame(kind: u32, mut payload: &[u8]) -> EndFrame {
    let mut end = EndFrame {
        offset: payload.get_i64(),
        total_scanned: payload.get_i64(),
        status: i64::from(payload.get_u32()),
        ..EndFrame::default()
    };
    if kind != SELECT_END {
        end.splits = Some(i64::from(payload.get_u32()));
        end.rows = Some(payload.get_i64());
        end.columns = (kind == META_END_CSV).then(|| i64::from(payload.get_u32()));
    }
    end.message = String::from_utf8_lossy(payload).into_owned();
    end
}

impl FrameFault {
    pub(crate) fn into_error(self) -> Error {
        let decode = |message: String| Error::new(ErrorKind::Decode, message);
        match self {
            FrameFault::Version(version) => decode(format!("a frame has version {version}, only 1 is known")),
            FrameFault::Type(kind) => decode(format!("a frame has the unknown type {kind}")),
            FrameFault::Length { kind, length } => decode(format!(
                "a frame of type {kind} cannot have a payload of {length} bytes"
            )),
            FrameFault::Checksum { of_payload, in_frame } => Error::new(
                ErrorKind::ChecksumMismatch,
                format!("crc-32 of a frame differs: {of_payload} of the bytes received, {in_frame} by the service"),
            ),
            FrameFault::AfterEnd => decode("the payload goes on after its end frame".to_owned()),
            FrameFault::Truncated => Error::new(ErrorKind::Transport, "the payload broke off before its end frame"),
            FrameFault::Failed(end) => failed(&end),
        }
    }
}

/// The service writes `Code.Sentence`, sometimes with several codes.
fn failed(end: &EndFrame) -> Error {
    let status = u16::try_from(end.status)
        .ok()
        .and_then(|status| StatusCode::from_u16(status).ok());
    let is_code = |text: &str| {
        !text.is_empty() && text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b',')
    };
    let (code, message) = match end.message.split_once('.') {
        Some((code, message)) if is_code(code) => (Some(code), message.trim()),
        None if is_code(&end.message) => (Some(end.message.as_str()), ""),
        _ => (None, end.message.trim()),
    };
    let message = match message {
        "" => format!(
            "the service gave up after {} bytes, with status {}",
            end.total_scanned, end.status
        ),
        message => message.to_owned(),
    };
    Error::end_frame(status, code, message)
}

#[cfg(test)]
mod tests;
