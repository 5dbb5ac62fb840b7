//! What a directory keeps, heals and refuses.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::*;

/// One of everything.
async fn fill(store: &Store) {
    bucket(store).await;
    store.create_bucket("empty", bucket_meta()).await.unwrap();
    store.create_bucket("gone", bucket_meta()).await.unwrap();
    store.delete_bucket("gone").await.unwrap();
    store
        .update_account_config("k", |_| Ok::<_, ()>((Some(vec![0, 255]), ())))
        .await
        .unwrap()
        .unwrap();
    store.put_config("b", "cors", b"<cors/>".to_vec()).await.unwrap();
    store.put_config("b", "temporary", b"x".to_vec()).await.unwrap();
    store.delete_config("b", "temporary").await.unwrap();
    put(store, "../\n\u{0}", "odd key").await;
    put(store, "empty", "").await;
    put(store, "k", "overwritten").await;
    put(store, "k", "null version").await;
    versioned(store, Versioning::Enabled).await;
    put(store, "k", "second").await;
    let third = put(store, "k", "third").await;
    store.delete_object("b", "k", None, Guard::default()).await.unwrap();
    put(store, "k", "fifth").await;
    store
        .delete_object("b", "k", Some(&third.version_id), Guard::default())
        .await
        .unwrap();
    append(store, "log", 0, "one ").await.unwrap();
    append(store, "log", 4, "two").await.unwrap();
    let copied = store.object("b", "log", None).unwrap();
    store
        .copy_object(&copied, "b", "copy", Onto::Another, PutOptions::default())
        .await
        .unwrap();
    append(store, "log", 7, " three").await.unwrap();
    for key in ["many/1", "many/2", "many/3"] {
        put(store, key, key).await;
    }
    let many = ["many/1", "many/3"].map(|key| (key.to_owned(), None)).to_vec();
    store
        .delete_objects("b", many, Guard::default())
        .await
        .unwrap()
        .unwrap();
    store.seal_object("b", "log", 13, Guard::default()).await.unwrap();
    store
        .update_object("b", "copy", None, |meta| meta.acl = ObjectAcl::PublicReadWrite)
        .await
        .unwrap();
    let upload = store.initiate_upload("b", "m", ObjectMeta::default()).await.unwrap();
    for (number, content) in [(1, "old"), (1, "part"), (3, "other")] {
        let staged = store.stage(content).await.unwrap();
        store
            .put_part("b", "m", &upload.upload_id, number, staged, Guard::default())
            .await
            .unwrap();
    }
    let done = store.initiate_upload("b", "done", ObjectMeta::default()).await.unwrap();
    let staged = store.stage("all").await.unwrap();
    store
        .put_part("b", "done", &done.upload_id, 2, staged, Guard::default())
        .await
        .unwrap();
    let options = CompleteOptions {
        parts: CompleteParts::All,
        forbid_overwrite: false,
        guard: Guard::default(),
        acl: None,
    };
    store
        .complete_upload("b", "done", &done.upload_id, options)
        .await
        .unwrap();
    versioned(store, Versioning::Suspended).await;
}

