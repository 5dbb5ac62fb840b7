//! Agentic buckets, and the bucket spaces in them.
//!
//! An agentic bucket is the parent of bucket spaces, which are buckets of the object service. Both have a short name,
//! which is what the requests here and those of [`bucket_space_client`] take, and a name that the service calls them by,
//! which contains the account and the region and is part of hosts and signatures. Where another member of a request
//! names such a bucket, it takes the service's name: [`agentic_bucket_name`] and [`bucket_space_name`] tell it.
//!
//! The first label of a host can have 63 characters, and the service's name takes many of them: a short name that leaves
//! no room is refused before anything is sent. [`Config::bucket_alias`] makes hosts shorter.
//!
//! ```no_run
//! # async fn example() -> Result<(), oss_sdk::Error> {
//! use oss_sdk::agentic::{Client, GetAgenticBucketRequest, agentic_bucket_name, bucket_space_client};
//! use oss_sdk::{Config, PutBucketRequest, PutObjectRequest};
//!
//! let config = Config::from_env()?.account_id("1234567890123456").region("cn-hangzhou");
//! let parent = Client::new(config.clone())?;
//! parent.get_agentic_bucket(GetAgenticBucketRequest::new("agents")).await?;
//!
//! let spaces = bucket_space_client(config)?;
//! let name = agentic_bucket_name("agents", "1234567890123456", "cn-hangzhou")?;
//! spaces.put_bucket(PutBucketRequest::new("memory").agentic_bucket(name)).await?;
//! spaces.put_object(PutObjectRequest::new("memory", "notes.md").body("...")).await?;
//! # Ok(())
//! # }
//! ```

use crate::config::Config;
use crate::endpoint::{account_id_rule, region_rule};
use crate::error::Error;
pub use crate::generated::agentic::operations::*;
pub use crate::generated::agentic::{errors, types};
use crate::naming::{BUCKET_SPACES, Naming};

crate::client::service_client! {
    /// A client of the agentic bucket service.
    ///
    /// Cloning it is cheap and shares connections. Settings are those of [`Config`](crate::Config), of which
    /// [`account_id`](crate::Config::account_id) and [`region`](crate::Config::region) are required, with an endpoint
    /// too: they are part of what buckets are called.
    crate::generated::agentic::SERVICE, user_agent = "agentic-client"
}

/// A client of the object service whose buckets are bucket spaces: every operation takes the space's short name as its
/// bucket.
///
/// The service's own name is taken as well. A copy without a source bucket is one within the space; a
/// source bucket that is given is named as [`bucket_space_name`] says, or is an ordinary bucket. To create a space, put a
/// bucket and name its parent in the member `agentic_bucket`.
///
/// # Errors
///
/// As [`oss_sdk::Client::new`](crate::Client::new); [`account_id`](Config::account_id) and [`region`](Config::region) are
/// required.
pub fn bucket_space_client(mut config: Config) -> Result<crate::Client, Error> {
    config.naming = Some(BUCKET_SPACES);
    crate::Client::new(config.tagged("bucketspace-client"))
}

/// What the service calls an agentic bucket: `{bucket}-{account_id}-{region}-ab-apsr`.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) with the name of an argument that cannot be part of a name.
pub fn agentic_bucket_name(bucket: &str, account_id: &str, region: &str) -> Result<String, Error> {
    let naming = Naming::of(&crate::generated::agentic::SERVICE);
    name(naming.unwrap_or(BUCKET_SPACES), bucket, account_id, region)
}

/// What the service calls a bucket space: `{bucket}-{account_id}-{region}-bs-apsr`.
///
/// # Errors
///
/// As [`agentic_bucket_name`].
pub fn bucket_space_name(bucket: &str, account_id: &str, region: &str) -> Result<String, Error> {
    name(BUCKET_SPACES, bucket, account_id, region)
}

fn name(naming: Naming, bucket: &str, account_id: &str, region: &str) -> Result<String, Error> {
    if let Some(rule) = account_id_rule(account_id) {
        return Err(Error::invalid_input("account_id", rule));
    }
    if let Some(rule) = region_rule(region) {
        return Err(Error::invalid_input("region", rule));
    }
    Ok(naming.named(bucket, account_id, region)?.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Answer, FakeTransport};
    use crate::{DeleteObjectRequest, ErrorKind};

    #[test]
    fn names_have_account_and_region_and_an_end_of_their_own() {
        let name = agentic_bucket_name("demo", "123", "cn-hangzhou").unwrap();
        assert_eq!(name, "demo-123-cn-hangzhou-ab-apsr");
        assert_eq!(agentic_bucket_name(&name, "123", "cn-hangzhou").unwrap(), name);
        let name = bucket_space_name("demo", "123", "cn-hangzhou").unwrap();
        assert_eq!(name, "demo-123-cn-hangzhou-bs-apsr");
        for (bucket, account, region, member) in [
            ("Demo", "123", "cn-hangzhou", "bucket"),
            ("demo", "12a", "cn-hangzhou", "account_id"),
            ("demo", "", "cn-hangzhou", "account_id"),
            ("demo", "123", "", "region"),
            ("demo", "123", "a/b", "region"),
        ] {
            let error = bucket_space_name(bucket, account, region).unwrap_err();
            assert_eq!((error.kind(), error.member()), (ErrorKind::InvalidInput, Some(member)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn operations_of_the_object_service_reach_bucket_spaces() {
        let transport = FakeTransport::new([Answer::new(204, "").into()]);
        let client = bucket_space_client(transport.config().account_id("123")).unwrap();
        client
            .delete_object(DeleteObjectRequest::new("demo", "k"))
            .await
            .unwrap();
        let sent = transport.sent().remove(0);
        assert_eq!(
            sent.url,
            "https://demo-123-cn-hangzhou-bs-apsr.oss-cn-hangzhou.aliyuncs.com/k"
        );
        assert!(sent.header("user-agent").unwrap().contains("/bucketspace-client"));
        let error = bucket_space_client(transport.config()).unwrap_err();
        assert_eq!((error.kind(), error.member()), (ErrorKind::Config, Some("account_id")));
    }

    #[tokio::test(start_paused = true)]
    async fn requests_for_agentic_buckets_name_them_as_the_service_does() {
        let document = "<AgenticBucketInfo/>";
        let transport = FakeTransport::new([Answer::new(200, document).into()]);
        let config = transport.config().account_id("123").bucket_alias(true);
        let client = Client::new(config).unwrap();
        // What the answer has to hold is not the question here.
        let _ = client.get_agentic_bucket(GetAgenticBucketRequest::new("demo")).await;
        assert_eq!(
            transport.sent()[0].url,
            "https://demo-alias-ab-apsr.oss-cn-hangzhou.aliyuncs.com/?agenticBucket"
        );
    }
}
