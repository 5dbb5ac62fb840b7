//! Batches: what one request wrote to an index or deleted from it, as one document.
//!
//! A document is the length of its head in four bytes, the head as JSON, and the numbers of all vectors as little-endian
//! `f32`. The numbers are never decoded as a whole: a search reads them where they lie. Of entries with the same key that of
//! the latest batch counts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::error::ServiceError;

/// Metadata of a vector.
pub(super) type Metadata = Map<String, Json>;

/// An entry to be written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Nothing when the vector of this key is deleted.
    pub(super) vector: Option<(Vec<f32>, Metadata)>,
}

/// An entry that was read, with the place of its numbers in the document.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stored {
    pub(super) key: String,
    pub(super) vector: Option<Slot>,
}

/// A stored vector.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slot {
    document: Arc<Vec<u8>>,
    start: usize,
    end: usize,
    pub(super) metadata: Metadata,
}

#[derive(Serialize, Deserialize)]
struct Head {
    dimension: usize,
    entries: Vec<Item>,
}

#[derive(Serialize, Deserialize)]
struct Item {
    #[serde(rename = "k")]
    key: String,
    #[serde(rename = "m", default, skip_serializing_if = "Map::is_empty")]
    metadata: Metadata,
    #[serde(rename = "d", default, skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
}

impl Slot {
    /// The numbers, one after the other.
    pub(super) fn numbers(&self) -> impl Iterator<Item = f32> {
        let bytes = self.document.get(self.start..self.end).unwrap_or_default();
        let (numbers, _) = bytes.as_chunks::<4>();
        numbers.iter().map(|bytes| f32::from_le_bytes(*bytes))
    }
}

impl Stored {
    /// The entry as it was written.
    pub(super) fn to_entry(&self) -> Entry {
        Entry {
            key: self.key.clone(),
            vector: self
                .vector
                .as_ref()
                .map(|slot| (slot.numbers().collect(), slot.metadata.clone())),
        }
    }
}

/// Writes a batch.
pub(super) fn write(dimension: usize, entries: &[Entry]) -> Result<Vec<u8>, ServiceError> {
    let items = entries.iter().map(|entry| Item {
        key: entry.key.clone(),
        metadata: entry
            .vector
            .as_ref()
            .map(|(_, metadata)| metadata.clone())
            .unwrap_or_default(),
        deleted: entry.vector.is_none(),
    });
    let head = Head {
        dimension,
        entries: items.collect(),
    };
    let unwritable = |why: String| ServiceError::internal(format!("A batch of vectors cannot be written: {why}."));
    let head = serde_json::to_vec(&head).map_err(|error| unwritable(error.to_string()))?;
    let length = u32::try_from(head.len()).map_err(|_| unwritable("its head is too long".to_owned()))?;
    let mut document = length.to_le_bytes().to_vec();
    document.extend_from_slice(&head);
    for (numbers, _) in entries.iter().filter_map(|entry| entry.vector.as_ref()) {
        for number in numbers {
            document.extend_from_slice(&number.to_le_bytes());
        }
    }
    Ok(document)
}

/// Reads a batch.
pub(super) fn read(document: &Arc<Vec<u8>>) -> Result<Vec<Stored>, ServiceError> {
    let damaged = || ServiceError::internal("A stored batch of vectors cannot be read.");
    let (length, rest) = document.split_first_chunk::<4>().ok_or_else(damaged)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| damaged())?;
    let head: Head = serde_json::from_slice(rest.get(..length).ok_or_else(damaged)?).map_err(|_| damaged())?;
    let mut at = 4 + length;
    let width = head.dimension * 4;
    let mut entries = Vec::with_capacity(head.entries.len());
    for item in head.entries {
        let vector = (!item.deleted).then(|| {
            let slot = Slot {
                document: Arc::clone(document),
                start: at,
                end: at + width,
                metadata: item.metadata,
            };
            at += width;
            slot
        });
        entries.push(Stored { key: item.key, vector });
    }
    if at != document.len() {
        return Err(damaged());
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let metadata = json!({"a": "b"}).as_object().cloned().unwrap();
        let entries = [
            Entry {
                key: "one".to_owned(),
                vector: Some((vec![1.5, -2.0], metadata)),
            },
            Entry {
                key: "gone".to_owned(),
                vector: None,
            },
            Entry {
                key: "two".to_owned(),
                vector: Some((vec![0.1, f32::MIN_POSITIVE], Metadata::new())),
            },
        ];
        let document = Arc::new(write(2, &entries).unwrap());
        let read_back: Vec<_> = read(&document).unwrap().iter().map(Stored::to_entry).collect();
        assert_eq!(read_back, entries);
    }

    #[test]
    fn damage_is_an_error() {
        let whole = write(
            1,
            &[Entry {
                key: "k".to_owned(),
                vector: Some((vec![1.0], Metadata::new())),
            }],
        )
        .unwrap();
        for length in 0..whole.len() {
            assert!(read(&Arc::new(whole[..length].to_vec())).is_err(), "{length}");
        }
    }
}
