"""Listings of objects, versions, uploads, parts and buckets, page by page and whole."""

import alibabacloud_oss_v2 as oss

from checks import holds, new_name, same

from .base import check, put, refused

KEYS = [f"logs/{number:03}.txt" for number in range(25)] + ["a+b c", "logs", "z%2Fz"]


def fill(service, bucket, keys=tuple(KEYS)):
    for key in keys:
        put(service, bucket, key, b"x")


def keys_of(pages):
    return [entry.key for page in pages for entry in page.contents or []]


@check("ListObjects", "ListObjectsV2")
def listings_page(service, bucket):
    fill(service, bucket)
    pages = service.list_objects_v2_paginator().iter_page(oss.ListObjectsV2Request(bucket=bucket, max_keys=7))
    same(keys_of(pages), sorted(KEYS))
    pages = service.list_objects_paginator().iter_page(oss.ListObjectsRequest(bucket=bucket, max_keys=4))
    same(keys_of(pages), sorted(KEYS))
    pages = list(oss.ListObjectsV2Paginator(service, limit=10).iter_page(oss.ListObjectsV2Request(bucket=bucket)))
    same([page.key_count for page in pages], [10, 10, 8])


@check("ListObjectsV2")
def listings_group(service, bucket):
    fill(service, bucket)
    top = service.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket, delimiter="/"))
    same([prefix.prefix for prefix in top.common_prefixes], ["logs/"])
    same([entry.key for entry in top.contents], ["a+b c", "logs", "z%2Fz"])
    same(top.key_count, 4)
    below = service.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket, prefix="logs/01", delimiter="/"))
    same(len(below.contents), 10)
    same((below.prefix, below.delimiter), ("logs/01", "/"))


@check("ListObjectsV2")
def listings_start_after(service, bucket):
    fill(service, bucket)
    found = service.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket, start_after="logs/022.txt", max_keys=3))
    same([entry.key for entry in found.contents], ["logs/023.txt", "logs/024.txt", "z%2Fz"])
    same(found.is_truncated, False)


@check("ListObjectsV2")
def listings_tell_owners_when_asked(service, bucket):
    fill(service, bucket, ["k"])
    without = service.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket)).contents[0]
    holds(without.owner is None or without.owner.id is None, "an owner nobody asked for")
    entry = service.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket, fetch_owner=True)).contents[0]
    holds(entry.owner.id, "no owner")
    same((entry.size, entry.storage_class, entry.object_type), (1, "Standard", "Normal"))
    same(entry.etag, '"9DD4E461268C8034F5C8564E155C67A6"')
    holds(entry.last_modified, "no time")


@check("ListObjects")
def first_listings_take_markers(service, bucket):
    fill(service, bucket)
    found = service.list_objects(oss.ListObjectsRequest(bucket=bucket, marker="logs/022.txt", max_keys=2))
    same([entry.key for entry in found.contents], ["logs/023.txt", "logs/024.txt"])
    same((found.is_truncated, found.next_marker, found.max_keys), (True, "logs/024.txt", 2))
    holds(found.contents[0].owner.id, "no owner")


@check("ListObjects", "ListObjectsV2")
def names_are_encoded_or_not(service, bucket):
    keys = ["\u00fc", "a&b<c>", "plus+", "space ", "100%"]
    fill(service, bucket, keys)
    for encoding in (None, "url"):
        found = service.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket, encoding_type=encoding))
        same(sorted(entry.key for entry in found.contents), sorted(keys))
        found = service.list_objects(oss.ListObjectsRequest(bucket=bucket, encoding_type=encoding))
        same(sorted(entry.key for entry in found.contents), sorted(keys))


@check("ListObjects", "ListObjectsV2")
def wrong_parameters_of_listings(service, bucket):
    for number in (0, 1001):
        for call in (
            lambda: service.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket, max_keys=number)),
            lambda: service.list_objects(oss.ListObjectsRequest(bucket=bucket, max_keys=number)),
        ):
            refused(400, "InvalidArgument", call)
    refused(
        400, "InvalidArgument",
        lambda: service.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket, encoding_type="base64")),
    )