fn journal_of_b(home: &TempDir) -> PathBuf {
    let buckets = fs::read_dir(home.path().join("data/buckets")).unwrap();
    buckets
        .map(|entry| entry.unwrap().path().join("journal"))
        .find(|path| fs::read_to_string(path).unwrap().contains(r#""name":"b""#))
        .unwrap()
}

async fn open_error(home: &TempDir) -> StoreError {
    match open(home).await {
        Ok(_) => panic!("opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    fill(&store).await;
    let before = contents(&store).await;
    let files = blob_files(&home);
    drop(store);
    for _ in 0..2 {
        let store = directory_store(&home).await;
        assert_eq!(contents(&store).await, before);
        assert_eq!(blob_files(&home), files);
    }
}

#[tokio::test]
async fn both_backends_agree_on_everything_but_ids() {
    let home = tempfile::tempdir().unwrap();
    let directory = directory_store(&home).await;
    let memory = memory_store();
    fill(&directory).await;
    fill(&memory).await;
    let (one, two) = (contents(&directory).await, contents(&memory).await);
    assert_eq!(one.len(), two.len());
    assert_eq!(directory.bucket_stat("b").unwrap(), memory.bucket_stat("b").unwrap());
}

#[tokio::test]
async fn a_rewritten_journal_says_the_same() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    fill(&store).await;
    let long = fs::metadata(journal_of_b(&home)).unwrap().len();
    let handle = store.bucket_handle("b").unwrap();
    handle.journal().as_mut().unwrap().rewrite_soon();
    put(&store, "the change", "that brings it about").await;
    assert!(fs::metadata(journal_of_b(&home)).unwrap().len() < long);
    put(&store, "after", "the rewriting").await;
    let before = contents(&store).await;
    drop(handle);
    drop(store);
    assert_eq!(contents(&directory_store(&home).await).await, before);
}

#[tokio::test]
async fn large_documents_that_change_often_do_not_pile_up() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    let large = |mark: u8| vec![mark; 1024 * 1024];
    for mark in 0..40 {
        store.put_config("b", "large", large(mark)).await.unwrap();
        let len = fs::metadata(journal_of_b(&home)).unwrap().len();
        assert!(len < 24 * 1024 * 1024, "{len} bytes after {mark} changes");
    }
    drop(store);
    let store = directory_store(&home).await;
    assert!(*store.config("b", "large").unwrap().unwrap() == large(39));
}

#[tokio::test]
async fn a_second_store_is_refused_while_the_first_lives() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    assert!(matches!(open_error(&home).await, StoreError::Locked(_)));
    drop(store);
    directory_store(&home).await;
}

#[tokio::test]
async fn a_directory_of_something_else_is_refused_untouched() {
    let home = tempfile::tempdir().unwrap();
    let blobs = home.path().join("data/blobs/aa");
    fs::create_dir_all(&blobs).unwrap();
    fs::write(blobs.join("precious"), "x").unwrap();
    assert!(matches!(open_error(&home).await, StoreError::Corrupt(_)));
    assert!(blobs.join("precious").exists());
    fs::remove_dir_all(home.path().join("data/blobs")).unwrap();
    fs::write(home.path().join("data/format"), "other, format 9\n").unwrap();
    assert!(matches!(open_error(&home).await, StoreError::Corrupt(what) if what.contains("format 9")));
}

#[tokio::test]
async fn leftovers_of_a_crash_are_removed() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    fill(&store).await;
    let before = contents(&store).await;
    let files = blob_files(&home);
    drop(store);
    let data = home.path().join("data");
    let unfinished = data.join("tmp/bucket");
    fs::create_dir_all(&unfinished).unwrap();
    fs::write(unfinished.join("journal"), "half").unwrap();
    fs::write(data.join("tmp/file"), "half").unwrap();
    fs::create_dir_all(data.join("blobs/zz")).unwrap();
    fs::write(data.join("blobs/zz/unnamed"), "half").unwrap();
    let store = directory_store(&home).await;
    assert_eq!(contents(&store).await, before);
    assert_eq!(blob_files(&home), files);
    assert_eq!(fs::read_dir(data.join("tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn what_nobody_uses_any_more_leaves_the_disk() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    drop(store.stage("never published").await.unwrap());
    let mut writer = store.writer();
    writer.write(noise(2 * blob::CHUNK).into()).await.unwrap();
    drop(writer);
    // The thread that has the last chunk removes the file when it is done.
    let gone = async {
        while blob_files(&home) > 0 {
            tokio::task::yield_now().await;
        }
    };
    let gone = tokio::time::timeout(Duration::from_secs(30), gone).await;
    gone.expect("staged and dropped");

    put(&store, "k", "one").await;
    put(&store, "k", "two").await;
    assert_eq!(blob_files(&home), 1, "overwritten");
    let held = store.object("b", "k", None).unwrap();
    store
        .copy_object(&held, "b", "copy", Onto::Another, PutOptions::default())
        .await
        .unwrap();
    assert_eq!(blob_files(&home), 1, "a copy shares");
    store.delete_object("b", "k", None, Guard::default()).await.unwrap();
    store.delete_object("b", "copy", None, Guard::default()).await.unwrap();
    assert_eq!(blob_files(&home), 1, "a reader holds it");
    drop(held);
    assert_eq!(blob_files(&home), 0, "deleted");

    let upload = store.initiate_upload("b", "m", ObjectMeta::default()).await.unwrap();
    let staged = store.stage("part").await.unwrap();
    store
        .put_part("b", "m", &upload.upload_id, 1, staged, Guard::default())
        .await
        .unwrap();
    store.abort_upload("b", "m", &upload.upload_id).await.unwrap();
    assert_eq!(blob_files(&home), 0, "aborted");
}

#[tokio::test]
async fn a_cut_journal_is_healed_wherever_it_is_cut() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    fill(&store).await;
    drop(store);
    let whole = fs::read(journal_of_b(&home)).unwrap();
    let first_line = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let scratch = home.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    for cut in (first_line..whole.len()).step_by(13) {
        fs::write(scratch.join("journal"), &whole[..cut]).unwrap();
        let (journal, _) = Journal::open(scratch.clone(), Durability::ProcessDeath).unwrap();
        drop(journal);
        let healed = fs::read(scratch.join("journal")).unwrap();
        let lines = whole[..cut].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
        assert!(healed == whole[..lines], "cut at {cut}");
    }
}

#[tokio::test]
async fn a_spoilt_tail_is_cut_off_and_writing_goes_on() {
    for tail in ["0123", "0000000000000000 {\"Meta\":{}}\n", "\u{0}\u{0}\u{0}"] {
        let home = tempfile::tempdir().unwrap();
        let store = directory_store(&home).await;
        fill(&store).await;
        let before = contents(&store).await;
        drop(store);
        let path = journal_of_b(&home);
        let mut spoilt = fs::read(&path).unwrap();
        spoilt.extend_from_slice(tail.as_bytes());
        fs::write(&path, spoilt).unwrap();
        let store = directory_store(&home).await;
        assert_eq!(contents(&store).await, before, "tail {tail:?}");
        put(&store, "after", "healing").await;
        drop(store);
        assert_eq!(text(&directory_store(&home).await, "after").await, "healing");
    }
}

#[tokio::test]
async fn damage_in_the_middle_is_refused_and_nothing_is_swept() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    fill(&store).await;
    let before = contents(&store).await;
    let files = blob_files(&home);
    drop(store);
    let path = journal_of_b(&home);
    let good = fs::read(&path).unwrap();
    let mut bad = good.clone();
    let middle = good.len() / 2;
    bad[middle] ^= 1;
    fs::write(&path, bad).unwrap();
    assert!(matches!(open_error(&home).await, StoreError::Corrupt(_)));
    assert_eq!(blob_files(&home), files);
    fs::write(&path, good).unwrap();
    assert_eq!(contents(&directory_store(&home).await).await, before);
}

#[tokio::test]
async fn a_changed_byte_of_content_breaks_the_read() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    put(&store, "k", noise(blob::CHUNK + 9)).await;
    let blobs = home.path().join("data/blobs");
    let file = fs::read_dir(blobs)
        .unwrap()
        .flat_map(|shard| fs::read_dir(shard.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .next()
        .unwrap();
    let good = fs::read(&file).unwrap();
    let read = || store.object("b", "k", None).unwrap().read_all();

    let mut bad = good.clone();
    bad[5] ^= 1;
    fs::write(&file, bad).unwrap();
    let error = read().try_next().await.unwrap_err();
    assert_eq!(
        error.kind(),
        io::ErrorKind::InvalidData,
        "nothing of a bad block is delivered"
    );
    // A range is as safe, wherever it is in the block; another block is fine.
    let chunk = blob::CHUNK as u64;
    let range = |range| store.object("b", "k", None).unwrap().read(range).unwrap();
    for bad in [4..7, 100..101, chunk - 1..chunk + 1] {
        let error = range(bad.clone()).try_next().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{bad:?}");
    }
    let bytes = noise(blob::CHUNK + 9);
    assert!(collect(range(chunk..chunk + 9)).await.unwrap() == bytes[blob::CHUNK..]);
    assert!(collect(range(chunk + 2..chunk + 5)).await.unwrap() == bytes[blob::CHUNK + 2..][..3]);

    // Blocks that are right by themselves and not those of this content.
    let mut other = bytes.clone();
    other[5] ^= 1;
    let sums = [&other[..blob::CHUNK], &other[blob::CHUNK..]].map(|block| crc::of(block).to_le_bytes());
    fs::write(&file, [other.as_slice(), sums.as_flattened()].concat()).unwrap();
    let mut stream = read();
    assert_eq!(stream.try_next().await.unwrap().unwrap().len(), blob::CHUNK);
    let error = stream.try_next().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData, "the last chunk is held back");

    fs::write(&file, &good[..good.len() - 1]).unwrap();
    assert_eq!(collect(read()).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    fs::remove_file(&file).unwrap();
    assert_eq!(collect(read()).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    fs::write(&file, &good).unwrap();
    assert!(collect(read()).await.unwrap() == bytes);
}

#[tokio::test]
async fn content_of_older_versions_is_read_without_its_blocks() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    put(&store, "k", noise(blob::CHUNK + 9)).await;
    append(&store, "log", 0, "old").await.unwrap();
    drop(store);
    // What an older version wrote: no block lengths in the journal, no CRCs behind the bytes.
    let text = fs::read_to_string(journal_of_b(&home)).unwrap();
    let lines = text.lines().map(|line| {
        let json = line.split_once(' ').unwrap().1.replace(",\"block\":262144", "");
        format!("{:016x} {json}\n", crc::of(json.as_bytes()))
    });
    let older: String = lines.collect();
    assert!(older.len() < text.len() && !older.contains("block"));
    fs::write(journal_of_b(&home), older).unwrap();
    for shard in fs::read_dir(home.path().join("data/blobs")).unwrap() {
        for path in fs::read_dir(shard.unwrap().path()).unwrap() {
            let path = path.unwrap().path();
            let len = fs::metadata(&path).unwrap().len();
            let blocks = len.div_ceil(blob::CHUNK as u64 + 8);
            fs::OpenOptions::new()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(len - 8 * blocks)
                .unwrap();
        }
    }
    let store = directory_store(&home).await;
    let object = store.object("b", "k", None).unwrap();
    assert!(collect(object.read_all()).await.unwrap() == noise(blob::CHUNK + 9));
    assert!(collect(object.read(7..11).unwrap()).await.unwrap() == noise(11)[7..]);
    append(&store, "log", 3, "new").await.unwrap();
    assert_eq!(log_of(&store).await, "oldnew");
    drop(store);
    assert_eq!(log_of(&directory_store(&home).await).await, "oldnew");
}

async fn log_of(store: &Store) -> String {
    text(store, "log").await
}

#[tokio::test]
async fn a_bucket_whose_deletion_does_not_reach_the_disk_is_not_deleted() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    store.put_config("b", "cors", b"document".to_vec()).await.unwrap();
    let fails = |fails| {
        let disk = store.inner.disk.as_ref().unwrap();
        disk.directory.fails_moves.store(fails, Ordering::Relaxed);
    };
    fails(true);
    assert!(matches!(store.delete_bucket("b").await, Err(StoreError::Io(_))));
    assert!(store.config("b", "cors").unwrap().is_some());
    put(&store, "k", "x").await;
    let before = contents(&store).await;
    drop(store);
    let store = directory_store(&home).await;
    assert_eq!(contents(&store).await, before);
    store.delete_object("b", "k", None, Guard::default()).await.unwrap();
    store.delete_bucket("b").await.unwrap();
    drop(store);
    assert!(directory_store(&home).await.bucket("b").is_err());
}

#[tokio::test]
async fn a_disk_that_fails_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    bucket(&store).await;
    put(&store, "k", "old").await;
    {
        // A handle that cannot be written to stands in for a full disk.
        let handle = store.bucket_handle("b").unwrap();
        let mut journal = handle.journal();
        journal.as_mut().unwrap().fail_writes(&journal_of_b(&home));
    }
    let staged = store.stage("new").await.unwrap();
    let failed = store.put_object("b", "k", staged, PutOptions::default()).await;
    assert!(matches!(failed, Err(StoreError::Io(_))));
    assert_eq!(text(&store, "k").await, "old");
    drop(store);
    assert_eq!(text(&directory_store(&home).await, "k").await, "old");
}

#[cfg(unix)]
#[tokio::test]
async fn directories_of_older_versions_are_closed_to_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    drop(directory_store(&home).await);
    let names = ["account", "blobs", "buckets", "tmp"].map(|name| home.path().join("data").join(name));
    for name in &names {
        fs::set_permissions(name, fs::Permissions::from_mode(0o755)).unwrap();
    }
    drop(directory_store(&home).await);
    for name in &names {
        assert_eq!(fs::metadata(name).unwrap().permissions().mode() & 0o077, 0, "{name:?}");
    }
}
