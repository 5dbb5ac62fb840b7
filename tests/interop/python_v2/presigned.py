"""Presigned URLs, used by a plain HTTP client."""

import datetime
import time

import alibabacloud_oss_v2 as oss

from checks import holds, http, same

from .base import check, client, content, head, put

KEY = "pre signed/+\u00fc & ~.txt"


def code_of(answer):
    text = answer.body.decode()
    return text.partition("<Code>")[2].partition("</Code>")[0]


@check("PutObject", "GetObject", "HeadObject")
def presigned_urls(service, bucket):
    signed = service.presign(
        oss.PutObjectRequest(bucket=bucket, key=KEY, content_type="text/plain", metadata={"by": "url"})
    )
    same(signed.method, "PUT")
    answer = http("PUT", signed.url, b"by url", signed.signed_headers)
    same((answer.status, answer.body), (200, b""))
    same(head(service, bucket, KEY).metadata["by"], "url")
    signed = service.presign(oss.GetObjectRequest(bucket=bucket, key=KEY))
    answer = http("GET", signed.url)
    same((answer.status, answer.body), (200, b"by url"))
    same(answer.headers["Content-Type"], "text/plain")
    signed = service.presign(oss.HeadObjectRequest(bucket=bucket, key=KEY))
    answer = http("HEAD", signed.url)
    same((answer.status, answer.headers["Content-Length"]), (200, "6"))


@check("GetObject")
def presigned_urls_with_parameters(service, bucket):
    put(service, bucket)
    signed = service.presign(
        oss.GetObjectRequest(
            bucket=bucket, key="k", response_content_type="text/x-other",
            response_content_disposition='attachment; filename="\u00fc.txt"',
        )
    )
    answer = http("GET", signed.url)
    same((answer.status, answer.headers["Content-Type"]), (200, "text/x-other"))
    answer = http("GET", signed.url, headers={"Range": "bytes=2-4"})
    same((answer.status, answer.body), (206, b"234"))


@check("GetObject", "PutObject")
def changed_urls_are_refused(service, bucket):
    put(service, bucket)
    url = service.presign(oss.GetObjectRequest(bucket=bucket, key="k")).url
    answer = http("GET", url[:-1] + ("0" if url[-1] != "0" else "1"))
    same((answer.status, code_of(answer)), (403, "SignatureDoesNotMatch"))
    answer = http("GET", url.replace("/k?", "/other?"))
    same((answer.status, code_of(answer)), (403, "SignatureDoesNotMatch"))
    answer = http("PUT", url, b"x")
    same((answer.status, code_of(answer)), (403, "SignatureDoesNotMatch"))
    answer = http("GET", url + "&acl")
    same((answer.status, code_of(answer)), (403, "SignatureDoesNotMatch"))


@check("PutObject")
def signed_headers_are_needed(service, bucket):
    signed = service.presign(oss.PutObjectRequest(bucket=bucket, key="k", content_type="a/b"))
    answer = http("PUT", signed.url, b"x", {"Content-Type": "c/d"})
    same((answer.status, code_of(answer)), (403, "SignatureDoesNotMatch"))


@check("GetObject")
def expired_urls_are_refused(service, bucket):
    put(service, bucket)
    signed = service.presign(oss.GetObjectRequest(bucket=bucket, key="k"), expires=datetime.timedelta(seconds=2))
    # The client signs with its own clock, and the server under test has the same.
    time.sleep(3.1)
    answer = http("GET", signed.url)
    same((answer.status, code_of(answer)), (403, "AccessDenied"))
    holds(b"expired" in answer.body.lower(), answer.body)


@check("GetObject")
def urls_expire_when_they_say(service, bucket):
    put(service, bucket)
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    signed = service.presign(oss.GetObjectRequest(bucket=bucket, key="k"), expiration=at)
    same(http("GET", signed.url).status, 200)
    same(abs((signed.expiration - at).total_seconds()) < 2, True)


@check("PutObject", "GetObject", versions=("v4",))
def additional_headers_are_signed(bucket):
    service = client(additional_headers=["host", "range"])
    put(service, bucket)
    same(content(service, bucket, range_header="bytes=1-2"), b"12")


@check("InitiateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload")
def multipart_by_urls(service, bucket):
    signed = service.presign(oss.InitiateMultipartUploadRequest(bucket=bucket, key="k"))
    answer = http("POST", signed.url, b"", signed.signed_headers)
    same(answer.status, 200)
    upload_id = answer.body.decode().partition("<UploadId>")[2].partition("</UploadId>")[0]
    signed = service.presign(
        oss.UploadPartRequest(bucket=bucket, key="k", upload_id=upload_id, part_number=1)
    )
    answer = http("PUT", signed.url, b"by url", signed.signed_headers)
    same(answer.status, 200)
    document = (
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>"
        f"<ETag>{answer.headers['ETag']}</ETag></Part></CompleteMultipartUpload>"
    )
    signed = service.presign(oss.CompleteMultipartUploadRequest(bucket=bucket, key="k", upload_id=upload_id))
    answer = http("POST", signed.url, document.encode(), signed.signed_headers)
    same(answer.status, 200)
    same(content(service, bucket), b"by url")
    again = service.initiate_multipart_upload(oss.InitiateMultipartUploadRequest(bucket=bucket, key="k"))
    signed = service.presign(
        oss.AbortMultipartUploadRequest(bucket=bucket, key="k", upload_id=again.upload_id)
    )
    same(http("DELETE", signed.url, headers=signed.signed_headers).status, 204)
