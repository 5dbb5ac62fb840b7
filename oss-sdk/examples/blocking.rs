//! The API without async: several threads fill a bucket through one client, a listing reads it back.
//!
//! ```console
//! cargo run -p oss-sdk --features blocking --example blocking
//! ```
//!
//! Without `OSS_*` variables it starts the emulator in this process, so it needs no account. With `OSS_REGION` (or
//! `OSS_ENDPOINT`), `OSS_ACCESS_KEY_ID` and `OSS_ACCESS_KEY_SECRET` it uses the real service, in a bucket that it creates
//! and deletes.

use std::io::{BufRead, Read};
use std::time::Duration;

use oss_emulator::Emulator;
use oss_sdk::blocking::Client;
use oss_sdk::body::Body;
use oss_sdk::{
    Credentials, DeleteBucketRequest, DeleteObjectRequest, GetObjectRequest, HeadObjectRequest, ListObjectsV2Request,
    PutBucketRequest, PutObjectRequest,
};

type Problem = Box<dyn std::error::Error>;

/// Objects that are written at once, each by a thread of its own.
const THREADS: usize = 4;

fn main() -> Result<(), Problem> {
    // Only the emulator needs a runtime, on threads of its own; the client does not.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let (client, _emulator) = if std::env::var_os("OSS_ACCESS_KEY_ID").is_some() {
        (Client::from_env()?, None)
    } else {
        let emulator = runtime.block_on(Emulator::start())?;
        let client = Client::builder()
            .region(emulator.region())
            .endpoint(emulator.endpoint())
            .credentials(Credentials::new(emulator.access_key_id(), emulator.access_key_secret()))
            .build()?;
        (client, Some(emulator))
    };
    let bucket = format!("blocking-{}", std::process::id());
    client.put_bucket(PutBucketRequest::new(&bucket)).send()?;
    // Whatever happens in between, the bucket goes away again.
    let done = fill_and_read(&client, &bucket);
    for object in client.list_objects_v2(ListObjectsV2Request::new(&bucket)).items() {
        client
            .delete_object(DeleteObjectRequest::new(&bucket, object?.key))
            .send()?;
    }
    client.delete_bucket(DeleteBucketRequest::new(&bucket)).send()?;
    done
}

fn fill_and_read(client: &Client, bucket: &str) -> Result<(), Problem> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                scope.spawn(move || {
                    // Any `Read` can be sent; this one has no end of its own.
                    let lines = std::io::repeat(b'a' + number as u8).take(1024 * 1024);
                    let body = Body::from_read(lines, 1024 * 1024);
                    let request = PutObjectRequest::new(bucket, format!("big/{number}")).body(body);
                    client.put_object(request).timeout(Duration::from_secs(60)).send()
                })
            })
            .collect();
        for thread in threads {
            thread.join().map_err(|_| "a thread panicked")??;
        }
        Ok::<_, Problem>(())
    })?;

    client
        .put_object(PutObjectRequest::new(bucket, "lines.txt").body("one\ntwo\nthree\n"))
        .send()?;
    client
        .wait_until_object_exists(HeadObjectRequest::new(bucket, "lines.txt"))
        .timeout(Duration::from_secs(10))
        .wait()?;
    let object = client.get_object(GetObjectRequest::new(bucket, "lines.txt")).send()?;
    for line in object.body.into_blocking().lines() {
        println!("line: {}", line?);
    }

    for object in client
        .list_objects_v2(ListObjectsV2Request::new(bucket).prefix("big/"))
        .items()
    {
        let object = object?;
        let mut body = client
            .get_object(GetObjectRequest::new(bucket, &object.key))
            .send()?
            .body
            .into_blocking();
        // The end of a whole object is its verified end.
        let read = std::io::copy(&mut body, &mut std::io::sink())?;
        println!("{}: {read} bytes, verified", object.key);
    }

    match client.get_object(GetObjectRequest::new(bucket, "absent")).send() {
        Err(error) if error.is_not_found() => println!("absent: {}", error.code().unwrap_or_default()),
        other => return Err(format!("an absent object was found: {other:?}").into()),
    }
    let link = client
        .get_object(GetObjectRequest::new(bucket, "lines.txt"))
        .presign(Duration::from_secs(60))?;
    println!("a link until {}", link.expiration.to_iso8601());
    Ok(())
}
