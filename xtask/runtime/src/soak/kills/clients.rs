//! The clients of a round, and the buckets that all writers share.

use oss_sdk::tables::{self, CreateNamespaceRequest, CreateTableBucketRequest};
use oss_sdk::types::{VersioningConfiguration, VersioningStatus};
use oss_sdk::vectors::{self, PutVectorBucketRequest, PutVectorIndexRequest};
use oss_sdk::{Client, Config, Credentials, PutBucketRequest, PutBucketVersioningRequest};

use super::super::server::{KEY, REGION, Server};

pub(super) const PLAIN: &str = "soak-plain";
pub(super) const VERSIONED: &str = "soak-versioned";
pub(super) const VECTORS: &str = "soak-vectors";

/// The bucket whose settings a writer changes.
pub(super) fn settings_bucket(writer: u64) -> String {
    format!("soak-settings-{writer}")
}

/// The bucket that a writer makes and deletes.
pub(super) fn made_bucket(writer: u64) -> String {
    format!("soak-made-{writer}")
}

/// A writer's index of vectors.
pub(super) fn index(writer: u64) -> String {
    format!("index{writer}")
}

/// A writer's namespace of tables.
pub(super) fn namespace(writer: u64) -> String {
    format!("writer{writer}")
}

/// Clients that do not try again, so that every outcome is that of one request.
#[derive(Clone)]
pub(super) struct Clients {
    pub(super) objects: Client,
    pub(super) vectors: vectors::Client,
    pub(super) tables: tables::Client,
    /// The bucket of all tables.
    pub(super) lake: String,
}

impl Clients {
    pub(super) fn new(server: &Server, lake: &str) -> Result<Self, String> {
        let config = Config::new()
            .region(REGION)
            .endpoint(server.endpoint())
            .account_id("1234567890123456")
            .credentials(Credentials::new(KEY.0, KEY.1))
            .retry_attempts(1);
        Ok(Self {
            objects: server.client()?,
            vectors: vectors::Client::new(config.clone()).map_err(|error| error.to_string())?,
            tables: tables::Client::new(config).map_err(|error| error.to_string())?,
            lake: lake.to_owned(),
        })
    }

    /// Makes what the writers need, and returns the bucket of all tables.
    pub(super) async fn prepare(&self, writers: u64) -> Result<String, oss_sdk::Error> {
        for bucket in [PLAIN, VERSIONED] {
            self.objects.put_bucket(PutBucketRequest::new(bucket)).await?;
        }
        let enabled = VersioningConfiguration::default().status(VersioningStatus::Enabled);
        let request = PutBucketVersioningRequest::new(VERSIONED, enabled);
        self.objects.put_bucket_versioning(request).await?;
        self.vectors
            .put_vector_bucket(PutVectorBucketRequest::new(VECTORS))
            .await?;
        let lake = self
            .tables
            .create_table_bucket(CreateTableBucketRequest::new("soak-lake"))
            .await?
            .arn;
        for writer in 0..writers {
            let request = PutBucketRequest::new(settings_bucket(writer));
            self.objects.put_bucket(request).await?;
            let request = PutVectorIndexRequest::new(VECTORS, index(writer), "float32", 2, "euclidean");
            self.vectors.put_vector_index(request).await?;
            let request = CreateNamespaceRequest::new(&lake, [namespace(writer)]);
            self.tables.create_namespace(request).await?;
        }
        Ok(lake)
    }
}
