//! Buckets and objects for the page: looked at in the store, read and changed by the service's own operations.
//!
//! So whatever the service refuses (a held version, a name that cannot be) is refused here by the same code. Only who may do it
//! is not asked: whoever shows the token acts as the owner.

mod act;
mod bucket;
mod content;
mod listing;
mod object;
mod preview;

use super::Admin;
use super::answers::{Refusal, Reply};
use super::router::Ask;

/// Answers `/_admin/{what}`.
pub(super) async fn answer(admin: &Admin, what: &str, ask: Ask) -> Result<Reply, Refusal> {
    match what {
        "bucket" => bucket::answer(admin, ask).await,
        "objects" => listing::objects(admin, &ask),
        "versions" => listing::versions(admin, &ask),
        "object" => object::answer(admin, ask).await,
        "content" => content::answer(admin, ask).await,
        _ => Err(Refusal::not_found("There is nothing at this address.")),
    }
}
