//! `oss-sdk` against `oss-emulator`.
