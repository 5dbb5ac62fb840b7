//! Several changes of a bucket in one step.

use super::*;

/// A bucket with documents, then a draft that changes everything, then one that is refused.
async fn fill(store: &Store) {
    let new = NewBucket {
        meta: bucket_meta(),
        documents: vec![("a/1".to_owned(), b"one".to_vec()), ("b".to_owned(), b"two".to_vec())],
        limit: None,
    };
    assert!(store.create_bucket_with("b", new).await.unwrap().is_some());
    let count = store.change_bucket("b", |draft| {
        "public-read".clone_into(&mut draft.meta.acl);
        draft.put("a/2", b"three".to_vec());
        draft.remove("b");
        draft.remove("never there");
        Ok::<_, ()>(draft.named("a/").count())
    });
    assert_eq!(count.await.unwrap(), Ok(1), "documents are those before the change");
    let refused = store.change_bucket("b", |draft| {
        draft.put("a/3", b"four".to_vec());
        "private".clone_into(&mut draft.meta.acl);
        Err::<(), _>("no")
    });
    assert_eq!(refused.await.unwrap(), Err("no"));
}

fn check(store: &Store) {
    let kinds: Vec<String> = store
        .configs("b", "")
        .unwrap()
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    assert_eq!(kinds, ["a/1", "a/2"]);
    assert_eq!(store.bucket("b").unwrap().meta.acl, "public-read");
}

#[tokio::test]
async fn drafts_change_all_or_nothing_and_survive() {
    let store = memory_store();
    fill(&store).await;
    check(&store);
    let home = tempfile::tempdir().unwrap();
    let store = directory_store(&home).await;
    fill(&store).await;
    check(&store);
    drop(store);
    check(&directory_store(&home).await);
}

#[tokio::test]
async fn a_limit_counts_names_of_a_beginning() {
    let store = memory_store();
    let make = async |name: &str| {
        let new = NewBucket {
            meta: bucket_meta(),
            documents: Vec::new(),
            limit: Some(("x:".to_owned(), 2)),
        };
        store.create_bucket_with(name, new).await
    };
    for (name, made) in [("x:a", true), ("y", true), ("x:b", true), ("x:c", false)] {
        assert_eq!(make(name).await.unwrap().is_some(), made, "{name}");
    }
    assert!(matches!(make("x:a").await, Err(StoreError::BucketAlreadyExists { .. })));
    store.delete_bucket("x:a").await.unwrap();
    assert!(make("x:c").await.unwrap().is_some());
}

#[tokio::test]
async fn a_host_is_claimed_by_one_bucket() {
    let store = memory_store();
    for name in ["a", "b"] {
        store.create_bucket(name, bucket_meta()).await.unwrap();
    }
    let claim = async |bucket: &str| {
        let claimed = store.claim_host(bucket, "Files.test", |draft, other| match other {
            Some(other) => Err(other.name),
            None => {
                draft.meta.cnames.insert("files.test".to_owned(), String::new());
                Ok(())
            }
        });
        claimed.await.unwrap()
    };
    assert_eq!(claim("a").await, Ok(()));
    assert_eq!(claim("b").await, Err("a".to_owned()));
    assert_eq!(claim("a").await, Ok(()), "its own name");
}
