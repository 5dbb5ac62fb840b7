//! Settings of a bucket, whole buckets, a symbolic link.

use oss_sdk::types::{
    BucketAcl, CorsConfiguration, CorsRule, LifecycleConfiguration, LifecycleRule, LifecycleRuleExpiration, Tag,
    TagSet, Tagging,
};
use oss_sdk::{
    DeleteBucketCorsRequest, DeleteBucketLifecycleRequest, DeleteBucketPolicyRequest, DeleteBucketRequest,
    DeleteBucketTagsRequest, DeleteObjectRequest, Error, PutBucketAclRequest, PutBucketCorsRequest,
    PutBucketLifecycleRequest, PutBucketPolicyRequest, PutBucketRequest, PutBucketTagsRequest, PutSymlinkRequest,
};

use super::super::clients::{Clients, PLAIN, made_bucket, settings_bucket};
use super::super::observe::{LINK, TAG, link_key};
use super::Writer;

/// What can be set and taken back.
const SETTINGS: [&str; 6] = ["lifecycle", "cors", "policy", "tags", "made", LINK];

impl Writer {
    pub(super) async fn setting(&mut self, clients: &Clients) -> Result<&'static str, Error> {
        if self.random.below(8) == 0 {
            return self.acl(clients).await;
        }
        let at = usize::try_from(self.random.below(SETTINGS.len() as u64)).unwrap_or_default();
        let name = SETTINGS[at];
        let there = self.known.settings.contains_key(name);
        // A bucket that is there is not made again: that would change nothing.
        if there && (name == "made" || self.random.below(3) == 0) {
            self.expect(|state| {
                state.settings.remove(name);
            });
            self.unset(clients, name).await?;
            return Ok(if name == "made" {
                "delete of a bucket"
            } else {
                "delete of a setting"
            });
        }
        let value = match name {
            "made" => "private".to_owned(),
            _ => self.value(name),
        };
        self.expect(|state| {
            state.settings.insert(name.to_owned(), value.clone());
        });
        self.set(clients, name, value).await?;
        Ok(if name == "made" { "bucket" } else { "setting" })
    }

    fn value(&mut self, name: &str) -> String {
        let mark = self.mark();
        match name {
            "cors" => format!("http://m{mark}.example"),
            "policy" => format!(
                r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":["oss:GetObject"],"Principal":["2021476040493512"],"Resource":["acs:oss:*:*:{}/{mark}"]}}]}}"#,
                settings_bucket(self.number)
            ),
            _ => mark,
        }
    }

    async fn acl(&mut self, clients: &Clients) -> Result<&'static str, Error> {
        let acl = match self.random.below(3) {
            0 => BucketAcl::PublicRead,
            1 => BucketAcl::PublicReadWrite,
            _ => BucketAcl::Private,
        };
        // The program's answer for a bucket whose rule was never set is the same as for a private one.
        self.expect(|state| {
            state.settings.insert("acl".to_owned(), acl.as_str().to_owned());
            if acl == BucketAcl::Private {
                state.settings.remove("acl");
            }
        });
        let request = PutBucketAclRequest::new(settings_bucket(self.number), acl);
        clients.objects.put_bucket_acl(request).await?;
        Ok("setting")
    }

    async fn set(&self, clients: &Clients, name: &str, value: String) -> Result<(), Error> {
        let (client, bucket) = (&clients.objects, settings_bucket(self.number));
        match name {
            "lifecycle" => {
                let rule = LifecycleRule::new("Enabled")
                    .id("rule")
                    .prefix(value)
                    .expiration(LifecycleRuleExpiration::new().days(30));
                let rules = LifecycleConfiguration::new([rule]);
                let request = PutBucketLifecycleRequest::new(bucket, rules);
                client.put_bucket_lifecycle(request).await?;
            }
            "cors" => {
                let rules = CorsConfiguration::new([CorsRule::new([value], ["GET"])]);
                client.put_bucket_cors(PutBucketCorsRequest::new(bucket, rules)).await?;
            }
            "policy" => {
                let request = PutBucketPolicyRequest::new(bucket, value);
                client.put_bucket_policy(request).await?;
            }
            "tags" => {
                let tags = Tagging::new(TagSet::new().tags([Tag::new(TAG, value)]));
                client.put_bucket_tags(PutBucketTagsRequest::new(bucket, tags)).await?;
            }
            "made" => {
                let request = PutBucketRequest::new(made_bucket(self.number));
                client.put_bucket(request).await?;
            }
            _ => {
                let request = PutSymlinkRequest::new(PLAIN, link_key(self.number), value);
                client.put_symlink(request).await?;
            }
        }
        Ok(())
    }

    async fn unset(&self, clients: &Clients, name: &str) -> Result<(), Error> {
        let (client, bucket) = (&clients.objects, settings_bucket(self.number));
        match name {
            "lifecycle" => {
                let request = DeleteBucketLifecycleRequest::new(bucket);
                client.delete_bucket_lifecycle(request).await?;
            }
            "cors" => {
                client.delete_bucket_cors(DeleteBucketCorsRequest::new(bucket)).await?;
            }
            "policy" => {
                let request = DeleteBucketPolicyRequest::new(bucket);
                client.delete_bucket_policy(request).await?;
            }
            "tags" => {
                client.delete_bucket_tags(DeleteBucketTagsRequest::new(bucket)).await?;
            }
            "made" => {
                let request = DeleteBucketRequest::new(made_bucket(self.number));
                client.delete_bucket(request).await?;
            }
            _ => {
                let request = DeleteObjectRequest::new(PLAIN, link_key(self.number));
                client.delete_object(request).await?;
            }
        }
        Ok(())
    }
}
