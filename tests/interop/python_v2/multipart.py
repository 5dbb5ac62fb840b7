"""Multipart uploads, step by step."""

import base64
import hashlib
import os

import alibabacloud_oss_v2 as oss

from checks import holds, same

from .base import check, content, get, head, put, refused

# Parts of less than 100 KiB are accepted last only.
SMALLEST = 100 * 1024


def begin(service, bucket, key="k", **members):
    return service.initiate_multipart_upload(
        oss.InitiateMultipartUploadRequest(bucket=bucket, key=key, **members)
    ).upload_id


def upload(service, bucket, upload_id, number, body, key="k", **members):
    part = service.upload_part(
        oss.UploadPartRequest(
            bucket=bucket, key=key, upload_id=upload_id, part_number=number, body=body, **members
        )
    )
    return oss.UploadPart(part_number=number, etag=part.etag)


def complete(service, bucket, upload_id, parts=None, key="k", **members):
    if parts is not None:
        members["complete_multipart_upload"] = oss.CompleteMultipartUpload(parts=parts)
    return service.complete_multipart_upload(
        oss.CompleteMultipartUploadRequest(bucket=bucket, key=key, upload_id=upload_id, **members)
    )


@check("InitiateMultipartUpload", "UploadPart", "ListParts", "CompleteMultipartUpload")
def multipart_upload(service, bucket):
    pieces = [os.urandom(200_000), os.urandom(150_000), os.urandom(10)]
    upload_id = begin(service, bucket, metadata={"kind": "big"}, content_type="a/b", storage_class="IA")
    parts = [upload(service, bucket, upload_id, number, piece) for number, piece in enumerate(pieces, 1)]
    listed = service.list_parts(oss.ListPartsRequest(bucket=bucket, key="k", upload_id=upload_id))
    same([part.size for part in listed.parts], [len(piece) for piece in pieces])
    same([part.etag for part in listed.parts], [part.etag for part in parts])
    done = complete(service, bucket, upload_id, parts)
    same((done.bucket, done.key), (bucket, "k"))
    holds(done.etag.strip('"').endswith("-3"), f"ETag {done.etag}")
    got = get(service, bucket)
    same(got.body.content, b"".join(pieces))
    same((got.object_type, got.storage_class, got.content_type), ("Multipart", "IA", "a/b"))
    same((got.metadata["kind"], got.hash_crc64), ("big", done.hash_crc64))


@check("UploadPart", "CompleteMultipartUpload")
def parts_in_any_order_and_twice(service, bucket):
    pieces = {5: os.urandom(SMALLEST), 2: os.urandom(SMALLEST), 9: b"last"}
    upload_id = begin(service, bucket)
    upload(service, bucket, upload_id, 2, b"to be replaced")
    parts = [upload(service, bucket, upload_id, number, piece) for number, piece in pieces.items()]
    complete(service, bucket, upload_id, sorted(parts, key=lambda part: part.part_number))
    same(content(service, bucket), pieces[2] + pieces[5] + pieces[9])


@check("CompleteMultipartUpload")
def all_parts_are_completed_when_asked(service, bucket):
    upload_id = begin(service, bucket)
    pieces = [os.urandom(SMALLEST), b"end"]
    for number, piece in enumerate(pieces, 1):
        upload(service, bucket, upload_id, number, piece)
    complete(service, bucket, upload_id, complete_all="yes")
    same(content(service, bucket), b"".join(pieces))


@check("CompleteMultipartUpload")
def wrong_lists_of_parts(service, bucket):
    upload_id = begin(service, bucket)
    small = upload(service, bucket, upload_id, 1, b"too small")
    last = upload(service, bucket, upload_id, 2, b"last")
    refused(400, "EntityTooSmall", lambda: complete(service, bucket, upload_id, [small, last]))
    refused(
        400, "InvalidPart",
        lambda: complete(service, bucket, upload_id, [oss.UploadPart(part_number=1, etag='"' + "0" * 32 + '"')]),
    )
    refused(
        400, "InvalidPart",
        lambda: complete(service, bucket, upload_id, [oss.UploadPart(part_number=7, etag=small.etag)]),
    )
    refused(400, "InvalidPartOrder", lambda: complete(service, bucket, upload_id, [last, small]))
    complete(service, bucket, upload_id, [last])
    same(content(service, bucket), b"last")


@check("AbortMultipartUpload")
def aborted_uploads_are_gone(service, bucket):
    upload_id = begin(service, bucket)
    upload(service, bucket, upload_id, 1, b"part")

    def abort():
        return service.abort_multipart_upload(
            oss.AbortMultipartUploadRequest(bucket=bucket, key="k", upload_id=upload_id)
        )

    same(abort().status_code, 204)
    refused(404, "NoSuchUpload", abort)
    refused(404, "NoSuchUpload", lambda: upload(service, bucket, upload_id, 2, b"late"))
    refused(
        404, "NoSuchUpload",
        lambda: service.list_parts(oss.ListPartsRequest(bucket=bucket, key="k", upload_id=upload_id)),
    )
    same(service.is_object_exist(bucket, "k"), False)


@check("UploadPart")
def wrong_parts(service, bucket):
    upload_id = begin(service, bucket)
    for number in (0, 10_001):
        refused(400, "InvalidArgument", lambda: upload(service, bucket, upload_id, number, b"x"))
    digest = base64.b64encode(hashlib.md5(b"right").digest()).decode()
    refused(400, "InvalidDigest", lambda: upload(service, bucket, upload_id, 1, b"wrong", content_md5=digest))
    refused(404, "NoSuchUpload", lambda: upload(service, bucket, "0" * 32, 1, b"x"))


@check("InitiateMultipartUpload", "CompleteMultipartUpload")
def uploads_do_not_overwrite_when_forbidden(service, bucket):
    put(service, bucket, body=b"here")
    refused(409, "FileAlreadyExists", lambda: begin(service, bucket, forbid_overwrite=True))
    upload_id = begin(service, bucket)
    part = upload(service, bucket, upload_id, 1, b"new")
    refused(
        409, "FileAlreadyExists", lambda: complete(service, bucket, upload_id, [part], forbid_overwrite=True)
    )
    same(content(service, bucket), b"here")


@check("CompleteMultipartUpload")
def completed_uploads_have_tags_and_acl(service, bucket):
    upload_id = begin(service, bucket, tagging="a=1")
    part = upload(service, bucket, upload_id, 1, b"x")
    complete(service, bucket, upload_id, [part], acl="public-read")
    same(service.get_object_acl(oss.GetObjectAclRequest(bucket=bucket, key="k")).acl, "public-read")
    same(head(service, bucket).tagging_count, 1)
