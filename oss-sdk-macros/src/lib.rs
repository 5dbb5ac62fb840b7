//! Derive macros of `oss-sdk`.
