//! What the runtime tells `tracing` of calls, attempts and what is on the wire.
