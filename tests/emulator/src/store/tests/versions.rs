//! Versioned buckets.

use super::*;

fn listed(store: &Store, query: &ListQuery) -> Vec<(String, String, bool)> {
    let page = store.list_versions("b", query).unwrap();
    page.entries.into_iter().map(shown).collect()
}

fn shown(entry: VersionEntry) -> (String, String, bool) {
    match entry.version {
        VersionInfo::Object(info) => (info.key.clone(), info.version_id.clone(), entry.is_latest),
        VersionInfo::DeleteMarker { key, version_id, .. } => (key, version_id, entry.is_latest),
    }
}

fn all() -> ListQuery {
    ListQuery {
        max: 1000,
        ..ListQuery::default()
    }
}

on_both_backends! {
    async fn enabled_keeps_every_version(store: Store) {
        bucket(&store).await;
        put(&store, "k", "zero").await;
        versioned(&store, Versioning::Enabled).await;
        let one = put(&store, "k", "one").await;
        let two = put(&store, "k", "two").await;
        assert_ne!(one.version_id, two.version_id);
        assert_eq!(text(&store, "k").await, "two");
        assert_eq!(version_text(&store, "k", Some(&one.version_id)).await, "one");
        assert_eq!(version_text(&store, "k", Some(NULL_VERSION)).await, "zero");
        let ids: Vec<_> = listed(&store, &all()).into_iter().map(|(_, id, latest)| (id, latest)).collect();
        let want = [(two.version_id.clone(), true), (one.version_id.clone(), false), (NULL_VERSION.to_owned(), false)];
        assert_eq!(ids, want);
    }

    async fn a_delete_adds_a_marker_that_can_be_deleted(store: Store) {
        bucket(&store).await;
        versioned(&store, Versioning::Enabled).await;
        let one = put(&store, "k", "one").await;
        let outcome = store.delete_object("b", "k", None, Guard::default()).await.unwrap();
        assert!(outcome.delete_marker && outcome.changed);
        let marker = outcome.version_id.unwrap();
        for version in [None, Some(marker.as_str())] {
            let hidden = store.object("b", "k", version);
            assert!(matches!(hidden, Err(StoreError::DeleteMarker { version_id, .. }) if version_id == marker));
        }
        assert!(store.list_objects("b", &all()).unwrap().entries.is_empty());
        assert_eq!(version_text(&store, "k", Some(&one.version_id)).await, "one");

        let outcome = store.delete_object("b", "k", Some(&marker), Guard::default()).await.unwrap();
        assert_eq!(outcome, DeleteOutcome { version_id: Some(marker), delete_marker: true, changed: true });
        assert_eq!(text(&store, "k").await, "one");
    }

    async fn deleting_the_latest_version_uncovers_the_one_before(store: Store) {
        bucket(&store).await;
        versioned(&store, Versioning::Enabled).await;
        put(&store, "k", "one").await;
        let two = put(&store, "k", "two").await;
        let outcome = store.delete_object("b", "k", Some(&two.version_id), Guard::default()).await.unwrap();
        assert!(!outcome.delete_marker && outcome.changed);
        assert_eq!(text(&store, "k").await, "one");
        let again = store.delete_object("b", "k", Some(&two.version_id), Guard::default()).await.unwrap();
        assert!(!again.changed);
    }

    async fn suspended_replaces_the_null_version_only(store: Store) {
        bucket(&store).await;
        put(&store, "k", "zero").await;
        versioned(&store, Versioning::Enabled).await;
        let one = put(&store, "k", "one").await;
        versioned(&store, Versioning::Suspended).await;
        let two = put(&store, "k", "two").await;
        assert_eq!(two.version_id, NULL_VERSION);
        assert_eq!(text(&store, "k").await, "two");
        let ids: Vec<_> = listed(&store, &all()).into_iter().map(|(_, id, _)| id).collect();
        assert_eq!(ids, [NULL_VERSION, &one.version_id]);

        let outcome = store.delete_object("b", "k", None, Guard::default()).await.unwrap();
        assert_eq!((outcome.version_id.as_deref(), outcome.delete_marker), (Some(NULL_VERSION), true));
        let ids: Vec<_> = listed(&store, &all()).into_iter().map(|(_, id, _)| id).collect();
        assert_eq!(ids, [NULL_VERSION, &one.version_id], "the marker took the place of `two`");
        assert_eq!(version_text(&store, "k", Some(&one.version_id)).await, "one");
    }

    async fn nothing_is_overwritten_so_nothing_is_forbidden(store: Store) {
        bucket(&store).await;
        versioned(&store, Versioning::Enabled).await;
        put(&store, "k", "one").await;
        let options = PutOptions { forbid_overwrite: true, ..PutOptions::default() };
        let staged = store.stage("two").await.unwrap();
        store.put_object("b", "k", staged, options).await.unwrap();
        assert_eq!(text(&store, "k").await, "two");
    }

    async fn an_append_extends_the_latest_version(store: Store) {
        bucket(&store).await;
        versioned(&store, Versioning::Enabled).await;
        let one = append(&store, "k", 0, "one").await.unwrap();
        let more = append(&store, "k", 3, " two").await.unwrap();
        assert_eq!(one.version_id, more.version_id);
        assert_eq!(listed(&store, &all()).len(), 1);
        store.delete_object("b", "k", None, Guard::default()).await.unwrap();
        let fresh = append(&store, "k", 0, "new").await.unwrap();
        assert_ne!(fresh.version_id, one.version_id);
        assert_eq!(version_text(&store, "k", Some(&one.version_id)).await, "one two");
    }

    async fn facts_of_an_old_version_can_change(store: Store) {
        bucket(&store).await;
        versioned(&store, Versioning::Enabled).await;
        let one = put(&store, "k", "one").await;
        put(&store, "k", "two").await;
        let id = one.version_id.as_str();
        let tagged = store
            .update_object("b", "k", Some(id), |meta| meta.tags.push(("a".into(), "b".into())))
            .await
            .unwrap();
        assert_eq!((tagged.version_id.as_str(), tagged.meta.tags.len()), (id, 1));
        assert!(store.object("b", "k", None).unwrap().info().meta.tags.is_empty());
    }

    async fn versions_are_paged_at_every_size(store: Store) {
        bucket(&store).await;
        for key in ["a", "d/1", "z"] {
            put(&store, key, "null").await;
        }
        versioned(&store, Versioning::Enabled).await;
        for key in ["a", "a", "d/1", "d/2", "z", "z", "z"] {
            put(&store, key, key).await;
        }
        store.delete_object("b", "a", None, Guard::default()).await.unwrap();
        let whole = listed(&store, &all());
        assert_eq!(whole.len(), 11);
        for max in 1..13 {
            let mut query = ListQuery { max, ..ListQuery::default() };
            let mut seen = Vec::new();
            loop {
                let page = store.list_versions("b", &query).unwrap();
                seen.extend(page.entries.into_iter().map(shown));
                if !page.truncated {
                    break;
                }
                query.marker = page.next_marker.unwrap();
                query.id_marker = page.next_id_marker.unwrap();
            }
            assert_eq!(seen, whole, "pages of {max}");
        }
        let grouped = ListQuery { delimiter: "/".into(), ..all() };
        let page = store.list_versions("b", &grouped).unwrap();
        assert_eq!((page.entries.len(), page.common_prefixes), (8, vec!["d/".to_owned()]));
    }

    async fn a_purge_that_deletes_page_by_page_misses_nothing(store: Store) {
        bucket(&store).await;
        put(&store, "k", "null").await;
        versioned(&store, Versioning::Enabled).await;
        for _ in 0..7 {
            put(&store, "k", "x").await;
        }
        put(&store, "l", "x").await;
        let mut query = ListQuery { max: 3, ..ListQuery::default() };
        loop {
            let page = store.list_versions("b", &query).unwrap();
            for (key, id, _) in page.entries.into_iter().map(shown) {
                assert!(store.delete_object("b", &key, Some(&id), Guard::default()).await.unwrap().changed);
            }
            let Some(marker) = page.next_marker else { break };
            query.marker = marker;
            query.id_marker = page.next_id_marker.unwrap_or_default();
        }
        store.delete_bucket("b").await.unwrap();
    }

    async fn a_vanished_marker_version_hides_nothing_older(store: Store) {
        bucket(&store).await;
        versioned(&store, Versioning::Enabled).await;
        let mut ids = Vec::new();
        for _ in 0..4 {
            ids.push(put(&store, "k", "x").await.version_id.clone());
        }
        store.delete_object("b", "k", Some(&ids[2]), Guard::default()).await.unwrap();
        let query = ListQuery { marker: "k".into(), id_marker: ids[2].clone(), ..all() };
        let rest: Vec<_> = listed(&store, &query).into_iter().map(|(_, id, _)| id).collect();
        assert_eq!(rest, [ids[1].clone(), ids[0].clone()]);
    }
}
