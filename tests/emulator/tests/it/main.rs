//! The emulator over HTTP, as any client would use it.

mod auth;
mod buckets;
mod client;
mod faults;
mod lifecycle;
mod listing;
mod multipart;
mod objects;
mod services;
mod versioning;
