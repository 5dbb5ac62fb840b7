"""Single objects: put, get, head, append, links, ACL, tags, deletes, restore, select, processing, callbacks."""

import base64
import hashlib
import http.server
import io
import json
import os
import threading
import zlib

import alibabacloud_oss_v2 as oss

from checks import holds, read_file, same, write_file

from .base import check, client, content, get, head, put, refused

UNUSUAL = "folder/\u00fcmlaut \u6587\u4ef6 + space & ~ <tag> \"quoted\" 100%.bin"


@check("PutObject", "GetObject")
def object_goes_up_and_comes_back(service, bucket):
    body = os.urandom(300_000)
    sent = put(service, bucket, UNUSUAL, body, metadata={"purpose": "interop"}, content_type="application/x-interop")
    same(sent.status_code, 200)
    got = get(service, bucket, UNUSUAL)
    same(got.body.content, body)
    same(got.content_length, len(body))
    same(got.content_type, "application/x-interop")
    same(got.metadata["purpose"], "interop")
    same(got.hash_crc64, sent.hash_crc64)
    same(got.etag, sent.etag)
    same(got.etag, f'"{hashlib.md5(body).hexdigest().upper()}"')
    same(got.storage_class, "Standard")
    same(got.object_type, "Normal")
    same(len(got.request_id), 24)


@check("PutObject", "GetObject")
def empty_objects(service, bucket):
    put(service, bucket, body=b"")
    got = get(service, bucket)
    same((got.body.content, got.content_length, got.hash_crc64), (b"", 0, "0"))


@check("PutObject", "GetObject")
def bodies_of_every_kind(service, bucket):
    for body in ("text", b"bytes", io.BytesIO(b"a stream"), [b"one ", b"two"], (piece for piece in [b"x", b"y"])):
        wanted = {str: b"text", bytes: b"bytes", io.BytesIO: b"a stream", list: b"one two"}.get(type(body), b"xy")
        put(service, bucket, body=body)
        same(content(service, bucket), wanted)


@check("PutObject", "HeadObject")
def headers_are_kept(service, bucket):
    put(
        service, bucket, cache_control="no-cache", content_disposition='attachment; filename="a.txt"',
        content_encoding="identity", expires="Wed, 21 Oct 2065 07:28:00 GMT", content_type="text/plain;charset=utf-8",
        metadata={"one": "1", "two-words": "a b"},
    )
    found = head(service, bucket)
    same(found.cache_control, "no-cache")
    same(found.content_disposition, 'attachment; filename="a.txt"')
    same(found.content_encoding, "identity")
    same(found.expires, "Wed, 21 Oct 2065 07:28:00 GMT")
    same(found.content_type, "text/plain;charset=utf-8")
    same(dict(found.metadata), {"one": "1", "two-words": "a b"})


@check("GetObject")
def answers_take_headers_from_the_query(service, bucket):
    put(service, bucket)
    got = get(
        service, bucket, response_cache_control="max-age=1", response_content_disposition="inline",
        response_content_encoding="identity", response_content_language="de", response_content_type="text/x-other",
        response_expires="Wed, 21 Oct 2065 07:28:00 GMT",
    )
    same(got.cache_control, "max-age=1")
    same(got.content_disposition, "inline")
    same(got.content_encoding, "identity")
    same(got.headers["Content-Language"], "de")
    same(got.content_type, "text/x-other")
    same(got.expires, "Wed, 21 Oct 2065 07:28:00 GMT")


@check("PutObject")
def content_md5_is_checked(service, bucket):
    digest = base64.b64encode(hashlib.md5(b"right").digest()).decode()
    same(put(service, bucket, body=b"right", content_md5=digest).status_code, 200)
    refused(400, "InvalidDigest", lambda: put(service, bucket, body=b"wrong", content_md5=digest))
    same(content(service, bucket), b"right")


@check("PutObject", "GetObject")
def progress_is_told(service, bucket):
    told = []
    body = os.urandom(200_000)
    put(service, bucket, body=body, progress_fn=lambda *values: told.append(values))
    same(told[-1][1:], (len(body), len(body)))


@check("PutObject")
def storage_classes(service, bucket):
    for name in ("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"):
        put(service, bucket, name, storage_class=name)
        same(head(service, bucket, name).storage_class, name)
    refused(400, "InvalidArgument", lambda: put(service, bucket, storage_class="Attic"))


