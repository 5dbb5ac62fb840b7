"""Copies of objects and of parts."""

import os

import alibabacloud_oss_v2 as oss

from checks import same

from .base import check, content, head, put, refused


def copy(service, bucket, key, source_bucket, source_key, **members):
    return service.copy_object(
        oss.CopyObjectRequest(
            bucket=bucket, key=key, source_bucket=source_bucket, source_key=source_key, **members
        )
    )


@check("CopyObject")
def copies_between_buckets(service, bucket, other):
    sent = put(service, bucket, "from here + \u00fc", b"copy me", metadata={"kept": "yes"}, content_type="text/x-kept")
    done = copy(service, other, "to", bucket, "from here + \u00fc")
    same((done.etag, done.hash_crc64), (sent.etag, sent.hash_crc64))
    same(content(service, other, "to"), b"copy me")
    found = head(service, other, "to")
    same((found.metadata["kept"], found.content_type), ("yes", "text/x-kept"))


@check("CopyObject")
def copies_with_other_metadata(service, bucket):
    put(service, bucket, metadata={"kept": "yes"})
    copy(service, bucket, "to", bucket, "k", metadata_directive="REPLACE", metadata={"new": "1"}, content_type="a/b")
    found = head(service, bucket, "to")
    same((dict(found.metadata), found.content_type), ({"new": "1"}, "a/b"))
    copy(service, bucket, "to", bucket, "k", metadata_directive="COPY", metadata={"new": "1"})
    same(dict(head(service, bucket, "to").metadata), {"kept": "yes"})


@check("CopyObject")
def copies_onto_itself_change_metadata(service, bucket):
    put(service, bucket, metadata={"version": "1"})
    copy(service, bucket, "k", bucket, "k", metadata_directive="REPLACE", metadata={"version": "2"})
    same(dict(head(service, bucket).metadata), {"version": "2"})
    same(content(service, bucket), b"0123456789")


@check("CopyObject", "GetObjectTagging")
def copies_with_tags(service, bucket):
    put(service, bucket, tagging="a=1")

    def tags(key):
        found = service.get_object_tagging(oss.GetObjectTaggingRequest(bucket=bucket, key=key))
        return {tag.key: tag.value for tag in found.tag_set.tags or []}

    copy(service, bucket, "same", bucket, "k")
    same(tags("same"), {"a": "1"})
    copy(service, bucket, "new", bucket, "k", tagging_directive="Replace", tagging="b=2")
    same(tags("new"), {"b": "2"})


@check("CopyObject")
def copies_with_another_class_and_acl(service, bucket):
    put(service, bucket)
    copy(service, bucket, "to", bucket, "k", storage_class="IA", acl="public-read")
    same(head(service, bucket, "to").storage_class, "IA")
    same(service.get_object_acl(oss.GetObjectAclRequest(bucket=bucket, key="to")).acl, "public-read")


@check("CopyObject")
def copies_of_what_is_missing(service, bucket):
    refused(404, "NoSuchKey", lambda: copy(service, bucket, "to", bucket, "absent"))
    refused(404, "NoSuchBucket", lambda: copy(service, bucket, "to", bucket + "-absent", "k"))


@check("CopyObject")
def copies_do_not_overwrite_when_forbidden(service, bucket):
    put(service, bucket)
    put(service, bucket, "to", b"here")
    refused(
        409, "FileAlreadyExists", lambda: copy(service, bucket, "to", bucket, "k", forbid_overwrite=True)
    )
    same(content(service, bucket, "to"), b"here")


@check("InitiateMultipartUpload", "UploadPartCopy", "CompleteMultipartUpload")
def parts_are_copied(service, bucket, other):
    body = os.urandom(250_000)
    put(service, bucket, "source", body)
    upload_id = service.initiate_multipart_upload(
        oss.InitiateMultipartUploadRequest(bucket=other, key="to")
    ).upload_id
    parts = []
    for number, wanted in enumerate(("bytes=0-149999", "bytes=150000-249999"), 1):
        part = service.upload_part_copy(
            oss.UploadPartCopyRequest(
                bucket=other, key="to", upload_id=upload_id, part_number=number, source_bucket=bucket,
                source_key="source", source_range=wanted,
            )
        )
        parts.append(oss.UploadPart(part_number=number, etag=part.etag))
    service.complete_multipart_upload(
        oss.CompleteMultipartUploadRequest(
            bucket=other, key="to", upload_id=upload_id,
            complete_multipart_upload=oss.CompleteMultipartUpload(parts=parts),
        )
    )
    same(content(service, other, "to"), body)


@check("UploadPartCopy")
def parts_are_copied_on_conditions(service, bucket):
    put(service, bucket, "source", b"x" * 1000)
    upload_id = service.initiate_multipart_upload(
        oss.InitiateMultipartUploadRequest(bucket=bucket, key="to")
    ).upload_id

    def part(**members):
        return service.upload_part_copy(
            oss.UploadPartCopyRequest(
                bucket=bucket, key="to", upload_id=upload_id, part_number=1, source_bucket=bucket, **members
            )
        )

    refused(
        412, "PreconditionFailed",
        lambda: part(source_key="source", if_match='"00000000000000000000000000000000"'),
    )
    refused(404, "NoSuchKey", lambda: part(source_key="absent"))
    same(part(source_key="source").status_code, 200)


@check("HeadObject", "CopyObject", "UploadPartCopy", "InitiateMultipartUpload", "CompleteMultipartUpload")
def the_copier(service, bucket, other):
    body = os.urandom(500_000)
    put(service, bucket, "source", body, metadata={"kept": "yes"}, tagging="a=1")
    request = oss.CopyObjectRequest(bucket=other, key="to", source_bucket=bucket, source_key="source")
    done = service.copier().copy(request)
    same(done.hash_crc64, head(service, bucket, "source").hash_crc64)
    told = []
    request = oss.CopyObjectRequest(
        bucket=other, key="in parts", source_bucket=bucket, source_key="source",
        progress_fn=lambda *values: told.append(values),
    )
    service.copier(
        part_size=120_000, multipart_copy_threshold=100_000, parallel_num=2, disable_shallow_copy=True
    ).copy(request)
    same(told[-1][1:], (len(body), len(body)))
    for key in ("to", "in parts"):
        same(content(service, other, key), body)
        same(dict(head(service, other, key).metadata), {"kept": "yes"})
        tags = service.get_object_tagging(oss.GetObjectTaggingRequest(bucket=other, key=key)).tag_set.tags
        same([(tag.key, tag.value) for tag in tags], [("a", "1")])
