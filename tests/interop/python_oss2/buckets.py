"""Buckets, listings, versions, uploads, transfers, URLs, and who may do what."""

import os
import time

import oss2

from checks import REGION, SIGNATURE_VERSION, holds, http, new_name, read_file, same, write_file

from .base import account, auth, bucket_named, check, content, refused

KEYS = [f"logs/{number:03}.txt" for number in range(12)] + ["a+b c", "z%2Fz"]


def fill(bucket, keys=tuple(KEYS)):
    for key in keys:
        bucket.put_object(key, b"x")


@check("PutBucket", "GetBucketInfo", "GetBucketLocation", "DeleteBucket")
def bucket_is_created_described_and_deleted():
    bucket = bucket_named(new_name())
    bucket.create_bucket("public-read", oss2.models.BucketCreateConfig("IA", "ZRS"))
    info = bucket.get_bucket_info()
    same((info.name, info.storage_class, info.data_redundancy_type), (bucket.bucket_name, "IA", "ZRS"))
    same(info.acl.grant, "public-read")
    same(bucket.get_bucket_location().location, f"oss-{REGION}")
    bucket.delete_bucket()
    refused(404, "NoSuchBucket", bucket.get_bucket_info)


@check("ListBuckets")
def buckets_page(service):
    prefix = new_name()
    names = [f"{prefix}-{number}" for number in range(3)]
    for name in names:
        bucket_named(name).create_bucket()
    same([entry.name for entry in oss2.BucketIterator(service, prefix=prefix, max_keys=1)], names)
    for name in names:
        bucket_named(name).delete_bucket()


@check("DescribeRegions")
def regions(service):
    found = service.describe_regions(f"oss-{REGION}").regions
    same([region.region for region in found], [f"oss-{REGION}"])


@check("DeleteBucket")
def buckets_with_objects_stay(bucket):
    bucket.put_object("k", b"x")
    error = refused(409, "BucketNotEmpty", bucket.delete_bucket)
    same(type(error), oss2.exceptions.BucketNotEmpty)


@check("GetBucketStat")
def statistics_count(bucket):
    fill(bucket)
    stat = bucket.get_bucket_stat()
    same((stat.object_count, stat.storage_size_in_bytes), (len(KEYS), len(KEYS)))


@check("PutBucketAcl", "GetBucketAcl")
def bucket_acls(bucket):
    for acl in ("public-read", "public-read-write", "private"):
        bucket.put_bucket_acl(acl)
        same(bucket.get_bucket_acl().acl, acl)


@check("ListObjects")
def first_listings(bucket):
    fill(bucket)
    same([entry.key for entry in oss2.ObjectIterator(bucket, max_keys=5)], sorted(KEYS))
    found = bucket.list_objects(delimiter="/")
    same((found.prefix_list, [entry.key for entry in found.object_list]), (["logs/"], ["a+b c", "z%2Fz"]))
    found = bucket.list_objects(prefix="logs/", marker="logs/009.txt", max_keys=1)
    same(([entry.key for entry in found.object_list], found.is_truncated), (["logs/010.txt"], True))


@check("ListObjectsV2")
def second_listings(bucket):
    fill(bucket)
    same([entry.key for entry in oss2.ObjectIteratorV2(bucket, max_keys=5)], sorted(KEYS))
    found = bucket.list_objects_v2(start_after="logs/010.txt", fetch_owner=True)
    same([entry.key for entry in found.object_list], ["logs/011.txt", "z%2Fz"])
    holds(found.object_list[0].owner.id, "no owner")
    same((found.object_list[0].size, found.object_list[0].storage_class), (1, "Standard"))
    refused(400, "InvalidArgument", lambda: bucket.list_objects_v2(max_keys=1001))


@check("ListObjectVersions", "PutBucketVersioning", "GetBucketVersioning")
def versions_are_kept(versioned):
    same(versioned.get_bucket_versioning().status, "Enabled")
    first = versioned.put_object("k", b"1").versionid
    versioned.put_object("k", b"2")
    gone = versioned.delete_object("k")
    same(gone.delete_marker, True)
    refused(404, "NoSuchKey", lambda: versioned.get_object("k"))
    same(content(versioned, params={"versionId": first}), b"1")
    found = versioned.list_object_versions()
    same((len(found.versions), [entry.versionid for entry in found.delete_marker]), (2, [gone.versionid]))
    keys = oss2.models.BatchDeleteObjectVersionList()
    keys.append(oss2.models.BatchDeleteObjectVersion("k", first))
    same(versioned.delete_object_versions(keys).delete_versions[0].versionid, first)
    refused(404, "NoSuchVersion", lambda: versioned.get_object("k", params={"versionId": first}))


