//! Objects without versioning: writing, reading, conditions, appending, copying, listing.

use super::*;

on_both_backends! {
    async fn an_object_is_read_as_it_was_written(store: Store) {
        bucket(&store).await;
        let meta = ObjectMeta {
            content_type: Some("text/plain".into()),
            user: [("a".to_owned(), "ü".to_owned())].into(),
            tags: vec![("t".into(), "1".into())],
            acl: ObjectAcl::PublicRead,
            ..ObjectMeta::default()
        };
        let options = PutOptions { meta: meta.clone(), forbid_overwrite: true, ..PutOptions::default() };
        let staged = store.stage("123456789").await.unwrap();
        assert_eq!((staged.size(), staged.crc64()), (9, 0x995d_c9bb_df19_39fa));
        let info = store.put_object("b", "k", staged, options).await.unwrap();
        assert_eq!(info.etag, "25F9E794323B453885F5181F1B624D0B");
        assert_eq!(info.crc64, 0x995d_c9bb_df19_39fa);
        assert_eq!((info.size, info.kind), (9, ObjectKind::Normal));
        assert_eq!((info.version_id.as_str(), info.next_append_position()), (NULL_VERSION, None));
        assert_eq!(info.meta, ObjectMeta { storage_class: "Standard".into(), ..meta });

        let object = store.object("b", "k", None).unwrap();
        assert_eq!(object.info(), &info);
        assert_eq!(store.object("b", "k", Some(NULL_VERSION)).unwrap().info(), &info);
        assert_eq!(text(&store, "k").await, "123456789");
    }

    async fn what_is_not_there_has_its_own_errors(store: Store) {
        bucket(&store).await;
        assert!(matches!(store.object("b", "k", None), Err(StoreError::NoSuchKey)));
        assert!(matches!(store.object("b", "k", Some("v")), Err(StoreError::NoSuchVersion)));
        put(&store, "k", "x").await;
        assert!(matches!(store.object("b", "k", Some("v")), Err(StoreError::NoSuchVersion)));
        assert!(matches!(store.object("b", "K", None), Err(StoreError::NoSuchKey)));
    }

    async fn ranges_are_exact_at_every_border(store: Store) {
        bucket(&store).await;
        let bytes = noise(2 * blob::CHUNK + 5);
        put(&store, "k", bytes.clone()).await;
        let object = store.object("b", "k", None).unwrap();
        let borders = [0, 1, blob::CHUNK - 1, blob::CHUNK, blob::CHUNK + 1, 2 * blob::CHUNK, bytes.len()];
        for start in borders {
            for end in borders.into_iter().filter(|end| *end >= start) {
                let read = object.read(start as u64..end as u64).unwrap();
                assert!(collect(read).await.unwrap() == bytes[start..end], "{start}..{end}");
            }
        }
        let size = bytes.len() as u64;
        let beyond = object.read(0..size + 1);
        assert!(matches!(beyond, Err(StoreError::InvalidRange { size: s }) if s == size));
        assert!(object.read(size + 1..size + 1).is_err());
        #[expect(clippy::reversed_empty_ranges, reason = "hostile input")]
        let reversed = object.read(5..4);
        assert!(reversed.is_err());
    }

    async fn empty_content_is_content(store: Store) {
        bucket(&store).await;
        let info = put(&store, "k", "").await;
        assert_eq!((info.size, info.crc64), (0, 0));
        assert_eq!(info.etag, "D41D8CD98F00B204E9800998ECF8427E");
        assert_eq!(text(&store, "k").await, "");
    }

    async fn any_text_is_a_key(store: Store) {
        bucket(&store).await;
        let long = "长".repeat(341);
        let keys = ["../../x", "/", "//", ".", "a\u{0}b", "a\nb", "C:\\x", "\"", "é", "e\u{301}", "A", "a", &long];
        for key in keys {
            put(&store, key, format!("content of {key}")).await;
        }
        for key in keys {
            assert_eq!(text(&store, key).await, format!("content of {key}"));
        }
        let all = ListQuery { max: 100, ..ListQuery::default() };
        let mut sorted = keys.to_vec();
        sorted.sort_by_key(|key| key.as_bytes());
        let listed = store.list_objects("b", &all).unwrap().entries;
        assert_eq!(listed.iter().map(|info| info.key.as_str()).collect::<Vec<_>>(), sorted);
    }

    async fn overwriting_can_be_forbidden(store: Store) {
        bucket(&store).await;
        let forbid = || PutOptions { forbid_overwrite: true, ..PutOptions::default() };
        let staged = store.stage("one").await.unwrap();
        store.put_object("b", "k", staged, forbid()).await.unwrap();
        let staged = store.stage("two").await.unwrap();
        let refused = store.put_object("b", "k", staged, forbid()).await;
        assert!(matches!(refused, Err(StoreError::FileAlreadyExists)));
        assert_eq!(text(&store, "k").await, "one");
        put(&store, "k", "three").await;
        assert_eq!(text(&store, "k").await, "three");
    }

    async fn a_reader_keeps_what_it_opened(store: Store) {
        bucket(&store).await;
        let bytes = noise(3 * blob::CHUNK);
        put(&store, "k", bytes.clone()).await;
        let object = store.object("b", "k", None).unwrap();
        let mut started = object.read_all();
        let first = started.try_next().await.unwrap().unwrap();
        put(&store, "k", "other").await;
        store.delete_object("b", "k", None, Guard::default()).await.unwrap();
        let rest = collect(started).await.unwrap();
        assert!([first.to_vec(), rest].concat() == bytes);
        assert!(collect(object.read_all()).await.unwrap() == bytes, "not even opened before");
    }

    async fn deleting_says_what_it_did(store: Store) {
        bucket(&store).await;
        put(&store, "k", "x").await;
        let gone = store.delete_object("b", "k", None, Guard::default()).await.unwrap();
        assert_eq!(gone, DeleteOutcome { version_id: None, delete_marker: false, changed: true });
        let nothing = store.delete_object("b", "k", None, Guard::default()).await.unwrap();
        assert_eq!(nothing, DeleteOutcome { version_id: None, delete_marker: false, changed: false });
        assert!(matches!(store.object("b", "k", None), Err(StoreError::NoSuchKey)));
    }

    async fn what_is_beside_the_content_can_change(store: Store) {
        bucket(&store).await;
        let old = put(&store, "k", "x").await;
        let new = store
            .update_object("b", "k", None, |meta| meta.acl = ObjectAcl::Private)
            .await
            .unwrap();
        assert_eq!(new.meta.acl, ObjectAcl::Private);
        assert_eq!((new.last_modified, &new.etag), (old.last_modified, &old.etag));
        assert_eq!(store.object("b", "k", None).unwrap().info(), &new);
        assert_eq!(text(&store, "k").await, "x");
        let missing = store.update_object("b", "other", None, |_| ()).await;
        assert!(matches!(missing, Err(StoreError::NoSuchKey)));
    }

    async fn appending_goes_on_where_the_object_ends(store: Store) {
        bucket(&store).await;
        let ahead = append(&store, "k", 3, "x").await;
        assert!(matches!(ahead, Err(StoreError::PositionNotEqualToLength { length: 0 })));
        let first = append(&store, "k", 0, "1234").await.unwrap();
        assert_eq!((first.kind, first.next_append_position()), (ObjectKind::Appendable, Some(4)));
        append(&store, "k", 4, "").await.unwrap();
        let held = store.object("b", "k", None).unwrap();
        let last = append(&store, "k", 4, "56789").await.unwrap();
        assert_eq!((last.size, last.crc64), (9, 0x995d_c9bb_df19_39fa));
        assert_ne!(last.etag, first.etag);
        assert!(last.last_modified > first.last_modified);
        assert_eq!(text(&store, "k").await, "123456789");
        let middle = store.object("b", "k", None).unwrap().read(2..6).unwrap();
        assert_eq!(collect(middle).await.unwrap(), b"3456");
        assert_eq!(collect(held.read_all()).await.unwrap(), b"1234", "as it was when opened");
        for position in [0, 8, 10] {
            let refused = append(&store, "k", position, "x").await;
            assert!(matches!(refused, Err(StoreError::PositionNotEqualToLength { length: 9 })));
        }
    }

    async fn only_appendable_objects_grow(store: Store) {
        bucket(&store).await;
        put(&store, "k", "x").await;
        let refused = append(&store, "k", 1, "y").await;
        assert!(matches!(refused, Err(StoreError::ObjectNotAppendable)));
        append(&store, "log", 0, "one").await.unwrap();
        let early = store.seal_object("b", "log", 2, Guard::default()).await;
        assert!(matches!(early, Err(StoreError::PositionNotEqualToLength { length: 3 })));
        let sealed = store.seal_object("b", "log", 3, Guard::default()).await.unwrap();
        assert!(sealed.sealed.is_some());
        assert_eq!(store.seal_object("b", "log", 3, Guard::default()).await.unwrap(), sealed);
        let refused = append(&store, "log", 3, "two").await;
        assert!(matches!(refused, Err(StoreError::ObjectNotAppendable)));
        let wrong = store.seal_object("b", "k", 1, Guard::default()).await;
        assert!(matches!(wrong, Err(StoreError::ObjectNotAppendable)));
    }

    async fn a_symlink_keeps_its_target(store: Store) {
        bucket(&store).await;
        let meta = ObjectMeta { symlink_target: Some("target".into()), ..ObjectMeta::default() };
        let options = PutOptions { meta, forbid_overwrite: true, ..PutOptions::default() };
        let info = store.put_symlink("b", "link", options.clone()).await.unwrap();
        assert_eq!((info.kind, info.size), (ObjectKind::Symlink, 0));
        assert_eq!(info.meta.symlink_target.as_deref(), Some("target"));
        let again = store.put_symlink("b", "link", options).await;
        assert!(matches!(again, Err(StoreError::FileAlreadyExists)));
    }

    async fn a_copy_outlives_its_source(store: Store) {
        bucket(&store).await;
        store.create_bucket("other", BucketMeta::default()).await.unwrap();
        append(&store, "k", 0, "one ").await.unwrap();
        append(&store, "k", 4, "two").await.unwrap();
        let source = store.object("b", "k", None).unwrap();
        let meta = ObjectMeta { content_type: Some("x/y".into()), ..ObjectMeta::default() };
        let options = PutOptions { meta, ..PutOptions::default() };
        let copy = store.copy_object(&source, "other", "copy", Onto::Another, options).await.unwrap();
        assert_eq!((copy.kind, copy.crc64), (ObjectKind::Normal, source.info().crc64));
        assert_eq!(copy.meta.content_type.as_deref(), Some("x/y"));
        drop(source);
        append(&store, "k", 7, " three").await.unwrap();
        store.delete_object("b", "k", None, Guard::default()).await.unwrap();
        let copy = store.object("other", "copy", None).unwrap();
        assert_eq!(collect(copy.read_all()).await.unwrap(), b"one two");
    }

    async fn an_object_copied_onto_itself_changes_its_meta_only(store: Store) {
        bucket(&store).await;
        put(&store, "k", "content").await;
        let source = store.object("b", "k", None).unwrap();
        let meta = ObjectMeta { storage_class: "IA".into(), ..ObjectMeta::default() };
        let options = PutOptions { meta, ..PutOptions::default() };
        let copy = store.copy_object(&source, "b", "k", Onto::ItsLatest, options).await.unwrap();
        drop(source);
        assert_eq!(copy.meta.storage_class, "IA");
        assert_eq!(text(&store, "k").await, "content");
    }

    async fn listing_groups_and_pages(store: Store) {
        bucket(&store).await;
        for key in ["a", "d/1", "d/2", "e/1", "f"] {
            put(&store, key, key).await;
        }
        let mut query = ListQuery { delimiter: "/".into(), max: 2, ..ListQuery::default() };
        let first = store.list_objects("b", &query).unwrap();
        assert_eq!((first.entries[0].key.as_str(), first.common_prefixes), ("a", vec!["d/".to_owned()]));
        assert_eq!((first.next_marker.as_deref(), first.next_id_marker), (Some("d/"), None));
        query.marker = "d/".into();
        let second = store.list_objects("b", &query).unwrap();
        assert_eq!((second.entries[0].key.as_str(), second.common_prefixes), ("f", vec!["e/".to_owned()]));
        assert!(!second.truncated);
    }

    async fn a_writer_takes_chunks_of_any_size(store: Store) {
        bucket(&store).await;
        let bytes = Bytes::from(noise(3 * blob::CHUNK + 17));
        let mut writer = store.writer();
        let (mut at, mut step) = (0, 0);
        while at < bytes.len() {
            let end = bytes.len().min(at + step);
            writer.write(bytes.slice(at..end)).await.unwrap();
            (at, step) = (end, step * 3 + 1);
        }
        assert_eq!(writer.size(), bytes.len() as u64);
        let staged = writer.finish().await.unwrap();
        assert_eq!((staged.size(), staged.crc64()), (bytes.len() as u64, crc::of(&bytes)));
        store.put_object("b", "k", staged, PutOptions::default()).await.unwrap();
        let object = store.object("b", "k", None).unwrap();
        assert!(collect(object.read_all()).await.unwrap() == bytes);
    }

    async fn timestamps_come_from_the_clock(store: Store) {
        bucket(&store).await;
        let before = store.now();
        let info = put(&store, "k", "x").await;
        assert!(info.last_modified > before && info.last_modified < store.now());
    }
}
