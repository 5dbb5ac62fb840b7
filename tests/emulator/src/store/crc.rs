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

/// The CRC of `ab` from those of `a` and `b` and the length of `b` in bytes.
///
/// Appending a zero bit to a message is a linear map of its CRC; squaring the map three times makes
/// it a zero byte, and square-and-multiply over the bits of the length makes it all of `b`'s room.
pub(crate) fn combine(first: u64, second: u64, second_len: u64) -> u64 {
    let mut shift: Matrix = std::array::from_fn(|bit| match bit {
        0 => POLYNOMIAL,
        _ => 1 << (bit - 1),
    });
    for _ in 0..3 {
        shift = square(&shift);
    }

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

/// The CRC of bytes at hand.
#[cfg(test)]
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
    fn nothing_is_neutral_and_huge_lengths_end() {
        assert_eq!(combine(7, 0, 0), 7);
        assert_eq!(combine(0, 7, 12), 7);
        let split = combine(combine(99, 0, u64::MAX - 5), 0, 5);
        assert_eq!(split, combine(99, 0, u64::MAX));
    }
}
