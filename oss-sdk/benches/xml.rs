//! A listing of 1000 keys, from the received bytes to structs.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use oss_sdk::xml::{ReadXml, XmlError, XmlReader, read_document};
use oss_sdk::Timestamp;

fn page() -> String {
    let mut page = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult>\n  <Name>examplebucket</Name>\n  \
         <Prefix>photos/</Prefix>\n  <MaxKeys>1000</MaxKeys>\n  <Delimiter></Delimiter>\n  \
         <IsTruncated>true</IsTruncated>\n  <NextContinuationToken>CgJiYw--</NextContinuationToken>\n  \
         <KeyCount>1000</KeyCount>\n",
    );
    for n in 0..1000 {
        let _ = write!(
            page,
            "  <Contents>\n    <Key>photos/2023/12/17/image-{n:06}.jpg</Key>\n    \
             <LastModified>2023-12-17T03:30:09.000Z</LastModified>\n    \
             <ETag>\"5B3C1A2E053D763E1B002CC607C5{n:04X}\"</ETag>\n    <Type>Normal</Type>\n    \
             <Size>{}</Size>\n    <StorageClass>Standard</StorageClass>\n    <Owner>\n      \
             <ID>1234567890123456</ID>\n      <DisplayName>user-example</DisplayName>\n    </Owner>\n  </Contents>\n",
            n * 344_606
        );
    }
    page.push_str("</ListBucketResult>");
    page
}

#[derive(Default)]
struct Page {
    name: String,
    is_truncated: bool,
    contents: Vec<Object>,
}

#[derive(Default)]
struct Object {
    key: String,
    object_type: Option<String>,
    size: i64,
    etag: String,
    last_modified: Option<Timestamp>,
    storage_class: String,
    owner: Option<Owner>,
}

#[derive(Default)]
struct Owner {
    id: String,
    display_name: String,
}

impl ReadXml for Page {
    fn read_xml(&mut self, reader: &mut XmlReader<'_>) -> Result<(), XmlError> {
        while let Some(child) = reader.next_child()? {
            match child {
                b"Name" => self.name = reader.value()?,
                b"IsTruncated" => self.is_truncated = reader.value()?,
                b"Contents" => self.contents.push(reader.read()?),
                _ => reader.skip()?,
            }
        }
        Ok(())
    }
}

impl ReadXml for Object {
    fn read_xml(&mut self, reader: &mut XmlReader<'_>) -> Result<(), XmlError> {
        while let Some(child) = reader.next_child()? {
            match child {
                b"Key" => self.key = reader.value()?,
                b"Type" => self.object_type = Some(reader.value()?),
                b"Size" => self.size = reader.value()?,
                b"ETag" => self.etag = reader.value()?,
                b"LastModified" => self.last_modified = Some(reader.value()?),
                b"StorageClass" => self.storage_class = reader.value()?,
                b"Owner" => self.owner = Some(reader.read()?),
                _ => reader.skip()?,
            }
        }
        Ok(())
    }
}

impl ReadXml for Owner {
    fn read_xml(&mut self, reader: &mut XmlReader<'_>) -> Result<(), XmlError> {
        while let Some(child) = reader.next_child()? {
            match child {
                b"ID" => self.id = reader.value()?,
                b"DisplayName" => self.display_name = reader.value()?,
                _ => reader.skip()?,
            }
        }
        Ok(())
    }
}

fn listing(c: &mut Criterion) {
    let document = page();
    let mut group = c.benchmark_group("xml");
    group.throughput(Throughput::Bytes(document.len() as u64));
    group.bench_function("page of 1000 keys", |b| {
        b.iter(|| {
            let mut page = Page::default();
            let read = read_document(black_box(document.as_bytes()), Some("ListBucketResult"), &mut page);
            assert!(read.is_ok() && page.contents.len() == 1000);
            page
        });
    });
    group.finish();
}

criterion_group!(benches, listing);
criterion_main!(benches);