@check("CopyObject", "PutObjectTagging", "GetObjectTagging", "GetObjectAcl")
def versions_are_copied_and_tagged(versioned):
    first = versioned.put_object("k", b"1").versionid
    versioned.put_object("k", b"2")
    versioned.copy_object(versioned.bucket_name, "k", "to", params={"versionId": first})
    same(content(versioned, "to"), b"1")
    rule = oss2.models.TaggingRule()
    rule.add("of", "first")
    versioned.put_object_tagging("k", oss2.models.Tagging(rule), params={"versionId": first})
    same(versioned.get_object_tagging("k").tag_set.tagging_rule, {})
    found = versioned.get_object_tagging("k", params={"versionId": first})
    same(found.tag_set.tagging_rule, {"of": "first"})
    same(versioned.get_object_acl("k", params={"versionId": first}).acl, "default")


@check("InitiateMultipartUpload", "UploadPart", "ListParts", "CompleteMultipartUpload", "UploadPartCopy")
def multipart_upload(bucket):
    pieces = [os.urandom(150_000), os.urandom(120_000)]
    upload_id = bucket.init_multipart_upload("k", headers={"x-oss-meta-kind": "big"}).upload_id
    parts = [
        oss2.models.PartInfo(number, bucket.upload_part("k", upload_id, number, piece).etag, size=len(piece))
        for number, piece in enumerate(pieces, 1)
    ]
    bucket.put_object("source", b"0123456789")
    copied = bucket.upload_part_copy(bucket.bucket_name, "source", (2, 4), "k", upload_id, 3)
    parts.append(oss2.models.PartInfo(3, copied.etag))
    listed = [part.size for part in oss2.PartIterator(bucket, "k", upload_id, max_parts=2)]
    same(listed, [150_000, 120_000, 3])
    done = bucket.complete_multipart_upload("k", upload_id, parts)
    got = bucket.get_object("k")
    same(got.read(), b"".join(pieces) + b"234")
    same((got.object_type, got.headers["x-oss-meta-kind"], got.server_crc), ("Multipart", "big", done.crc))


@check("AbortMultipartUpload", "ListMultipartUploads")
def aborted_uploads_are_gone(bucket):
    ids = [bucket.init_multipart_upload(key).upload_id for key in ("a", "b", "b")]
    found = [upload.upload_id for upload in oss2.MultipartUploadIterator(bucket, max_uploads=1)]
    same(sorted(found), sorted(ids))
    found = [upload.upload_id for upload in oss2.ObjectUploadIterator(bucket, "b")]
    same(sorted(found), sorted(ids[1:]))
    bucket.abort_multipart_upload("a", ids[0])
    error = refused(404, "NoSuchUpload", lambda: bucket.abort_multipart_upload("a", ids[0]))
    same(type(error), oss2.exceptions.NoSuchUpload)


@check("CompleteMultipartUpload")
def wrong_lists_of_parts(bucket):
    upload_id = bucket.init_multipart_upload("k").upload_id
    parts = [oss2.models.PartInfo(number, bucket.upload_part("k", upload_id, number, b"x").etag) for number in (1, 2)]
    refused(400, "EntityTooSmall", lambda: bucket.complete_multipart_upload("k", upload_id, parts))
    wrong = [oss2.models.PartInfo(1, "0" * 32)]
    refused(400, "InvalidPart", lambda: bucket.complete_multipart_upload("k", upload_id, wrong))


@check("CompleteMultipartUpload")
def all_parts_are_completed_when_asked(bucket):
    upload_id = bucket.init_multipart_upload("k").upload_id
    bucket.upload_part("k", upload_id, 1, b"all")
    bucket.complete_multipart_upload("k", upload_id, None, headers={"x-oss-complete-all": "yes"})
    same(content(bucket), b"all")


