//! What is decided at the moment of a change, by what is stored then.

use futures_util::future::join_all;

use super::*;

/// Rules whose documents are the terms themselves.
#[derive(Debug)]
struct ByName;

impl Rules for ByName {
    fn read(&self, documents: &Documents, now: SystemTime) -> Result<Terms> {
        let number = |kind: &str| {
            let text = std::str::from_utf8(documents.get(kind)?).ok()?;
            text.parse::<u64>().ok()
        };
        Ok(Terms {
            bucket_retention: number("days").map(|days| Duration::from_secs(days * 86_400)),
            forbid_overwrite: documents.contains_key("no-overwrite"),
            forbid_append: documents.contains_key("no-append"),
            default_retention: number("default").map(|seconds| Retention {
                mode: RetentionMode::Compliance,
                until: now + Duration::from_secs(seconds),
            }),
            quota: number("quota"),
        })
    }
}

fn guard() -> Guard {
    Guard {
        rules: Some(Arc::new(ByName)),
        bypass_governance: false,
    }
}

fn guarded() -> PutOptions {
    PutOptions {
        guard: guard(),
        ..PutOptions::default()
    }
}

async fn guarded_put(store: &Store, key: &str, content: &str) -> Result<Arc<ObjectInfo>> {
    let staged = store.stage(content.to_owned()).await?;
    store.put_object("b", key, staged, guarded()).await
}

async fn document(store: &Store, kind: &str, content: &str) {
    store.put_config("b", kind, content.into()).await.unwrap();
}

