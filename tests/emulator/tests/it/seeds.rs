//! Emulators that start with the buckets and objects of a folder.

use std::fs;
use std::path::Path;

use oss_emulator::{Builder, Clock, Emulator};

use crate::client::{Client, Request, noon};

fn builder(folder: &Path) -> Builder {
    Emulator::builder().clock(Clock::fixed(noon())).seed(folder)
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

async fn refusal(folder: &Path) -> String {
    let error = builder(folder).start().await.unwrap_err();
    error.to_string()
}

#[tokio::test]
async fn folders_are_buckets_and_files_are_objects() {
    let folder = tempfile::tempdir().unwrap();
    let large = vec![7; 700 * 1024];
    for (name, content) in [
        ("site/index.html", b"<p>".as_slice()),
        ("site/css/a b/own.css", b"p{}"),
        ("site/.well-known/x", b"hidden"),
        ("site/empty.json", b""),
        ("private-one/large.bin", &large),
        ("README", b"about the folder"),
        (".git/config", b"of the folder"),
    ] {
        write(folder.path(), name, content);
    }
    write(
        folder.path(),
        "seed.toml",
        "[site]\nacl = \"public-read\"\nversioning = \"Enabled\"\n[bare]\n",
    );
    let emulator = builder(folder.path()).start().await.unwrap();
    let client = Client::of(&emulator);
    let buckets = client.send(Request::get("/")).await;
    assert_eq!(buckets.elements("Name"), ["bare", "private-one", "site"]);
    for (key, content_type, body) in [
        ("index.html", "text/html", "<p>"),
        ("css/a b/own.css", "text/css", "p{}"),
        (".well-known/x", "application/octet-stream", "hidden"),
        ("empty.json", "application/json", ""),
    ] {
        let read = client.send_as_is(Request::get(&format!("/site/{key}"))).await;
        assert_eq!((read.status, read.text().as_str()), (200, body), "{key}");
        assert_eq!(read.header("content-type"), Some(content_type), "{key}");
        assert!(read.header("x-oss-version-id").is_some(), "{key}");
    }
    let closed = client.send_as_is(Request::get("/private-one/large.bin")).await;
    assert_eq!(closed.error(), (403, "AccessDenied".to_owned()));
    assert_eq!(client.send(Request::get("/private-one/large.bin")).await.body, large);
    assert_eq!(client.send(Request::delete("/bare")).await.status, 204);
}

#[tokio::test]
async fn buckets_that_exist_are_left_alone() {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(folder.path(), "first/k", "seed");
    let start = || builder(folder.path()).data_dir(data.path()).start();
    let emulator = start().await.unwrap();
    let client = Client::of(&emulator);
    assert_eq!(client.send(Request::put("/first/k").body("changed")).await.status, 200);
    emulator.shutdown().await;

    write(folder.path(), "first/late", "seed");
    write(folder.path(), "second/k", "seed");
    let emulator = start().await.unwrap();
    let client = Client::of(&emulator);
    assert_eq!(client.send(Request::get("/first/k")).await.text(), "changed");
    assert_eq!(client.send(Request::get("/first/late")).await.status, 404);
    assert_eq!(client.send(Request::get("/second/k")).await.text(), "seed");
}

#[tokio::test]
async fn a_mistake_stops_the_start_and_stores_nothing() {
    for (name, content, expected) in [
        ("Wrong_Name/k", "", "Wrong_Name: this is no name of a bucket"),
        (
            "seed.toml",
            "[good]\nacl = \"open\"",
            "the ACL of `good`: `open` is not private",
        ),
        ("seed.toml", "[good]\nacl = \"default\"", "`default` is not private"),
        ("seed.toml", "[good]\nversioning = \"on\"", "line 2"),
        ("seed.toml", "[good]\nowner = \"me\"", "owner"),
        ("seed.toml", "[B]", "`B` is no name of a bucket"),
    ] {
        let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(folder.path(), "good/k", "");
        write(folder.path(), name, content);
        let error = builder(folder.path()).data_dir(data.path()).start().await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        let emulator = Emulator::builder()
            .clock(Clock::fixed(noon()))
            .data_dir(data.path())
            .start()
            .await
            .unwrap();
        let buckets = Client::of(&emulator).send(Request::get("/")).await;
        assert!(buckets.elements("Name").is_empty(), "{name}: {}", buckets.text());
    }
    let missing = refusal(Path::new("/nothing/is/here")).await;
    assert!(missing.contains("/nothing/is/here"), "{missing}");
}

#[cfg(unix)]
#[tokio::test]
async fn links_stay_within_the_folder() {
    use std::os::unix::fs::symlink;

    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "k", "not for everybody");
    let folder = || {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "bucket/dir/k", "content");
        folder
    };
    let within = folder();
    symlink("dir/k", within.path().join("bucket/file")).unwrap();
    symlink("bucket", within.path().join("other")).unwrap();
    let emulator = builder(within.path()).start().await.unwrap();
    let client = Client::of(&emulator);
    for target in ["/bucket/file", "/other/dir/k", "/other/file"] {
        assert_eq!(client.send(Request::get(target)).await.text(), "content", "{target}");
    }
    for (link, target, expected) in [
        ("bucket/k", outside.path().join("k"), "leads out of the folder"),
        ("bucket/all", outside.path().to_owned(), "leads out of the folder"),
        ("whole", outside.path().to_owned(), "leads out of the folder"),
        ("seed.toml", outside.path().join("k"), "leads out of the folder"),
        ("bucket/dir/up", "..".into(), "leads to a folder that it is in"),
        ("bucket/top", "../..".into(), "leads out of the folder"),
        ("bucket/root", "..".into(), "leads to a folder that it is in"),
        ("bucket/none", "missing".into(), "bucket/none"),
    ] {
        let folder = folder();
        symlink(target, folder.path().join(link)).unwrap();
        let error = refusal(folder.path()).await;
        assert!(error.contains(expected), "{link}: {error}");
    }
}
