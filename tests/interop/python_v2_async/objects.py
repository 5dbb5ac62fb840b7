"""Objects: bodies, ranges, conditions, copies, links, tags, ACL, deletes, retention, processing, streams."""

import asyncio
import base64
import datetime
import hashlib
import json
import os

import alibabacloud_oss_v2 as oss

from checks import holds, same

from .base import check, client, content, get, head, put, refused

NO_ETAG = '"00000000000000000000000000000000"'
BEFORE = "Wed, 21 Oct 2015 07:28:00 GMT"


@check("PutObject", "GetObject")
async def object_goes_up_and_comes_back(service, bucket):
    body = os.urandom(300_000)
    key = "folder/\u00fcmlaut + space & ~.bin"
    sent = await put(service, bucket, key, body, metadata={"purpose": "interop"}, content_type="a/b")
    got = await get(service, bucket, key)
    same(got.body.content, body)
    same((got.content_type, got.metadata["purpose"]), ("a/b", "interop"))
    same((got.hash_crc64, got.etag), (sent.hash_crc64, sent.etag))


@check("PutObject")
async def empty_objects(service, bucket):
    await put(service, bucket, body=b"")
    same(await content(service, bucket), b"")


@check("PutObject")
async def bodies_of_every_kind(service, bucket):
    for body in ("text", b"bytes"):
        await put(service, bucket, body=body)
        same(await content(service, bucket), body.encode() if isinstance(body, str) else body)


@check("GetObject")
async def objects_are_streamed(service, bucket):
    body = os.urandom(300_000)
    await put(service, bucket, body=body)
    got = await service.get_object_as_stream(oss.GetObjectRequest(bucket=bucket, key="k"))
    pieces = []
    async with got.body as stream:
        async for piece in await stream.iter_bytes(block_size=50_000):
            pieces.append(piece)
    same(b"".join(pieces) == body, True)


@check("PutObject", "GetObject")
async def many_at_once(service, bucket):
    bodies = {f"k{number}": os.urandom(5_000) for number in range(24)}
    await asyncio.gather(*(put(service, bucket, key, body) for key, body in bodies.items()))
    found = await asyncio.gather(*(content(service, bucket, key) for key in bodies))
    same(found == list(bodies.values()), True)


@check("PutObject")
async def content_md5_is_checked(service, bucket):
    digest = base64.b64encode(hashlib.md5(b"right").digest()).decode()
    await put(service, bucket, body=b"right", content_md5=digest)
    await refused(400, "InvalidDigest", put(service, bucket, body=b"wrong", content_md5=digest))


@check("PutObject")
async def forbidden_overwrite(service, bucket):
    await put(service, bucket, body=b"first")
    await refused(409, "FileAlreadyExists", put(service, bucket, body=b"second", forbid_overwrite=True))
    same(await content(service, bucket), b"first")


@check("PutObject", "HeadObject")
async def headers_are_kept(service, bucket):
    await put(service, bucket, cache_control="no-cache", content_disposition="inline", storage_class="IA")
    found = await head(service, bucket)
    same((found.cache_control, found.content_disposition, found.storage_class), ("no-cache", "inline", "IA"))


@check("HeadObject", "GetObjectMeta")
async def head_meta_and_existence(service, bucket):
    sent = await put(service, bucket)
    same((await head(service, bucket)).content_length, 10)
    meta = await service.get_object_meta(oss.GetObjectMetaRequest(bucket=bucket, key="k"))
    same((meta.content_length, meta.etag), (10, sent.etag))
    same(await service.is_object_exist(bucket, "k"), True)
    same(await service.is_object_exist(bucket, "absent"), False)


@check("HeadObject", "GetObject")
async def missing_things_have_their_codes(service, bucket):
    await refused(404, "NoSuchKey", get(service, bucket, "absent"))
    await refused(404, "NoSuchKey", head(service, bucket, "absent"))
    await refused(404, "NoSuchBucket", get(service, bucket + "-absent"))


