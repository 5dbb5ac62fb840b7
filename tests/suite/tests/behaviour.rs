//! The same behaviour through both doors: each test is listed twice, once for the async API and once for the blocking
//! one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::duplicate_mod, reason = "that is the point")]

/// Through the async API.
#[path = "behaviour"]
mod awaited {
    use oss_suite::door::awaited as door;

    mod bad_input;
    mod broken_connections;
    mod objects;
    mod presign;
    mod services;
    mod waiters;
}

/// Through the blocking API.
#[path = "behaviour"]
mod blocking {
    use oss_suite::door::blocking as door;

    mod bad_input;
    mod broken_connections;
    mod objects;
    mod presign;
    mod services;
    mod waiters;
}
