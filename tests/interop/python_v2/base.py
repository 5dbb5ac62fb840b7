"""What the checks of the Python SDK V2 are given: clients, fresh buckets, and errors of the service."""

import contextlib
import urllib.parse

import alibabacloud_oss_v2 as oss

import checks
from checks import ACCESS_KEY_ID, ACCESS_KEY_SECRET, ACCOUNT_ID, ENDPOINT, REGION, SIGNATURE_VERSION


def config(secret=ACCESS_KEY_SECRET, key=ACCESS_KEY_ID, token=None, provider=None, **settings):
    made = oss.config.load_default()
    made.region = REGION
    made.endpoint = ENDPOINT
    made.account_id = ACCOUNT_ID
    made.signature_version = SIGNATURE_VERSION
    # A failure is to be seen at once, not after three tries.
    made.retry_max_attempts = 1
    made.credentials_provider = provider or oss.credentials.StaticCredentialsProvider(key, secret, token)
    for name, value in settings.items():
        setattr(made, name, value)
    return made


def client(**settings):
    return oss.Client(config(**settings))


def new_bucket(**settings):
    """Yields a fresh bucket that is emptied and deleted afterwards, unless it is protected."""
    service = client()
    name = checks.new_name()
    service.put_bucket(oss.PutBucketRequest(bucket=name, **settings))
    try:
        yield name
    finally:
        with contextlib.suppress(oss.exceptions.OperationError):
            empty(service, name)
            service.delete_bucket(oss.DeleteBucketRequest(bucket=name))


def empty(service, bucket):
    versions = service.list_object_versions(oss.ListObjectVersionsRequest(bucket=bucket))
    for entry in (versions.version or []) + (versions.delete_marker or []):
        service.delete_object(oss.DeleteObjectRequest(bucket=bucket, key=entry.key, version_id=entry.version_id))
    uploads = service.list_multipart_uploads(oss.ListMultipartUploadsRequest(bucket=bucket))
    for upload in uploads.uploads or []:
        service.abort_multipart_upload(
            oss.AbortMultipartUploadRequest(bucket=bucket, key=upload.key, upload_id=upload.upload_id)
        )


def service_error(error):
    """The answer of the service behind an exception of the client, if there is one."""
    while error is not None and not isinstance(error, oss.exceptions.ServiceError):
        error = error.unwrap() if hasattr(error, "unwrap") else None
    return error


def is_not_implemented(error):
    answer = service_error(error)
    return answer is not None and answer.status_code == 501


def versioned_bucket():
    """Yields a fresh bucket that keeps versions."""
    with contextlib.contextmanager(new_bucket)() as name:
        set_versioning(client(), name, "Enabled")
        yield name


def set_versioning(service, bucket, status):
    service.put_bucket_versioning(
        oss.PutBucketVersioningRequest(
            bucket=bucket, versioning_configuration=oss.VersioningConfiguration(status=status)
        )
    )


check = checks.Checks(
    {"service": client, "bucket": new_bucket, "other": new_bucket, "versioned": versioned_bucket},
    is_not_implemented,
)


def refused(status, code, call):
    """Calls what has to be refused so, and returns the error."""
    try:
        call()
    except (oss.exceptions.BaseError, oss.filelike.PathError) as error:
        answer = service_error(error)
        if answer is None:
            raise
        if answer.status_code == 501:
            raise
        checks.same((answer.status_code, answer.code), (status, code))
        return answer
    raise AssertionError(f"the call succeeded, wanted {status} {code}")


def put(service, bucket, key="k", body=b"0123456789", **members):
    return service.put_object(oss.PutObjectRequest(bucket=bucket, key=key, body=body, **members))


def get(service, bucket, key="k", **members):
    return service.get_object(oss.GetObjectRequest(bucket=bucket, key=key, **members))


def content(service, bucket, key="k", **members):
    return get(service, bucket, key, **members).body.content


def head(service, bucket, key="k", **members):
    return service.head_object(oss.HeadObjectRequest(bucket=bucket, key=key, **members))


class ToLoopback(oss.transport.RequestsHttpClient):
    """Connects to the server under test whatever the host is, and says the host in the header.

    With it sub-domains need no name server.
    """

    def send(self, request, **arguments):
        host = request.url.split("/")[2]
        request.headers["Host"] = host
        request.url = request.url.replace(host, urllib.parse.urlsplit(ENDPOINT).netloc, 1)
        return super().send(request, **arguments)


# Settings of a client that names buckets in the host.
SUBDOMAINS = {
    "endpoint": f"http://localhost:{urllib.parse.urlsplit(ENDPOINT).port}",
    "http_client": ToLoopback(),
}
