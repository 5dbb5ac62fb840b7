//! `oss-sdk` against `oss-emulator`: what the tests of this package share.

pub mod arbitrary;
pub mod clock;
pub mod curl;
pub mod door;
pub mod fixture;
pub mod forward;
#[rustfmt::skip]
pub mod generated;
pub mod obstacle;
pub mod plain;
pub mod proxy;
pub mod random;
pub mod requests;
pub mod script;
pub mod soak;
pub mod wire;