@check("PutObject", "HeadObject")
def server_side_encryption_is_told(service, bucket):
    sent = put(service, bucket, server_side_encryption="AES256")
    same(sent.headers["x-oss-server-side-encryption"], "AES256")
    same(head(service, bucket).server_side_encryption, "AES256")
    refused(400, "InvalidEncryptionAlgorithmError", lambda: put(service, bucket, server_side_encryption="ROT13"))


@check("PutObject")
def forbidden_overwrite(service, bucket):
    put(service, bucket, body=b"first", forbid_overwrite=True)
    refused(409, "FileAlreadyExists", lambda: put(service, bucket, body=b"second", forbid_overwrite=True))
    same(content(service, bucket), b"first")
    put(service, bucket, body=b"third", forbid_overwrite=False)
    same(content(service, bucket), b"third")


@check("PutObject", "GetObject")
def traffic_limits_are_checked(service, bucket):
    put(service, bucket, traffic_limit=838_860_800)
    same(get(service, bucket, traffic_limit=838_860_800).content_length, 10)
    refused(400, "InvalidArgument", lambda: put(service, bucket, traffic_limit=1))


@check("HeadObject", "GetObjectMeta")
def head_meta_and_existence(service, bucket):
    sent = put(service, bucket)
    found = head(service, bucket)
    same((found.content_length, found.object_type, found.etag), (10, "Normal", sent.etag))
    meta = service.get_object_meta(oss.GetObjectMetaRequest(bucket=bucket, key="k"))
    same((meta.content_length, meta.etag), (10, sent.etag))
    same(meta.hash_crc64 or sent.hash_crc64, sent.hash_crc64)
    same(service.is_object_exist(bucket, "k"), True)
    same(service.is_object_exist(bucket, "absent"), False)
    refused(404, "NoSuchKey", lambda: head(service, bucket, "absent"))


@check("GetObject", "HeadObject")
def missing_things_have_their_codes(service, bucket):
    error = refused(404, "NoSuchKey", lambda: get(service, bucket, "absent"))
    same(len(error.request_id), 24)
    holds(error.ec, "an error without EC")
    refused(404, "NoSuchBucket", lambda: get(service, bucket + "-absent", "k"))
    refused(404, "NoSuchBucket", lambda: head(service, bucket + "-absent", "k"))


@check("PutObject", "GetObject")
def files_go_up_and_come_back(bucket, folder):
    # With one attempt only, this client downloads nothing into a file.
    service = client(retry_max_attempts=2)
    body = os.urandom(100_000)
    path = write_file(folder, body)
    service.put_object_from_file(oss.PutObjectRequest(bucket=bucket, key="k"), path)
    service.get_object_to_file(oss.GetObjectRequest(bucket=bucket, key="k"), path + ".back")
    same(read_file(path + ".back"), body)


@check("AppendObject")
def appends(service, bucket):
    def append(position, body, **members):
        return service.append_object(
            oss.AppendObjectRequest(bucket=bucket, key="log", position=position, body=body, **members)
        )

    first = append(0, b"one ", metadata={"kind": "log"})
    same(first.next_position, 4)
    second = append(4, b"two")
    same(second.next_position, 7)
    same(content(service, bucket, "log"), b"one two")
    found = head(service, bucket, "log")
    same((found.object_type, found.next_append_position, found.metadata["kind"]), ("Appendable", 7, "log"))
    same(found.hash_crc64, second.hash_crc64)
    late = refused(409, "PositionNotEqualToLength", lambda: append(4, b"late"))
    same(late.headers["x-oss-next-append-position"], "7")
    put(service, bucket)
    refused(
        409, "ObjectNotAppendable",
        lambda: service.append_object(oss.AppendObjectRequest(bucket=bucket, key="k", position=10, body=b"x")),
    )


@check("AppendObject")
def appends_check_the_running_crc(service, bucket):
    crc = 0
    for position, body in ((0, b"one "), (4, b"two ")):
        request = oss.AppendObjectRequest(bucket=bucket, key="log", position=position, body=body)
        done = service.append_object(request, init_hash_crc64=crc) if position else service.append_object(request)
        crc = int(done.hash_crc64)
    same(str(crc), head(service, bucket, "log").hash_crc64)


@check("AppendObject", "SealAppendObject")
def sealed_objects_take_no_more(service, bucket):
    service.append_object(oss.AppendObjectRequest(bucket=bucket, key="log", position=0, body=b"one"))
    sealed = service.seal_append_object(oss.SealAppendObjectRequest(bucket=bucket, key="log", position=3))
    holds(sealed.sealed_time, "no sealed time")
    error = None
    try:
        service.append_object(oss.AppendObjectRequest(bucket=bucket, key="log", position=3, body=b"two"))
    except oss.exceptions.OperationError as found:
        error = found.unwrap()
    same((error and error.status_code), 409)
    same(content(service, bucket, "log"), b"one")


