//! Writes of objects without versions: put, append, copy, tag, delete.

use bytes::{Bytes, BytesMut};
use oss_sdk::types::{Delete, ObjectIdentifier, Tag, TagSet, Tagging};
use oss_sdk::{
    AppendObjectRequest, CopyObjectRequest, DeleteMultipleObjectsRequest, DeleteObjectRequest,
    DeleteObjectTaggingRequest, Error, PutObjectRequest, PutObjectTaggingRequest,
};

use super::super::clients::{Clients, PLAIN};
use super::super::observe::{TAG, content_type};
use super::super::state::{Content, Object, Piece};
use super::Writer;

const KEYS: u64 = 12;
/// An appendable object that grew beyond this is deleted.
const APPENDED: u64 = 1024 * 1024;

pub(super) fn body(pieces: &[Piece]) -> Bytes {
    let mut bytes = BytesMut::new();
    for piece in pieces {
        bytes.extend_from_slice(&piece.bytes());
    }
    bytes.freeze()
}

pub(super) fn metadata(mark: &str) -> [(String, String); 1] {
    [("mark".to_owned(), mark.to_owned())]
}

impl Writer {
    pub(super) fn key(&mut self) -> String {
        format!("{}/{}", self.number, self.random.below(KEYS))
    }

    fn known_key(&mut self) -> Option<String> {
        let names = self.known.objects.keys().filter(|key| !key.ends_with("log"));
        let names: Vec<&String> = names.collect();
        let at = self.random.below(names.len().max(1) as u64);
        names.get(usize::try_from(at).ok()?).map(|key| (*key).clone())
    }

    pub(super) async fn put(&mut self, clients: &Clients) -> Result<&'static str, Error> {
        let (key, content, mark) = (self.key(), self.content(), self.mark());
        let tag = (self.random.below(3) == 0).then(|| self.mark());
        let mut request = PutObjectRequest::new(PLAIN, &key)
            .body(body(&content.pieces))
            .content_type(content_type(&mark))
            .metadata(metadata(&mark));
        if let Some(tag) = &tag {
            request = request.tagging(format!("{TAG}={tag}"));
        }
        let kind = if self.known.objects.contains_key(&key) {
            "overwrite"
        } else {
            "put"
        };
        self.expect(|state| {
            state.objects.insert(key, Object { content, mark, tag });
        });
        clients.objects.put_object(request).await?;
        Ok(kind)
    }

    pub(super) async fn append(&mut self, clients: &Clients) -> Result<&'static str, Error> {
        let key = format!("{}/log", self.number);
        let known = self.known.objects.get(&key).cloned();
        let (mut content, mark) = match known {
            Some(Object { content, .. }) if content.length > APPENDED => {
                self.expect(|state| {
                    state.objects.remove(&key);
                });
                let request = DeleteObjectRequest::new(PLAIN, &key);
                clients.objects.delete_object(request).await?;
                return Ok("delete");
            }
            Some(Object { content, mark, .. }) => (content, mark),
            None => (Content::default(), self.mark()),
        };
        let position = i64::try_from(content.length).unwrap_or_default();
        let length = self.random.below(100 * 1024);
        let piece = self.piece(length);
        content.pieces.push(piece);
        let object = Object {
            content: Content::of(content.pieces),
            mark: mark.clone(),
            tag: None,
        };
        self.expect(|state| {
            state.objects.insert(key.clone(), object);
        });
        // Type and metadata count for the first piece alone.
        let request = AppendObjectRequest::new(PLAIN, &key, position)
            .body(piece.bytes())
            .content_type(content_type(&mark))
            .metadata(metadata(&mark));
        clients.objects.append_object(request).await?;
        Ok("append")
    }

    pub(super) async fn delete(&mut self, clients: &Clients) -> Result<&'static str, Error> {
        let key = self.key();
        self.expect(|state| {
            state.objects.remove(&key);
        });
        let request = DeleteObjectRequest::new(PLAIN, &key);
        clients.objects.delete_object(request).await?;
        Ok("delete")
    }

    /// Three keys in one request: each is there or not, for itself.
    pub(super) async fn delete_several(&mut self, clients: &Clients) -> Result<&'static str, Error> {
        let keys = [self.key(), self.key(), self.key()];
        // The last of the outcomes is that of the answer: all are gone.
        self.possible = (0..8_u8)
            .map(|chosen| {
                let mut after = self.known.clone();
                for (bit, key) in keys.iter().enumerate() {
                    if chosen & (1 << bit) != 0 {
                        after.objects.remove(key);
                    }
                }
                after
            })
            .collect();
        let delete = Delete::new(keys.map(ObjectIdentifier::new)).quiet(true);
        let request = DeleteMultipleObjectsRequest::new(PLAIN, delete);
        clients.objects.delete_multiple_objects(request).await?;
        Ok("delete of several")
    }

    /// The copy has the source's metadata and tags.
    pub(super) async fn copy(&mut self, clients: &Clients) -> Result<&'static str, Error> {
        let (from, to) = (self.known_key(), self.key());
        let Some(from) = from.filter(|from| *from != to) else {
            return Ok("copy");
        };
        self.expect(|state| {
            if let Some(object) = state.objects.get(&from).cloned() {
                state.objects.insert(to.clone(), object);
            }
        });
        let request = CopyObjectRequest::new(PLAIN, &to, &from);
        clients.objects.copy_object(request).await?;
        Ok("copy")
    }

    pub(super) async fn tag(&mut self, clients: &Clients) -> Result<&'static str, Error> {
        let Some(key) = self.known_key() else {
            return Ok("tag");
        };
        let tag = (self.random.below(3) != 0).then(|| self.mark());
        self.expect(|state| {
            if let Some(object) = state.objects.get_mut(&key) {
                object.tag.clone_from(&tag);
            }
        });
        match tag {
            Some(tag) => {
                let tags = Tagging::new(TagSet::new().tags([Tag::new(TAG, tag)]));
                let request = PutObjectTaggingRequest::new(PLAIN, &key, tags);
                clients.objects.put_object_tagging(request).await?;
            }
            None => {
                let request = DeleteObjectTaggingRequest::new(PLAIN, &key);
                clients.objects.delete_object_tagging(request).await?;
            }
        }
        Ok("tag")
    }
}
