//! Which keys a model file has and what kind of value each takes, as tables.
//!
//! `models/schema.json` says the same to editors; a test compares the two.

use crate::lint::codes;

/// What a key takes.
#[derive(Debug)]
pub enum Kind {
    /// Text. `12` and `true` are texts too where one is wanted: `since: 0.2`.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// `[least, greatest]`.
    Pair,
    /// Text, number or bool.
    Literal,
    /// One of some words.
    Word(&'static Words),
    /// A list.
    List(&'static Kind),
    /// A list, or its only item.
    OneOrMore(&'static Kind),
    /// A mapping from names that the model chooses.
    Names(&'static Kind),
    /// A mapping with fixed keys.
    Record(&'static Record),
    /// A sentence, or a mapping with fixed keys.
    DocOr(&'static Record),
}

/// A closed vocabulary.
#[derive(Debug)]
pub struct Words {
    /// What the words are, e.g. `trait`.
    pub what: &'static str,
    /// All of them.
    pub words: &'static [&'static str],
    /// Code of the problem when it is another word.
    pub code: &'static str,
}

/// A mapping with fixed keys.
#[derive(Debug)]
pub struct Record {
    /// What it describes, with its article.
    pub what: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
    /// Whether files have the keys in the order of the table.
    pub ordered: bool,
}

/// One key of a [`Record`].
#[derive(Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
}

const fn key(name: &'static str, kind: Kind) -> Key {
    Key {
        name,
        kind,
        required: false,
    }
}

const fn required(name: &'static str, kind: Kind) -> Key {
    Key {
        name,
        kind,
        required: true,
    }
}

const fn words(what: &'static str, words: &'static [&'static str]) -> Words {
    Words {
        what,
        words,
        code: codes::UNKNOWN_WORD,
    }
}

/// `protocol`.
pub static PROTOCOLS: Words = words("protocol", &["rest-xml", "rest-json", "rpc-json"]);
/// `signing`.
pub static SIGNINGS: Words = words("signing", &["bucket", "vector_arn", "table_arn", "acs3"]);
/// `bucket_host`.
pub static BUCKET_HOSTS: Words = words("bucket host", &["{bucket}", "{bucket}-{account_id}"]);
/// `format`.
pub static FORMATS: Words = words("timestamp format", &["iso8601", "http", "unix"]);
/// `in`.
pub static PLACES: Words = Words {
    what: "place",
    words: &[
        "bucket",
        "key",
        "path",
        "query",
        "query_json",
        "header",
        "headers",
        "body",
        "field",
        "text",
        "root_text",
        "stream",
        "copy_source.bucket",
        "copy_source.key",
        "copy_source.version_id",
        "callback",
        "local",
        "frame",
    ],
    code: codes::BAD_PLACE,
};
/// `traits`.
pub static TRAITS: Words = Words {
    what: "trait",
    words: &[
        "content_type_from_key",
        "upload_crc64",
        "append_crc64",
        "download_crc64",
        "resumable_download",
        "callback",
        "error_in_success",
        "sort_parts",
        "slow",
        "unsigned",
        "result_by_content_type",
        "select_frames",
        "meta_frames",
    ],
    code: codes::UNKNOWN_TRAIT,
};

/// Keys of `service.yaml`.
pub static SERVICE: Record = Record {
    ordered: false,
    what: "`service.yaml`",
    keys: &[
        required("service", Kind::Text),
        required("protocol", Kind::Word(&PROTOCOLS)),
        required("product", Kind::Text),
        key("api_version", Kind::Text),
        required("doc", Kind::Text),
        key("reference", Kind::Text),
        required("hosts", Kind::Names(&Kind::Text)),
        key("bucket_host", Kind::Word(&BUCKET_HOSTS)),
        key("bucket_name", Kind::Text),
        key("alias_host", Kind::Text),
        required("signing", Kind::Word(&SIGNINGS)),
        key("subresources", Kind::List(&Kind::Text)),
        key("unsigned", Kind::List(&Kind::Text)),
        key("errors", Kind::Names(&Kind::Record(&ERROR_CODE))),
    ],
};

static ERROR_CODE: Record = Record {
    ordered: false,
    what: "an error code",
    keys: &[required("status", Kind::Integer), required("doc", Kind::Text)],
};

/// Keys of a group file.
pub static GROUP: Record = Record {
    ordered: true,
    what: "a group file",
    keys: &[
        required("service", Kind::Text),
        required("group", Kind::Text),
        key("operations", Kind::Names(&Kind::Record(&OPERATION))),
        key("waiters", Kind::Names(&Kind::Record(&WAITER))),
        key("shapes", Kind::Names(&Kind::Record(&SHAPE))),
        key("enums", Kind::Names(&Kind::Record(&ENUM))),
    ],
};

/// Keys of an operation.
pub static OPERATION: Record = Record {
    ordered: false,
    what: "an operation",
    keys: &[
        required("doc", Kind::Text),
        required("http", Kind::Text),
        key("headers", Kind::Names(&Kind::Text)),
        key("request", Kind::Names(&Kind::Record(&MEMBER))),
        key("result", Kind::Names(&Kind::Record(&MEMBER))),
        key("request_root", Kind::Text),
        key("result_root", Kind::Text),
        key("content_md5", Kind::Bool),
        key("success", Kind::OneOrMore(&Kind::Integer)),
        key("idempotent", Kind::Bool),
        key("presign", Kind::Bool),
        key("paginate", Kind::Record(&PAGINATE)),
        key("errors", Kind::List(&Kind::Text)),
        key("traits", Kind::List(&Kind::Word(&TRAITS))),
        key("query_when", Kind::List(&Kind::Record(&QUERY_WHEN))),
        key("any_of", Kind::List(&Kind::List(&Kind::Text))),
        key("subresources", Kind::List(&Kind::Text)),
        key("since", Kind::Text),
        key("deprecated", Kind::Text),
        key("reference", Kind::Text),
    ],
};

/// Keys of `paginate`.
pub static PAGINATE: Record = Record {
    ordered: false,
    what: "`paginate`",
    keys: &[
        required("token", Kind::Names(&Kind::Text)),
        key("more", Kind::Text),
        required("items", Kind::OneOrMore(&Kind::Text)),
        key("limit", Kind::Text),
    ],
};

/// Keys of an entry of `query_when`.
pub static QUERY_WHEN: Record = Record {
    ordered: false,
    what: "an entry of `query_when`",
    keys: &[required("set", Kind::Text), required("query", Kind::Text)],
};

/// Keys of a waiter.
pub static WAITER: Record = Record {
    ordered: false,
    what: "a waiter",
    keys: &[
        required("doc", Kind::Text),
        required("operation", Kind::Text),
        required("delay", Kind::Pair),
        required("timeout", Kind::Integer),
        required("done", Kind::List(&Kind::Record(&CONDITION))),
        key("fail", Kind::List(&Kind::Record(&CONDITION))),
        key("again", Kind::List(&Kind::Record(&CONDITION))),
    ],
};

/// Keys of a condition of a waiter.
pub static CONDITION: Record = Record {
    ordered: false,
    what: "a condition",
    keys: &[
        key("success", Kind::Bool),
        key("error", Kind::List(&Kind::Text)),
        key("member", Kind::Text),
        key("is", Kind::List(&Kind::Text)),
        key("contains", Kind::Text),
        key("ends_with", Kind::Text),
    ],
};

/// Keys of a member.
pub static MEMBER: Record = Record {
    ordered: false,
    what: "a member",
    keys: &[
        key("in", Kind::Word(&PLACES)),
        key("wire", Kind::Text),
        key("type", Kind::Text),
        key("list", Kind::Text),
        key("map", Kind::Text),
        key("required", Kind::Bool),
        key("default", Kind::Literal),
        key("range", Kind::Pair),
        key("length", Kind::Pair),
        key("max_items", Kind::Integer),
        key("pattern", Kind::Text),
        key("format", Kind::Word(&FORMATS)),
        key("prefix", Kind::Text),
        key("bucket_arn", Kind::Bool),
        key("rest", Kind::Bool),
        key("sensitive", Kind::Bool),
        key("url_decoded", Kind::Bool),
        key("aliases", Kind::List(&Kind::Text)),
        key("since", Kind::Text),
        key("deprecated", Kind::Text),
        required("doc", Kind::Text),
    ],
};

/// Keys of a shape.
pub static SHAPE: Record = Record {
    ordered: false,
    what: "a shape",
    keys: &[
        key("wire", Kind::Text),
        required("doc", Kind::Text),
        required("members", Kind::Names(&Kind::Record(&MEMBER))),
        key("exclusive", Kind::List(&Kind::List(&Kind::Text))),
        key("one_of", Kind::Bool),
    ],
};

/// Keys of an enum.
pub static ENUM: Record = Record {
    ordered: false,
    what: "an enum",
    keys: &[
        required("doc", Kind::Text),
        required("values", Kind::Names(&Kind::DocOr(&ENUM_VALUE))),
    ],
};

static ENUM_VALUE: Record = Record {
    ordered: false,
    what: "an enum value",
    keys: &[key("variant", Kind::Text), required("doc", Kind::Text)],
};