@check("AppendObject", "HeadObject")
def append_only_files(service, bucket):
    with service.append_file(bucket, "log", create_parameter=oss.AppendObjectRequest(metadata={"kind": "log"})) as file:
        file.write(b"one ")
        file.write(b"two ")
        same(file.tell(), 8)
    with service.append_file(bucket, "log") as file:
        same(file.tell(), 8)
        file.write_from(io.BytesIO(b"three"))
    same(content(service, bucket, "log"), b"one two three")
    same(head(service, bucket, "log").metadata["kind"], "log")


@check("GetObject", "HeadObject")
def read_only_files(service, bucket):
    body = os.urandom(400_000)
    put(service, bucket, body=body)
    with service.open_file(bucket, "k") as file:
        same(file.read(100), body[:100])
        same(file.seek(1000), 1000)
        same(file.read(10), body[1000:1010])
        file.seek(-5, os.SEEK_END)
        same(file.read(), body[-5:])
        file.seek(0)
        same(file.readall(), body)
    with service.open_file(
        bucket, "k", enable_prefetch=True, chunk_size=60_000, prefetch_num=3, prefetch_threshold=0
    ) as file:
        same(b"".join(iter(lambda: file.read(50_000), b"")), body)


@check("GetObject", "HeadObject")
def read_only_files_notice_changes(service, bucket):
    put(service, bucket, body=b"x" * 100_000)
    with service.open_file(bucket, "k") as file:
        file.read(10)
        put(service, bucket, body=b"y" * 100_000)
        file.seek(50_000)
        try:
            file.read(10)
        except oss.filelike.PathError:
            return
    raise AssertionError("the change was not noticed")


@check("PutSymlink", "GetSymlink")
def symbolic_links(service, bucket):
    put(service, bucket, "the target", b"behind the link")
    service.put_symlink(
        oss.PutSymlinkRequest(bucket=bucket, key="link", symlink_target="the target", metadata={"is": "link"})
    )
    link = service.get_symlink(oss.GetSymlinkRequest(bucket=bucket, key="link"))
    same((link.target, link.metadata["is"]), ("the target", "link"))
    same(content(service, bucket, "link"), b"behind the link")
    same(head(service, bucket, "link").object_type, "Symlink")
    service.delete_object(oss.DeleteObjectRequest(bucket=bucket, key="the target"))
    refused(404, "SymlinkTargetNotExist", lambda: get(service, bucket, "link"))
    put(service, bucket)
    refused(400, "NotSymlink", lambda: service.get_symlink(oss.GetSymlinkRequest(bucket=bucket, key="k")))


@check("PutObjectAcl", "GetObjectAcl")
def object_acls(service, bucket):
    put(service, bucket, acl="private")
    same(service.get_object_acl(oss.GetObjectAclRequest(bucket=bucket, key="k")).acl, "private")
    for acl in ("public-read", "public-read-write", "default"):
        service.put_object_acl(oss.PutObjectAclRequest(bucket=bucket, key="k", acl=acl))
        found = service.get_object_acl(oss.GetObjectAclRequest(bucket=bucket, key="k"))
        same(found.acl, acl)
        holds(found.owner.id, "no owner")
    refused(
        400, "InvalidArgument",
        lambda: service.put_object_acl(oss.PutObjectAclRequest(bucket=bucket, key="k", acl="for-friends")),
    )


def tags_of(service, bucket, key="k"):
    found = service.get_object_tagging(oss.GetObjectTaggingRequest(bucket=bucket, key=key))
    return {tag.key: tag.value for tag in found.tag_set.tags or []}


@check("PutObject", "PutObjectTagging", "GetObjectTagging", "DeleteObjectTagging")
def object_tags(service, bucket):
    put(service, bucket, tagging="a=1&b=2%203")
    same(tags_of(service, bucket), {"a": "1", "b": "2 3"})
    same(head(service, bucket).tagging_count, 2)
    service.put_object_tagging(
        oss.PutObjectTaggingRequest(
            bucket=bucket, key="k", tagging=oss.Tagging(tag_set=oss.TagSet(tags=[oss.Tag(key="c", value="\u00fc")]))
        )
    )
    same(tags_of(service, bucket), {"c": "\u00fc"})
    service.delete_object_tagging(oss.DeleteObjectTaggingRequest(bucket=bucket, key="k"))
    same(tags_of(service, bucket), {})


