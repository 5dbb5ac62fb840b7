"""Buckets, listings, versions, uploads, and URLs."""

import os

import alibabacloud_oss_v2 as oss

from checks import ACCOUNT_ID, REGION, holds, http, new_name, same

from .base import check, content, get, put, refused, set_versioning

KEYS = [f"logs/{number:03}.txt" for number in range(12)] + ["a+b c", "z%2Fz"]


async def fill(service, bucket, keys=tuple(KEYS)):
    for key in keys:
        await put(service, bucket, key, b"x")


@check("PutBucket", "GetBucketInfo", "GetBucketLocation", "DeleteBucket")
async def bucket_is_created_described_and_deleted(service, bucket):
    info = (await service.get_bucket_info(oss.GetBucketInfoRequest(bucket=bucket))).bucket_info
    same((info.name, info.acl, info.storage_class, info.owner.id), (bucket, "private", "Standard", ACCOUNT_ID))
    found = await service.get_bucket_location(oss.GetBucketLocationRequest(bucket=bucket))
    same(found.location, f"oss-{REGION}")
    same(await service.is_bucket_exist(bucket), True)
    await service.delete_bucket(oss.DeleteBucketRequest(bucket=bucket))
    same(await service.is_bucket_exist(bucket), False)


@check("DeleteBucket")
async def buckets_with_objects_stay(service, bucket):
    await put(service, bucket)
    await refused(409, "BucketNotEmpty", service.delete_bucket(oss.DeleteBucketRequest(bucket=bucket)))


@check("GetBucketStat")
async def statistics_count(service, bucket):
    await put(service, bucket)
    stat = await service.get_bucket_stat(oss.GetBucketStatRequest(bucket=bucket))
    same((stat.storage, stat.object_count), (10, 1))


@check("PutBucketAcl", "GetBucketAcl")
async def bucket_acls(service, bucket):
    for acl in ("public-read", "private"):
        await service.put_bucket_acl(oss.PutBucketAclRequest(bucket=bucket, acl=acl))
        same((await service.get_bucket_acl(oss.GetBucketAclRequest(bucket=bucket))).acl, acl)


@check("DescribeRegions")
async def regions(service):
    found = await service.describe_regions(oss.DescribeRegionsRequest(regions=f"oss-{REGION}"))
    same([region.region for region in found.region_info], [f"oss-{REGION}"])


@check("ListBuckets")
async def buckets_page(service):
    prefix = new_name()
    names = [f"{prefix}-{number}" for number in range(3)]
    for name in names:
        await service.put_bucket(oss.PutBucketRequest(bucket=name))
    found = []
    async for page in service.list_buckets_paginator().iter_page(oss.ListBucketsRequest(prefix=prefix, max_keys=1)):
        found.extend(entry.name for entry in page.buckets or [])
    same(found, names)
    for name in names:
        await service.delete_bucket(oss.DeleteBucketRequest(bucket=name))


@check("ListObjects")
async def first_listings(service, bucket):
    await fill(service, bucket)
    found = []
    async for page in service.list_objects_paginator().iter_page(oss.ListObjectsRequest(bucket=bucket, max_keys=5)):
        found.extend(entry.key for entry in page.contents or [])
    same(found, sorted(KEYS))


@check("ListObjectsV2")
async def second_listings(service, bucket):
    await fill(service, bucket)
    found = []
    pages = service.list_objects_v2_paginator().iter_page(oss.ListObjectsV2Request(bucket=bucket, max_keys=5))
    async for page in pages:
        found.extend(entry.key for entry in page.contents or [])
    same(found, sorted(KEYS))


@check("ListObjectsV2")
async def listings_group(service, bucket):
    await fill(service, bucket)
    top = await service.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket, delimiter="/", fetch_owner=True))
    same([prefix.prefix for prefix in top.common_prefixes], ["logs/"])
    same([entry.key for entry in top.contents], ["a+b c", "z%2Fz"])
    holds(top.contents[0].owner.id, "no owner")


@check("ListObjectsV2")
async def wrong_listings(service, bucket):
    await refused(
        400, "InvalidArgument", service.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket, max_keys=1001))
    )


