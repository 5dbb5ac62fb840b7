"""What the checks of oss2 are given: buckets with the chosen signature, and errors of the service."""

import contextlib

import oss2

import checks
from checks import ACCESS_KEY_ID, ACCESS_KEY_SECRET, ENDPOINT, REGION, SIGNATURE_VERSION

AUTH = {"v1": oss2.Auth, "v2": oss2.AuthV2, "v4": oss2.AuthV4}


def auth(secret=ACCESS_KEY_SECRET, key=ACCESS_KEY_ID):
    return AUTH[SIGNATURE_VERSION](key, secret)


def bucket_named(name, by=None, **settings):
    # The client names buckets in the path where the endpoint is an IP address.
    return oss2.Bucket(by or auth(), ENDPOINT, name, region=REGION, **settings)


def account(by=None):
    return oss2.Service(by or auth(), ENDPOINT, region=REGION)


def new_bucket():
    """Yields a fresh bucket that is emptied and deleted afterwards, unless it is protected."""
    bucket = bucket_named(checks.new_name())
    bucket.create_bucket()
    try:
        yield bucket
    finally:
        with contextlib.suppress(oss2.exceptions.OssError):
            empty(bucket)
            bucket.delete_bucket()


def empty(bucket):
    found = bucket.list_object_versions()
    for entry in found.versions + found.delete_marker:
        bucket.delete_object(entry.key, params={"versionId": entry.versionid})
    for upload in bucket.list_multipart_uploads().upload_list:
        bucket.abort_multipart_upload(upload.key, upload.upload_id)


def versioned_bucket():
    """Yields a fresh bucket that keeps versions."""
    with contextlib.contextmanager(new_bucket)() as bucket:
        bucket.put_bucket_versioning(oss2.models.BucketVersioningConfig(oss2.BUCKET_VERSIONING_ENABLE))
        yield bucket


check = checks.Checks(
    {"service": account, "bucket": new_bucket, "other": new_bucket, "versioned": versioned_bucket},
    lambda error: isinstance(error, oss2.exceptions.OssError) and error.status == 501,
)


def refused(status, code, call):
    """Calls what has to be refused so, and returns the error."""
    try:
        call()
    except oss2.exceptions.OssError as error:
        if error.status == 501:
            raise
        checks.same((error.status, error.code or code), (status, code))
        return error
    raise AssertionError(f"the call succeeded, wanted {status} {code}")


def content(bucket, key="k", **arguments):
    return bucket.get_object(key, **arguments).read()
