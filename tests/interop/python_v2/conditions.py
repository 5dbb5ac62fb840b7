"""Ranges and conditional requests."""

import alibabacloud_oss_v2 as oss

from checks import same

from .base import check, content, get, head, put, refused

NO_ETAG = '"00000000000000000000000000000000"'
BEFORE = "Wed, 21 Oct 2015 07:28:00 GMT"



@check("GetObject")
def ranges(service, bucket):
    put(service, bucket)
    for wanted, body, told in (
        ("bytes=2-5", b"2345", "bytes 2-5/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=0-0", b"0", "bytes 0-0/10"),
    ):
        part = get(service, bucket, range_header=wanted)
        same((part.status_code, part.body.content, part.content_range), (206, body, told))
        same(part.content_length, len(body))


@check("GetObject")
def ranges_outside_give_everything(service, bucket):
    put(service, bucket)
    for outside in ("bytes=50-60", "bytes=5-2", "bytes=a-b", "bytes=2-5,7-8"):
        got = get(service, bucket, range_header=outside)
        same((got.status_code, got.body.content), (200, b"0123456789"))


@check("GetObject")
def standard_ranges_are_strict(service, bucket):
    put(service, bucket)
    refused(
        416, "InvalidRange", lambda: get(service, bucket, range_header="bytes=50-60", range_behavior="standard")
    )
    part = get(service, bucket, range_header="bytes=5-60", range_behavior="standard")
    same((part.status_code, part.body.content), (206, b"56789"))


@check("GetObject")
def a_match_is_demanded(service, bucket):
    etag = put(service, bucket).etag
    same(content(service, bucket, if_match=etag), b"0123456789")
    refused(412, "PreconditionFailed", lambda: get(service, bucket, if_match=NO_ETAG))


@check("GetObject")
def no_match_is_demanded(service, bucket):
    etag = put(service, bucket).etag
    same(content(service, bucket, if_none_match=NO_ETAG), b"0123456789")
    try:
        get(service, bucket, if_none_match=etag)
    except oss.exceptions.OperationError as error:
        same(error.unwrap().status_code, 304)
    else:
        raise AssertionError("the object was sent")


@check("GetObject")
def times_are_demanded(service, bucket):
    put(service, bucket)
    same(content(service, bucket, if_modified_since=BEFORE), b"0123456789")
    refused(412, "PreconditionFailed", lambda: get(service, bucket, if_unmodified_since=BEFORE))
    modified = get(service, bucket).headers["Last-Modified"]
    same(content(service, bucket, if_unmodified_since=modified), b"0123456789")
    try:
        get(service, bucket, if_modified_since=modified)
    except oss.exceptions.OperationError as error:
        same(error.unwrap().status_code, 304)
    else:
        raise AssertionError("the object was sent")


@check("HeadObject")
def heads_have_conditions_too(service, bucket):
    etag = put(service, bucket).etag
    same(head(service, bucket, if_match=etag).status_code, 200)
    for members, status in (
        ({"if_match": NO_ETAG}, 412),
        ({"if_none_match": etag}, 304),
        ({"if_modified_since": head(service, bucket).headers["Last-Modified"]}, 304),
        ({"if_unmodified_since": BEFORE}, 412),
    ):
        try:
            head(service, bucket, **members)
        except oss.exceptions.OperationError as error:
            same((members, error.unwrap().status_code), (members, status))
        else:
            raise AssertionError(f"{members} was met")


@check("CopyObject")
def copies_have_conditions_too(service, bucket):
    etag = put(service, bucket).etag

    def copy(**conditions):
        return service.copy_object(
            oss.CopyObjectRequest(bucket=bucket, key="copy", source_bucket=bucket, source_key="k", **conditions)
        )

    same(copy(if_match=etag).etag, etag)
    refused(412, "PreconditionFailed", lambda: copy(if_match=NO_ETAG))
    refused(412, "PreconditionFailed", lambda: copy(if_unmodified_since=BEFORE))
    for conditions in ({"if_none_match": etag}, {"if_modified_since": head(service, bucket).headers["Last-Modified"]}):
        try:
            copy(**conditions)
        except oss.exceptions.OperationError as error:
            same(error.unwrap().status_code, 304)
        else:
            raise AssertionError(f"{conditions} was met")