@check("PutBucketVersioning", "GetBucketVersioning")
async def versioning_is_switched(service, bucket):
    for status in ("Enabled", "Suspended"):
        await set_versioning(service, bucket, status)
        found = await service.get_bucket_versioning(oss.GetBucketVersioningRequest(bucket=bucket))
        same(found.version_status, status)


@check("ListObjectVersions", "DeleteObject", "GetObject")
async def versions_are_kept(service, versioned):
    first = (await put(service, versioned, body=b"1")).version_id
    await put(service, versioned, body=b"2")
    gone = await service.delete_object(oss.DeleteObjectRequest(bucket=versioned, key="k"))
    same(gone.delete_marker, True)
    await refused(404, "NoSuchKey", get(service, versioned))
    same(await content(service, versioned, version_id=first), b"1")
    found = []
    pages = service.list_object_versions_paginator().iter_page(
        oss.ListObjectVersionsRequest(bucket=versioned, max_keys=1)
    )
    async for page in pages:
        found.extend(entry.version_id for entry in (page.version or []) + (page.delete_marker or []))
    same((len(found), first in found, gone.version_id in found), (3, True, True))


@check("DeleteMultipleObjects")
async def many_versions_are_deleted(service, versioned):
    first = (await put(service, versioned, body=b"1")).version_id
    done = await service.delete_multiple_objects(
        oss.DeleteMultipleObjectsRequest(bucket=versioned, objects=[oss.DeleteObject(key="k", version_id=first)])
    )
    same(done.deleted_objects[0].version_id, first)


async def begin(service, bucket, key="k"):
    done = await service.initiate_multipart_upload(oss.InitiateMultipartUploadRequest(bucket=bucket, key=key))
    return done.upload_id


async def upload(service, bucket, upload_id, number, body):
    part = await service.upload_part(
        oss.UploadPartRequest(bucket=bucket, key="k", upload_id=upload_id, part_number=number, body=body)
    )
    return oss.UploadPart(part_number=number, etag=part.etag)


async def complete(service, bucket, upload_id, parts, **members):
    return await service.complete_multipart_upload(
        oss.CompleteMultipartUploadRequest(
            bucket=bucket, key="k", upload_id=upload_id,
            complete_multipart_upload=oss.CompleteMultipartUpload(parts=parts), **members,
        )
    )


