//! Buckets as static websites.

use crate::client::{Client, Request, Response, start_with_bucket};

async fn site(configuration: &str) -> (oss_emulator::Emulator, Client, Client) {
    let (emulator, client) = start_with_bucket().await;
    client
        .send(Request::put("/bucket?acl").header("x-oss-acl", "public-read"))
        .await;
    for (key, body) in [
        ("index.html", "root"),
        ("error.html", "lost"),
        ("dir/index.html", "page of dir"),
        ("a.txt", "text"),
    ] {
        let put = Request::put(&format!("/bucket/{key}"))
            .body(body)
            .header("content-type", "text/html");
        assert_eq!(client.send(put).await.status, 200);
    }
    let document = format!("<WebsiteConfiguration>{configuration}</WebsiteConfiguration>");
    let put = client.send(Request::put("/bucket?website").body(document)).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let visitor = Client {
        host: "bucket.localhost".to_owned(),
        ..client.clone()
    };
    (emulator, client, visitor)
}

async fn visit(visitor: &Client, target: &str) -> Response {
    visitor.send_as_is(Request::get(target)).await
}

fn pages(sub_dir: &str) -> String {
    format!(
        "<IndexDocument><Suffix>index.html</Suffix>{sub_dir}</IndexDocument><ErrorDocument><Key>error.html</Key></ErrorDocument>"
    )
}

#[tokio::test]
async fn directories_and_missing_pages_have_their_pages() {
    let (_emulator, client, visitor) = site(&pages("")).await;
    for (target, status, body) in [
        ("/", 200, "root"),
        ("/?utm=1", 200, "root"),
        ("/dir/", 200, "root"),
        ("/a.txt", 200, "text"),
        ("/dir", 404, "lost"),
        ("/none", 404, "lost"),
    ] {
        let answer = visit(&visitor, target).await;
        assert_eq!((answer.status, answer.text().as_str()), (status, body), "{target}");
    }
    let head = visitor.send_as_is(Request::new("HEAD", "/none")).await;
    assert_eq!((head.status, head.header("content-type")), (404, Some("text/html")));
    // Requests with a signature and path-style addresses see the bucket itself.
    let listing = client.send(Request::get("/bucket")).await;
    assert!(listing.text().contains("<ListBucketResult"), "{}", listing.text());
    let missing = client.send_as_is(Request::get("/bucket/none")).await;
    assert_eq!(missing.error(), (404, "NoSuchKey".to_owned()));
}

#[tokio::test]
async fn sub_directories_can_have_pages_of_their_own() {
    for (kind, status, body, location) in [
        ("0", 302, "", Some("/dir/")),
        ("1", 404, "lost", None),
        ("2", 200, "page of dir", None),
    ] {
        let sub_dir = format!("<SupportSubDir>true</SupportSubDir><Type>{kind}</Type>");
        let (_emulator, _client, visitor) = site(&pages(&sub_dir)).await;
        assert_eq!(visit(&visitor, "/dir/").await.text(), "page of dir");
        assert_eq!(visit(&visitor, "/none/").await.status, 404);
        let answer = visit(&visitor, "/dir").await;
        assert_eq!((answer.status, answer.text().as_str()), (status, body), "{kind}");
        assert_eq!(answer.header("location"), location, "{kind}");
        assert_eq!(visit(&visitor, "/none").await.text(), "lost");
    }
}

#[tokio::test]
async fn rules_redirect_by_their_numbers() {
    let rule = |number: u8, condition: &str, redirect: &str| {
        format!(
            "<RoutingRule><RuleNumber>{number}</RuleNumber><Condition>{condition}</Condition><Redirect>{redirect}</Redirect></RoutingRule>"
        )
    };
    let external = "<RedirectType>External</RedirectType><Protocol>https</Protocol><HostName>example.com</HostName>";
    let rules = [
        rule(
            2,
            "<KeyPrefixEquals>old/</KeyPrefixEquals>",
            &format!("{external}<ReplaceKeyPrefixWith>late/</ReplaceKeyPrefixWith>"),
        ),
        rule(
            1,
            "<KeyPrefixEquals>old/</KeyPrefixEquals><IncludeHeader><Key>x-own</Key><Equals>1</Equals></IncludeHeader>",
            &format!(
                "{external}<ReplaceKeyPrefixWith>new/</ReplaceKeyPrefixWith><PassQueryString>true</PassQueryString><HttpRedirectCode>307</HttpRedirectCode>"
            ),
        ),
        rule(
            3,
            "<KeySuffixEquals>.gone</KeySuffixEquals><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals>",
            &format!("{external}<ReplaceKeyWith>was/${{key}}</ReplaceKeyWith>"),
        ),
        rule(
            4,
            "<KeyPrefixEquals>far/</KeyPrefixEquals><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals>",
            "<RedirectType>Mirror</RedirectType><MirrorURL>http://example.com/</MirrorURL>",
        ),
    ];
    let (_emulator, _client, visitor) = site(&format!("<RoutingRules>{}</RoutingRules>", rules.concat())).await;
    let first = visitor
        .send_as_is(Request::get("/old/a b?q=1").header("x-own", "1"))
        .await;
    assert_eq!(
        (first.status, first.header("location")),
        (307, Some("https://example.com/new/a%20b?q=1"))
    );
    let second = visit(&visitor, "/old/a").await;
    assert_eq!(
        (second.status, second.header("location")),
        (301, Some("https://example.com/late/a"))
    );
    let gone = visit(&visitor, "/x.gone").await;
    assert_eq!(
        (gone.status, gone.header("location")),
        (301, Some("https://example.com/was/x.gone"))
    );
    assert_eq!(visit(&visitor, "/none").await.error(), (404, "NoSuchKey".to_owned()));
    assert_eq!(
        visit(&visitor, "/far/x").await.error(),
        (501, "NotImplemented".to_owned())
    );
}

#[tokio::test]
async fn website_documents_are_checked() {
    let (_emulator, client) = start_with_bucket().await;
    for (document, code) in [
        ("", "InvalidArgument"),
        ("<IndexDocument><Suffix></Suffix></IndexDocument>", "InvalidArgument"),
        ("<IndexDocument><Suffix>a/b</Suffix></IndexDocument>", "InvalidArgument"),
        (
            "<ErrorDocument><Key>e</Key><HttpStatus>500</HttpStatus></ErrorDocument>",
            "InvalidArgument",
        ),
        (
            "<RoutingRules><RoutingRule><RuleNumber>1</RuleNumber></RoutingRule></RoutingRules>",
            "InvalidArgument",
        ),
    ] {
        let document = format!("<WebsiteConfiguration>{document}</WebsiteConfiguration>");
        let answer = client
            .send(Request::put("/bucket?website").body(document.clone()))
            .await;
        assert_eq!(answer.error(), (400, code.to_owned()), "{document}");
    }
}
