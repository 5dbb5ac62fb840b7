//! What the end frame of `CreateSelectObjectMeta` says.

use bytes::Bytes;

use crate::frames::{FrameFault, FrameReader, FrameSet};

/// Numbers of the end frame of an answer that consists of frames.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetaFrame {
    /// Offset in the object that the service has reached, in bytes.
    pub offset: Option<i64>,
    /// Bytes of the object that were scanned.
    pub total_scanned_bytes: Option<i64>,
    /// Status of the operation at its end.
    pub meta_status: Option<i64>,
    /// Splits of the object.
    pub splits_count: Option<i64>,
    /// Rows of the object.
    pub rows_count: Option<i64>,
    /// Columns of the object; only for CSV.
    pub cols_count: Option<i64>,
    /// What the service has to say; absent when empty.
    pub error_msg: Option<String>,
}

/// Reads all frames of an answer.
pub(super) fn read(document: &[u8]) -> Result<MetaFrame, FrameFault> {
    let mut reader = FrameReader::new(FrameSet::Meta);
    reader.feed(Bytes::copy_from_slice(document));
    // There is no data in these frames.
    while reader.next()?.is_some() {}
    let end = reader.finish()?;
    Ok(MetaFrame {
        offset: Some(end.offset),
        total_scanned_bytes: Some(end.total_scanned),
        meta_status: Some(end.status),
        splits_count: end.splits,
        rows_count: end.rows,
        cols_count: end.columns,
        error_msg: Some(end.message.clone()).filter(|message| !message.is_empty()),
    })
}
