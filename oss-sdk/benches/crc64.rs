//! CRC-64: of bytes as they pass, and combined across parts.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use oss_sdk::Crc64;

fn crc64(c: &mut Criterion) {
    let data: Vec<u8> = (0..1 << 20_u32).map(|n: u32| (n * 31 % 251) as u8).collect();
    let mut group = c.benchmark_group("crc64");
    for size in [16 << 10, 1 << 20] {
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("{} KiB", size >> 10), |b| {
            b.iter(|| Crc64::of(black_box(&data[..size])))
        });
    }
    group.finish();
    c.bench_function("crc64/combine", |b| {
        b.iter(|| {
            Crc64::combine(
                black_box(0x995d_c9bb_df19_39fa),
                black_box(0x3302_8477_2e65_2b05),
                6 << 20,
            )
        });
    });
}

criterion_group!(benches, crc64);
criterion_main!(benches);
