//! The emulator over HTTP, as any client would use it.

#![expect(clippy::unwrap_used, reason = "a helper that fails ends its test")]

mod access_log;
mod admin;
mod agentic;
mod audit_objects;
mod audit_reading;
mod auth;
mod browse;
mod buckets;
mod callbacks;
mod client;
mod config;
mod cors;
mod damage;
mod dataprocess;
mod day;
mod faults;
mod faults_rules;
mod forms;
mod guards;
mod hostile_auth;
mod hostile_http;
mod hostile_objects;
mod identity;
mod killed;
mod leaks;
mod lifecycle;
mod listing;
mod live;
mod malformed;
mod metadata;
mod multipart;
mod objects;
mod pictures;
mod program;
mod protection;
mod records;
mod restore;
mod security;
mod seeds;
mod selects;
mod server;
mod services;
mod settings;
mod settings_every;
mod settings_states;
mod settings_time;
#[cfg(unix)]
mod signals;
mod storage;
mod tables;
mod transport;
mod vectors;
mod versioning;
mod websites;
