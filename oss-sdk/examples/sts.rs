//! Somebody with a key lets somebody without one upload: for a while, and into one folder only.
//!
//! ```console
//! cargo run -p oss-sdk --features sts,credentials --example sts
//! ```
//!
//! It starts the emulator in this process, so it needs no account. Against the real service, drop the lines that mention
//! the emulator: the supplier then needs a RAM user's key that may call `sts:AssumeRole`, and a role that trusts its
//! account and may write to the bucket.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use oss_emulator::{Clock, Emulator};
use oss_sdk::credentials::{self, CredentialsError, RamRoleCredentials, StaticCredentials};
use oss_sdk::sts::{self, AssumeRoleRequest};
use oss_sdk::{Client, Config, Credentials, GetObjectRequest, PutBucketRequest, PutObjectRequest};

type Problem = Box<dyn std::error::Error>;

const BUCKET: &str = "family-pictures";

#[tokio::main]
async fn main() -> Result<(), Problem> {
    // A clock that stands until it is moved, so that nobody has to wait for the end of the credentials.
    let clock = Clock::system();
    clock.freeze();
    let emulator = Emulator::builder().clock(clock.clone()).start().await?;
    let settings = || {
        Config::new()
            .region("cn-hangzhou")
            .endpoint(emulator.endpoint())
            .clock(EmulatorClock(clock.clone()))
    };
    let key = Credentials::new(emulator.access_key_id(), emulator.access_key_secret());

    let owner = Client::new(settings().credentials(key.clone()))?;
    owner.put_bucket(PutBucketRequest::new(BUCKET)).await?;

    // The supplier: the only one who has a key that lasts. It hands out what a guest may do, and for how long.
    let supplier = Arc::new(Supplier {
        sts: sts::Client::new(settings().credentials(key.clone()))?,
        role: format!("acs:ram::{}:role/guest", emulator.account_id()),
    });
    let supplied = supplier.credentials_of("anna").await?;
    let end = supplied.expiration().ok_or("temporary credentials have an end")?;
    println!("the supplier gives {} until {end}", supplied.access_key_id());

    // The guest: knows nothing but these credentials.
    let guest = Client::new(settings().credentials(supplied))?;
    guest
        .put_object(PutObjectRequest::new(BUCKET, "anna/1.jpg").body("a picture"))
        .await?;
    println!("anna uploads anna/1.jpg");
    let elsewhere = guest
        .put_object(PutObjectRequest::new(BUCKET, "ben/1.jpg").body("another"))
        .await;
    println!("anna uploads ben/1.jpg: {}", refused(elsewhere)?);
    let reading = guest.get_object(GetObjectRequest::new(BUCKET, "anna/1.jpg")).await;
    println!("anna reads anna/1.jpg:  {}", refused(reading)?);

    // A guest that asks the supplier again whenever its credentials are about to end.
    let lasting = {
        let supplier = Arc::clone(&supplier);
        let ask = move || {
            let supplier = Arc::clone(&supplier);
            async move { supplier.credentials_of("anna").await }
        };
        Client::new(settings().credentials_provider(credentials::from_fn(ask)))?
    };
    lasting
        .put_object(PutObjectRequest::new(BUCKET, "anna/2.jpg").body("a picture"))
        .await?;

    clock.advance(Duration::from_secs(901));
    let late = guest
        .put_object(PutObjectRequest::new(BUCKET, "anna/3.jpg").body("a picture"))
        .await;
    println!("a quarter of an hour later: {}", refused(late)?);
    lasting
        .put_object(PutObjectRequest::new(BUCKET, "anna/3.jpg").body("a picture"))
        .await?;
    println!("anna uploads anna/3.jpg with credentials that were supplied anew");

    // Whoever has the key itself needs no supplier: the client assumes the role and renews it.
    let role = RamRoleCredentials::new(&supplier.role, StaticCredentials::new(key)?)
        .policy(policy("anna"))
        .sts_endpoint(emulator.endpoint());
    let own = Client::new(settings().credentials_provider(role))?;
    own.put_object(PutObjectRequest::new(BUCKET, "anna/4.jpg").body("a picture"))
        .await?;
    println!("and anna/4.jpg as a role that the client assumed itself");
    Ok(())
}

/// Gives temporary credentials to guests.
struct Supplier {
    sts: sts::Client,
    role: String,
}

impl Supplier {
    async fn credentials_of(&self, guest: &str) -> Result<Credentials, CredentialsError> {
        let request = AssumeRoleRequest::new(&self.role, guest)
            .policy(policy(guest))
            .duration_seconds(900);
        match self.sts.assume_role(request).await {
            Ok(assumed) => Ok(assumed.credentials.into()),
            Err(error) if error.is_retryable() => Err(CredentialsError::retryable("STS is busy").with_source(error)),
            Err(error) => Err(CredentialsError::new("STS refuses").with_source(error)),
        }
    }
}

/// What a guest may do, however much the role may.
fn policy(guest: &str) -> String {
    format!(
        r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"oss:PutObject","Resource":"acs:oss:*:*:{BUCKET}/{guest}/*"}}]}}"#
    )
}

/// The code of an error that has to be there.
fn refused<T>(outcome: Result<T, oss_sdk::Error>) -> Result<String, Problem> {
    match outcome {
        Ok(_) => Err("that should have been refused".into()),
        Err(error) => Ok(error.code().unwrap_or("no answer").to_owned()),
    }
}

/// The emulator's clock for the SDK.
#[derive(Debug)]
struct EmulatorClock(Clock);

impl oss_sdk::Clock for EmulatorClock {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}
