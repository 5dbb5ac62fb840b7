//! The codes of all rules. What each means stands in [`super::explain`].
#![expect(missing_docs, reason = "the names say it, and every code has an explanation")]

// Files as text: YAML, keys and kinds of values.
pub const SYNTAX: &str = "M0001";
pub const DUPLICATE_KEY: &str = "M0002";
pub const UNSUPPORTED_YAML: &str = "M0003";
pub const UNKNOWN_KEY: &str = "M0004";
pub const MISSING_KEY: &str = "M0005";
pub const WRONG_KIND: &str = "M0006";
pub const UNKNOWN_WORD: &str = "M0007";
pub const KEY_ORDER: &str = "M0008";

// Files and references between them.
pub const NO_SERVICE: &str = "M0101";
pub const FILE_NAME: &str = "M0102";
pub const DUPLICATE_NAME: &str = "M0103";
pub const UNKNOWN_ERROR: &str = "M0104";
pub const UNKNOWN_TRAIT: &str = "M0105";
pub const UNKNOWN_MEMBER: &str = "M0106";
pub const UNKNOWN_TYPE: &str = "M0107";
pub const UNUSED: &str = "M0108";
pub const ONE_TYPE: &str = "M0109";
pub const TEMPLATE: &str = "M0110";
pub const OPERATION_IN_COMMON: &str = "M0111";
pub const UNKNOWN_OPERATION: &str = "M0112";

// Where things are in a request or an answer.
pub const BAD_PLACE: &str = "M0201";
pub const ONE_PAYLOAD: &str = "M0202";
pub const BAD_HTTP: &str = "M0203";
pub const PATH_MEMBER: &str = "M0204";
pub const NO_WIRE: &str = "M0205";
pub const SAME_WIRE: &str = "M0206";
pub const WIRE_NAME: &str = "M0207";
pub const FIXED_QUERY: &str = "M0208";
pub const BODY_WITHOUT_PAYLOAD: &str = "M0209";
pub const BAD_STATUS: &str = "M0210";
pub const TRAIT_MEMBERS: &str = "M0211";
pub const PAGINATION: &str = "M0212";
pub const PLACE_TYPE: &str = "M0213";
pub const ROOT: &str = "M0214";
pub const MEMBER_SETS: &str = "M0215";
pub const QUERY_WHEN: &str = "M0216";
pub const WAITER: &str = "M0217";
pub const FRAME_MEMBER: &str = "M0218";
pub const BUCKET_ARN: &str = "M0219";
pub const REST: &str = "M0220";

// Names in Rust.
pub const NOT_SNAKE_CASE: &str = "M0301";
pub const NOT_UPPER_CAMEL: &str = "M0302";
pub const ACRONYM: &str = "M0303";
pub const RESERVED_NAME: &str = "M0304";
pub const COLLISION: &str = "M0305";
pub const VARIANT: &str = "M0306";

// Documentation.
pub const MISSING_DOC: &str = "M0401";
pub const DOC_REPEATS_NAME: &str = "M0402";
pub const DOC_FULL_STOP: &str = "M0403";
pub const DOC_PLACEHOLDER: &str = "M0404";

// Values and limits.
pub const BAD_RANGE: &str = "M0501";
pub const BAD_DEFAULT: &str = "M0502";
pub const LIMIT_TYPE: &str = "M0503";
pub const BAD_ENUM: &str = "M0504";
pub const IMPOSSIBLE_SHAPE: &str = "M0505";
pub const BAD_VERSION: &str = "M0506";
pub const BAD_PATTERN: &str = "M0507";
