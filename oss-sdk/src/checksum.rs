//! CRC-64 as the service computes it (CRC-64/XZ), running, continued, and combined across parts; CRC-32 of frames.

use std::fmt;

mod crc32;

pub(crate) use self::crc32::Crc32;

/// The reflected ECMA-182 polynomial.
const POLYNOMIAL: u64 = 0xC96C_5795_D787_0F42;

/// A running CRC-64, the one of the header `x-oss-hash-crc64ecma`.
///
/// ```
/// use oss_sdk::Crc64;
///
/// let mut whole = Crc64::new();
/// whole.update(b"123456789");
/// assert_eq!(whole.value(), 0x995d_c9bb_df19_39fa);
///
/// let (first, second) = (Crc64::of(b"1234"), Crc64::of(b"56789"));
/// assert_eq!(Crc64::combine(first, second, 5), whole.value());
/// ```
#[derive(Clone)]
pub struct Crc64 {
    digest: crc64fast::Digest,
    /// What came before the digest's bytes, when it was continued from a value.
    before: u64,
    length: u64,
}

impl Crc64 {
    /// The CRC of no bytes: 0.
    pub fn new() -> Self {
        Self::continued(0)
    }

    /// A CRC that goes on from the value of earlier bytes, as for appending.
    pub fn continued(value: u64) -> Self {
        Self {
            digest: crc64fast::Digest::new(),
            before: value,
            length: 0,
        }
    }

    /// The CRC of `bytes`.
    pub fn of(bytes: &[u8]) -> u64 {
        let mut crc = Self::new();
        crc.update(bytes);
        crc.value()
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.digest.write(bytes);
        self.length += bytes.len() as u64;
    }

    /// The CRC of all bytes so far.
    pub fn value(&self) -> u64 {
        match self.before {
            0 => self.digest.sum64(),
            before => Self::combine(before, self.digest.sum64(), self.length),
        }
    }

    /// The CRC of two runs of bytes one after the other, from the CRC of each and the length of the second.
    ///
    /// Takes about a microsecond, whatever the length.
    pub fn combine(first: u64, second: u64, second_length: u64) -> u64 {
        if second_length == 0 {
            return first;
        }
        // Appending a zero bit multiplies by x, so `8 * second_length` of them by that power of x, which is the product
        // of the powers for the bits of the length.
        let mut crc = first;
        let mut remaining = second_length;
        for power in &POWERS {
            if remaining == 0 {
                break;
            }
            if remaining & 1 != 0 {
                crc = product(*power, crc);
            }
            remaining >>= 1;
        }
        crc ^ second
    }
}

impl Default for Crc64 {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Crc64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crc64")
            .field("value", &self.value())
            .field("length", &self.length)
            .finish()
    }
}

/// The polynomial 1. Polynomials are reflected, like the CRC: the highest bit is the coefficient of x^0.
const ONE: u64 = 1 << 63;

/// x to the power of 8 * 2^n, modulo the CRC's polynomial.
static POWERS: [u64; 64] = powers();

const fn powers() -> [u64; 64] {
    let mut powers = [0; 64];
    let mut power = ONE >> 8;
    let mut n = 0;
    while n < 64 {
        powers[n] = power;
        power = product(power, power);
        n += 1;
    }
    powers
}

/// Product of two polynomials over GF(2), modulo the CRC's.
const fn product(mut a: u64, mut b: u64) -> u64 {
    let mut sum = 0;
    while a != 0 {
        if a & ONE != 0 {
            sum ^= b;
        }
        a <<= 1;
        // Times x.
        b = if b & 1 != 0 { (b >> 1) ^ POLYNOMIAL } else { b >> 1 };
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combining_equals_computing_at_once_for_every_split() {
        let data: Vec<u8> = (0..700_u32).map(|n| ((n * 7919) >> 3) as u8).collect();
        let whole = Crc64::of(&data);
        for split in 0..=data.len() {
            let (first, second) = data.split_at(split);
            assert_eq!(
                Crc64::combine(Crc64::of(first), Crc64::of(second), second.len() as u64),
                whole,
                "{split}"
            );
            let mut continued = Crc64::continued(Crc64::of(first));
            continued.update(second);
            assert_eq!(continued.value(), whole, "{split}");
        }
    }

    #[test]
    fn long_parts_are_combined_without_their_bytes() {
        let (first, second, third) = (Crc64::of(b"a"), 0x1234_5678_9abc_def0, 0xfeed);
        let (long, longer) = (48 << 40, 5 << 30);
        assert_eq!(
            Crc64::combine(Crc64::combine(first, second, long), third, longer),
            Crc64::combine(first, Crc64::combine(second, third, longer), long + longer),
            "combining is associative"
        );
    }
}
