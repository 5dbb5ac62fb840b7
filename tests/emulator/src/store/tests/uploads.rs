//! Multipart uploads.

use super::*;
use crate::store::uploads::MIN_PART_SIZE;

const MIN: usize = MIN_PART_SIZE as usize;

async fn begin(store: &Store, key: &str) -> String {
    let meta = ObjectMeta {
        content_type: Some("a/b".into()),
        ..ObjectMeta::default()
    };
    store.initiate_upload("b", key, meta).await.unwrap().upload_id
}

async fn part(store: &Store, id: &str, number: u32, content: impl Into<Bytes>) -> PartInfo {
    let staged = store.stage(content).await.unwrap();
    store
        .put_part("b", "k", id, number, staged, Guard::default())
        .await
        .unwrap()
}

fn listed(parts: &[&PartInfo]) -> CompleteOptions {
    complete(CompleteParts::Listed(
        parts.iter().map(|part| (part.number, part.etag.clone())).collect(),
    ))
}

fn complete(parts: CompleteParts) -> CompleteOptions {
    CompleteOptions {
        parts,
        forbid_overwrite: false,
        guard: Guard::default(),
        acl: None,
    }
}

on_both_backends! {
    async fn parts_become_one_object(store: Store) {
        bucket(&store).await;
        let bytes = noise(3 * MIN + 11);
        let id = begin(&store, "k").await;
        let third = part(&store, &id, 9, bytes[2 * MIN + 1..].to_vec()).await;
        let first = part(&store, &id, 1, bytes[..MIN].to_vec()).await;
        part(&store, &id, 4, "overwritten below").await;
        let second = part(&store, &id, 4, bytes[MIN..2 * MIN + 1].to_vec()).await;
        part(&store, &id, 5, "left out").await;

        let quoted = CompleteParts::Listed(vec![
            (1, format!("\"{}\"", first.etag.to_lowercase())),
            (4, second.etag.clone()),
            (9, third.etag.clone()),
        ]);
        let options = CompleteOptions { acl: Some(ObjectAcl::Private), ..complete(quoted) };
        let info = store.complete_upload("b", "k", &id, options).await.unwrap();
        assert_eq!((info.kind, info.size), (ObjectKind::Multipart, bytes.len() as u64));
        assert_eq!(info.crc64, crc::of(&bytes));
        assert!(info.etag.ends_with("-3") && info.etag.len() == 34, "{}", info.etag);
        assert_eq!(info.meta.content_type.as_deref(), Some("a/b"));
        assert_eq!(info.meta.acl, ObjectAcl::Private);

        let object = store.object("b", "k", None).unwrap();
        assert!(collect(object.read_all()).await.unwrap() == bytes);
        let across = (MIN as u64 - 1)..(2 * MIN as u64 + 3);
        let want = &bytes[MIN - 1..2 * MIN + 3];
        assert!(collect(object.read(across).unwrap()).await.unwrap() == want);
        let gone = store.upload("b", "k", &id);
        assert!(matches!(gone, Err(StoreError::NoSuchUpload)));
    }

    async fn a_wrong_list_changes_nothing(store: Store) {
        bucket(&store).await;
        let id = begin(&store, "k").await;
        let one = part(&store, &id, 1, "small").await;
        let two = part(&store, &id, 2, "last").await;
        let run = async |options| store.complete_upload("b", "k", &id, options).await;

        let missing = PartInfo { number: 3, ..two.clone() };
        assert!(matches!(run(listed(&[&one, &missing])).await, Err(StoreError::InvalidPart { number: 3 })));
        let altered = PartInfo { etag: one.etag.clone(), ..two.clone() };
        assert!(matches!(run(listed(&[&altered])).await, Err(StoreError::InvalidPart { number: 2 })));
        assert!(matches!(run(listed(&[])).await, Err(StoreError::InvalidPart { number: 0 })));
        assert!(matches!(run(listed(&[&two, &one])).await, Err(StoreError::InvalidPartOrder)));
        assert!(matches!(run(listed(&[&one, &one])).await, Err(StoreError::InvalidPartOrder)));
        let small = run(listed(&[&one, &two])).await;
        assert!(matches!(small, Err(StoreError::EntityTooSmall { number: 1, size: 5 })));
        put(&store, "k", "in the way").await;
        let forbidden = CompleteOptions { forbid_overwrite: true, ..listed(&[&two]) };
        assert!(matches!(run(forbidden).await, Err(StoreError::FileAlreadyExists)));

        assert_eq!(text(&store, "k").await, "in the way");
        assert_eq!(store.list_parts("b", "k", &id, 0, 10).unwrap().parts, [one.clone(), two]);
        run(listed(&[&one])).await.unwrap();
        assert_eq!(text(&store, "k").await, "small");
    }

    async fn everything_uploaded_can_be_taken(store: Store) {
        bucket(&store).await;
        let id = begin(&store, "k").await;
        let nothing = store.complete_upload("b", "k", &id, complete(CompleteParts::All)).await;
        assert!(matches!(nothing, Err(StoreError::InvalidPart { number: 0 })));
        part(&store, &id, 7, "end").await;
        part(&store, &id, 3, vec![b'x'; MIN]).await;
        let info = store.complete_upload("b", "k", &id, complete(CompleteParts::All)).await.unwrap();
        assert_eq!(info.size, MIN as u64 + 3);
        assert!(text(&store, "k").await.ends_with("xend"));
    }

    async fn an_upload_is_known_by_bucket_key_and_id(store: Store) {
        bucket(&store).await;
        let id = begin(&store, "k").await;
        let gone = |error| matches!(error, StoreError::NoSuchUpload);
        assert!(gone(store.upload("b", "other", &id).unwrap_err()));
        assert!(gone(store.upload("b", "k", "id").unwrap_err()));
        assert!(gone(store.list_parts("b", "k", "", 0, 1).unwrap_err()));
        let staged = store.stage("x").await.unwrap();
        assert!(gone(store.put_part("b", "k", "id", 1, staged, Guard::default()).await.unwrap_err()));
        store.abort_upload("b", "k", &id).await.unwrap();
        assert!(gone(store.abort_upload("b", "k", &id).await.unwrap_err()));
        let completed = store.complete_upload("b", "k", &id, complete(CompleteParts::All)).await;
        assert!(gone(completed.unwrap_err()));
    }

    async fn part_numbers_have_limits(store: Store) {
        bucket(&store).await;
        let id = begin(&store, "k").await;
        for number in [0, 10_001, u32::MAX] {
            let staged = store.stage("x").await.unwrap();
            let refused = store.put_part("b", "k", &id, number, staged, Guard::default()).await;
            assert!(matches!(refused, Err(StoreError::InvalidPartNumber { number: n }) if n == number));
        }
        part(&store, &id, 10_000, "x").await;
    }

    async fn parts_are_listed_in_pages(store: Store) {
        bucket(&store).await;
        let id = begin(&store, "k").await;
        for number in [5, 1, 9] {
            part(&store, &id, number, "x").await;
        }
        let numbers = |page: &PartPage| page.parts.iter().map(|part| part.number).collect::<Vec<_>>();
        let first = store.list_parts("b", "k", &id, 0, 2).unwrap();
        assert_eq!((numbers(&first), first.next_marker), (vec![1, 5], Some(5)));
        let second = store.list_parts("b", "k", &id, 5, 2).unwrap();
        assert_eq!((numbers(&second), second.next_marker), (vec![9], None));
        assert!(store.list_parts("b", "k", &id, u32::MAX, 2).unwrap().parts.is_empty());
    }

    async fn a_range_of_an_object_becomes_a_part(store: Store) {
        bucket(&store).await;
        let bytes = noise(2 * blob::CHUNK);
        put(&store, "source", bytes.clone()).await;
        let source = store.object("b", "source", None).unwrap();
        let id = begin(&store, "k").await;
        let one = store.copy_part(&source, None, "b", "k", &id, 1, Guard::default()).await.unwrap();
        let two = store.copy_part(&source, Some(7..12), "b", "k", &id, 2, Guard::default()).await.unwrap();
        assert_eq!((&one.etag, two.size), (&source.info().etag, 5));
        assert_eq!(two.crc64, crc::of(&bytes[7..12]));
        let beyond = source.info().size..source.info().size + 1;
        let refused = store.copy_part(&source, Some(beyond), "b", "k", &id, 3, Guard::default()).await;
        assert!(matches!(refused, Err(StoreError::InvalidRange { .. })));
        store.complete_upload("b", "k", &id, listed(&[&one, &two])).await.unwrap();
        let object = store.object("b", "k", None).unwrap();
        let want = [&bytes[..], &bytes[7..12]].concat();
        assert!(collect(object.read_all()).await.unwrap() == want);
    }

    async fn uploads_are_paged_at_every_size(store: Store) {
        bucket(&store).await;
        for key in ["a", "a", "a", "d/1", "d/2", "k", "k"] {
            begin(&store, key).await;
        }
        let all = ListQuery { max: 100, ..ListQuery::default() };
        let whole = store.list_uploads("b", &all).unwrap().entries;
        assert_eq!(whole.len(), 7);
        assert!(whole.is_sorted_by_key(|upload| (&upload.key, &upload.upload_id)));
        assert!(whole.is_sorted_by_key(|upload| (&upload.key, upload.initiated)));
        for max in 1..9 {
            let mut query = ListQuery { max, ..ListQuery::default() };
            let mut seen = Vec::new();
            loop {
                let page = store.list_uploads("b", &query).unwrap();
                seen.extend(page.entries);
                let Some(marker) = page.next_marker else { break };
                query.marker = marker;
                query.id_marker = page.next_id_marker.unwrap();
            }
            assert_eq!(seen, whole, "pages of {max}");
        }
        let keys_only = ListQuery { marker: "a".into(), ..all.clone() };
        assert_eq!(store.list_uploads("b", &keys_only).unwrap().entries, whole[3..]);
        let grouped = ListQuery { prefix: "d".into(), delimiter: "/".into(), ..all };
        let page = store.list_uploads("b", &grouped).unwrap();
        assert!(page.entries.is_empty() && page.common_prefixes == ["d/"]);
    }

    async fn completing_in_a_versioned_bucket_adds_a_version(store: Store) {
        bucket(&store).await;
        versioned(&store, Versioning::Enabled).await;
        let old = put(&store, "k", "old").await;
        let id = begin(&store, "k").await;
        let only = part(&store, &id, 1, "new").await;
        let new = store.complete_upload("b", "k", &id, listed(&[&only])).await.unwrap();
        assert_ne!(new.version_id, NULL_VERSION);
        assert_eq!(text(&store, "k").await, "new");
        assert_eq!(version_text(&store, "k", Some(&old.version_id)).await, "old");
    }
}
