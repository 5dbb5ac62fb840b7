//! Buffers of a reader that go round: what was sent is filled again, instead of new memory for every chunk, which the
//! system would have to clear page by page.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Most buffers that wait to be filled: one is read, one is sent.
const KEPT: usize = 2;

/// The buffers of one reader.
#[derive(Clone, Default)]
pub(crate) struct Buffers {
    free: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Buffers {
    /// A buffer of so many bytes, whatever they are.
    pub(crate) fn take(&self, len: usize) -> Vec<u8> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffer = free.unwrap_or_default();
        buffer.resize(len, 0);
        buffer
    }

    /// Bytes whose buffer comes back when the last user drops them.
    pub(crate) fn lend(&self, buffer: Vec<u8>) -> Bytes {
        Bytes::from_owner(Lent {
            buffer,
            home: self.clone(),
        })
    }
}

struct Lent {
    buffer: Vec<u8>,
    home: Buffers,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut free = self.home.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEPT {
            free.push(std::mem::take(&mut self.buffer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_its_last_user_is_gone() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take(8);
        buffer.copy_from_slice(b"contents");
        let at = buffer.as_ptr();
        let bytes = buffers.lend(buffer);
        let tail = bytes.slice(3..);
        drop(bytes);
        assert_eq!(&tail[..], b"tents");
        let other = buffers.take(8);
        assert_ne!(other.as_ptr(), at, "somebody still reads it");
        drop(tail);
        let again = buffers.take(4);
        assert_eq!(again.as_ptr(), at);
    }
}