@check("PutObjectTagging")
def too_many_or_repeated_tags(service, bucket):
    put(service, bucket)

    def tag(tags):
        tagging = oss.Tagging(tag_set=oss.TagSet(tags=tags))
        service.put_object_tagging(oss.PutObjectTaggingRequest(bucket=bucket, key="k", tagging=tagging))

    tag([oss.Tag(key=f"t{number}", value="v") for number in range(10)])
    same(len(tags_of(service, bucket)), 10)
    for tags in ([oss.Tag(key=f"t{number}", value="v") for number in range(11)], [oss.Tag(key="t", value="v")] * 2):
        try:
            tag(tags)
        except oss.exceptions.OperationError as error:
            same(error.unwrap().status_code, 400)
        else:
            raise AssertionError("wrong tags were accepted")


@check("DeleteObject", "DeleteMultipleObjects")
def deletes_one_and_many(service, bucket):
    keys = ["one", "two & <three>", "tab\there"]
    for key in keys:
        put(service, bucket, key)
    same(service.delete_object(oss.DeleteObjectRequest(bucket=bucket, key="one")).status_code, 204)
    same(service.delete_object(oss.DeleteObjectRequest(bucket=bucket, key="one")).status_code, 204)
    done = service.delete_multiple_objects(
        oss.DeleteMultipleObjectsRequest(bucket=bucket, objects=[oss.DeleteObject(key=key) for key in keys])
    )
    same(sorted(entry.key for entry in done.deleted_objects), sorted(keys))
    same(service.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket)).contents or [], [])


@check("DeleteMultipleObjects")
def quiet_deletes_tell_nothing(service, bucket):
    put(service, bucket)
    done = service.delete_multiple_objects(
        oss.DeleteMultipleObjectsRequest(
            bucket=bucket, delete=oss.models.Delete(objects=[oss.models.ObjectIdentifier(key="k")], quiet=True)
        )
    )
    same(done.deleted_objects or [], [])
    same(service.is_object_exist(bucket, "k"), False)


@check("DeleteMultipleObjects")
def too_many_deletes_at_once(service, bucket):
    many = [oss.DeleteObject(key=f"k{number}") for number in range(1001)]
    refused(
        400, "MalformedXML",
        lambda: service.delete_multiple_objects(oss.DeleteMultipleObjectsRequest(bucket=bucket, objects=many)),
    )


@check("RestoreObject", "CleanRestoredObject")
def archived_objects_are_restored(service, bucket):
    put(service, bucket, storage_class="Archive")
    refused(403, "InvalidObjectState", lambda: get(service, bucket))
    request = oss.RestoreObjectRequest(bucket=bucket, key="k", restore_request=oss.RestoreRequest(days=2))
    same(service.restore_object(request).status_code, 202)
    holds("ongoing-request" in (head(service, bucket).restore or ""), "no restore state")
    put(service, bucket, "standard")
    refused(
        400, "OperationNotSupported",
        lambda: service.restore_object(oss.RestoreObjectRequest(bucket=bucket, key="standard")),
    )


@check("RestoreObject")
def restores_in_progress_are_told(service, bucket):
    put(service, bucket, storage_class="ColdArchive")
    request = oss.RestoreObjectRequest(
        bucket=bucket, key="k",
        restore_request=oss.RestoreRequest(days=3, job_parameters=oss.JobParameters(tier="Expedited")),
    )
    same(service.restore_object(request).status_code, 202)
    same(head(service, bucket).restore, 'ongoing-request="true"')
    refused(409, "RestoreAlreadyInProgress", lambda: service.restore_object(request))


@check("CleanRestoredObject")
def what_was_not_restored_is_not_cleaned(service, bucket):
    put(service, bucket, storage_class="ColdArchive")
    refused(
        409, "ArchiveRestoreFileStale",
        lambda: service.clean_restored_object(oss.CleanRestoredObjectRequest(bucket=bucket, key="k")),
    )


# With V1 this client does not sign x-oss-process, which the service and other clients do.
PROCESSING = ("v4",)
PEOPLE = b"name,age,city\nAnn,30,Ulm\nBob,41,Bonn\nCid,25,Ulm\n"


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def select(service, bucket, key, process, sql, inputs, outputs=None):
    request = oss.SelectObjectRequest(
        bucket=bucket, key=key, process=process,
        select_request=oss.SelectRequest(
            expression=encoded(sql), input_serialization=inputs, output_serialization=outputs or oss.OutputSerialization()
        ),
    )
    return service.select_object(request).body.content


