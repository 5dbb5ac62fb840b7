//! The API without async, inside and outside of a runtime.
