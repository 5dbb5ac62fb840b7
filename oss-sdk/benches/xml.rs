//! A listing of 1000 keys, from the received bytes to the generated structs.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use oss_sdk::operations::ListObjectsV2Result;
use oss_sdk::xml::read_document;

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
             <Size>{}</Size>\n    <StorageClass>Standard</StorageClass>\n  </Contents>\n",
            n * 344_606
        );
    }
    page.push_str("</ListBucketResult>");
    page
}

fn listing(c: &mut Criterion) {
    let document = page();
    let mut group = c.benchmark_group("xml");
    group.throughput(Throughput::Bytes(document.len() as u64));
    group.bench_function("page of 1000 keys", |b| {
        b.iter(|| {
            let mut page = ListObjectsV2Result::default();
            let read = read_document(black_box(document.as_bytes()), Some("ListBucketResult"), &mut page);
            assert!(read.is_ok() && page.contents.len() == 1000);
            page
        });
    });
    group.finish();
}

criterion_group!(benches, listing);
criterion_main!(benches);
