//! The Security Token Service: temporary credentials for roles.
//!
//! [`Client`] is a client of its own over the same settings as [`oss_sdk::Client`](crate::Client). Without an endpoint
//! it talks to `sts.{region}.aliyuncs.com`, or to `sts-vpc.{region}.aliyuncs.com` from within the cloud; without a region
//! to `sts.aliyuncs.com`.
//!
//! To have a client renew such credentials by itself, see `credentials::RamRoleCredentials` (feature `credentials`).

pub use crate::generated::sts::operations::*;
pub use crate::generated::sts::{errors, types};

use crate::credentials;
use crate::secret::Secret;

crate::client::service_client! {
    /// A client of the Security Token Service.
    ///
    /// Cloning it is cheap and shares connections. Settings are those of [`Config`](crate::Config). An
    /// [`endpoint`](crate::Config::endpoint) is one of STS, not of the object service.
    crate::generated::sts::SERVICE
}

/// To sign requests to the object service with.
impl From<types::Credentials> for credentials::Credentials {
    fn from(theirs: types::Credentials) -> Self {
        credentials::Credentials::new(theirs.access_key_id, theirs.access_key_secret)
            .with_security_token(Secret::new(theirs.security_token))
            .with_expiration(theirs.expiration)
    }
}
