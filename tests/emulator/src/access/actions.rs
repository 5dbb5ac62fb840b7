//! What operations are called in policies, and what ACLs can open.

use crate::request::Head;

/// What has to be open to strangers for an operation, where no policy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Reads an object or a listing: what `public-read` opens.
    Read,
    /// Writes objects: what `public-read-write` opens.
    Write,
    /// Nothing opens it: for the owner, and for those whom a policy allows it.
    Owner,
}

/// What an operation needs. All that is not named here, such as configuration, is for the owner.
pub(crate) fn need(operation: &str) -> Need {
    match operation {
        "GetObject" | "HeadObject" | "GetObjectMeta" | "GetSymlink" | "SelectObject" | "ListObjects"
        | "ListObjectsV2" => Need::Read,
        "PutObject"
        | "PostObject"
        | "AppendObject"
        | "SealAppendObject"
        | "CopyObject"
        | "PutSymlink"
        | "DeleteObject"
        | "DeleteMultipleObjects"
        | "InitiateMultipartUpload"
        | "UploadPart"
        | "UploadPartCopy"
        | "CompleteMultipartUpload"
        | "AbortMultipartUpload"
        | "ListParts"
        | "ListMultipartUploads" => Need::Write,
        _ => Need::Owner,
    }
}

/// Operations that have an action of their own for a version that the request names.
const OF_VERSIONS: &[(&str, &str)] = &[
    ("GetObject", "GetObjectVersion"),
    ("GetObjectAcl", "GetObjectVersionAcl"),
    ("PutObjectAcl", "PutObjectVersionAcl"),
    ("GetObjectTagging", "GetObjectVersionTagging"),
    ("PutObjectTagging", "PutObjectVersionTagging"),
    ("DeleteObjectTagging", "DeleteObjectVersionTagging"),
    ("DeleteObject", "DeleteObjectVersion"),
    ("RestoreObject", "RestoreObjectVersion"),
];

/// The action that policies know an operation by: its name, except for these.
pub(crate) fn action(operation: &str, has_version: bool) -> String {
    let name = match operation {
        "HeadObject" | "GetObjectMeta" | "GetSymlink" | "SelectObject" | "CreateSelectObjectMeta" => "GetObject",
        "DeleteMultipleObjects" => "DeleteObject",
        "CleanRestoredObject" => "RestoreObject",
        "ListObjectsV2" => "ListObjects",
        "PostObject"
        | "AppendObject"
        | "CopyObject"
        | "PutSymlink"
        | "InitiateMultipartUpload"
        | "UploadPart"
        | "UploadPartCopy"
        | "CompleteMultipartUpload" => "PutObject",
        "AsyncProcessObject" | "ProcessObject" => "PostProcessTask",
        "DoMetaQueryAction" => "MetaQuery",
        "PutBucketTags" => "PutBucketTagging",
        "GetBucketTags" => "GetBucketTagging",
        "DeleteBucketTags" => "DeleteBucketTagging",
        "ListBucketInventory" => "GetBucketInventory",
        "PutBucketRtc" => "PutBucketRTC",
        other => other,
    };
    let of_version = OF_VERSIONS
        .iter()
        .find(|(of_latest, _)| has_version && *of_latest == name);
    format!("oss:{}", of_version.map_or(name, |(_, of_version)| of_version))
}

/// The same for an operation of a service. Indexes of data processing have one action for all that is done with them.
pub(super) fn action_in(service: &str, operation: &str, has_version: bool) -> String {
    if service == "dataprocess" && !operation.contains("DataPipeline") {
        return "oss:MetaQuery".to_owned();
    }
    action(operation, has_version)
}

/// Actions that a request needs besides the one of its operation, for what its headers ask.
pub(super) fn further(operation: &str, head: &Head) -> Vec<&'static str> {
    let mut further = Vec::new();
    if head.headers.contains_key("x-oss-tagging") && need(operation) == Need::Write {
        further.push("oss:PutObjectTagging");
    }
    let bypasses = head.header("x-oss-bypass-governance-retention");
    if bypasses.is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        further.push("oss:BypassGovernanceRetention");
    }
    further
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The models say in their documentation which permission an operation needs.
    #[test]
    fn actions_are_those_that_the_models_document() {
        let api = crate::model::api().unwrap();
        let mut compared = 0;
        let mut wrong = Vec::new();
        for service in ["oss", "dataprocess"] {
            for (_, operation) in api.service(service).unwrap().operations() {
                let Some((_, needs)) = operation.doc.split_once("Needs `oss:") else {
                    continue;
                };
                let documented = needs.split('`').next().unwrap_or_default();
                compared += 1;
                if action_in(service, &operation.name, false) != format!("oss:{documented}") {
                    wrong.push(format!("{}: {documented}", operation.name));
                }
            }
        }
        // CopyObject reads and writes; the reading is asked for where it copies.
        wrong.retain(|line| !line.starts_with("CopyObject: ") && !line.starts_with("UploadPartCopy: "));
        assert_eq!(wrong, Vec::<String>::new());
        assert!(compared > 100, "{compared}");
    }

    #[test]
    fn versions_have_actions_of_their_own() {
        for (operation, expected) in [
            ("GetObject", "oss:GetObjectVersion"),
            ("HeadObject", "oss:GetObjectVersion"),
            ("DeleteMultipleObjects", "oss:DeleteObjectVersion"),
            ("PutObjectTagging", "oss:PutObjectVersionTagging"),
            ("PutObject", "oss:PutObject"),
        ] {
            assert_eq!(action(operation, true), expected);
        }
    }
}
