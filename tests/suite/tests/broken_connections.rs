//! A broken connection costs a retry, not an operation. `cargo xtask soak broken-downloads` is the long version.

use oss_suite::soak::broken_downloads;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_survives_cuts_at_any_byte() {
    let report = broken_downloads(1, 20, 3 * 1024 * 1024).await.unwrap();
    assert_eq!(report.downloads, 20);
    assert!(report.cuts >= 20, "connections were not cut: {report}");
}