@check("SelectObject", versions=PROCESSING)
def csv_is_selected(service, bucket):
    put(service, bucket, body=PEOPLE)
    inputs = oss.InputSerialization(
        csv=oss.CSVInput(
            file_header_info="Use", record_delimiter=encoded("\n"), field_delimiter=encoded(","), quote_character=encoded('"')
        )
    )
    found = select(service, bucket, "k", "csv/select", "select name, age from ossobject where city = 'Ulm'", inputs)
    same(found, b"Ann,30\nCid,25\n")
    raw = oss.OutputSerialization(output_raw_data=True)
    found = select(service, bucket, "k", "csv/select", "select * from ossobject limit 1", inputs, raw)
    same(found, b"Ann,30,Ulm\n")


@check("SelectObject", versions=PROCESSING)
def csv_without_header_is_selected_by_position(service, bucket):
    put(service, bucket, body=PEOPLE)
    inputs = oss.InputSerialization(csv=oss.CSVInput(file_header_info="Ignore"))
    outputs = oss.OutputSerialization(csv=oss.CSVOutput(field_delimiter=encoded(";")), enable_payload_crc=True)
    found = select(service, bucket, "k", "csv/select", "select _1, _3 from ossobject where _2 > 28", inputs, outputs)
    same(found, b"Ann;Ulm\nBob;Bonn\n")


@check("SelectObject", versions=PROCESSING)
def json_lines_are_selected(service, bucket):
    put(service, bucket, body=b'{"name":"Ann","age":30}\n{"name":"Bob","age":41}\n')
    inputs = oss.InputSerialization(json=oss.JSONInput(type="LINES"))
    found = select(service, bucket, "k", "json/select", "select name from ossobject where age > 35", inputs)
    same(json.loads(found), {"name": "Bob"})


@check("SelectObject", versions=PROCESSING)
def wrong_sql_is_refused(service, bucket):
    put(service, bucket, body=PEOPLE)
    inputs = oss.InputSerialization(csv=oss.CSVInput(file_header_info="Use"))
    try:
        select(service, bucket, "k", "csv/select", "select from where", inputs)
    except oss.exceptions.OperationError as error:
        if error.unwrap().status_code == 501:
            raise
        same(error.unwrap().status_code, 400)
    else:
        raise AssertionError("nonsense was selected")


@check("CreateSelectObjectMeta", versions=PROCESSING)
def lines_and_columns_are_counted(service, bucket):
    put(service, bucket, body=PEOPLE)
    meta = service.create_select_object_meta(
        oss.CreateSelectObjectMetaRequest(
            bucket=bucket, key="k", process="csv/meta",
            select_meta_request=oss.CSVMetaRequest(
                input_serialization=oss.InputSerialization(
                    csv=oss.CSVInput(
                        record_delimiter=encoded("\n"), field_delimiter=encoded(","), quote_character=encoded('"')
                    )
                ),
                overwrite_if_exists=True,
            ),
        )
    )
    same((meta.rows_count, meta.cols_count, meta.total_scanned_bytes), (4, 3, len(PEOPLE)))


def image(width, height):
    """A PNG of one colour."""
    def chunk(kind, data):
        body = kind + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    rows = (b"\0" + b"\x80\x20\x20" * width) * height
    head = chunk(b"IHDR", size + b"\x08\x02\0\0\0")
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@check("GetObject", versions=PROCESSING)
def images_are_described(service, bucket):
    put(service, bucket, "a.png", image(40, 30))
    found = json.loads(content(service, bucket, "a.png", process="image/info"))
    same((found["ImageWidth"]["value"], found["ImageHeight"]["value"], found["Format"]["value"]), ("40", "30", "png"))
    put(service, bucket, "a.txt", b"no image")
    try:
        get(service, bucket, "a.txt", process="image/info")
    except oss.exceptions.OperationError as error:
        same(error.unwrap().status_code, 400)
    else:
        raise AssertionError("a text was described as an image")


@check("GetObject", versions=PROCESSING)
def images_are_resized(service, bucket):
    put(service, bucket, "a.png", image(40, 30))
    small = content(service, bucket, "a.png", process="image/resize,w_20")
    put(service, bucket, "small.png", small)
    found = json.loads(content(service, bucket, "small.png", process="image/info"))
    same((found["ImageWidth"]["value"], found["ImageHeight"]["value"]), ("20", "15"))


