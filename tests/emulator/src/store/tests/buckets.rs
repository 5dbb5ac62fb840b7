//! Buckets and documents.

use super::*;

on_both_backends! {
    async fn a_bucket_is_created_once_and_deleted_once(store: Store) {
        let made = store.create_bucket("b", bucket_meta()).await.unwrap();
        assert_eq!(store.bucket("b").unwrap(), made);
        let again = store.create_bucket("b", BucketMeta::default()).await;
        assert!(matches!(again, Err(StoreError::BucketAlreadyExists { owner }) if owner == "alice"));
        store.delete_bucket("b").await.unwrap();
        assert!(matches!(store.bucket("b"), Err(StoreError::NoSuchBucket)));
        assert!(matches!(store.delete_bucket("b").await, Err(StoreError::NoSuchBucket)));
        store.create_bucket("b", bucket_meta()).await.unwrap();
    }

    async fn a_bucket_with_anything_in_it_stays(store: Store) {
        bucket(&store).await;
        let refused = |outcome| matches!(outcome, Err(StoreError::BucketNotEmpty));
        let upload = store.initiate_upload("b", "k", ObjectMeta::default()).await.unwrap();
        assert!(refused(store.delete_bucket("b").await));
        store.abort_upload("b", "k", &upload.upload_id).await.unwrap();

        versioned(&store, Versioning::Enabled).await;
        let marker = store.delete_object("b", "k", None, Guard::default()).await.unwrap();
        assert!(refused(store.delete_bucket("b").await));
        store.delete_object("b", "k", marker.version_id.as_deref(), Guard::default()).await.unwrap();

        store.put_config("b", "cors", b"<x/>".to_vec()).await.unwrap();
        store.delete_bucket("b").await.unwrap();
        bucket(&store).await;
        assert_eq!(store.config("b", "cors").unwrap(), None, "documents went with the bucket");
    }

    async fn every_call_wants_an_existing_bucket(store: Store) {
        let query = ListQuery::default();
        let none = ObjectMeta::default;
        assert!(matches!(store.object("b", "k", None), Err(StoreError::NoSuchBucket)));
        assert!(matches!(store.list_objects("b", &query), Err(StoreError::NoSuchBucket)));
        assert!(matches!(store.list_versions("b", &query), Err(StoreError::NoSuchBucket)));
        assert!(matches!(store.list_uploads("b", &query), Err(StoreError::NoSuchBucket)));
        assert!(matches!(store.config("b", "k"), Err(StoreError::NoSuchBucket)));
        assert!(matches!(store.initiate_upload("b", "k", none()).await, Err(StoreError::NoSuchBucket)));
        assert!(matches!(append(&store, "k", 0, "x").await, Err(StoreError::NoSuchBucket)));
        assert!(matches!(store.update_bucket("b", |_| ()).await, Err(StoreError::NoSuchBucket)));
    }

    async fn buckets_are_listed_by_name_in_pages(store: Store) {
        for name in ["c", "a1", "a2", "b", "a3"] {
            store.create_bucket(name, bucket_meta()).await.unwrap();
        }
        let names = |page: &BucketPage| -> Vec<String> {
            page.buckets.iter().map(|bucket| bucket.name.clone()).collect()
        };
        assert_eq!(names(&store.list_buckets("", "", 9)), ["a1", "a2", "a3", "b", "c"]);
        let first = store.list_buckets("a", "", 2);
        assert_eq!(names(&first), ["a1", "a2"]);
        assert_eq!(first.next_marker.as_deref(), Some("a2"));
        let second = store.list_buckets("a", "a2", 2);
        assert_eq!((names(&second), second.next_marker), (vec!["a3".to_owned()], None));
    }

    async fn bucket_facts_change_and_names_find_their_bucket(store: Store) {
        bucket(&store).await;
        let changed = store
            .update_bucket("b", |meta| {
                meta.acl = "public-read".into();
                meta.cnames.insert("Files.example.com".into(), String::new());
            })
            .await
            .unwrap();
        assert_eq!(changed.meta.acl, "public-read");
        assert_eq!(store.bucket("b").unwrap(), changed);
        assert_eq!(store.bucket_of_cname("files.EXAMPLE.com").as_deref(), Some("b"));
        assert_eq!(store.bucket_of_cname("other.example.com"), None);
    }

    async fn documents_are_kept_by_kind(store: Store) {
        bucket(&store).await;
        let bytes = vec![0, 255, b'\n', 7];
        store.put_config("b", "cors", bytes.clone()).await.unwrap();
        store.put_config("b", "index/b", b"2".to_vec()).await.unwrap();
        store.put_config("b", "index/a", b"1".to_vec()).await.unwrap();
        assert_eq!(*store.config("b", "cors").unwrap().unwrap(), bytes);
        let kinds: Vec<_> = store.configs("b", "index/").unwrap().into_iter().map(|d| d.0).collect();
        assert_eq!(kinds, ["index/a", "index/b"]);
        assert!(store.delete_config("b", "cors").await.unwrap());
        assert!(!store.delete_config("b", "cors").await.unwrap());
        assert_eq!(store.config("b", "cors").unwrap(), None);
    }

    async fn a_document_is_changed_by_a_decision_that_may_refuse(store: Store) {
        let add = |old: Option<&[u8]>| -> Result<_, ()> {
            let mut all = old.unwrap_or_default().to_vec();
            all.push(b'x');
            let len = all.len();
            Ok((Some(all), len))
        };
        assert_eq!(store.update_account_config("k", add).await.unwrap(), Ok(1));
        assert_eq!(store.update_account_config("k", add).await.unwrap(), Ok(2));
        let refused = store
            .update_account_config("k", |_| Err::<(Option<Vec<u8>>, ()), _>("no"))
            .await
            .unwrap();
        assert_eq!(refused, Err("no"));
        assert_eq!(store.account_config("k").as_deref(), Some(&b"xx".to_vec()));
        let removed = store.update_account_config("k", |_| Ok::<_, ()>((None, ()))).await.unwrap();
        assert_eq!(removed, Ok(()));
        assert!(store.account_configs("").is_empty());
    }

    async fn a_bucket_is_counted(store: Store) {
        bucket(&store).await;
        put(&store, "a", "12345").await;
        versioned(&store, Versioning::Enabled).await;
        put(&store, "a", "123").await;
        store.delete_object("b", "gone", None, Guard::default()).await.unwrap();
        let upload = store.initiate_upload("b", "m", ObjectMeta::default()).await.unwrap();
        let part = store.stage("1234567").await.unwrap();
        store.put_part("b", "m", &upload.upload_id, 1, part, Guard::default()).await.unwrap();
        let stat = store.bucket_stat("b").unwrap();
        assert_eq!((stat.objects, stat.versions, stat.delete_markers), (1, 2, 1));
        assert_eq!((stat.uploads, stat.storage), (1, 15));
        assert_eq!(stat.storage_by_class["Standard"], 8);
        assert_eq!(stat.objects_by_class["Standard"], 2);
    }
}
