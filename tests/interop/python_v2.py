"""Runs the official Python SDK V2 against the OSS server that the environment names.

Reads OSS_ENDPOINT, OSS_REGION, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET. Each check works in a bucket
of its own, prints one line, and cleans up after itself. Exit code 1 when a check failed.
"""

import os
import sys
import traceback
import urllib.error
import urllib.request
import uuid

import alibabacloud_oss_v2 as oss

ENDPOINT = os.environ["OSS_ENDPOINT"]
REGION = os.environ.get("OSS_REGION", "cn-hangzhou")
CHECKS = []


def client(secret=None, signature_version=None, **settings):
    config = oss.config.load_default()
    config.region = REGION
    config.endpoint = ENDPOINT
    config.signature_version = signature_version
    # A failure is to be seen at once, not after three tries.
    config.retry_max_attempts = 1
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(
        os.environ["OSS_ACCESS_KEY_ID"], secret or os.environ["OSS_ACCESS_KEY_SECRET"]
    )
    for name, value in settings.items():
        setattr(config, name, value)
    return oss.Client(config)


class Bucket:
    """A fresh bucket that is emptied and deleted at the end of the `with` block."""

    def __init__(self, service):
        self.service = service
        self.name = "interop-" + uuid.uuid4().hex[:16]

    def __enter__(self):
        self.service.put_bucket(oss.PutBucketRequest(bucket=self.name))
        return self.name

    def __exit__(self, *_):
        versions = self.service.list_object_versions(oss.ListObjectVersionsRequest(bucket=self.name))
        for entry in (versions.version or []) + (versions.delete_marker or []):
            self.service.delete_object(
                oss.DeleteObjectRequest(bucket=self.name, key=entry.key, version_id=entry.version_id)
            )
        uploads = self.service.list_multipart_uploads(oss.ListMultipartUploadsRequest(bucket=self.name))
        for upload in uploads.uploads or []:
            self.service.abort_multipart_upload(
                oss.AbortMultipartUploadRequest(bucket=self.name, key=upload.key, upload_id=upload.upload_id)
            )
        self.service.delete_bucket(oss.DeleteBucketRequest(bucket=self.name))


def check(function):
    CHECKS.append(function)
    return function


def same(found, wanted):
    if found != wanted:
        raise AssertionError(f"found {found!r}, wanted {wanted!r}")


def service_error(function):
    """The error that the service answers to a call that has to fail."""
    try:
        function()
    except oss.exceptions.OperationError as error:
        return error.unwrap()
    raise AssertionError("the call succeeded")


@check
def bucket_is_created_listed_described_and_deleted():
    service = client()
    with Bucket(service) as bucket:
        names = [entry.name for page in oss.ListBucketsPaginator(service).iter_page(oss.ListBucketsRequest())
                 for entry in page.buckets or []]
        same(bucket in names, True)
        info = service.get_bucket_info(oss.GetBucketInfoRequest(bucket=bucket)).bucket_info
        same(info.name, bucket)
        same(info.acl, "private")
        location = service.get_bucket_location(oss.GetBucketLocationRequest(bucket=bucket)).location
        same(location, f"oss-{REGION}")
        same(service.is_bucket_exist(bucket), True)
    same(service.is_bucket_exist(bucket), False)


@check
def object_goes_up_and_comes_back():
    service = client()
    with Bucket(service) as bucket:
        content = os.urandom(300_000)
        put = service.put_object(oss.PutObjectRequest(
            bucket=bucket, key="folder/\u00fcmlaut + space & ~.bin", body=content,
            metadata={"purpose": "interop"}, content_type="application/x-interop",
        ))
        same(put.status_code, 200)
        got = service.get_object(oss.GetObjectRequest(bucket=bucket, key="folder/\u00fcmlaut + space & ~.bin"))
        same(got.body.content, content)
        same(got.content_type, "application/x-interop")
        same(got.metadata["purpose"], "interop")
        same(got.hash_crc64, put.hash_crc64)
        same(got.etag, put.etag)