@check("GetObject")
async def ranges(service, bucket):
    await put(service, bucket)
    for wanted, body in (("bytes=2-5", b"2345"), ("bytes=-3", b"789")):
        part = await get(service, bucket, range_header=wanted)
        same((part.status_code, part.body.content), (206, body))
    await refused(
        416, "InvalidRange", get(service, bucket, range_header="bytes=50-60", range_behavior="standard")
    )


@check("GetObject")
async def conditions(service, bucket):
    etag = (await put(service, bucket)).etag
    same(await content(service, bucket, if_match=etag), b"0123456789")
    await refused(412, "PreconditionFailed", get(service, bucket, if_match=NO_ETAG))
    await refused(412, "PreconditionFailed", get(service, bucket, if_unmodified_since=BEFORE))
    try:
        await get(service, bucket, if_none_match=etag)
    except oss.exceptions.OperationError as error:
        same(error.unwrap().status_code, 304)
    else:
        raise AssertionError("the object was sent")


@check("CopyObject")
async def copies(service, bucket, other):
    await put(service, bucket, "from \u00fc", b"copy me", metadata={"kept": "yes"})
    await service.copy_object(
        oss.CopyObjectRequest(bucket=other, key="to", source_bucket=bucket, source_key="from \u00fc")
    )
    same(await content(service, other, "to"), b"copy me")
    same((await head(service, other, "to")).metadata["kept"], "yes")
    await refused(
        404, "NoSuchKey",
        service.copy_object(
            oss.CopyObjectRequest(bucket=other, key="to", source_bucket=bucket, source_key="absent")
        ),
    )


@check("CopyObject")
async def copies_with_other_metadata(service, bucket):
    await put(service, bucket, metadata={"a": "1"})
    await service.copy_object(
        oss.CopyObjectRequest(
            bucket=bucket, key="k", source_bucket=bucket, source_key="k", metadata_directive="REPLACE",
            metadata={"b": "2"},
        )
    )
    same(dict((await head(service, bucket)).metadata), {"b": "2"})


@check("AppendObject")
async def appends(service, bucket):
    async def append(position, body):
        return await service.append_object(
            oss.AppendObjectRequest(bucket=bucket, key="log", position=position, body=body)
        )

    same((await append(0, b"one ")).next_position, 4)
    same((await append(4, b"two")).next_position, 7)
    same(await content(service, bucket, "log"), b"one two")
    await refused(409, "PositionNotEqualToLength", append(4, b"late"))


@check("SealAppendObject")
async def sealed_objects_take_no_more(service, bucket):
    await service.append_object(oss.AppendObjectRequest(bucket=bucket, key="log", position=0, body=b"one"))
    sealed = await service.seal_append_object(oss.SealAppendObjectRequest(bucket=bucket, key="log", position=3))
    holds(sealed.sealed_time, "no sealed time")


@check("PutSymlink", "GetSymlink")
async def symbolic_links(service, bucket):
    await put(service, bucket, "target", b"behind")
    await service.put_symlink(oss.PutSymlinkRequest(bucket=bucket, key="link", symlink_target="target"))
    same((await service.get_symlink(oss.GetSymlinkRequest(bucket=bucket, key="link"))).target, "target")
    same(await content(service, bucket, "link"), b"behind")


@check("PutObjectAcl", "GetObjectAcl")
async def object_acls(service, bucket):
    await put(service, bucket)
    for acl in ("private", "public-read", "default"):
        await service.put_object_acl(oss.PutObjectAclRequest(bucket=bucket, key="k", acl=acl))
        same((await service.get_object_acl(oss.GetObjectAclRequest(bucket=bucket, key="k"))).acl, acl)


async def tags_of(service, bucket):
    found = await service.get_object_tagging(oss.GetObjectTaggingRequest(bucket=bucket, key="k"))
    return {tag.key: tag.value for tag in found.tag_set.tags or []}


