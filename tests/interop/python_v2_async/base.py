"""What the checks of the asynchronous client are given, and errors of the service."""

import contextlib

import alibabacloud_oss_v2 as oss
import alibabacloud_oss_v2.aio as oss_aio

import checks
from python_v2.base import config, is_not_implemented, service_error


def client(**settings):
    return oss_aio.AsyncClient(config(**settings))


async def one_client():
    """Yields a client that is closed afterwards."""
    service = client()
    try:
        yield service
    finally:
        await service.close()


async def new_bucket():
    """Yields a fresh bucket that is emptied and deleted afterwards, unless it is protected."""
    async with contextlib.asynccontextmanager(one_client)() as service:
        name = checks.new_name()
        await service.put_bucket(oss.PutBucketRequest(bucket=name))
        try:
            yield name
        finally:
            with contextlib.suppress(oss.exceptions.OperationError):
                await empty(service, name)
                await service.delete_bucket(oss.DeleteBucketRequest(bucket=name))


async def empty(service, bucket):
    versions = await service.list_object_versions(oss.ListObjectVersionsRequest(bucket=bucket))
    for entry in (versions.version or []) + (versions.delete_marker or []):
        await service.delete_object(
            oss.DeleteObjectRequest(bucket=bucket, key=entry.key, version_id=entry.version_id)
        )
    uploads = await service.list_multipart_uploads(oss.ListMultipartUploadsRequest(bucket=bucket))
    for upload in uploads.uploads or []:
        await service.abort_multipart_upload(
            oss.AbortMultipartUploadRequest(bucket=bucket, key=upload.key, upload_id=upload.upload_id)
        )


async def versioned_bucket():
    """Yields a fresh bucket that keeps versions."""
    async with contextlib.asynccontextmanager(new_bucket)() as name:
        async with contextlib.asynccontextmanager(one_client)() as service:
            await set_versioning(service, name, "Enabled")
        yield name


async def set_versioning(service, bucket, status):
    await service.put_bucket_versioning(
        oss.PutBucketVersioningRequest(
            bucket=bucket, versioning_configuration=oss.VersioningConfiguration(status=status)
        )
    )


check = checks.Checks(
    {"service": one_client, "bucket": new_bucket, "other": new_bucket, "versioned": versioned_bucket},
    is_not_implemented,
)


async def refused(status, code, call):
    """Awaits what has to be refused so, and returns the error."""
    try:
        await call
    except oss.exceptions.BaseError as error:
        answer = service_error(error)
        if answer is None or answer.status_code == 501:
            raise
        checks.same((answer.status_code, answer.code or code), (status, code))
        return answer
    raise AssertionError(f"the call succeeded, wanted {status} {code}")


async def put(service, bucket, key="k", body=b"0123456789", **members):
    return await service.put_object(oss.PutObjectRequest(bucket=bucket, key=key, body=body, **members))


async def get(service, bucket, key="k", **members):
    return await service.get_object(oss.GetObjectRequest(bucket=bucket, key=key, **members))


async def content(service, bucket, key="k", **members):
    return (await get(service, bucket, key, **members)).body.content


async def head(service, bucket, key="k", **members):
    return await service.head_object(oss.HeadObjectRequest(bucket=bucket, key=key, **members))