@check
def ranges_and_conditions():
    service = client()
    with Bucket(service) as bucket:
        service.put_object(oss.PutObjectRequest(bucket=bucket, key="k", body=b"0123456789"))
        part = service.get_object(oss.GetObjectRequest(bucket=bucket, key="k", range_header="bytes=2-5"))
        same(part.status_code, 206)
        same(part.body.content, b"2345")
        same(part.content_range, "bytes 2-5/10")
        tail = service.get_object(oss.GetObjectRequest(bucket=bucket, key="k", range_header="bytes=-3"))
        same(tail.body.content, b"789")
        outside = service.get_object(oss.GetObjectRequest(bucket=bucket, key="k", range_header="bytes=50-60"))
        same(outside.status_code, 200)
        strict = service_error(lambda: service.get_object(oss.GetObjectRequest(
            bucket=bucket, key="k", range_header="bytes=50-60", range_behavior="standard")))
        same((strict.status_code, strict.code), (416, "InvalidRange"))
        missed = service_error(lambda: service.get_object(oss.GetObjectRequest(
            bucket=bucket, key="k", if_match='"00000000000000000000000000000000"')))
        same((missed.status_code, missed.code), (412, "PreconditionFailed"))


@check
def head_meta_and_existence():
    service = client()
    with Bucket(service) as bucket:
        service.put_object(oss.PutObjectRequest(bucket=bucket, key="k", body=b"hello"))
        head = service.head_object(oss.HeadObjectRequest(bucket=bucket, key="k"))
        same(head.content_length, 5)
        same(head.object_type, "Normal")
        meta = service.get_object_meta(oss.GetObjectMetaRequest(bucket=bucket, key="k"))
        same(meta.content_length, 5)
        same(service.is_object_exist(bucket, "k"), True)
        same(service.is_object_exist(bucket, "absent"), False)
        gone = service_error(lambda: service.head_object(oss.HeadObjectRequest(bucket=bucket, key="absent")))
        same((gone.status_code, gone.code), (404, "NoSuchKey"))


@check
def listings_page_and_group():
    service = client()
    with Bucket(service) as bucket:
        keys = [f"logs/{n:03}.txt" for n in range(25)] + ["a+b c", "logs", "z%2Fz"]
        for key in keys:
            service.put_object(oss.PutObjectRequest(bucket=bucket, key=key, body=b"x"))
        v2 = [entry.key
              for page in oss.ListObjectsV2Paginator(service).iter_page(
                  oss.ListObjectsV2Request(bucket=bucket, max_keys=7))
              for entry in page.contents or []]
        same(v2, sorted(keys))
        v1 = [entry.key
              for page in oss.ListObjectsPaginator(service).iter_page(
                  oss.ListObjectsRequest(bucket=bucket, max_keys=4))
              for entry in page.contents or []]
        same(v1, sorted(keys))
        top = service.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket, delimiter="/"))
        same([prefix.prefix for prefix in top.common_prefixes], ["logs/"])
        same([entry.key for entry in top.contents], ["a+b c", "logs", "z%2Fz"])


@check
def multipart_upload():
    service = client()
    with Bucket(service) as bucket:
        pieces = [os.urandom(200_000), os.urandom(150_000), os.urandom(10)]
        upload_id = service.initiate_multipart_upload(
            oss.InitiateMultipartUploadRequest(bucket=bucket, key="big")).upload_id
        parts = []
        for number, piece in enumerate(pieces, 1):
            part = service.upload_part(oss.UploadPartRequest(
                bucket=bucket, key="big", upload_id=upload_id, part_number=number, body=piece))
            parts.append(oss.UploadPart(part_number=number, etag=part.etag))
        listed = service.list_parts(oss.ListPartsRequest(bucket=bucket, key="big", upload_id=upload_id))
        same([part.size for part in listed.parts], [len(piece) for piece in pieces])
        done = service.complete_multipart_upload(oss.CompleteMultipartUploadRequest(
            bucket=bucket, key="big", upload_id=upload_id,
            complete_multipart_upload=oss.CompleteMultipartUpload(parts=parts)))
        same(done.key, "big")
        same(service.get_object(oss.GetObjectRequest(bucket=bucket, key="big")).body.content, b"".join(pieces))
        again = service.initiate_multipart_upload(
            oss.InitiateMultipartUploadRequest(bucket=bucket, key="copied")).upload_id
        copied = service.upload_part_copy(oss.UploadPartCopyRequest(
            bucket=bucket, key="copied", upload_id=again, part_number=1, source_key="big",
            source_range="bytes=0-99"))
        same(copied.etag is not None, True)
        service.abort_multipart_upload(
            oss.AbortMultipartUploadRequest(bucket=bucket, key="copied", upload_id=again))