@check("PutObjectTagging", "GetObjectTagging", "DeleteObjectTagging")
async def object_tags(service, bucket):
    await put(service, bucket, tagging="a=1")
    same(await tags_of(service, bucket), {"a": "1"})
    tagging = oss.Tagging(tag_set=oss.TagSet(tags=[oss.Tag(key="b", value="2")]))
    await service.put_object_tagging(oss.PutObjectTaggingRequest(bucket=bucket, key="k", tagging=tagging))
    same(await tags_of(service, bucket), {"b": "2"})
    await service.delete_object_tagging(oss.DeleteObjectTaggingRequest(bucket=bucket, key="k"))
    same(await tags_of(service, bucket), {})


@check("DeleteObject")
async def one_is_deleted(service, bucket):
    await put(service, bucket)
    for _ in range(2):
        done = await service.delete_object(oss.DeleteObjectRequest(bucket=bucket, key="k"))
        same(done.status_code, 204)
    same(await service.is_object_exist(bucket, "k"), False)


@check("DeleteMultipleObjects")
async def many_are_deleted(service, bucket):
    keys = ["a", "b & <c>", "\u00fc"]
    for key in keys:
        await put(service, bucket, key)
    done = await service.delete_multiple_objects(
        oss.DeleteMultipleObjectsRequest(bucket=bucket, objects=[oss.DeleteObject(key=key) for key in keys])
    )
    same(sorted(entry.key for entry in done.deleted_objects), sorted(keys))


@check("RestoreObject")
async def archived_objects_are_restored(service, bucket):
    await put(service, bucket, storage_class="Archive")
    await refused(403, "InvalidObjectState", get(service, bucket))
    request = oss.RestoreObjectRequest(bucket=bucket, key="k", restore_request=oss.RestoreRequest(days=2))
    same((await service.restore_object(request)).status_code, 202)


@check("ProcessObject")
async def processed_images_are_saved(service, bucket):
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
    await put(service, bucket, "a.png", base64.b64decode(pixel))
    name = base64.b64encode(b"saved.png").decode()
    process = f"image/resize,w_4|sys/saveas,o_{name}"
    done = await service.process_object(oss.ProcessObjectRequest(bucket=bucket, key="a.png", process=process))
    same(done.key, "saved.png")


@check("AsyncProcessObject")
async def processing_in_the_background_gets_ids(service, bucket):
    await put(service, bucket, "a.mp4")
    process = "video/convert,f_avi|sys/saveas,o_YS5hdmk="
    done = await service.async_process_object(
        oss.AsyncProcessObjectRequest(bucket=bucket, key="a.mp4", process=process)
    )
    holds(done.event_id and done.task_id, "no ids")


async def hold(service, versioned):
    await service.put_bucket_object_worm_configuration(
        oss.PutBucketObjectWormConfigurationRequest(
            bucket=versioned, object_worm_configuration=oss.ObjectWormConfiguration(object_worm_enabled="Enabled")
        )
    )
    return {"bucket": versioned, "key": "k", "version_id": (await put(service, versioned)).version_id}


@check("PutBucketObjectWormConfiguration", "GetBucketObjectWormConfiguration")
async def object_worm_is_configured(service, versioned):
    await hold(service, versioned)
    found = await service.get_bucket_object_worm_configuration(
        oss.GetBucketObjectWormConfigurationRequest(bucket=versioned)
    )
    same(found.object_worm_configuration.object_worm_enabled, "Enabled")