@check("InitiateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
async def multipart_upload(service, bucket):
    pieces = [os.urandom(150_000), os.urandom(120_000), b"end"]
    upload_id = await begin(service, bucket)
    parts = [await upload(service, bucket, upload_id, number, piece) for number, piece in enumerate(pieces, 1)]
    done = await complete(service, bucket, upload_id, parts)
    got = await get(service, bucket)
    same((got.body.content == b"".join(pieces), got.hash_crc64), (True, done.hash_crc64))


@check("ListParts")
async def parts_page(service, bucket):
    upload_id = await begin(service, bucket)
    for number in range(1, 5):
        await upload(service, bucket, upload_id, number, b"x" * number)
    found = []
    request = oss.ListPartsRequest(bucket=bucket, key="k", upload_id=upload_id, max_parts=2)
    async for page in service.list_parts_paginator().iter_page(request):
        found.extend(part.size for part in page.parts or [])
    same(found, [1, 2, 3, 4])


@check("UploadPartCopy")
async def parts_are_copied(service, bucket):
    await put(service, bucket, "source", b"0123456789")
    upload_id = await begin(service, bucket)
    part = await service.upload_part_copy(
        oss.UploadPartCopyRequest(
            bucket=bucket, key="k", upload_id=upload_id, part_number=1, source_bucket=bucket, source_key="source",
            source_range="bytes=2-4",
        )
    )
    await complete(service, bucket, upload_id, [oss.UploadPart(part_number=1, etag=part.etag)])
    same(await content(service, bucket), b"234")


@check("AbortMultipartUpload", "ListMultipartUploads")
async def aborted_uploads_are_gone(service, bucket):
    ids = [await begin(service, bucket, key) for key in ("a", "b", "b")]
    found = []
    request = oss.ListMultipartUploadsRequest(bucket=bucket, max_uploads=1)
    async for page in service.list_multipart_uploads_paginator().iter_page(request):
        found.extend(entry.upload_id for entry in page.uploads or [])
    same(sorted(found), sorted(ids))
    request = oss.AbortMultipartUploadRequest(bucket=bucket, key="a", upload_id=ids[0])
    await service.abort_multipart_upload(request)
    await refused(404, "NoSuchUpload", service.abort_multipart_upload(request))


@check("CompleteMultipartUpload")
async def wrong_lists_of_parts(service, bucket):
    upload_id = await begin(service, bucket)
    parts = [await upload(service, bucket, upload_id, number, b"small") for number in (1, 2)]
    await refused(400, "EntityTooSmall", complete(service, bucket, upload_id, parts))
    wrong = [oss.UploadPart(part_number=1, etag='"' + "0" * 32 + '"')]
    await refused(400, "InvalidPart", complete(service, bucket, upload_id, wrong))


@check("PutObject", "GetObject")
async def presigned_urls(service, bucket):
    signed = await service.presign(oss.PutObjectRequest(bucket=bucket, key="pre signed/\u00fc", content_type="a/b"))
    same(http("PUT", signed.url, b"by url", signed.signed_headers).status, 200)
    signed = await service.presign(oss.GetObjectRequest(bucket=bucket, key="pre signed/\u00fc"))
    answer = http("GET", signed.url)
    same((answer.status, answer.body, answer.headers["Content-Type"]), (200, b"by url", "a/b"))
    same(http("GET", signed.url[:-1] + ("0" if signed.url[-1] != "0" else "1")).status, 403)


@check("PutObject", "AppendObject", "PutSymlink", "CompleteMultipartUpload")
async def what_is_written_has_versions(service, versioned):
    holds((await put(service, versioned)).version_id, "no version")
    link = await service.put_symlink(oss.PutSymlinkRequest(bucket=versioned, key="link", symlink_target="k"))
    holds(link.version_id, "no version of a link")
    upload_id = await begin(service, versioned)
    done = await complete(service, versioned, upload_id, [await upload(service, versioned, upload_id, 1, b"x")])
    same(await content(service, versioned, version_id=done.version_id), b"x")


@check("CompleteMultipartUpload")
async def uploads_do_not_overwrite_when_forbidden(service, bucket):
    await put(service, bucket, body=b"here")
    upload_id = await begin(service, bucket)
    part = await upload(service, bucket, upload_id, 1, b"new")
    await refused(
        409, "FileAlreadyExists", complete(service, bucket, upload_id, [part], forbid_overwrite=True)
    )


@check(
    "CreateBucketMetadataConfiguration", "GetBucketMetadataConfiguration", "DeleteBucketMetadataConfiguration",
    "UpdateBucketMetadataJournalTableConfiguration", "UpdateBucketMetadataInventoryTableConfiguration",
)
async def metadata_tables(service, bucket):
    await service.create_bucket_metadata_configuration(
        oss.CreateBucketMetadataConfigurationRequest(
            bucket=bucket,
            metadata_configuration=oss.MetadataConfiguration(
                journal_table_configuration=oss.JournalTableConfiguration(
                    record_expiration=oss.MetadataTableRecordExpiration(expiration="ENABLED", days=10)
                ),
            ),
        )
    )
    found = await service.get_bucket_metadata_configuration(
        oss.GetBucketMetadataConfigurationRequest(bucket=bucket)
    )
    result = found.metadata_configuration_result
    same(result.journal_table_configuration_result.record_expiration.days, 10)
    await service.delete_bucket_metadata_configuration(
        oss.DeleteBucketMetadataConfigurationRequest(bucket=bucket)
    )


@check("DoMetaQueryAction")
async def metadata_query_actions(service, bucket):
    await service.do_meta_query_action(oss.DoMetaQueryActionRequest(bucket=bucket, action="listDatasets", body=b""))


@check("DoDataPipeLineAction")
async def data_pipeline_actions(service):
    await service.do_data_pipeline_action(
        oss.DoDataPipelineActionRequest(action="listDataPipelineConfigurations", body=b"")
    )
