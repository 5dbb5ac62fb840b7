//! Multipart uploads, one request at a time: an upload and its parts outlive the rounds.

use oss_sdk::types::{CompleteMultipartUpload, UploadPart};
use oss_sdk::{
    AbortMultipartUploadRequest, CompleteMultipartUploadRequest, Error, InitiateMultipartUploadRequest,
    UploadPartCopyRequest, UploadPartRequest,
};

use super::super::clients::{Clients, PLAIN};
use super::super::observe::content_type;
use super::super::state::{Content, Object, Upload};
use super::Writer;
use super::objects::{body, metadata};

/// Uploads at once.
const UPLOADS: usize = 2;
/// The least size of a part that is not the last.
const PART: u64 = 100 * 1024;
const PARTS: u64 = 3;

impl Writer {
    pub(super) async fn upload(&mut self, clients: &Clients) -> Result<&'static str, Error> {
        let uploads = self.known.uploads.len();
        if uploads < UPLOADS && (uploads == 0 || self.random.below(4) == 0) {
            return self.initiate(clients).await;
        }
        let at = usize::try_from(self.random.below(uploads as u64)).unwrap_or_default();
        let chosen = self.known.uploads.iter().nth(at);
        let Some((id, upload)) = chosen.map(|(id, upload)| (id.clone(), upload.clone())) else {
            return Ok("initiate");
        };
        match self.random.below(8) {
            0 => self.abort(clients, &id, &upload).await,
            1 | 2 if !upload.parts.is_empty() => self.complete(clients, &id, &upload).await,
            3 => self.copy_part(clients, &id, &upload).await,
            _ => self.part(clients, &id, &upload).await,
        }
    }

    async fn initiate(&mut self, clients: &Clients) -> Result<&'static str, Error> {
        let (key, mark) = (self.key(), self.mark());
        let request = InitiateMultipartUploadRequest::new(PLAIN, &key)
            .content_type(content_type(&mark))
            .metadata(metadata(&mark));
        let upload = Upload {
            key,
            mark,
            ..Upload::default()
        };
        self.expect(|state| {
            state.uploads.insert(String::new(), upload);
        });
        let id = clients.objects.initiate_multipart_upload(request).await?.upload_id;
        self.learn(|state| {
            if let Some(upload) = state.uploads.remove("") {
                state.uploads.insert(id, upload);
            }
        });
        Ok("initiate")
    }

    async fn part(&mut self, clients: &Clients, id: &str, upload: &Upload) -> Result<&'static str, Error> {
        let number = self.part_number();
        let length = PART + self.random.below(PART);
        let content = Content::of(vec![self.piece(length)]);
        let request = UploadPartRequest::new(PLAIN, &upload.key, id, number).body(body(&content.pieces));
        self.expect_part(id, number, content);
        clients.objects.upload_part(request).await?;
        Ok("part")
    }

    async fn copy_part(&mut self, clients: &Clients, id: &str, upload: &Upload) -> Result<&'static str, Error> {
        let mut sources = self.known.objects.iter();
        let source = sources.rfind(|(_, object)| object.content.length >= PART);
        let Some((source, content)) = source.map(|(key, object)| (key.clone(), object.content.clone())) else {
            return self.part(clients, id, upload).await;
        };
        let number = self.part_number();
        self.expect_part(id, number, content);
        let request = UploadPartCopyRequest::new(PLAIN, &upload.key, id, number, source);
        clients.objects.upload_part_copy(request).await?;
        Ok("copied part")
    }

    fn part_number(&mut self) -> i64 {
        i64::try_from(1 + self.random.below(PARTS)).unwrap_or(1)
    }

    fn expect_part(&mut self, id: &str, number: i64, content: Content) {
        self.expect(|state| {
            if let Some(upload) = state.uploads.get_mut(id) {
                upload.parts.insert(number, content);
            }
        });
    }

    async fn abort(&mut self, clients: &Clients, id: &str, upload: &Upload) -> Result<&'static str, Error> {
        self.expect(|state| {
            state.uploads.remove(id);
        });
        let request = AbortMultipartUploadRequest::new(PLAIN, &upload.key, id);
        clients.objects.abort_multipart_upload(request).await?;
        Ok("abort")
    }

    /// The object comes and the upload goes, both or neither.
    async fn complete(&mut self, clients: &Clients, id: &str, upload: &Upload) -> Result<&'static str, Error> {
        let parts = upload.parts.iter();
        let parts: Vec<UploadPart> = parts
            .map(|(number, content)| UploadPart::new(*number, content.etag()))
            .collect();
        let pieces = upload.parts.values().flat_map(|content| content.pieces.iter().copied());
        let object = Object {
            content: Content::of(pieces.collect()),
            mark: upload.mark.clone(),
            tag: None,
        };
        self.expect(|state| {
            state.uploads.remove(id);
            state.objects.insert(upload.key.clone(), object);
        });
        let request = CompleteMultipartUploadRequest::new(PLAIN, &upload.key, id)
            .complete_multipart_upload(CompleteMultipartUpload::new(parts));
        clients.objects.complete_multipart_upload(request).await?;
        Ok("complete")
    }
}
