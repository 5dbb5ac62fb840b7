//! How long the silence of a connection may be: some operations have the service work, or wait, before it answers.

use std::time::Duration;

use crate::operation::OperationInput;

/// Copies, restores, completions and processing: the service answers when it is done.
const SLOW: Duration = Duration::from_secs(5 * 60);

/// An object that is processed on its way out, such as a frame of a video.
const PROCESSED: Duration = Duration::from_secs(60);

/// The service waits up to 5 seconds for the application, and asks it only when the object is stored.
const CALLBACK: Duration = Duration::from_secs(30);

/// The silence after which an attempt of this request is given up: the client's `usual` time, or longer for what is known
/// to take longer. Zero, which is never, stays never.
pub(super) fn patience(input: &OperationInput, usual: Duration) -> Duration {
    if usual.is_zero() {
        return usual;
    }
    let least = if input.traits.slow {
        SLOW
    } else if input.has_query("x-oss-process") || input.has_query("x-oss-async-process") {
        PROCESSED
    } else if input.traits.callback && asks_for_callback(input) {
        CALLBACK
    } else {
        return usual;
    };
    usual.max(least)
}

/// Whether the service is to tell an application of the object.
pub(super) fn asks_for_callback(input: &OperationInput) -> bool {
    input.headers.contains_key("x-oss-callback") || input.has_query("callback")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Call, Client};
    use crate::fake::{FakeTransport, Step};
    use crate::operation::Operation;
    use crate::operations::{
        AppendObjectRequest, CompleteMultipartUploadRequest, CopyObjectRequest, GetObjectRequest, ProcessObjectRequest,
        PutObjectRequest, RestoreObjectRequest, UploadPartCopyRequest,
    };
    use crate::time::monotonic;

    async fn silence<O: Operation>(call: impl FnOnce(&Client) -> Call<'_, O>, usual: Option<u64>) -> u64 {
        let transport = FakeTransport::new([Step::Hang]);
        let mut config = transport.config();
        if let Some(usual) = usual {
            config = config.idle_timeout(Duration::from_secs(usual));
        }
        let client = Client::new(config).unwrap();
        let start = monotonic();
        assert!(call(&client).retry_attempts(1).await.is_err());
        start.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_takes_longer_is_given_longer() {
        let put = || PutObjectRequest::new("bucket", "key").body("x");
        let get = || GetObjectRequest::new("bucket", "key");
        for (usual, ordinary) in [(None, 20), (Some(3), 3), (Some(1000), 1000)] {
            let at_least = |seconds: u64| seconds.max(ordinary);
            assert_eq!(silence(|client| client.put_object(put()), usual).await, ordinary);
            assert_eq!(silence(|client| client.get_object(get()), usual).await, ordinary);
            let append = AppendObjectRequest::new("bucket", "key", 0).body("x");
            assert_eq!(silence(|client| client.append_object(append), usual).await, ordinary);

            let copy = CopyObjectRequest::new("bucket", "key", "source");
            assert_eq!(silence(|client| client.copy_object(copy), usual).await, at_least(300));
            let part = UploadPartCopyRequest::new("bucket", "key", "id", 1, "source");
            assert_eq!(
                silence(|client| client.upload_part_copy(part), usual).await,
                at_least(300)
            );
            let complete = CompleteMultipartUploadRequest::new("bucket", "key", "id");
            assert_eq!(
                silence(|client| client.complete_multipart_upload(complete), usual).await,
                at_least(300)
            );
            let restore = RestoreObjectRequest::new("bucket", "key");
            assert_eq!(
                silence(|client| client.restore_object(restore), usual).await,
                at_least(300)
            );
            let process = ProcessObjectRequest::new("bucket", "key", "image/resize,w_100");
            assert_eq!(
                silence(|client| client.process_object(process), usual).await,
                at_least(300)
            );

            let frame = get().process("video/snapshot,t_7000");
            assert_eq!(silence(|client| client.get_object(frame), usual).await, at_least(60));
            let told = put().callback("e30=");
            assert_eq!(silence(|client| client.put_object(told), usual).await, at_least(30));
        }
    }
}
