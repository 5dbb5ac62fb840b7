//! An OSS server on your own machine, for tests and laptops.
//!
//! It interprets the API models at run time, verifies signatures by its own code, and keeps objects in memory or in a directory.
//!
//! ```no_run
//! # async fn run() -> Result<(), oss_emulator::StartError> {
//! let emulator = oss_emulator::Emulator::start().await?;
//! println!("{} {}", emulator.endpoint(), emulator.access_key_id());
//! emulator.shutdown().await;
//! # Ok(()) }
//! ```

mod access;
mod access_log;
mod address;
mod admin;
mod answer;
mod auth;
mod body;
mod callback;
mod config;
mod cors;
mod document;
mod emulator;
mod error;
mod error_start;
mod fault;
mod form;
mod frames;
mod handle;
mod health;
mod input;
pub mod interpreter;
mod metadata_server;
mod metrics;
pub mod model;
mod observe;
mod oidc;
mod operations;
mod pace;
mod picture;
mod policy;
mod request;
mod request_log;
mod roles;
mod route;
mod seed;
mod select;
mod server;
mod state;
mod store;
mod store_error;
mod text;
mod time;
mod tls;
mod value;
mod website;

pub use access_log::AccessLog;
pub use admin::AdminOptions;
pub use config::{Builder, DEFAULT_ACCESS_KEY_ID, DEFAULT_ACCESS_KEY_SECRET, DEFAULT_ACCOUNT_ID, DEFAULT_REGION};
pub use emulator::Emulator;
pub use error_start::StartError;
pub use fault::{Fault, FaultAction, Faults};
pub use metadata_server::EcsMetadata;
pub use oidc::{OidcIssuer, OidcProvider};
pub use operations::inventory::InventoryReport;
pub use operations::lifecycle::LifecycleReport;
pub use request_log::{RequestLog, RequestRecord};
pub use roles::Role;
pub use store::StoreError;
pub use time::Clock;
pub use tls::Tls;
