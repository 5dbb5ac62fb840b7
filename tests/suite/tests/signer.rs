//! A signer of one's own: the key is with somebody else, and the client never sees it.

use std::time::Duration;

use oss_sdk::signer::{Signature, Signer, SignerV4, SigningError, SigningRequest};
use oss_sdk::{Credentials, GetObjectRequest, PutObjectRequest};
use oss_suite::fixture::{BUCKET, Fixture, builder};
use oss_suite::plain::send;

/// Signs with its own key, as a signing service would, whatever secret the client has.
#[derive(Debug)]
struct SigningService {
    key: Credentials,
    signer: SignerV4,
}

impl Signer for SigningService {
    fn sign(&self, request: &SigningRequest<'_>, credentials: &Credentials) -> Result<Signature, SigningError> {
        assert_eq!(credentials.access_key_id(), self.key.access_key_id());
        if request.key == Some("forbidden") {
            return Err(SigningError::new(
                "key",
                "must not be `forbidden`, says the signing service",
            ));
        }
        self.signer.sign(request, &self.key)
    }
}

#[tokio::test]
async fn a_signer_of_ones_own_signs_requests_and_links() {
    let Fixture { emulator, .. } = &Fixture::start().await;
    let signer = SigningService {
        key: Credentials::new(emulator.access_key_id(), emulator.access_key_secret()),
        signer: SignerV4::new(),
    };
    let client = builder(emulator)
        .credentials(Credentials::new(emulator.access_key_id(), "unknown-to-this-process"))
        .signer(signer)
        .build()
        .unwrap();
    client
        .put_object(PutObjectRequest::new(BUCKET, "k").body("v"))
        .await
        .unwrap();
    let get = client.get_object(GetObjectRequest::new(BUCKET, "k"));
    let link = get.presign(Duration::from_secs(60)).await.unwrap();
    assert_eq!(send(&link, "").await.text, "v");

    let refused = client.get_object(GetObjectRequest::new(BUCKET, "forbidden")).await;
    let refused = refused.unwrap_err();
    assert!(refused.to_string().contains("says the signing service"), "{refused}");
    assert_eq!(refused.attempts(), 0, "nothing was sent");
}
