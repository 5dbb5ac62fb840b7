//! Models of the OSS API, checked and turned into Rust.
//!
//! `load -> resolve -> lint -> emit`: each stage is a function from values to values, in a module of its name.

pub mod api;