@check("InitiateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
def uploads_are_resumed(bucket, folder):
    body = os.urandom(600_000)
    path = write_file(folder, body)
    store = oss2.ResumableStore(root=folder)
    settings = {"store": store, "multipart_threshold": 100_000, "part_size": 150_000, "num_threads": 1}

    def stop(sent, _):
        if sent > 300_000:
            raise RuntimeError("broken")

    try:
        oss2.resumable_upload(bucket, "k", path, progress_callback=stop, **settings)
    except RuntimeError:
        pass
    started = bucket.list_multipart_uploads().upload_list
    same(len(started), 1)
    oss2.resumable_upload(bucket, "k", path, **settings)
    same(content(bucket), body)
    same(bucket.list_multipart_uploads().upload_list, [])


@check("HeadObject", "GetObject")
def downloads_in_parts(bucket, folder):
    body = os.urandom(600_000)
    bucket.put_object("k", body)
    path = os.path.join(folder, "back")
    oss2.resumable_download(
        bucket, "k", path, store=oss2.ResumableDownloadStore(root=folder), multiget_threshold=100_000,
        part_size=150_000, num_threads=3,
    )
    same(read_file(path) == body, True)


@check("PutObject", "GetObject")
def signed_urls(bucket):
    key = "pre signed/+\u00fc.txt"
    headers = {"Content-Type": "text/plain", "x-oss-meta-by": "url"}
    url = bucket.sign_url("PUT", key, 60, headers=headers, slash_safe=True)
    same(http("PUT", url, b"by url", headers).status, 200)
    url = bucket.sign_url("GET", key, 60, slash_safe=True, params={"response-content-type": "a/b"})
    answer = http("GET", url)
    same((answer.status, answer.body, answer.headers["Content-Type"]), (200, b"by url", "a/b"))
    same(http("GET", url.replace("a%2Fb", "c%2Fd")).status, 403)
    same(bucket.get_object_with_url(bucket.sign_url("GET", key, 60, slash_safe=True)).read(), b"by url")
    bucket.put_object_with_url(bucket.sign_url("PUT", "other", 60), b"again")
    same(content(bucket, "other"), b"again")


@check("GetObject")
def signed_urls_expire(bucket):
    bucket.put_object("k", b"x")
    url = bucket.sign_url("GET", "k", 2)
    same(http("GET", url).status, 200)
    time.sleep(3.1)
    answer = http("GET", url)
    same((answer.status, b"AccessDenied" in answer.body), (403, True))


@check("ListBuckets", "PutObject")
def wrong_keys_are_refused(bucket):
    refused(403, "SignatureDoesNotMatch", account(auth(secret="wrong")).list_buckets)
    refused(403, "InvalidAccessKeyId", account(auth(key="nobody")).list_buckets)
    wrong = bucket_named(bucket.bucket_name, auth(secret="wrong"))
    error = refused(403, "SignatureDoesNotMatch", lambda: wrong.put_object("k", b"x"))
    same(type(error), oss2.exceptions.SignatureDoesNotMatch)


@check("GetObject", "PutObject")
def strangers_need_an_acl(bucket):
    bucket.put_object("k", b"x")
    stranger = bucket_named(bucket.bucket_name, oss2.AnonymousAuth())
    error = refused(403, "AccessDenied", lambda: stranger.get_object("k"))
    same(type(error), oss2.exceptions.AccessDenied)
    bucket.put_bucket_acl("public-read")
    same(content(stranger), b"x")
    refused(403, "AccessDenied", lambda: stranger.put_object("k", b"y"))


@check("GetObject", "PutObject")
def temporary_credentials(bucket):
    from python_v2.security import assume_role

    credentials = assume_role()
    keys = credentials["AccessKeyId"], credentials["AccessKeySecret"], credentials["SecurityToken"]
    version = {"v1": oss2.AUTH_VERSION_1, "v2": oss2.AUTH_VERSION_2, "v4": oss2.AUTH_VERSION_4}[SIGNATURE_VERSION]
    session = bucket_named(bucket.bucket_name, oss2.StsAuth(*keys, auth_version=version))
    session.put_object("k", b"x")
    same(content(session), b"x")
    same(http("GET", session.sign_url("GET", "k", 60)).body, b"x")


@check("ListObjects", "ListObjectsV2")
def listings_of_nothing(bucket):
    same((list(oss2.ObjectIterator(bucket)), list(oss2.ObjectIteratorV2(bucket))), ([], []))
    same(bucket.list_objects_v2(prefix="absent/").is_truncated, False)


@check("ListObjects", "ListObjectsV2")
def unusual_names_are_listed(bucket):
    keys = sorted(["\u00fc", "a&b<c>", "plus+", "100%", "blank "])
    fill(bucket, keys)
    same(sorted(entry.key for entry in bucket.list_objects().object_list), keys)
    same(sorted(entry.key for entry in bucket.list_objects_v2().object_list), keys)


@check("ListObjectVersions")
def versions_page(versioned):
    for key in ("a", "a", "b"):
        versioned.put_object(key, b"x")
    page = versioned.list_object_versions(max_keys=2)
    same(([entry.key for entry in page.versions], page.is_truncated), (["a", "a"], True))
    rest = versioned.list_object_versions(
        key_marker=page.next_key_marker, versionid_marker=page.next_versionid_marker
    )
    same([entry.key for entry in rest.versions], ["b"])


@check("PutSymlink", "GetSymlink")
def links_have_versions(versioned):
    for target in ("a", "b"):
        versioned.put_object(target, target.encode())
        versioned.put_symlink(target, "link")
    same((versioned.get_symlink("link").target_key, content(versioned, "link")), ("b", b"b"))


@check("UploadPart")
def wrong_parts(bucket):
    upload_id = bucket.init_multipart_upload("k").upload_id
    refused(400, "InvalidArgument", lambda: bucket.upload_part("k", upload_id, 10_001, b"x"))
    refused(404, "NoSuchUpload", lambda: bucket.upload_part("k", "0" * 32, 1, b"x"))


@check("InitiateMultipartUpload", "UploadPartCopy", "CompleteMultipartUpload")
def large_objects_are_copied_in_parts(bucket):
    body = os.urandom(250_000)
    bucket.put_object("source", body)
    upload_id = bucket.init_multipart_upload("k").upload_id
    parts = [
        oss2.models.PartInfo(
            number, bucket.upload_part_copy(bucket.bucket_name, "source", wanted, "k", upload_id, number).etag
        )
        for number, wanted in enumerate(((0, 149_999), (150_000, 249_999)), 1)
    ]
    bucket.complete_multipart_upload("k", upload_id, parts)
    same(content(bucket) == body, True)


@check("PutObject", "GetObject")
def pieces_of_open_files(bucket, folder):
    path = write_file(folder, b"0123456789")
    with open(path, "rb") as file:
        bucket.put_object("k", oss2.SizedFileAdapter(file, 4))
    same(content(bucket), b"0123")


@check("PutObject")
def traffic_limits_are_checked(bucket):
    bucket.put_object("k", b"x", headers={"x-oss-traffic-limit": "838860800"})
    refused(
        400, "InvalidArgument", lambda: bucket.put_object("k", b"x", headers={"x-oss-traffic-limit": "1"})
    )


@check("PutObject", "GetObject")
def compressed_bodies_stay_as_they_are(bucket):
    import gzip

    bucket.put_object("k", gzip.compress(b"text"), headers={"Content-Encoding": "gzip"})
    got = bucket.get_object("k", headers={"Accept-Encoding": "gzip"})
    same((got.read(), got.headers["Content-Encoding"]), (b"text", "gzip"))


@check("PutBucketAcl")
def wrong_acls_are_refused(bucket):
    refused(400, "InvalidArgument", lambda: bucket.put_bucket_acl("for-friends"))


@check("DeleteMultipleObjects")
def many_deletes_of_what_is_missing(bucket):
    same(bucket.batch_delete_objects(["absent"]).deleted_keys, ["absent"])


@check("PutObject", "HeadObject")
def metadata_in_every_language(bucket):
    bucket.put_object("k", b"x", headers={"x-oss-meta-name": "value with blanks", "x-oss-meta-Upper": "UPPER"})
    found = bucket.head_object("k").headers
    same((found["x-oss-meta-name"], found["x-oss-meta-upper"]), ("value with blanks", "UPPER"))


@check("GetObject", "HeadObject")
def times_are_demanded(bucket):
    bucket.put_object("k", b"x")
    modified = bucket.head_object("k").headers["Last-Modified"]
    same(content(bucket, headers={"If-Unmodified-Since": modified}), b"x")
    refused(304, "", lambda: bucket.get_object("k", headers={"If-Modified-Since": modified}))
