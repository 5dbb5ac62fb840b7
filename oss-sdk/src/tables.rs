//! Table buckets: Apache Iceberg tables in namespaces, which the service keeps in order.
//!
//! [`Client`] is a client of its own over the same settings as [`oss_sdk::Client`](crate::Client). A table bucket is named
//! by its ARN, `acs:osstables:{region}:{account id}:bucket/{name}`, which [`ListTableBucketsRequest`] lists. Its account
//! is part of the host, so none has to be set, and buckets of other accounts can be reached.

pub use crate::generated::tables::operations::*;
pub use crate::generated::tables::{errors, types};

crate::client::service_client! {
    /// A client of the table service.
    ///
    /// Cloning it is cheap and shares connections. Settings are those of [`Config`](crate::Config). An
    /// [`endpoint`](crate::Config::endpoint) is one of the table service, not of the object service.
    crate::generated::tables::SERVICE, user_agent = "tables-client"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::fake::{Answer, FakeTransport};

    const ARN: &str = "acs:osstables:cn-hangzhou:123456:bucket/demo-bucket";
    const HOST: &str = "https://demo-bucket-123456.cn-hangzhou.oss-tables.aliyuncs.com";

    #[tokio::test(start_paused = true)]
    async fn the_arn_of_a_bucket_or_a_table_says_where_to_send() {
        let transport = FakeTransport::new([Answer::new(200, "{}").into(), Answer::new(200, "{}").into()]);
        let client = Client::new(transport.config()).unwrap();
        // What the answer has to hold is not the question here.
        let _ = client.get_namespace(GetNamespaceRequest::new(ARN, "n/s")).await;
        let table = format!("{ARN}/table/0a1b");
        let _ = client.get_table(GetTableRequest::new().table_arn(&table)).await;
        let sent = transport.sent();
        let encoded = "acs%3Aosstables%3Acn-hangzhou%3A123456%3Abucket%2Fdemo-bucket";
        assert_eq!(sent[0].url, format!("{HOST}/namespaces/{encoded}/n%2Fs"));
        assert!(sent[1].url.starts_with(HOST), "{}", sent[1].url);
        assert!(
            sent[1].url.ends_with(&format!("?tableArn={encoded}%2Ftable%2F0a1b")),
            "{}",
            sent[1].url
        );
        assert!(
            sent[0]
                .header("authorization")
                .unwrap()
                .contains("/cn-hangzhou/osstables/aliyun_v4_request")
        );
        assert!(sent[0].header("user-agent").unwrap().contains("/tables-client"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_arn_of_a_bucket_is_not_sent() {
        let transport = FakeTransport::new([]);
        let client = Client::new(transport.config()).unwrap();
        let error = client
            .get_namespace(GetNamespaceRequest::new("demo-bucket", "n"))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.member()),
            (ErrorKind::InvalidInput, Some("table_bucket_arn"))
        );
        assert!(transport.sent().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn errors_have_their_code_in_a_header() {
        let answer = Answer::new(404, r#"{"message": "There is none."}"#)
            .header("content-type", "application/json")
            .header("x-oss-error-type", "NotFoundException")
            .header("x-oss-request-id", "R7");
        let transport = FakeTransport::new([answer.into()]);
        let client = Client::new(transport.config()).unwrap();
        let error = client
            .get_namespace(GetNamespaceRequest::new(ARN, "n"))
            .await
            .unwrap_err();
        assert!(error.is_not_found());
        assert_eq!(
            (error.code(), error.message(), error.request_id()),
            (Some(errors::NOT_FOUND_EXCEPTION), "There is none.", Some("R7"))
        );
    }
}