@check("ProcessObject", versions=PROCESSING)
def processed_images_are_saved(service, bucket):
    put(service, bucket, "a.png", image(40, 30))
    process = f"image/resize,w_10|sys/saveas,o_{encoded('small.png')},b_{encoded(bucket)}"
    done = service.process_object(oss.ProcessObjectRequest(bucket=bucket, key="a.png", process=process))
    same((done.bucket, done.key), (bucket, "small.png"))
    same(head(service, bucket, "small.png").content_length, done.file_size)


@check("AsyncProcessObject", versions=PROCESSING)
def processing_in_the_background_gets_ids(service, bucket):
    put(service, bucket, "a.mp4")
    process = f"video/convert,f_avi,vcodec_h265|sys/saveas,o_{encoded('a.avi')},b_{encoded(bucket)}"
    done = service.async_process_object(oss.AsyncProcessObjectRequest(bucket=bucket, key="a.mp4", process=process))
    holds(done.event_id and done.task_id, "no ids")


class Callbacks(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted to it."""

    kept = []
    answer = b'{"status":"ok"}'

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Callbacks.kept.append((self.path, dict(self.headers), body))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_):
        pass


def callback_server():
    """Yields the address of a server for callbacks."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Callbacks)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/done"
    finally:
        server.shutdown()
        server.server_close()


check.fixtures["callbacks"] = callback_server


def callback(url, body="bucket=${bucket}&object=${object}&size=${size}&mine=${x:mine}"):
    return encoded(json.dumps({"callbackUrl": url, "callbackBody": body}))


def told(result):
    """The answer of the callback as the client gives it, which is a text at times."""
    answer = result.callback_result
    return json.loads(answer) if isinstance(answer, str) else answer


@check("PutObject")
def uploads_are_called_back(service, bucket, callbacks):
    done = put(service, bucket, callback=callback(callbacks), callback_var=encoded('{"x:mine":"yes"}'))
    same(told(done), {"status": "ok"})
    path, _, body = Callbacks.kept[-1]
    same(path, "/done")
    same(body.decode(), f"bucket={bucket}&object=k&size=10&mine=yes")


@check("PutObject")
def failed_callbacks_are_told(service, bucket):
    # The client takes every status of two hundreds for success.
    same(put(service, bucket, callback=callback("http://127.0.0.1:9/none")).status_code, 203)
    same(content(service, bucket), b"0123456789")


@check("CompleteMultipartUpload")
def completed_uploads_are_called_back(service, bucket, callbacks):
    upload = service.initiate_multipart_upload(oss.InitiateMultipartUploadRequest(bucket=bucket, key="k"))
    part = service.upload_part(
        oss.UploadPartRequest(bucket=bucket, key="k", upload_id=upload.upload_id, part_number=1, body=b"part")
    )
    done = service.complete_multipart_upload(
        oss.CompleteMultipartUploadRequest(
            bucket=bucket, key="k", upload_id=upload.upload_id, callback=callback(callbacks),
            complete_multipart_upload=oss.CompleteMultipartUpload(
                parts=[oss.UploadPart(part_number=1, etag=part.etag)]
            ),
        )
    )
    same(told(done), {"status": "ok"})
    same(Callbacks.kept[-1][2].decode(), f"bucket={bucket}&object=k&size=4&mine=")


@check("PutObject", "GetObject", "HeadObject")
def client_side_encryption(service, bucket):
    from Crypto.PublicKey import RSA

    pair = RSA.generate(1024)
    cipher = oss.crypto.MasterRsaCipher(
        {"key": "interop"}, pair.publickey().export_key().decode(), pair.export_key().decode()
    )
    secret = oss.EncryptionClient(service, cipher)
    secret.put_object(oss.PutObjectRequest(bucket=bucket, key="k", body=b"for my eyes only"))
    holds(content(service, bucket) != b"for my eyes only", "it is not encrypted")
    same(secret.get_object(oss.GetObjectRequest(bucket=bucket, key="k")).body.content, b"for my eyes only")
    got = secret.get_object(oss.GetObjectRequest(bucket=bucket, key="k", range_header="bytes=4-5"))
    same(got.body.content, b"my")


@check("PutObject")
def wrong_crc_would_be_noticed(bucket):
    same(put(client(disable_upload_crc64_check=False), bucket, body=b"abc").hash_crc64, "3231342946509354535")
