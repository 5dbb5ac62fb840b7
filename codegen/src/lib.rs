//! Models of the OSS API, checked and turned into Rust.
//!
//! `load -> resolve -> lint -> emit`: each stage is a function from values to values, in a module of its name.
//! [`load_dir`] is the only input; nothing here writes, asks for the time or reads the environment.

pub mod api;
#[cfg(feature = "yaml")]
pub mod diagnostic;
pub mod emit;
#[cfg(feature = "format")]
pub mod format;
#[cfg(feature = "yaml")]
pub mod lint;
#[cfg(feature = "yaml")]
mod load;
#[cfg(feature = "yaml")]
pub mod model;
pub mod names;
#[cfg(feature = "format")]
pub mod output;
#[cfg(feature = "yaml")]
pub mod resolve;
#[cfg(feature = "templates")]
pub mod scaffold;
#[cfg(feature = "yaml")]
pub mod spans;

#[cfg(feature = "yaml")]
pub use diagnostic::{Diagnostic, Diagnostics};
#[cfg(feature = "yaml")]
pub use lint::explain;
#[cfg(feature = "yaml")]
pub use load::{LoadError, SourceFile, load, load_dir};