@check("PutObjectRetention", "GetObjectRetention")
async def retention_protects_versions(service, versioned):
    where = await hold(service, versioned)
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)
    retention = oss.Retention(mode="GOVERNANCE", retain_until_date=until.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    await service.put_object_retention(oss.PutObjectRetentionRequest(retention=retention, **where))
    found = await service.get_object_retention(oss.GetObjectRetentionRequest(**where))
    same(found.retention.mode, "GOVERNANCE")
    await service.delete_object(oss.DeleteObjectRequest(bypass_governance_retention=True, **where))


@check("PutObjectLegalHold", "GetObjectLegalHold")
async def legal_hold_is_put_and_lifted(service, versioned):
    where = await hold(service, versioned)
    for status in ("ON", "OFF"):
        await service.put_object_legal_hold(
            oss.PutObjectLegalHoldRequest(legal_hold=oss.LegalHold(status=status), **where)
        )
        found = await service.get_object_legal_hold(oss.GetObjectLegalHoldRequest(**where))
        same(found.legal_hold.status, status)


@check("PutObject", "GetObject")
async def wrong_secrets_are_refused(bucket):
    wrong = client(secret="wrong")
    try:
        await refused(403, "SignatureDoesNotMatch", put(wrong, bucket))
    finally:
        await wrong.close()


@check("ListBuckets")
async def unknown_keys_are_refused():
    nobody = client(key="nobody")
    try:
        await refused(403, "InvalidAccessKeyId", nobody.list_buckets(oss.ListBucketsRequest()))
    finally:
        await nobody.close()


@check("GetObject", "PutObject")
async def strangers_need_an_acl(service, bucket):
    await put(service, bucket)
    stranger = client(provider=oss.credentials.AnonymousCredentialsProvider())
    try:
        await refused(403, "AccessDenied", get(stranger, bucket))
        await service.put_bucket_acl(oss.PutBucketAclRequest(bucket=bucket, acl="public-read"))
        same(await content(stranger, bucket), b"0123456789")
        await refused(403, "AccessDenied", put(stranger, bucket))
    finally:
        await stranger.close()


@check("PutObject", "GetObject")
async def signature_v1(bucket):
    first = client(signature_version="v1")
    try:
        await put(first, bucket, "k v1", b"one")
        same(await content(first, bucket, "k v1"), b"one")
    finally:
        await first.close()


@check("PutObject", "GetObject")
async def temporary_credentials(bucket):
    from python_v2.security import assume_role

    keys = assume_role()
    session = client(key=keys["AccessKeyId"], secret=keys["AccessKeySecret"], token=keys["SecurityToken"])
    try:
        await put(session, bucket)
        same(await content(session, bucket), b"0123456789")
    finally:
        await session.close()


@check("PutObject", "HeadObject")
async def storage_classes(service, bucket):
    for name in ("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"):
        await put(service, bucket, name, storage_class=name)
        same((await head(service, bucket, name)).storage_class, name)


@check("GetObject")
async def answers_take_headers_from_the_query(service, bucket):
    await put(service, bucket)
    got = await get(service, bucket, response_content_type="a/b", response_cache_control="max-age=1")
    same((got.content_type, got.cache_control), ("a/b", "max-age=1"))


@check("GetObject")
async def images_are_described(service, bucket):
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
    await put(service, bucket, "a.png", base64.b64decode(pixel))
    found = json.loads(await content(service, bucket, "a.png", process="image/info"))
    same(found["Format"]["value"], "png")


@check("CopyObject")
async def copies_on_conditions(service, bucket):
    await put(service, bucket)
    request = oss.CopyObjectRequest(bucket=bucket, key="to", source_bucket=bucket, source_key="k", if_match=NO_ETAG)
    await refused(412, "PreconditionFailed", service.copy_object(request))


@check("PutObject")
async def progress_is_told(service, bucket):
    told = []
    await put(service, bucket, body=b"x" * 100_000, progress_fn=lambda *values: told.append(values))
    same(told[-1][1:], (100_000, 100_000))


@check("GetSymlink")
async def what_is_no_link(service, bucket):
    await put(service, bucket)
    await refused(400, "NotSymlink", service.get_symlink(oss.GetSymlinkRequest(bucket=bucket, key="k")))
