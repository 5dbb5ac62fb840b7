//! Alibaba Cloud Object Storage Service (OSS) for Rust.
