//! Forms by which browsers upload objects: what they may send, and the signature over it.
