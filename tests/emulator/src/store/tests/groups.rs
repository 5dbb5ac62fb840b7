//! Changes that wait for the disk together.

use std::fs;
use std::path::PathBuf;
use std::pin::pin;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};

use super::*;

type Put<'s> = BoxFuture<'s, Result<Arc<ObjectInfo>>>;

fn journal_of_b(home: &TempDir) -> PathBuf {
    let mut buckets = fs::read_dir(home.path().join("data/buckets")).unwrap();
    buckets.next().unwrap().unwrap().path().join("journal")
}

/// Lets changes come while somebody else has the journal, so that they go on together.
async fn together<T>(store: &Store, mut changes: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let handle = store.bucket_handle("b").unwrap();
    {
        let _busy = handle.journal();
        for change in &mut changes {
            assert!(
                change.as_mut().now_or_never().is_none(),
                "nobody is answered before the disk is"
            );
        }
    }
    join_all(changes).await
}

async fn staged(store: &Store, count: usize) -> Vec<Staged> {
    join_all((0..count).map(|number| store.stage(format!("content {number}"))))
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

fn puts(store: &Store, contents: Vec<Staged>, key: impl Fn(usize) -> String) -> Vec<Put<'_>> {
    let put = |(number, content)| {
        let key = key(number);
        async move { store.put_object("b", &key, content, PutOptions::default()).await }.boxed()
    };
    contents.into_iter().enumerate().map(put).collect()
}

#[tokio::test]
async fn a_group_is_one_line_and_a_crash_leaves_all_of_it_or_nothing() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    put(&store, "before", "before").await;
    let path = journal_of_b(&home);
    let before = fs::read(&path).unwrap().len();
    let staged = staged(&store, 8).await;
    let written = together(&store, puts(&store, staged, |number| format!("k{number}"))).await;
    assert!(written.iter().all(Result::is_ok));
    drop(store);
    let whole = fs::read(&path).unwrap();
    let lines = whole[before..].split_inclusive(|byte| *byte == b'\n').count();
    assert_eq!(lines, 1, "{}", String::from_utf8_lossy(&whole[before..]));

    // Restarts sweep content away that no journal names, so each crash happens to a copy.
    let copy = |len: usize| {
        let to = tempfile::tempdir().unwrap();
        copy_directory(&home.path().join("data"), &to.path().join("data"));
        fs::write(journal_of_b(&to), &whole[..len]).unwrap();
        to
    };
    for len in (before..whole.len()).step_by(151).chain([whole.len() - 1, whole.len()]) {
        let crashed = copy(len);
        let store = directory_store(&crashed).await;
        assert_eq!(text(&store, "before").await, "before");
        let found = store.bucket_stat("b").unwrap().objects;
        assert_eq!(found, if len == whole.len() { 9 } else { 1 }, "cut at {len}");
        contents(&store).await;
    }
}

fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_answered_is_in_the_journal_already() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    let path = journal_of_b(&home);
    let writers = (0..16).map(|writer| {
        let (store, path) = (store.clone(), path.clone());
        tokio::spawn(async move {
            for round in 0..5 {
                let key = format!("{writer}/{round}");
                put(&store, &key, "x").await;
                let journal = fs::read_to_string(&path).unwrap();
                assert!(journal.contains(&format!("\"{key}\"")), "{key} was answered too early");
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
}

#[tokio::test]
async fn a_group_that_cannot_be_written_fails_as_a_whole() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    put(&store, "k0", "old").await;
    let staged = staged(&store, 4).await;
    {
        let handle = store.bucket_handle("b").unwrap();
        let mut journal = handle.journal();
        journal.as_mut().unwrap().fail_writes(&journal_of_b(&home));
    }
    let written = together(&store, puts(&store, staged, |number| format!("k{number}"))).await;
    assert!(
        written.iter().all(|one| matches!(one, Err(StoreError::Io(_)))),
        "{written:?}"
    );
    assert_eq!(text(&store, "k0").await, "old");
    assert_eq!(store.bucket_stat("b").unwrap().objects, 1);
    drop(written);
    // Nobody could tell whether the line is on the disk, and if it is, the next start needs its files.
    assert_eq!(blob_files(&home), 5);
    drop(store);
    let store = directory_store(&home).await;
    assert_eq!(text(&store, "k0").await, "old");
    assert_eq!(blob_files(&home), 1);
    contents(&store).await;
}

#[tokio::test]
async fn a_group_that_overwrites_does_not_count_as_more() {
    #[derive(Debug)]
    struct Eighty;
    impl Rules for Eighty {
        fn read(&self, _: &Documents, _: SystemTime) -> Result<Terms> {
            Ok(Terms {
                quota: Some(80),
                ..Terms::default()
            })
        }
    }
    let guard = || Guard {
        rules: Some(Arc::new(Eighty)),
        bypass_governance: false,
    };
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    for key in ["k0", "k1", "k2", "k3"] {
        put(&store, key, "0123456789").await;
    }
    // Each fits when it comes by itself: 40 bytes are there, and it brings as many as it replaces.
    let again = |number: usize| {
        let (store, guard) = (&store, guard());
        let options = PutOptions {
            guard,
            ..PutOptions::default()
        };
        async move {
            let content = store.stage("another 40 bytes for each of the 4 keys.").await?;
            let key = format!("k{number}");
            store.put_object("b", &key, content, options).await
        }
        .boxed()
    };
    let (first, others) = (again(0).await, join_all((1..4).map(again)).await);
    assert!(first.is_ok(), "70 bytes: {first:?}");
    assert!(others.iter().all(Result::is_err), "each would make 100: {others:?}");
    let same = staged(&store, 4)
        .await
        .into_iter()
        .enumerate()
        .map(|(number, content)| {
            let options = PutOptions {
                guard: guard(),
                ..PutOptions::default()
            };
            let (store, key) = (&store, format!("k{number}"));
            async move { store.put_object("b", &key, content, options).await }.boxed()
        });
    let written = together(&store, same.collect()).await;
    assert!(written.iter().all(Result::is_ok), "{written:?}");
    contents(&store).await;
}

#[tokio::test]
async fn a_key_that_many_append_to_holds_no_other_up() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    let lines = || fs::read_to_string(journal_of_b(&home)).unwrap().lines().count();
    let before = lines();
    let pieces = staged(&store, 300).await.into_iter().map(|content| {
        let store = &store;
        async move {
            let appended = store.append_object("b", "log", 0, content, PutOptions::default()).await;
            appended.is_ok()
        }
        .boxed()
    });
    let mut changes: Vec<BoxFuture<'_, bool>> = pieces.collect();
    let content = staged(&store, 1).await;
    changes.extend(
        puts(&store, content, |_| "other".to_owned())
            .into_iter()
            .map(|put| put.map(|put| put.is_ok()).boxed()),
    );
    let outcomes = together(&store, changes).await;
    assert_eq!(outcomes.iter().filter(|done| **done).count(), 2);
    // The first append and the other key are one line; the other appends are refused and write nothing.
    assert_eq!(lines() - before, 1);
}

#[test]
fn a_runtime_that_ended_leaves_nobody_waiting() {
    let home = tempfile::tempdir().unwrap();
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
    };
    let (first, second) = (runtime(), runtime());
    let store = first.block_on(async {
        let store = directory_store(&home).await;
        bucket(&store).await;
        store
    });
    let handle = first.handle().clone();
    drop(first);
    {
        // What is spawned on a runtime that ended is dropped at once.
        let _entered = handle.enter();
        let change = store.update_bucket("b", |meta| meta.versioning = Versioning::Enabled);
        assert!(change.now_or_never().expect("nobody waits for ever").is_err());
    }
    let later = async { tokio::time::timeout(Duration::from_secs(20), put(&store, "k", "x")).await };
    second.block_on(later).expect("the bucket goes on");
}

#[tokio::test]
async fn a_rewriting_that_fails_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    let path = journal_of_b(&home);
    let kept = path.with_file_name("kept");
    // A rename onto a directory fails.
    fs::rename(&path, &kept).unwrap();
    fs::create_dir(&path).unwrap();
    store
        .bucket_handle("b")
        .unwrap()
        .journal()
        .as_mut()
        .unwrap()
        .rewrite_soon();
    put(&store, "k", "x").await;
    assert_eq!(fs::read_dir(home.path().join("data/tmp")).unwrap().count(), 0);
    fs::remove_dir(&path).unwrap();
    fs::rename(&kept, &path).unwrap();
    drop(store);
    assert_eq!(text(&directory_store(&home).await, "k").await, "x");
}

