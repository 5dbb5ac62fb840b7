//! Many at once, and big things.

use std::path::Path;

use futures_util::FutureExt;
use futures_util::future::try_join_all;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writers_to_one_key_leave_one_whole_version() {
    let home = tempfile::tempdir().unwrap();
    for store in [memory_store(), directory_store(&home).await] {
        bucket(&store).await;
        let tasks = (0..16_u8).map(|i| {
            let store = store.clone();
            tokio::spawn(async move {
                let bytes = vec![i; blob::CHUNK + usize::from(i)];
                put(&store, "k", bytes).await;
                let object = store.object("b", "k", None).unwrap();
                let seen = collect(object.read_all()).await.unwrap();
                assert!(seen.iter().all(|byte| *byte == seen[0]));
                assert_eq!(seen.len(), blob::CHUNK + usize::from(seen[0]));
            })
        });
        try_join_all(tasks).await.unwrap();
        let stat = store.bucket_stat("b").unwrap();
        assert_eq!((stat.objects, stat.versions), (1, 1));
    }
    assert_eq!(blob_files(&home), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_forbid_overwriting_one_wins() {
    let home = tempfile::tempdir().unwrap();
    for store in [memory_store(), directory_store(&home).await] {
        bucket(&store).await;
        let tasks = (0..12).map(|i| {
            let store = store.clone();
            tokio::spawn(async move {
                let staged = store.stage(format!("writer {i}")).await.unwrap();
                let options = PutOptions {
                    forbid_overwrite: true,
                    ..PutOptions::default()
                };
                store.put_object("b", "k", staged, options).await.is_ok()
            })
        });
        let won = try_join_all(tasks).await.unwrap();
        assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
    }
    assert_eq!(blob_files(&home), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn appenders_that_follow_the_reported_length_lose_nothing() {
    let home = tempfile::tempdir().unwrap();
    for store in [memory_store(), directory_store(&home).await] {
        bucket(&store).await;
        let tasks = (0..4).map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut position = 0;
                for _ in 0..5 {
                    loop {
                        match append(&store, "k", position, "0123456789").await {
                            Ok(info) => break position = info.size,
                            Err(StoreError::PositionNotEqualToLength { length }) => position = length,
                            Err(other) => panic!("{other}"),
                        }
                    }
                }
            })
        });
        try_join_all(tasks).await.unwrap();
        assert_eq!(text(&store, "k").await, "0123456789".repeat(20));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_bucket_is_deleted_or_written_to_but_not_both() {
    let home = tempfile::tempdir().unwrap();
    for store in [memory_store(), directory_store(&home).await] {
        for _ in 0..20 {
            bucket(&store).await;
            let staged = store.stage("x").await.unwrap();
            let writer = store.clone();
            let write = tokio::spawn(async move { writer.put_object("b", "k", staged, PutOptions::default()).await });
            let deleted = store.delete_bucket("b").await;
            match (write.await.unwrap(), deleted) {
                (Ok(_), Err(StoreError::BucketNotEmpty)) => {
                    store.delete_object("b", "k", None, Guard::default()).await.unwrap();
                    store.delete_bucket("b").await.unwrap();
                }
                (Err(StoreError::NoSuchBucket), Ok(())) => {}
                (write, delete) => panic!("{write:?} and {delete:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_write_whose_caller_went_away_happened_or_did_not() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    for i in 0..20 {
        let staged = store.stage("content").await.unwrap();
        let key = format!("k{i}");
        let call = store.put_object("b", &key, staged, PutOptions::default());
        drop(call.now_or_never());
    }
    // One bucket's changes follow each other: when this is done, so are those before it.
    put(&store, "last", "x").await;
    let before = contents(&store).await;
    drop(store);
    let store = reopen(&home).await;
    assert_eq!(contents(&store).await, before);
}

/// Opens the directory as soon as the last write in flight let go of it.
async fn reopen(home: &TempDir) -> Store {
    loop {
        match open(home).await {
            Ok(store) => return store,
            Err(StoreError::Locked(_)) => tokio::task::yield_now().await,
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn big_content_goes_through_and_is_not_held() {
    const MIB: u64 = 1024 * 1024;
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    let chunk = Bytes::from(noise(MIB as usize));
    let mut writer = store.writer();
    for written in 1..=64_u64 {
        writer.write(chunk.clone()).await.unwrap();
        // All but the chunk that is being written.
        let on_disk = bytes_on_disk(&home.path().join("data/blobs"));
        assert!(
            on_disk + blob::CHUNK as u64 >= written * MIB,
            "{on_disk} of {written} MiB"
        );
    }
    let staged = writer.finish().await.unwrap();
    let info = store
        .put_object("b", "big", staged, PutOptions::default())
        .await
        .unwrap();
    assert_eq!(info.size, 64 * MIB);

    let mut body = store.object("b", "big", None).unwrap().read_all();
    let mut at = 0;
    while let Some(bytes) = body.try_next().await.unwrap() {
        assert!(bytes.len() <= blob::CHUNK);
        let start = at % chunk.len();
        assert!(bytes == chunk[start..start + bytes.len()]);
        at += bytes.len();
    }
    assert_eq!(at as u64, 64 * MIB);
}

fn bytes_on_disk(blobs: &Path) -> u64 {
    let shards = std::fs::read_dir(blobs).unwrap();
    shards
        .flat_map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap())
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum()
}
