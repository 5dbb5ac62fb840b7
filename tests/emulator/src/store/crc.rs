//! Combining CRC-64/XZ values, so that the checksum of joined parts needs no second reading.

/// The ECMA-182 polynomial with its bits reflected.
const POLYNOMIAL: u64 = 0xC96C_5795_D787_0F42;

/// A linear map over 64-bit vectors: column `i` is the image of bit `i`.
type Matrix = [u64; 64];

fn apply(matrix: &Matrix, mut vector: u64) -> u64 {
    let mut image = 0;
    for column in matrix {
        if vector & 1 == 1 {
            image ^= column;
        }
        vector >>= 1;
    }
    image
}

fn square(matrix: &Matrix) -> Matrix {
    matrix.map(|column| apply(matrix, column))
}

/// The map of appending zero bytes.
///
/// Appending a zero bit to a message is a linear map of its CRC; squaring the map three times makes
/// it a zero byte, and square-and-multiply over the bits of a length makes it all of that room.
fn zero_byte() -> Matrix {
    let mut shift: Matrix = std::array::from_fn(|bit| match bit {
        0 => POLYNOMIAL,
        _ => 1 << (bit - 1),
    });
    for _ in 0..3 {
        shift = square(&shift);
    }
    shift
}

/// The CRC of `ab` from those of `a` and `b` and the length of `b` in bytes.
pub(crate) fn combine(first: u64, second: u64, second_len: u64) -> u64 {
    let mut shift = zero_byte();
    let mut shifted = first;
    let mut left = second_len;
    while left > 0 {
        if left & 1 == 1 {
            shifted = apply(&shift, shifted);
        }
        left >>= 1;
        if left > 0 {
            shift = square(&shift);
        }
    }
    shifted ^ second
}

/// The CRC of content that comes in pieces whose CRCs are known.
#[derive(Default)]
pub(crate) struct Joined {
    sum: u64,
    /// What makes room for a piece of the length that came last: nearly all pieces are equally long.
    shift: Option<(u64, Box<Matrix>)>,
}

impl Joined {
    /// Adds the CRC of the next piece.
    pub(crate) fn add(&mut self, crc64: u64, len: u64) {
        // Zero is shifted to zero.
        if self.sum == 0 {
            self.sum = crc64;
            return;
        }
        let made = self.shift.take().filter(|(made, _)| *made == len);
        let (len, shift) = made.unwrap_or_else(|| (len, Box::new(room(len))));
        self.sum = apply(&shift, self.sum) ^ crc64;
        self.shift = Some((len, shift));
    }

    /// The CRC of all that was added.
    pub(crate) fn sum(&self) -> u64 {
        self.sum
    }
}

/// The map that makes room for so many bytes.
fn room(mut len: u64) -> Matrix {
    let mut shift = zero_byte();
    let mut all: Matrix = std::array::from_fn(|bit| 1 << bit);
    while len > 0 {
        if len & 1 == 1 {
            all = all.map(|column| apply(&shift, column));
        }
        len >>= 1;
        if len > 0 {
            shift = square(&shift);
        }
    }
    all
}

/// The CRC of bytes at hand.
pub(crate) fn of(bytes: &[u8]) -> u64 {
    let mut digest = crc64fast::Digest::new();
    digest.write(bytes);
    digest.sum64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue_is_met() {
        assert_eq!(of(b"123456789"), 0x995d_c9bb_df19_39fa);
    }

    #[test]
    fn combining_equals_hashing_at_every_cut() {
        let bytes: Vec<u8> = (0..1500_u32).map(|i| (i * 31 % 251) as u8).collect();
        let whole = of(&bytes);
        for cut in 0..=bytes.len() {
            let (a, b) = bytes.split_at(cut);
            assert_eq!(combine(of(a), of(b), b.len() as u64), whole, "cut at {cut}");
        }
    }

    #[test]
    fn joined_pieces_equal_the_whole() {
        let bytes: Vec<u8> = (0..5000_u32).map(|i| (i * 31 % 251) as u8).collect();
        for piece in [1, 7, 64, 1000, 5000] {
            let mut joined = Joined::default();
            for piece in bytes.chunks(piece) {
                joined.add(of(piece), piece.len() as u64);
            }
            assert_eq!(joined.sum(), of(&bytes), "pieces of {piece}");
        }
    }

    #[test]
    fn nothing_is_neutral_and_huge_lengths_end() {
        assert_eq!(combine(7, 0, 0), 7);
        assert_eq!(combine(0, 7, 12), 7);
        let split = combine(combine(99, 0, u64::MAX - 5), 0, 5);
        assert_eq!(split, combine(99, 0, u64::MAX));
    }
}
