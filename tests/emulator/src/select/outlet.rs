//! Where the results of a query go: in frames or raw, to a client that may leave at any time.

use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::error::ServiceError;
use crate::frames;

/// How much output is gathered for one frame.
const FRAME: usize = 64 * 1024;
/// How long a client may take for a frame before it counts as gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// A piece of an answer.
#[derive(Debug)]
pub(super) enum Piece {
    Part(Bytes),
    /// Without it an answer was broken off.
    Last(Bytes),
}

/// Used on a thread that may block, within a runtime.
pub(super) struct Outlet {
    sender: mpsc::Sender<Result<Piece, ServiceError>>,
    /// Whether there are no frames.
    raw: bool,
    payload_crc: bool,
    pending: Vec<u8>,
    /// Bytes of the object that were read so far.
    pub(super) scanned: u64,
    sent: bool,
    gone: bool,
}

impl Outlet {
    pub(super) fn new(sender: mpsc::Sender<Result<Piece, ServiceError>>, raw: bool, payload_crc: bool) -> Self {
        Self {
            sender,
            raw,
            payload_crc,
            pending: Vec::new(),
            scanned: 0,
            sent: false,
            gone: false,
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// Sends what was written when it is enough for a frame.
    pub(super) fn end_row(&mut self) {
        if self.pending.len() < FRAME {
            return;
        }
        let out = std::mem::take(&mut self.pending);
        let piece = match self.raw {
            true => out,
            false => frames::data_frame(self.scanned, &out, self.payload_crc),
        };
        self.sent = true;
        self.send(Ok(Piece::Part(Bytes::from(piece))));
    }

    /// Whether nobody reads the answer any more.
    pub(super) fn is_gone(&self) -> bool {
        self.gone || self.sender.is_closed()
    }

    /// Ends the answer. What went wrong is told by the last frame, or by an error where there was no frame before it.
    pub(super) fn finish(mut self, outcome: Result<(), ServiceError>) {
        if self.is_gone() {
            return;
        }
        if let Err(error) = &outcome
            && (!self.sent || self.raw)
        {
            return self.send(Err(error.clone()));
        }
        let mut last = std::mem::take(&mut self.pending);
        if !self.raw {
            if !last.is_empty() {
                last = frames::data_frame(self.scanned, &last, self.payload_crc);
            }
            let (status, message) = match &outcome {
                Ok(()) => (206, String::new()),
                Err(error) => (error.status, format!("{}.{}", error.code, error.message)),
            };
            last.extend(frames::end_frame(self.scanned, status, &message, self.payload_crc));
        }
        self.send(Ok(Piece::Last(Bytes::from(last))));
    }

    fn send(&mut self, piece: Result<Piece, ServiceError>) {
        if !self.gone {
            let sending = timeout(PATIENCE, self.sender.send(piece));
            self.gone = !matches!(Handle::current().block_on(sending), Ok(Ok(())));
        }
    }
}
