//! CRC-32 (IEEE 802.3), the one in the frames of `SelectObject`.

/// A running CRC-32.
#[derive(Debug, Clone)]
pub(crate) struct Crc32(crc32fast::Hasher);

impl Crc32 {
    /// The CRC of no bytes.
    pub(crate) fn new() -> Self {
        Crc32(crc32fast::Hasher::new())
    }

    /// The CRC of `bytes`.
    #[cfg(test)]
    pub(crate) fn of(bytes: &[u8]) -> u32 {
        crc32fast::hash(bytes)
    }

    /// Takes in more bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The CRC of all bytes so far.
    pub(crate) fn value(&self) -> u32 {
        self.0.clone().finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_come_out() {
        assert_eq!(Crc32::of(b""), 0);
        assert_eq!(Crc32::of(b"123456789"), 0xCBF4_3926);
        assert_eq!(Crc32::of(&[0; 32]), 0x190A_55AD);
        assert_eq!(Crc32::of(&[0xFF; 32]), 0xFF6C_AB0B);
    }

    #[test]
    fn the_split_of_the_bytes_does_not_matter() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let whole = Crc32::of(&bytes);
        for at in 0..bytes.len() {
            let mut crc = Crc32::new();
            crc.update(&bytes[..at]);
            crc.update(&bytes[at..]);
            assert_eq!(crc.value(), whole, "{at}");
        }
    }
}
