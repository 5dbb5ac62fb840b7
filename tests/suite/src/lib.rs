//! `oss-sdk` against `oss-emulator`: what the tests of this package share.

pub mod fixture;
pub mod plain;
pub mod proxy;
pub mod random;
pub mod script;
pub mod soak;