@check
def transfer_managers():
    service = client()
    with Bucket(service) as bucket:
        content = os.urandom(1_000_000)
        path = os.path.join(os.environ.get("TMPDIR", "/tmp"), "interop-" + uuid.uuid4().hex)
        try:
            with open(path, "wb") as file:
                file.write(content)
            service.uploader(part_size=200 * 1024, parallel_num=3).upload_file(
                oss.PutObjectRequest(bucket=bucket, key="transfer"), path)
            service.downloader(part_size=150 * 1024, parallel_num=3).download_file(
                oss.GetObjectRequest(bucket=bucket, key="transfer"), path + ".back")
            with open(path + ".back", "rb") as file:
                same(file.read() == content, True)
        finally:
            for name in (path, path + ".back"):
                if os.path.exists(name):
                    os.remove(name)


@check
def copies():
    service = client()
    with Bucket(service) as bucket, Bucket(service) as other:
        service.put_object(oss.PutObjectRequest(
            bucket=bucket, key="from here", body=b"copy me", metadata={"kept": "yes"}))
        service.copy_object(oss.CopyObjectRequest(
            bucket=other, key="to", source_bucket=bucket, source_key="from here"))
        got = service.get_object(oss.GetObjectRequest(bucket=other, key="to"))
        same(got.body.content, b"copy me")
        same(got.metadata["kept"], "yes")
        service.copy_object(oss.CopyObjectRequest(
            bucket=other, key="to", source_bucket=bucket, source_key="from here",
            metadata_directive="REPLACE", metadata={"kept": "no"}))
        same(service.head_object(oss.HeadObjectRequest(bucket=other, key="to")).metadata["kept"], "no")


@check
def deletes_one_and_many():
    service = client()
    with Bucket(service) as bucket:
        keys = ["one", "two & <three>", "tab\there"]
        for key in keys:
            service.put_object(oss.PutObjectRequest(bucket=bucket, key=key, body=b"x"))
        same(service.delete_object(oss.DeleteObjectRequest(bucket=bucket, key="one")).status_code, 204)
        result = service.delete_multiple_objects(oss.DeleteMultipleObjectsRequest(
            bucket=bucket, objects=[oss.DeleteObject(key=key) for key in keys]))
        same(sorted(entry.key for entry in result.deleted_objects), sorted(keys))
        same(service.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket)).contents or [], [])


@check
def appends():
    service = client()
    with Bucket(service) as bucket:
        first = service.append_object(oss.AppendObjectRequest(bucket=bucket, key="log", position=0, body=b"one "))
        same(first.next_position, 4)
        service.append_object(oss.AppendObjectRequest(bucket=bucket, key="log", position=4, body=b"two"))
        same(service.get_object(oss.GetObjectRequest(bucket=bucket, key="log")).body.content, b"one two")
        late = service_error(lambda: service.append_object(
            oss.AppendObjectRequest(bucket=bucket, key="log", position=4, body=b"late")))
        same((late.status_code, late.code), (409, "PositionNotEqualToLength"))


@check
def versions():
    service = client()
    with Bucket(service) as bucket:
        service.put_bucket_versioning(oss.PutBucketVersioningRequest(
            bucket=bucket, versioning_configuration=oss.VersioningConfiguration(status="Enabled")))
        same(service.get_bucket_versioning(oss.GetBucketVersioningRequest(bucket=bucket)).version_status, "Enabled")
        first = service.put_object(oss.PutObjectRequest(bucket=bucket, key="k", body=b"1")).version_id
        service.put_object(oss.PutObjectRequest(bucket=bucket, key="k", body=b"2"))
        same(service.delete_object(oss.DeleteObjectRequest(bucket=bucket, key="k")).delete_marker, True)
        same(service.is_object_exist(bucket, "k"), False)
        old = service.get_object(oss.GetObjectRequest(bucket=bucket, key="k", version_id=first))
        same(old.body.content, b"1")
        listed = service.list_object_versions(oss.ListObjectVersionsRequest(bucket=bucket))
        same((len(listed.version), len(listed.delete_marker)), (2, 1))


