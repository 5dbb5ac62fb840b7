//! Code that `cargo xtask codegen` writes: samples of all operations, and the operations of models that are hard to
//! generate from.

pub mod obstacle;
pub mod wire;
