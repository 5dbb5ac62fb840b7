//! What each rule is for: the texts of `cargo xtask lint --explain CODE`.

use super::codes::*;

/// A rule with its reason.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its code.
    pub code: &'static str,
    /// One line.
    pub title: &'static str,
    /// Why it exists and how to keep it.
    pub explanation: &'static str,
}

/// All rules in the order of their codes.
pub fn rules() -> &'static [Rule] {
    RULES
}

/// The explanation of a rule.
pub fn explain(code: &str) -> Option<&'static str> {
    RULES
        .iter()
        .find(|rule| rule.code.eq_ignore_ascii_case(code))
        .map(|rule| rule.explanation)
}

const fn rule(code: &'static str, title: &'static str, explanation: &'static str) -> Rule {
    Rule {
        code,
        title,
        explanation,
    }
}

const RULES: &[Rule] = &[
    rule(
        SYNTAX,
        "the file is not valid YAML",
        "Nothing of a file can be read behind a mistake of syntax, so correct these first. Most come from indentation \
         (two spaces a level, never tabs) and from text that means something to YAML: a `: ` or a ` #` inside of a \
         sentence, or a sentence that starts with a back-tick, a brace, `*`, `&`, `!`, `%` or `@`. Quotes around the \
         sentence help.",
    ),
    rule(
        DUPLICATE_KEY,
        "a key is given twice",
        "YAML parsers disagree on which of two equal keys counts, so neither may stand there by accident: two members, \
         operations, shapes or enum values of one name, or an attribute given twice. Keep one or rename one.",
    ),
    rule(
        UNSUPPORTED_YAML,
        "a feature of YAML that models do not use",
        "Models are plain mappings, lists and texts. Anchors, aliases, tags, several documents in one file and keys that \
         are not text make a file harder to read than the repetition that they save. Write values out, and put what \
         several groups use into `common.yaml`.",
    ),
    rule(
        UNKNOWN_KEY,
        "a key that the format does not have",
        "A misspelt key would be ignored in silence and its effect missed much later. The keys of each entry stand in \
         docs/model-format.md. When the key looks right, look at its indentation: it may belong to the entry above. \
         When the key looks like the rest of a sentence, the sentence stands in `{...}` and needs quotes, because a \
         comma ends a text there.",
    ),
    rule(
        MISSING_KEY,
        "a key that must be there is missing",
        "Some keys have no sensible default. Add the key; docs/model-format.md says what it means.",
    ),
    rule(
        WRONG_KIND,
        "a value of another kind than the key takes",
        "For example text where a number is wanted, a single value where a list is, or nothing at all because the lines \
         below are indented too little. `true`, `false` and numbers are written without quotes.",
    ),
    rule(
        UNKNOWN_WORD,
        "a word outside of a fixed vocabulary",
        "Protocols, kinds of signing, hosts and timestamp formats are known to the runtime one by one, so only the words \
         in docs/model-format.md mean something.",
    ),
    rule(
        KEY_ORDER,
        "top-level keys in another order",
        "All files have one order, so that a reader finds operations first and what they use below: `service`, `group`, \
         `operations`, `waiters`, `shapes`, `enums`.",
    ),
    rule(
        NO_SERVICE,
        "a service without `service.yaml`",
        "Protocol, hosts, signing and error codes belong to the service as a whole and stand in \
         `models/<service>/service.yaml`. Without it no request of the service can be written.",
    ),
    rule(
        FILE_NAME,
        "a file that says it is another",
        "`service` equals the name of the directory and `group` the name of the file. Generated modules are named by \
         them, so a file that was copied or moved must say where it is.",
    ),
    rule(
        DUPLICATE_NAME,
        "two definitions of one name",
        "Operations, shapes and enums become Rust items of their service's module, so a name stands for one thing, \
         whichever file it is in. What several groups use stands in `common.yaml`; different things get different \
         names, with the name on the wire in `wire`.",
    ),
    rule(
        UNKNOWN_ERROR,
        "an error code that the service does not list",
        "Codes in `errors` of an operation become links in its documentation, and a misspelt code leads nowhere. Each \
         code stands once in `errors` of `service.yaml` with its status and meaning.",
    ),
    rule(
        UNKNOWN_TRAIT,
        "a behaviour that the runtime does not have",
        "A trait names behaviour that the runtime implements once. The list is in docs/model-format.md. New behaviour \
         needs code in the runtime before a model can name it.",
    ),
    rule(
        UNKNOWN_MEMBER,
        "a reference to a member that does not exist",
        "`paginate`, `query_when`, `any_of`, `exclusive` and the conditions of waiters name members as in the model \
         (snake_case), not as on the wire. `token` maps members of the request to members of the result, `limit` is a \
         member of the request, `more` and `items` are members of the result. A path goes on behind a `.` in the shape \
         of the member before it.",
    ),
    rule(
        UNKNOWN_TYPE,
        "a type that is neither built in nor defined",
        "A type is `string`, `integer`, `float`, `float32`, `bool`, `timestamp`, `any`, `bytes`, `base64_string`, or a shape \
         or enum of the same service: in the same file, in `common.yaml` or in another group.",
    ),
    rule(
        UNUSED,
        "a shape or enum that nothing uses",
        "Generated types that no operation reaches are public names without a purpose, and often the sign of a member \
         with a wrong type. Use it or delete it.",
    ),
    rule(
        ONE_TYPE,
        "a member with no type, or with two",
        "A member has exactly one of `type`, `list` and `map`. Only places that leave no choice do without: the bucket, \
         the key, path segments, text, streams, header maps and the parts of a copy source.",
    ),
    rule(
        TEMPLATE,
        "a template with an unknown placeholder, or that makes no address",
        "`{region}` is replaced in hosts, `{operation}` in the reference, and `{bucket}` in what a service calls its buckets. Anything else in braces would reach the \
         network or the reader as it stands. Hosts are host names: no scheme, no port, no path.",
    ),
    rule(
        OPERATION_IN_COMMON,
        "an operation in `common.yaml`",
        "`common.yaml` holds shapes and enums that several groups use. An operation belongs to a group, which becomes \
         its module and its chapter in the documentation. So does a waiter.",
    ),
    rule(
        UNKNOWN_OPERATION,
        "a waiter for an operation that does not exist",
        "A waiter calls one operation of its service again and again. The operation may stand in another group, and is \
         named as there.",
    ),
    rule(
        BAD_PLACE,
        "a place that does not exist here",
        "Requests, results and shapes have different places: a result has no query, members of shapes have no place at \
         all, and everything in a request of an RPC service is a parameter. The table is in docs/model-format.md.",
    ),
    rule(
        ONE_PAYLOAD,
        "two members for one place",
        "An HTTP message has one payload: either one member that takes it whole (`body`, `text`, `stream`, `root_text`) \
         or fields that share a document. A member without `in` is a field. Bucket, key, the parts of a copy source and \
         the callback's answer exist once as well.",
    ),
    rule(
        BAD_HTTP,
        "an `http` line that cannot be read",
        "It is a method, one space, a path and perhaps a fixed query: `PUT /{bucket}/{key}?acl`. A placeholder fills a \
         whole segment. Operations of an RPC service are all `POST /`.",
    ),
    rule(
        PATH_MEMBER,
        "a placeholder and its member do not meet",
        "Each placeholder of a path is filled by the request member of its name with `in: path`, and each such member \
         has its placeholder. `bucket` and `key` are implied by the paths `/{bucket}` and `/{bucket}/{key}`, are called \
         so in every operation, and cannot be something else there.",
    ),
    rule(
        NO_WIRE,
        "a name on the wire is missing or has no meaning",
        "Headers and query parameters always state their name, because no rule would derive it reliably. Members that \
         are a whole payload have no name; the root element of a document is the `wire` of its shape.",
    ),
    rule(
        SAME_WIRE,
        "two members with one name on the wire",
        "They would overwrite each other when written and both take the same value when read. Members with a `prefix` may \
         share a name when neither prefix begins with the other. Header names are compared without regard to case. An element cannot be a value and the wrapper of another member either.",
    ),
    rule(
        WIRE_NAME,
        "a name or value that cannot be on the wire",
        "HTTP restricts what a header name and value may hold, and XML what an element may be called. Such a name would \
         fail on every call.",
    ),
    rule(
        FIXED_QUERY,
        "a fixed value that is never sent",
        "A member of the same name overrides a fixed query key or header when it is set. When the member is required it \
         is always set, so the fixed value means nothing.",
    ),
    rule(
        BODY_WITHOUT_PAYLOAD,
        "a payload where HTTP has none",
        "Requests of GET, HEAD and OPTIONS carry no payload, and answers to HEAD have none. Proxies and the service \
         drop or refuse it.",
    ),
    rule(
        BAD_STATUS,
        "a status outside of its range",
        "`success` lists statuses from 200 to 399, each once; leave it out when every 2xx is a success. Error codes \
         come with 200 to 599: some arrive in an answer that looks like a success.",
    ),
    rule(
        TRAIT_MEMBERS,
        "a trait without what it works with",
        "A trait is behaviour on certain members: checksums need a stream, a resumed download a GET, a callback its \
         header and its answer, sorting a document, frames a stream or `frame` members. Without them the runtime would do nothing in silence.",
    ),
    rule(
        PAGINATION,
        "members that cannot page",
        "A token of the result is passed on to the request as it is, so both have one type. `more` is a bool, `limit` an \
         integer, and `items` are lists.",
    ),
    rule(
        PLACE_TYPE,
        "a type that the place cannot carry",
        "Headers, query parameters and path segments are one piece of text: no shapes, lists or maps. XML has neither \
         maps nor `any`. A whole document is a shape, one in a query is anything but a plain value, and a stream has no \
         type.",
    ),
    rule(
        ROOT,
        "a root without fields, or fields without a root",
        "Fields of an XML request stand in a root element that only `request_root` names. A root that is the parent of \
         no member has no effect: a member `in: body` brings the root of its shape.",
    ),
    rule(
        MEMBER_SETS,
        "sets of members that mean nothing or cannot be met",
        "`any_of` is a choice between sets of request members, `exclusive` a choice between members, and `one_of` asks for \
         exactly one. A required member or one with a default is always there, so it leaves no choice; a set of one \
         excludes nothing. The root of a document is one element, which a list or a wrapper is not.",
    ),
    rule(
        QUERY_WHEN,
        "a fixed query value that follows no member",
        "`query_when` replaces the value of a query key of `http` when a member is set. The key stands there with the value \
         for all other requests, and the member can be absent. A member that is always set leaves nothing to choose.",
    ),
    rule(
        WAITER,
        "a waiter that cannot work",
        "A condition asks for one thing: a success, error codes, or a member with values that it can have. The first that \
         holds decides, so none stands behind one that decides before it. Some condition has to end the wait well. \
         `delay` goes from the first wait to the longest, and `timeout` leaves time for a second call.",
    ),
    rule(
        FRAME_MEMBER,
        "a member of a frame that no frame has",
        "The trait `meta_frames` reads the payload to its last frame and keeps what stands there: `total_scanned_bytes`, \
         `meta_status`, `splits_count`, `rows_count`, `cols_count`, `offset` and `error_msg`. Without the trait nothing \
         reads frames, and with it there is no document for other members.",
    ),
    rule(
        BUCKET_ARN,
        "a bucket's ARN where none is sent",
        "`bucket_arn` marks a text of the request as the ARN of the bucket, from which host and signature follow. Only \
         services with `signing: table_arn` work so.",
    ),
    rule(
        REST,
        "a rest that cannot hold what is left",
        "`rest` marks the map of a shape that takes every key which no other member has. XML has no such thing, a shape has \
         at most one, and since it is read after the others it stands last.",
    ),
    rule(
        NOT_SNAKE_CASE,
        "a member or file that is not snake_case",
        "The name becomes a Rust field, setter or module as it stands: small letters and digits, single underscores, a \
         letter first. Keywords are fine. The name on the wire stands in `wire`.",
    ),
    rule(
        NOT_UPPER_CAMEL,
        "a type or operation that is not UpperCamelCase",
        "The name becomes a Rust type as it stands. The name on the wire stands in `wire`; the name of an operation is \
         the one of the API reference.",
    ),
    rule(
        ACRONYM,
        "an acronym in capitals",
        "Rust writes acronyms as words: `CorsRule`, not `CORSRule`. A public name that is wrong once can never be \
         corrected quietly, so the rule is strict. Operations keep the name of the API reference.",
    ),
    rule(
        RESERVED_NAME,
        "a name that Rust or the SDK has already",
        "A type called `Option` would hide the one that generated code uses, a setter called `clone` the method that \
         users call, an operation called `Invoke` a method of the client, and the variant `Unknown` the one that \
         keeps unknown values. The name on the wire does not matter: choose another one for Rust and state `wire`.",
    ),
    rule(
        COLLISION,
        "two names that become one in Rust",
        "Different names of the model can end in one variant, method, field or type, for example a shape that is called \
         like the request of an operation. The generator never makes a name unique by a suffix, because such a name \
         would change when its neighbour does. Rename one, or name the variant.",
    ),
    rule(
        VARIANT,
        "an enum value without a variant",
        "A variant is the UpperCamelCase of its value. A value without letters gives none, so the model names it: \
         `\"*\": {variant: All, doc: Every event.}`. Names that the model gives follow the same style.",
    ),
    rule(
        MISSING_DOC,
        "no documentation",
        "Every operation, member, shape, enum, value and error code is a public item whose documentation users read in \
         their editor. One or two sentences of our own: meaning, unit, limit, default, what happens otherwise.",
    ),
    rule(
        DOC_REPEATS_NAME,
        "documentation that only repeats the name",
        "`cors_rules: The CORS rules.` tells nobody anything, and neither does `prefix: Specifies the prefix of the rule.` \
         in a rule: the names of the member, its type and what it belongs to stand beside the text. Say what cannot be \
         guessed: unit, limit, default, order, what happens otherwise.",
    ),
    rule(
        DOC_FULL_STOP,
        "documentation that does not end with a full stop",
        "Texts are joined to paragraphs, so each is made of whole sentences. A missing full stop is often the sign that \
         YAML has cut the text: at a ` #`, or at a comma inside of `{...}`. Quotes prevent that.",
    ),
    rule(
        DOC_PLACEHOLDER,
        "documentation that is still to be written",
        "`cargo xtask new` writes `<...>` where a sentence belongs. Replace it before the model can be generated from, \
         so that no placeholder reaches users.",
    ),
    rule(
        BAD_RANGE,
        "bounds that nothing can meet",
        "`range` and `length` are `[least, greatest]`, a length is not negative, and a list has room for an item.",
    ),
    rule(
        BAD_DEFAULT,
        "a default that cannot be the value",
        "A default has the type of its member, is one of the enum's values and within its limits. A required member has \
         none. Lists, maps, shapes and timestamps have none either: say in `doc` what happens without them.",
    ),
    rule(
        LIMIT_TYPE,
        "a limit on a type that has none of the kind",
        "`range` is for numbers, `length` and `pattern` for strings, `max_items` for lists and maps, `format` for \
         timestamps, `url_decoded` and `prefix` for strings.",
    ),
    rule(
        BAD_ENUM,
        "an enum that cannot be on the wire",
        "An enum has at least one value, and a value is text without blanks around it.",
    ),
    rule(
        IMPOSSIBLE_SHAPE,
        "a shape that requires itself",
        "A shape whose required members lead back to itself has no finite value. Recursion through a list, a map or an \
         optional member is fine; the generator puts an optional one into a box.",
    ),
    rule(
        BAD_VERSION,
        "a version that cannot be compared",
        "`since` is a version of this crate: two or three numbers with dots between them.",
    ),
    rule(
        BAD_PATTERN,
        "a pattern that is no regular expression",
        "`pattern` describes a whole value in the syntax of the crate `regex`: no look-around and no back-references. The \
         emulator compiles it when it starts, and the documentation shows it. It is anchored without `^` and `$`.",
    ),
];
