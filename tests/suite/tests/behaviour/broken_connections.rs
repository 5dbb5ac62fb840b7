//! A broken connection costs a retry, not an operation. `cargo xtask soak broken-downloads` is the long version.

use bytes::Bytes;
use oss_sdk::{Config, Error, GetObjectRequest};
use oss_suite::soak::broken_downloads_by;

use super::door::{Client, Go, Payload};

async fn download(config: Config, request: GetObjectRequest) -> Result<Bytes, Error> {
    let object = Client::new(config)?.get_object(request).go().await?;
    object.body.read().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_survives_cuts_at_any_byte() {
    let report = broken_downloads_by(download, 1, 20, 3 * 1024 * 1024).await.unwrap();
    assert_eq!(report.downloads, 20);
    assert!(report.cuts >= 20, "connections were not cut: {report}");
}
