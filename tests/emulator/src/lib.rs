//! An OSS server on your own machine.