@check("ListObjectVersions")
def versions_page(service, versioned):
    for key in ("a", "b", "c"):
        for body in (b"1", b"2", b"3"):
            put(service, versioned, key, body)
    service.delete_object(oss.DeleteObjectRequest(bucket=versioned, key="b"))
    pages = list(
        service.list_object_versions_paginator().iter_page(
            oss.ListObjectVersionsRequest(bucket=versioned, max_keys=2)
        )
    )
    found = [(entry.key, entry.version_id) for page in pages for entry in page.version or []]
    same(len(found), 9)
    same(len(set(found)), 9)
    same([entry.key for page in pages for entry in page.delete_marker or []], ["b"])
    latest = [entry.key for page in pages for entry in page.version or [] if entry.is_latest]
    same(latest, ["a", "c"])


@check("ListMultipartUploads")
def uploads_page(service, bucket):
    started = []
    for key in ("a", "b", "b", "c/1", "c/2"):
        upload = service.initiate_multipart_upload(oss.InitiateMultipartUploadRequest(bucket=bucket, key=key))
        started.append((key, upload.upload_id))
    pages = service.list_multipart_uploads_paginator().iter_page(
        oss.ListMultipartUploadsRequest(bucket=bucket, max_uploads=2)
    )
    found = [(upload.key, upload.upload_id) for page in pages for upload in page.uploads or []]
    same(sorted(found), sorted(started))
    some = service.list_multipart_uploads(oss.ListMultipartUploadsRequest(bucket=bucket, prefix="c/"))
    same([upload.key for upload in some.uploads], ["c/1", "c/2"])
    same(some.is_truncated, False)


@check("ListParts")
def parts_page(service, bucket):
    upload_id = service.initiate_multipart_upload(oss.InitiateMultipartUploadRequest(bucket=bucket, key="k")).upload_id
    for number in range(1, 8):
        service.upload_part(
            oss.UploadPartRequest(
                bucket=bucket, key="k", upload_id=upload_id, part_number=number, body=b"x" * number
            )
        )
    pages = service.list_parts_paginator().iter_page(
        oss.ListPartsRequest(bucket=bucket, key="k", upload_id=upload_id, max_parts=3)
    )
    found = [(part.part_number, part.size) for page in pages for part in page.parts or []]
    same(found, [(number, number) for number in range(1, 8)])
    rest = service.list_parts(
        oss.ListPartsRequest(bucket=bucket, key="k", upload_id=upload_id, part_number_marker="5")
    )
    same([part.part_number for part in rest.parts], [6, 7])
    same((rest.bucket, rest.key, rest.upload_id), (bucket, "k", upload_id))
    holds(rest.parts[0].hash_crc64, "no CRC of a part")


@check("ListBuckets", "PutBucket", "DeleteBucket")
def buckets_page(service):
    prefix = new_name()
    names = [f"{prefix}-{number}" for number in range(5)]
    for name in names:
        service.put_bucket(oss.PutBucketRequest(bucket=name))
    pages = service.list_buckets_paginator().iter_page(oss.ListBucketsRequest(prefix=prefix, max_keys=2))
    same([entry.name for page in pages for entry in page.buckets or []], names)
    found = service.list_buckets(oss.ListBucketsRequest(prefix=prefix, marker=names[2], max_keys=1))
    same([entry.name for entry in found.buckets], [names[3]])
    same((found.is_truncated, found.next_marker, found.prefix), (True, names[3], prefix))
    holds(found.owner.id, "no owner")
    for name in names:
        service.delete_bucket(oss.DeleteBucketRequest(bucket=name))
    same(service.list_buckets(oss.ListBucketsRequest(prefix=prefix)).buckets or [], [])