@check
def acl_tagging_symlink_cors_policy():
    service = client()
    with Bucket(service) as bucket:
        service.put_object(oss.PutObjectRequest(bucket=bucket, key="k", body=b"x", tagging="a=1&b=2"))
        tags = service.get_object_tagging(oss.GetObjectTaggingRequest(bucket=bucket, key="k")).tag_set.tags
        same({tag.key: tag.value for tag in tags}, {"a": "1", "b": "2"})
        service.put_object_acl(oss.PutObjectAclRequest(bucket=bucket, key="k", acl="public-read"))
        same(service.get_object_acl(oss.GetObjectAclRequest(bucket=bucket, key="k")).acl, "public-read")
        service.put_symlink(oss.PutSymlinkRequest(bucket=bucket, key="link", symlink_target="k"))
        same(service.get_symlink(oss.GetSymlinkRequest(bucket=bucket, key="link")).target, "k")
        same(service.get_object(oss.GetObjectRequest(bucket=bucket, key="link")).body.content, b"x")
        service.put_bucket_cors(oss.PutBucketCorsRequest(
            bucket=bucket, cors_configuration=oss.CORSConfiguration(
                cors_rules=[oss.CORSRule(allowed_origins=["*"], allowed_methods=["GET"], max_age_seconds=60)],
                response_vary=True)))
        rules = service.get_bucket_cors(oss.GetBucketCorsRequest(bucket=bucket)).cors_configuration
        same(rules.cors_rules[0].allowed_origins, ["*"])
        same(rules.response_vary, True)
        policy = '{"Version":"1","Statement":[{"Effect":"Allow","Action":["oss:GetObject"],' \
                 '"Principal":["1"],"Resource":["acs:oss:*:1:*"]}]}'
        service.put_bucket_policy(oss.PutBucketPolicyRequest(bucket=bucket, body=policy))
        same(service.get_bucket_policy(oss.GetBucketPolicyRequest(bucket=bucket)).body, policy)
        service.delete_bucket_policy(oss.DeleteBucketPolicyRequest(bucket=bucket))
        gone = service_error(lambda: service.get_bucket_policy(oss.GetBucketPolicyRequest(bucket=bucket)))
        same((gone.status_code, gone.code), (404, "NoSuchBucketPolicy"))


def presigned(version):
    service = client(signature_version=version)
    with Bucket(service) as bucket:
        key = "pre signed/+\u00fc.txt"
        put = service.presign(oss.PutObjectRequest(bucket=bucket, key=key, content_type="text/plain"))
        request = urllib.request.Request(put.url, data=b"by url", method="PUT")
        for name, value in (put.signed_headers or {}).items():
            request.add_header(name, value)
        same(urllib.request.urlopen(request).status, 200)
        get = service.presign(oss.GetObjectRequest(bucket=bucket, key=key))
        same(urllib.request.urlopen(get.url).read(), b"by url")
        try:
            urllib.request.urlopen(get.url[:-1] + ("0" if get.url[-1] != "0" else "1"))
            raise AssertionError("a changed signature was accepted")
        except urllib.error.HTTPError as error:
            same(error.code, 403)
            same(b"SignatureDoesNotMatch" in error.read(), True)


@check
def presigned_urls_v4():
    presigned("v4")


@check
def presigned_urls_v1():
    presigned("v1")


@check
def signature_v1():
    service = client(signature_version="v1")
    with Bucket(service) as bucket:
        service.put_object(oss.PutObjectRequest(bucket=bucket, key="k v1", body=b"one"))
        same(service.get_object(oss.GetObjectRequest(bucket=bucket, key="k v1")).body.content, b"one")


@check
def wrong_secret_is_refused():
    for version in ("v4", "v1"):
        error = service_error(lambda: client(secret="wrong", signature_version=version).list_buckets(
            oss.ListBucketsRequest()))
        same((error.status_code, error.code), (403, "SignatureDoesNotMatch"))


@check
def missing_things_have_their_codes():
    service = client()
    error = service_error(lambda: service.list_objects_v2(
        oss.ListObjectsV2Request(bucket="interop-" + uuid.uuid4().hex[:16])))
    same((error.status_code, error.code), (404, "NoSuchBucket"))
    with Bucket(service) as bucket:
        error = service_error(lambda: service.get_object(oss.GetObjectRequest(bucket=bucket, key="absent")))
        same((error.status_code, error.code), (404, "NoSuchKey"))
        same(len(error.request_id), 24)
        same(bool(error.ec), True)


def main():
    failed = 0
    for function in CHECKS:
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok      {name}")
        except Exception:  # noqa: BLE001 - every failure of a check is reported and counted
            failed += 1
            print(f"FAILED  {name}")
            traceback.print_exc()
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
