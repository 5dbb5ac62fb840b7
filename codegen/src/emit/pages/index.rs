//! The list of services, and how to read the pages.

use super::coverage;
use super::markdown::Page;
use super::{banner, service};
use crate::api::Api;
use crate::emit::Options;

/// The text of the page.
pub(super) fn page(api: &Api, options: &Options) -> String {
    let mut page = Page::new(&banner("models"));
    page.heading(1, "The API");
    page.paragraph(
        "What the services offer, as the models in `models/` describe it: a page for each group of operations. The same \
         sentences are in the documentation of the crate.",
    );
    page.paragraph(&coverage::total(api));
    page.table(coverage::HEAD, coverage::rows(api, options, "."));
    let rows = api.services.iter().map(|found| {
        [
            found.name.clone(),
            super::markdown::sentences(&found.doc),
            service::protocol(found).to_owned(),
        ]
    });
    page.table(["service", "what it is", "protocol"], rows);

    page.heading(2, "How to read a page");
    page.list(&[
        "The block at the start of an operation is its HTTP request: method, path, fixed query and fixed headers. `{bucket}` \
         is sent as a part of the host name unless the client addresses by path.",
        "`place` says where a member is in the request or answer, `wire name` what it is called there. `A>B` is `B` inside of \
         `A`. Elements, keys and parameters are children of the document's root.",
        "`rules` hold for requests: before anything is sent, the client checks what is required, ranges, lengths in bytes and \
         numbers of items, and leaves patterns to the service. `default` is what the service assumes, `when absent` the value \
         that a result has when the answer has none.",
        "A member that is neither required nor a list, a map or a stream, and has no value when absent, is an `Option`.",
        "A vocabulary is open: a value that is not listed is kept as it is.",
        "Examples have a `client` of the service and stand in an `async` function that returns `Result`.",
    ]);
    page.table(
        ["type", "in Rust"],
        [
            ["string", "`String`"],
            ["integer", "`i64`"],
            ["float, float32", "`f64`, `f32`"],
            ["bool", "`bool`"],
            ["timestamp", "`Timestamp`"],
            ["any JSON", "`serde_json::Value`"],
            ["bytes, base64", "`Bytes`; base64 only on the wire"],
            ["string, base64", "`String`; base64 only on the wire"],
            ["list of T", "`Vec<T>`, empty when absent"],
            ["map of T", "`BTreeMap<String, T>`, empty when absent"],
            ["stream", "`Body` in a request, `ResponseBody` in a result"],
        ]
        .map(|row| row.map(str::to_owned)),
    );
    page.finish()
}
