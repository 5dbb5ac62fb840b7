//! Bandwidth that uploads and downloads may use.