on_both_backends! {
    async fn rules_that_come_while_a_body_arrives_hold(store: Store) {
        bucket(&store).await;
        put(&store, "k", "old").await;
        append(&store, "log", 0, "old").await.unwrap();
        // The requests are complete but for the change itself; then the bucket gets rules.
        let (staged, options, piece) = (store.stage("new").await.unwrap(), guarded(), store.stage("new").await.unwrap());
        document(&store, "days", "1").await;
        let refused = store.put_object("b", "k", staged, options.clone()).await;
        assert!(matches!(refused, Err(StoreError::FileImmutable)), "{refused:?}");
        let refused = store.append_object("b", "log", 3, piece, options.clone()).await;
        assert!(matches!(refused, Err(StoreError::FileImmutable)), "{refused:?}");
        let refused = store.delete_object("b", "k", None, guard()).await;
        assert!(matches!(refused, Err(StoreError::FileImmutable)), "{refused:?}");
        store.delete_config("b", "days").await.unwrap();

        document(&store, "no-append", "").await;
        let piece = store.stage("new").await.unwrap();
        let refused = store.append_object("b", "log", 3, piece, options.clone()).await;
        assert!(matches!(refused, Err(StoreError::AppendForbidden)), "{refused:?}");
        document(&store, "no-overwrite", "").await;
        let refused = guarded_put(&store, "k", "new").await;
        assert!(matches!(refused, Err(StoreError::FileAlreadyExists)), "{refused:?}");
        assert_eq!((text(&store, "k").await, text(&store, "log").await), ("old".into(), "old".into()));
    }

    async fn a_default_retention_runs_from_the_write(store: Store) {
        bucket(&store).await;
        document(&store, "default", "60").await;
        let options = guarded();
        let staged = store.stage("x").await.unwrap();
        for _ in 0..100 {
            store.now();
        }
        let info = store.put_object("b", "k", staged, options).await.unwrap();
        let until = info.meta.lock.retention.unwrap().until;
        let length = until.duration_since(info.last_modified).unwrap();
        // The clock of these tests moves by a second each time it is asked.
        assert!((58..=60).contains(&length.as_secs()), "{length:?}");
    }

    async fn a_copy_onto_itself_never_undoes_what_happened_since(store: Store) {
        bucket(&store).await;
        append(&store, "log", 0, "one").await.unwrap();
        let source = store.object("b", "log", None).unwrap();
        append(&store, "log", 3, "two").await.unwrap();
        for onto in [Onto::ItsLatest, Onto::ItsVersion] {
            let copied = store.copy_object(&source, "b", "log", onto, PutOptions::default()).await;
            assert!(matches!(copied, Err(StoreError::SourceChanged)), "{copied:?}");
        }
        assert_eq!(text(&store, "log").await, "onetwo");

        let source = store.object("b", "log", None).unwrap();
        let tag = |meta: &mut ObjectMeta| meta.tags.push(("a".into(), "b".into()));
        store.update_object("b", "log", None, tag).await.unwrap();
        let copied = store.copy_object(&source, "b", "log", Onto::ItsLatest, PutOptions::default()).await;
        assert!(matches!(copied, Err(StoreError::SourceChanged)), "{copied:?}");
        // Another key may get what its source was.
        store.copy_object(&source, "b", "other", Onto::Another, PutOptions::default()).await.unwrap();
        let source = store.object("b", "log", None).unwrap();
        store.copy_object(&source, "b", "log", Onto::ItsLatest, PutOptions::default()).await.unwrap();
    }

    async fn many_deletions_happen_together_or_not_at_all(store: Store) {
        bucket(&store).await;
        let keys = ["a", "b", "c"];
        for key in keys {
            put(&store, key, key).await;
        }
        store.update_object("b", "c", None, |meta| meta.lock.legal_hold = Some(true)).await.unwrap();
        let all = || keys.map(|key| (key.to_owned(), None)).to_vec();
        let refused = store.delete_objects("b", all(), guard()).await.unwrap();
        assert!(matches!(refused, Err((key, StoreError::FileImmutable)) if key == "c"));
        assert_eq!(store.bucket_stat("b").unwrap().objects, 3);

        store.update_object("b", "c", None, |meta| meta.lock.legal_hold = None).await.unwrap();
        let twice = [all(), all(), vec![("none".to_owned(), None)]].concat();
        let outcomes = store.delete_objects("b", twice, guard()).await.unwrap().unwrap();
        let changed: Vec<_> = outcomes.iter().map(|outcome| outcome.changed).collect();
        assert_eq!(changed, [true, true, true, false, false, false, false]);
        assert_eq!(store.bucket_stat("b").unwrap().objects, 0);
        contents(&store).await;

        versioned(&store, Versioning::Enabled).await;
        let one = put(&store, "v", "1").await;
        let named = vec![("v".to_owned(), None), ("v".to_owned(), Some(one.version_id.clone())), ("v".to_owned(), None)];
        let outcomes = store.delete_objects("b", named, guard()).await.unwrap().unwrap();
        assert!(outcomes[0].delete_marker && !outcomes[1].delete_marker && outcomes[2].delete_marker);
        let stat = store.bucket_stat("b").unwrap();
        assert_eq!((stat.versions, stat.delete_markers), (0, 2));
        contents(&store).await;
    }

    async fn conditions_see_all_versions_of_the_moment(store: Store) {
        bucket(&store).await;
        versioned(&store, Versioning::Enabled).await;
        let one = put(&store, "k", "1").await;
        let two = put(&store, "k", "2").await;
        let seen = move |versions: &[VersionEntry]| {
            let [VersionEntry { version: VersionInfo::Object(newer), is_latest: true }, VersionEntry { version: VersionInfo::Object(older), .. }] = versions else {
                return false;
            };
            (newer.size, older.size) == (1, 1)
        };
        let id = one.version_id.clone();
        let moved = |meta: &mut ObjectMeta| meta.storage_class = "IA".into();
        assert!(!store.update_object_if("b", "k", &id, |_| false, moved).await.unwrap());
        assert!(store.update_object_if("b", "k", &id, seen, moved).await.unwrap());
        assert_eq!(store.bucket_stat("b").unwrap().storage_by_class["IA"], 1);
        assert!(!store.delete_object_if("b", "k", Some(&id), guard(), |_| false).await.unwrap());
        assert!(store.delete_object_if("b", "k", Some(&id), guard(), seen).await.unwrap());
        // Now the key has one version, which the condition does not mean.
        assert!(!store.delete_object_if("b", "k", Some(&two.version_id), guard(), seen).await.unwrap());
        contents(&store).await;
    }

    async fn a_quota_counts_everything_that_is_written(store: Store) {
        bucket(&store).await;
        document(&store, "quota", "10").await;
        let full = |refused: StoreError| matches!(refused, StoreError::QuotaFull { quota: 10, .. });
        guarded_put(&store, "k", "1234").await.unwrap();
        assert!(full(guarded_put(&store, "l", "1234567").await.unwrap_err()));
        let id = store.initiate_upload("b", "m", ObjectMeta::default()).await.unwrap().upload_id;
        let source = store.object("b", "k", None).unwrap();
        // A range counts what it copies, not its source.
        for number in 1..=3 {
            store.copy_part(&source, Some(0..2), "b", "m", &id, number, guard()).await.unwrap();
        }
        assert_eq!(store.bucket_stat("b").unwrap().storage, 10);
        assert!(full(store.copy_part(&source, Some(0..1), "b", "m", &id, 4, guard()).await.unwrap_err()));
        let copied = store.copy_object(&source, "b", "l", Onto::Another, guarded()).await;
        assert!(full(copied.unwrap_err()));
        let piece = store.stage("x").await.unwrap();
        assert!(full(store.append_object("b", "log", 0, piece, guarded()).await.unwrap_err()));
        // What holds no bytes fits, and the bytes of parts are held already.
        guarded_put(&store, "empty", "").await.unwrap();
        store.abort_upload("b", "m", &id).await.unwrap();
        guarded_put(&store, "l", "123456").await.unwrap();
        contents(&store).await;
    }

    async fn of_many_writers_only_those_get_in_that_fit(store: Store) {
        bucket(&store).await;
        document(&store, "quota", "35").await;
        let writers = (0..20).map(|number| {
            let store = store.clone();
            async move { guarded_put(&store, &format!("k{number}"), "0123456789").await.is_ok() }
        });
        let fitted = join_all(writers).await.into_iter().filter(|fitted| *fitted).count();
        assert_eq!((fitted, store.bucket_stat("b").unwrap().storage), (3, 30));
    }
}