#[tokio::test]
async fn changes_of_one_key_follow_each_other_within_a_group() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    let staged = staged(&store, 6).await;
    let appends = staged.into_iter().map(|content| {
        let store = &store;
        async move { store.append_object("b", "log", 0, content, PutOptions::default()).await }.boxed()
    });
    let outcomes = together(&store, appends.collect()).await;
    assert!(outcomes[0].is_ok());
    let refused = |one: &Result<_>| matches!(one, Err(StoreError::PositionNotEqualToLength { length: 9 }));
    assert!(outcomes[1..].iter().all(refused), "{outcomes:?}");
    assert_eq!(text(&store, "log").await, "content 0");
}

#[tokio::test]
async fn a_change_of_the_bucket_stands_between_those_around_it() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    let staged = staged(&store, 4).await;
    let mut changes: Vec<BoxFuture<'_, bool>> = puts(&store, staged, |number| format!("k{number}"))
        .into_iter()
        .map(|put| put.map(|done| done.is_ok()).boxed())
        .collect();
    let suspend = store.update_bucket("b", |meta| meta.versioning = Versioning::Enabled);
    changes.insert(2, suspend.map(|done| done.is_ok()).boxed());
    assert_eq!(together(&store, changes).await, [true; 5]);
    let version = |key: &str| store.object("b", key, None).unwrap().info().version_id.clone();
    let ids = ["k0", "k1", "k2", "k3"].map(version);
    assert_eq!(ids.map(|id| id == NULL_VERSION), [true, true, false, false]);
}

#[tokio::test]
async fn parts_of_one_upload_share_a_group_and_its_end_waits_for_them() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    let id = store
        .initiate_upload("b", "k", ObjectMeta::default())
        .await
        .unwrap()
        .upload_id;
    let lines = || fs::read_to_string(journal_of_b(&home)).unwrap().lines().count();
    let before = lines();
    let staged = staged(&store, 4).await;
    let parts = staged.into_iter().zip(1..).map(|(content, number)| {
        let (store, id) = (&store, &id);
        async move {
            store
                .put_part("b", "k", id, number, content, Guard::default())
                .await
                .is_ok()
        }
        .boxed()
    });
    let mut changes: Vec<BoxFuture<'_, bool>> = parts.collect();
    changes.push(async { store.abort_upload("b", "k", &id).await.is_ok() }.boxed());
    assert_eq!(together(&store, changes).await, [true; 5]);
    assert_eq!(lines() - before, 2);
    assert_eq!(blob_files(&home), 0);
    contents(&store).await;
}

#[tokio::test]
async fn a_change_that_panics_harms_no_other() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    put(&store, "k", "x").await;
    let panics = pin!(store.update_object("b", "k", None, |_| panic!("a mistake")));
    let (panicked, fine) = tokio::join!(
        panics,
        store.update_object("b", "k", None, |meta| meta.acl = ObjectAcl::Private)
    );
    assert!(matches!(panicked, Err(StoreError::Io(_))));
    assert_eq!(fine.unwrap().meta.acl, ObjectAcl::Private);
}

#[tokio::test]
async fn a_thousand_writers_need_no_thread_each() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    let staged = staged(&store, 1000).await;
    let mut changes = puts(&store, staged, |number| format!("k{number}"));
    let handle = store.bucket_handle("b").unwrap();
    {
        let _busy = handle.journal();
        for change in &mut changes {
            assert!(change.as_mut().now_or_never().is_none());
        }
        // More wait than the pool has threads, and others still get one.
        let other = tokio::task::spawn_blocking(|| 7);
        let began = std::time::Instant::now();
        while !other.is_finished() {
            assert!(began.elapsed() < Duration::from_secs(20), "no thread is left");
            std::thread::yield_now();
        }
    }
    assert!(join_all(changes).await.iter().all(Result::is_ok));
    assert_eq!(store.bucket_stat("b").unwrap().objects, 1000);
}
