"""Versions and delete markers."""

import alibabacloud_oss_v2 as oss

from checks import holds, same

from .base import check, content, get, head, put, refused, set_versioning


def status(service, bucket):
    return service.get_bucket_versioning(oss.GetBucketVersioningRequest(bucket=bucket)).version_status


def delete(service, bucket, key="k", **members):
    return service.delete_object(oss.DeleteObjectRequest(bucket=bucket, key=key, **members))


def listed(service, bucket):
    return service.list_object_versions(oss.ListObjectVersionsRequest(bucket=bucket))


@check("PutBucketVersioning", "GetBucketVersioning")
def versioning_is_switched(service, bucket):
    same(status(service, bucket), None)
    for wanted in ("Enabled", "Suspended"):
        set_versioning(service, bucket, wanted)
        same(status(service, bucket), wanted)
    try:
        set_versioning(service, bucket, "Perhaps")
    except oss.exceptions.OperationError as error:
        same(error.unwrap().status_code, 400)
    else:
        raise AssertionError("an unknown status was accepted")


@check("PutObject", "GetObject", "DeleteObject", "ListObjectVersions")
def versions_are_kept(service, versioned):
    first = put(service, versioned, body=b"1").version_id
    second = put(service, versioned, body=b"2").version_id
    holds(first and second and first != second, "no different ids of versions")
    gone = delete(service, versioned)
    same(gone.delete_marker, True)
    same(service.is_object_exist(versioned, "k"), False)
    refused(404, "NoSuchKey", lambda: get(service, versioned))
    same(content(service, versioned, version_id=first), b"1")
    same(head(service, versioned, version_id=second).version_id, second)
    found = listed(service, versioned)
    same([entry.version_id for entry in found.version], [second, first])
    same([(entry.version_id, entry.is_latest) for entry in found.delete_marker], [(gone.version_id, True)])
    refused(405, "MethodNotAllowed", lambda: get(service, versioned, version_id=gone.version_id))
    delete(service, versioned, version_id=gone.version_id)
    same(content(service, versioned), b"2")


@check("GetObject", "DeleteObject")
def missing_versions(service, versioned):
    put(service, versioned)
    absent = "CAEQARiBgID8rumR2hYiIGUyOTAyZGY2MzU5MjQ5ZjlhYzQzZjNlYTAyZDE3"
    refused(404, "NoSuchVersion", lambda: get(service, versioned, version_id=absent))


@check("PutObject", "ListObjectVersions")
def suspended_versioning_has_null_versions(service, versioned):
    first = put(service, versioned, body=b"kept").version_id
    set_versioning(service, versioned, "Suspended")
    for body in (b"null 1", b"null 2"):
        same(put(service, versioned, body=body).version_id in (None, "null"), True)
    found = listed(service, versioned).version
    same(sorted(entry.version_id for entry in found), sorted([first, "null"]))
    same(content(service, versioned), b"null 2")
    same(content(service, versioned, version_id="null"), b"null 2")


@check("DeleteMultipleObjects")
def many_versions_are_deleted(service, versioned):
    first = put(service, versioned, body=b"1").version_id
    put(service, versioned, body=b"2")
    done = service.delete_multiple_objects(
        oss.DeleteMultipleObjectsRequest(
            bucket=versioned, objects=[oss.DeleteObject(key="k", version_id=first), oss.DeleteObject(key="other")]
        )
    ).deleted_objects
    same((done[0].key, done[0].version_id), ("k", first))
    same((done[1].key, done[1].delete_marker), ("other", True))
    holds(done[1].delete_marker_version_id, "no id of the delete marker")
    same(len(listed(service, versioned).version), 1)


@check("CopyObject")
def old_versions_are_copied(service, versioned):
    first = put(service, versioned, body=b"1").version_id
    put(service, versioned, body=b"2")
    done = service.copy_object(
        oss.CopyObjectRequest(
            bucket=versioned, key="copy", source_bucket=versioned, source_key="k", source_version_id=first
        )
    )
    same(done.source_version_id, first)
    same(content(service, versioned, "copy", version_id=done.version_id), b"1")


@check("PutObjectTagging", "GetObjectTagging", "DeleteObjectTagging", "PutObjectAcl", "GetObjectAcl")
def versions_have_tags_and_acl_of_their_own(service, versioned):
    first = put(service, versioned, body=b"1").version_id
    put(service, versioned, body=b"2", tagging="of=second")
    where = {"bucket": versioned, "key": "k", "version_id": first}
    service.put_object_tagging(
        oss.PutObjectTaggingRequest(
            tagging=oss.Tagging(tag_set=oss.TagSet(tags=[oss.Tag(key="of", value="first")])), **where
        )
    )
    found = service.get_object_tagging(oss.GetObjectTaggingRequest(**where))
    same((found.version_id, found.tag_set.tags[0].value), (first, "first"))
    latest = service.get_object_tagging(oss.GetObjectTaggingRequest(bucket=versioned, key="k"))
    same(latest.tag_set.tags[0].value, "second")
    service.delete_object_tagging(oss.DeleteObjectTaggingRequest(**where))
    same(service.get_object_tagging(oss.GetObjectTaggingRequest(**where)).tag_set.tags or [], [])
    service.put_object_acl(oss.PutObjectAclRequest(acl="public-read", **where))
    same(service.get_object_acl(oss.GetObjectAclRequest(**where)).acl, "public-read")
    same(service.get_object_acl(oss.GetObjectAclRequest(bucket=versioned, key="k")).acl, "default")


@check("PutSymlink", "GetSymlink")
def links_have_versions(service, versioned):
    for target in ("a", "b"):
        put(service, versioned, target, target.encode())
    made = [
        service.put_symlink(oss.PutSymlinkRequest(bucket=versioned, key="link", symlink_target=target)).version_id
        for target in ("a", "b")
    ]
    old = service.get_symlink(oss.GetSymlinkRequest(bucket=versioned, key="link", version_id=made[0]))
    same((old.target, old.version_id), ("a", made[0]))
    same(content(service, versioned, "link"), b"b")


@check("GetObjectMeta", "RestoreObject")
def meta_and_restore_of_a_version(service, versioned):
    first = put(service, versioned, body=b"1234", storage_class="ColdArchive").version_id
    put(service, versioned, body=b"2")
    meta = service.get_object_meta(oss.GetObjectMetaRequest(bucket=versioned, key="k", version_id=first))
    same((meta.content_length, meta.version_id), (4, first))
    done = service.restore_object(oss.RestoreObjectRequest(bucket=versioned, key="k", version_id=first))
    same((done.status_code, done.version_id), (202, first))


@check("CompleteMultipartUpload", "AppendObject")
def uploads_and_appends_make_versions(service, versioned):
    upload_id = service.initiate_multipart_upload(
        oss.InitiateMultipartUploadRequest(bucket=versioned, key="k")
    ).upload_id
    part = service.upload_part(
        oss.UploadPartRequest(bucket=versioned, key="k", upload_id=upload_id, part_number=1, body=b"part")
    )
    done = service.complete_multipart_upload(
        oss.CompleteMultipartUploadRequest(
            bucket=versioned, key="k", upload_id=upload_id,
            complete_multipart_upload=oss.CompleteMultipartUpload(
                parts=[oss.UploadPart(part_number=1, etag=part.etag)]
            ),
        )
    )
    same(content(service, versioned, version_id=done.version_id), b"part")
    appended = service.append_object(oss.AppendObjectRequest(bucket=versioned, key="log", position=0, body=b"x"))
    holds(appended.version_id, "no version of an appendable object")
