//! What signatures of the tables service call the resource: the ARN of the bucket, then the decoded path.

use crate::request::Query;
use crate::text;

const PREFIX: &str = "acs:osstables:";

/// The resource of a request, decoded; nothing when the path is not valid.
pub(crate) fn resource(region: &str, path: &str, query: &Query) -> Option<String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let in_path = path.split('/').nth(1).and_then(text::decode);
    let named = in_path
        .as_deref()
        .filter(|segment| segment.starts_with(PREFIX))
        .or_else(|| query.get("tableBucketARN"))
        .or_else(|| query.get("tableArn"))
        .filter(|arn| !arn.is_empty());
    let bucket = match named {
        Some(arn) => bucket_of(arn).to_owned(),
        None => format!("{PREFIX}{region}::bucket/"),
    };
    Some(format!("/{bucket}/{}", text::decode(path)?))
}

/// The ARN of the bucket that an ARN of a bucket or a table begins with.
fn bucket_of(arn: &str) -> &str {
    let end = arn.match_indices('/').nth(1).map_or(arn.len(), |(at, _)| at);
    &arn[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_begin_with_the_bucket_that_the_request_names() {
        let arn = "acs:osstables:r:1:bucket/b";
        for (path, query, expected) in [
            ("/buckets", "", "/acs:osstables:r::bucket//buckets".to_owned()),
            (
                "/buckets/acs%3Aosstables%3Ar%3A1%3Abucket%2Fb/policy",
                "",
                format!("/{arn}/buckets/{arn}/policy"),
            ),
            (
                "/get-table",
                "tableBucketARN=acs%3Aosstables%3Ar%3A1%3Abucket%2Fb&name=t",
                format!("/{arn}/get-table"),
            ),
            (
                "/get-table",
                "tableArn=acs%3Aosstables%3Ar%3A1%3Abucket%2Fb%2Ftable%2Ft",
                format!("/{arn}/get-table"),
            ),
        ] {
            let query = Query::parse(query).unwrap();
            assert_eq!(resource("r", path, &query), Some(expected), "{path}");
        }
        assert_eq!(resource("r", "/buckets/%FF", &Query::default()), None);
    }
}
