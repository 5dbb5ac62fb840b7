//! One key of a bucket with versions: versions and delete markers come, and any of them goes.

use oss_sdk::{DeleteObjectRequest, Error, PutObjectRequest};

use super::super::clients::{Clients, VERSIONED};
use super::super::observe::{content_type, versioned_key};
use super::super::state::{Object, Version};
use super::Writer;
use super::objects::{body, metadata};

const VERSIONS: usize = 8;

impl Writer {
    pub(super) async fn version(&mut self, clients: &Clients) -> Result<&'static str, Error> {
        let key = versioned_key(self.number);
        let count = self.known.versions.len();
        if count >= VERSIONS || count > 0 && self.random.below(6) == 0 {
            let at = usize::try_from(self.random.below(count as u64)).unwrap_or_default();
            let id = self.known.versions[at].id.clone();
            self.expect(|state| {
                state.versions.remove(at);
            });
            let request = DeleteObjectRequest::new(VERSIONED, &key).version_id(id);
            clients.objects.delete_object(request).await?;
            return Ok("delete of a version");
        }
        if self.random.below(4) == 0 {
            self.expect(|state| {
                let marker = Version {
                    id: String::new(),
                    object: None,
                };
                state.versions.insert(0, marker);
            });
            let request = DeleteObjectRequest::new(VERSIONED, &key);
            let id = clients.objects.delete_object(request).await?.version_id;
            self.learn_version(id);
            return Ok("delete marker");
        }
        let (content, mark) = (self.content(), self.mark());
        let request = PutObjectRequest::new(VERSIONED, &key)
            .body(body(&content.pieces))
            .content_type(content_type(&mark))
            .metadata(metadata(&mark));
        let object = Object {
            content,
            mark,
            tag: None,
        };
        self.expect(|state| {
            let version = Version {
                id: String::new(),
                object: Some(object),
            };
            state.versions.insert(0, version);
        });
        let id = clients.objects.put_object(request).await?.version_id;
        self.learn_version(id);
        Ok("version")
    }

    fn learn_version(&mut self, id: Option<String>) {
        self.learn(|state| {
            if let Some(version) = state.versions.first_mut() {
                version.id = id.unwrap_or_default();
            }
        });
    }
}
