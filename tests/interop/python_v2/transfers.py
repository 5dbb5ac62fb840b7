"""The uploader and the downloader, whole and resumed."""

import glob
import io
import os

import alibabacloud_oss_v2 as oss

from checks import holds, read_file, same, write_file

from .base import SUBDOMAINS, check, client, content, get, head, put, refused

SIZE = 900_000
PART = 200 * 1024


def request(bucket, **members):
    return oss.PutObjectRequest(bucket=bucket, key="k", **members)


@check("InitiateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
def the_uploader_in_parts(service, bucket, folder):
    body = os.urandom(SIZE)
    told = []
    done = service.uploader(part_size=PART, parallel_num=3).upload_file(
        request(bucket, progress_fn=lambda *values: told.append(values), metadata={"kind": "big"}),
        write_file(folder, body),
    )
    holds(done.upload_id, "no upload id")
    same(told[-1][1:], (SIZE, SIZE))
    got = get(service, bucket)
    same(got.body.content, body)
    same((got.object_type, got.metadata["kind"], got.hash_crc64), ("Multipart", "big", done.hash_crc64))


@check("PutObject")
def the_uploader_at_once(service, bucket, folder):
    done = service.uploader().upload_file(request(bucket), write_file(folder, b"small"))
    same(done.upload_id, None)
    same(content(service, bucket), b"small")
    same(head(service, bucket).object_type, "Normal")


@check("InitiateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
def the_uploader_from_a_stream(service, bucket):
    body = os.urandom(SIZE)
    service.uploader(part_size=PART).upload_from(request(bucket), io.BytesIO(body))
    same(content(service, bucket), body)


class Breaking(io.BytesIO):
    """A stream that breaks off."""

    def read(self, *arguments):
        if self.tell() > 500_000:
            raise OSError("broken")
        return super().read(*arguments)


@check("UploadPart", "AbortMultipartUpload")
def the_uploader_cleans_up(service, bucket):
    try:
        service.uploader(part_size=PART, parallel_num=1).upload_from(request(bucket), Breaking(os.urandom(SIZE)))
    except (oss.exceptions.BaseError, OSError):
        pass
    else:
        raise AssertionError("a broken stream was uploaded")
    uploads = service.list_multipart_uploads(oss.ListMultipartUploadsRequest(bucket=bucket)).uploads
    same(uploads or [], [])
    same(service.is_object_exist(bucket, "k"), False)


class Failing(oss.transport.RequestsHttpClient):
    """An HTTP client whose requests with a text in their address fail."""

    def __init__(self, text):
        super().__init__()
        self.text = text

    def send(self, request, **arguments):
        if self.text in request.url:
            raise oss.exceptions.RequestError(error=OSError("broken"))
        return super().send(request, **arguments)


@check("ListParts", "UploadPart", "CompleteMultipartUpload")
def uploads_are_resumed(service, bucket, folder):
    body = os.urandom(SIZE)
    path = write_file(folder, body)
    settings = {"part_size": PART, "parallel_num": 1, "enable_checkpoint": True, "checkpoint_dir": folder + "/"}
    try:
        client(http_client=Failing("partNumber=3")).uploader(leave_parts_on_error=True, **settings).upload_file(
            request(bucket), path
        )
    except oss.exceptions.BaseError:
        pass
    same(len(glob.glob(folder + "/*.ucp")), 1)
    started = service.list_multipart_uploads(oss.ListMultipartUploadsRequest(bucket=bucket)).uploads
    done = service.uploader(**settings).upload_file(request(bucket), path)
    same(done.upload_id, started[0].upload_id)
    same(content(service, bucket), body)
    same(glob.glob(folder + "/*.ucp"), [])


@check("HeadObject", "GetObject")
def the_downloader(service, bucket, folder):
    body = os.urandom(SIZE)
    put(service, bucket, body=body)
    path = os.path.join(folder, "back")
    told = []
    done = service.downloader(part_size=PART, parallel_num=3).download_file(
        oss.GetObjectRequest(bucket=bucket, key="k", progress_fn=lambda *values: told.append(values)), path
    )
    same(done.written, SIZE)
    same(read_file(path), body)
    same(told[-1][1:], (SIZE, SIZE))


@check("HeadObject", "GetObject")
def the_downloader_into_a_stream(service, bucket):
    body = os.urandom(SIZE)
    put(service, bucket, body=body)
    stream = io.BytesIO()
    service.downloader(part_size=PART, parallel_num=2).download_to(
        oss.GetObjectRequest(bucket=bucket, key="k"), stream
    )
    same(stream.getvalue(), body)


@check("HeadObject", "GetObject")
def downloads_are_resumed(service, bucket, folder):
    body = os.urandom(SIZE)
    put(service, bucket, body=body)
    path = os.path.join(folder, "back")
    settings = {
        "part_size": PART, "parallel_num": 1, "enable_checkpoint": True, "checkpoint_dir": folder + "/",
        "verify_data": True, "use_temp_file": True,
    }
    told = []

    def stop(_, written, __):
        told.append(written)
        if written >= 2 * PART:
            raise KeyboardInterrupt

    wanted = oss.GetObjectRequest(bucket=bucket, key="k")
    try:
        service.downloader(**settings).download_file(
            oss.GetObjectRequest(bucket=bucket, key="k", progress_fn=stop), path
        )
    except (KeyboardInterrupt, oss.exceptions.BaseError):
        pass
    service.downloader(**settings).download_file(wanted, path)
    same(read_file(path), body)


@check("HeadObject")
def downloads_of_what_is_missing(service, bucket, folder):
    refused(
        404, "NoSuchKey",
        lambda: service.downloader().download_file(
            oss.GetObjectRequest(bucket=bucket, key="absent"), os.path.join(folder, "back")
        ),
    )


@check("PutObject", "GetObject")
def many_at_once(service, bucket):
    from concurrent.futures import ThreadPoolExecutor

    bodies = {f"k{number}": os.urandom(20_000) for number in range(24)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: put(service, bucket, *item), bodies.items()))
        found = dict(zip(bodies, pool.map(lambda key: content(service, bucket, key), bodies)))
    same(found == bodies, True)


@check("PutObject", "GetObject", "ListObjectsV2")
def buckets_in_the_host_name(bucket):
    service = client(**SUBDOMAINS)
    put(service, bucket, "in/host \u00fc", b"virtual")
    same(content(service, bucket, "in/host \u00fc"), b"virtual")
    listed = service.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket))
    same([entry.key for entry in listed.contents], ["in/host \u00fc"])
