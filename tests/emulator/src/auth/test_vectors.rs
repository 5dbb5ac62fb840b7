//! Signatures that other SDKs computed, as requests to be verified.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::keys::{AccessKey, Keys};
use super::{Context, Parts, authenticate};
use crate::request::Query;
use crate::time;

/// One published signature.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) expect: Value,
    record: Value,
    query: Query,
    headers: HeaderMap,
    subresources: Vec<String>,
    /// What the signature names, in the case of the tables service.
    resource: Option<String>,
}

/// The cases of one signature version.
pub(crate) fn load(version: &str) -> Vec<Case> {
    let records: Vec<Value> = serde_json::from_str(include_str!("../../tests/data/signing-vectors.json")).unwrap();
    let wanted = |record: &Value| record["version"] == version;
    records.into_iter().filter(wanted).map(Case::new).collect()
}

impl Case {
    fn new(record: Value) -> Self {
        let expect = record["expect"].clone();
        let is_query = record["kind"] == "query";
        let url = if is_query {
            &expect["signed_url"]
        } else {
            &record["url"]
        };
        let raw_query = url
            .as_str()
            .unwrap()
            .split_once('?')
            .map(|(_, query)| query.to_owned())
            .unwrap_or_default();
        let mut headers = HeaderMap::new();
        let mut add = |name: &str, value: &str| {
            let value = HeaderValue::from_bytes(value.trim().as_bytes()).unwrap();
            headers.insert(
                HeaderName::from_bytes(name.to_ascii_lowercase().as_bytes()).unwrap(),
                value,
            );
        };
        for source in [&record["headers"], &expect["headers_added"]] {
            for (name, value) in source.as_object().into_iter().flatten() {
                add(name, value.as_str().unwrap());
            }
        }
        if let Some(text) = expect["authorization"].as_str() {
            add("authorization", text);
        }
        if let (Some(token), false) = (record["security_token"].as_str(), is_query) {
            add("x-oss-security-token", token);
        }
        let resource = (record["signer"] == "tables").then(|| {
            let address = record["url"].as_str().unwrap().split_once("://").unwrap().1;
            let path = address.split_once('/').unwrap().1.split('?').next().unwrap();
            let query = Query::parse(&raw_query).unwrap();
            super::table_arn::resource(record["region"].as_str().unwrap(), path, &query).unwrap()
        });
        let subresources = record["sub_resource"].as_array().into_iter().flatten();
        Self {
            name: record["name"].as_str().unwrap().to_owned(),
            query: Query::parse(&raw_query).unwrap(),
            subresources: subresources.map(|name| name.as_str().unwrap().to_owned()).collect(),
            resource,
            expect,
            headers,
            record,
        }
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.record[field].as_str()
    }

    pub(crate) fn parts(&self) -> Parts<'_> {
        Parts {
            method: self.text("method").unwrap(),
            bucket: self.text("bucket"),
            key: self.text("key"),
            query: &self.query,
            headers: &self.headers,
        }
    }

    pub(crate) fn keys(&self) -> Keys {
        let id = self.text("access_key_id").unwrap().to_owned();
        let secret = self.text("access_key_secret").unwrap().to_owned();
        match self.text("security_token") {
            None => Keys::new(BTreeMap::from([(
                id,
                AccessKey {
                    secret,
                    account: "1".to_owned(),
                },
            )])),
            Some(token) => Keys::with_session(&id, &secret, token, self.now() + Duration::from_secs(3600)),
        }
    }

    fn now(&self) -> SystemTime {
        time::parse_iso8601(self.text("time").unwrap()).unwrap()
    }

    /// The date line of V1: the expiry in a query, the date in a header.
    pub(crate) fn date_line(&self) -> String {
        let header = self.headers.get("date").map(|date| date.to_str().unwrap().to_owned());
        self.query.get("Expires").map(str::to_owned).or(header).unwrap()
    }

    pub(crate) fn context<'c>(&'c self, keys: &'c Keys, accounts: &'c [&'c str]) -> Context<'c> {
        Context {
            keys,
            now: self.now(),
            region: self.text("region").unwrap(),
            product: self.text("product").unwrap(),
            arn_accounts: accounts,
            host_names_account: true,
            resource: self.resource.as_deref(),
            subresources: &self.subresources,
            signed: Box::leak(Box::default()),
        }
    }

    /// Accounts of a vectors case.
    pub(crate) fn accounts(&self) -> Vec<&str> {
        self.text("account_id").into_iter().collect()
    }

    /// The signature verifies, and does not with another secret.
    pub(crate) fn assert_accepted(&self) {
        let keys = self.keys();
        let accounts = self.accounts();
        let verdict = authenticate(self.parts(), self.context(&keys, &accounts));
        assert!(verdict.is_ok(), "{}: {verdict:?}", self.name);

        let mut other = self.record.clone();
        other["access_key_secret"] = "another secret".into();
        let other = Case::new(other);
        let keys = other.keys();
        let error = authenticate(other.parts(), other.context(&keys, &accounts)).unwrap_err();
        assert_eq!(error.code, "SignatureDoesNotMatch", "{}", self.name);
    }

    pub(crate) fn assert_string_to_sign(&self, string_to_sign: impl Fn(&Case) -> String) {
        assert_eq!(
            self.expect["string_to_sign"].as_str().unwrap(),
            string_to_sign(self),
            "{}",
            self.name
        );
    }
}
