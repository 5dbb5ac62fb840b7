"""Objects: bodies, headers, ranges, conditions, copies, links, tags, deletes, select, processing, encryption."""

import base64
import json
import os
import zlib

import oss2

from checks import holds, read_file, same, write_file

from .base import bucket_named, check, content, refused

UNUSUAL = "folder/\u00fcmlaut \u6587\u4ef6 + space & ~ <tag>.bin"
NO_ETAG = '"00000000000000000000000000000000"'
BEFORE = "Wed, 21 Oct 2015 07:28:00 GMT"


@check("PutObject", "GetObject")
def object_goes_up_and_comes_back(bucket):
    body = os.urandom(300_000)
    sent = bucket.put_object(UNUSUAL, body, headers={"x-oss-meta-purpose": "interop", "Content-Type": "a/b"})
    got = bucket.get_object(UNUSUAL)
    same(got.read(), body)
    same((got.content_type, got.content_length, got.etag), ("a/b", len(body), sent.etag))
    same((got.headers["x-oss-meta-purpose"], got.server_crc, got.client_crc), ("interop", sent.crc, sent.crc))


@check("PutObject")
def bodies_of_every_kind(bucket):
    for body in ("text", b"bytes", iter([b"one ", b"two"])):
        bucket.put_object("k", body)
        same(content(bucket) in (b"text", b"bytes", b"one two"), True)


@check("PutObject")
def empty_objects(bucket):
    bucket.put_object("k", b"")
    same(content(bucket), b"")
    same(bucket.head_object("k").content_length, 0)


@check("PutObject", "GetObject")
def files_go_up_and_come_back(bucket, folder):
    path = write_file(folder, os.urandom(100_000))
    bucket.put_object_from_file("k", path)
    bucket.get_object_to_file("k", path + ".back")
    same(read_file(path + ".back"), read_file(path))


@check("PutObject", "GetObject")
def progress_is_told(bucket):
    told = []
    bucket.put_object("k", b"x" * 100_000, progress_callback=lambda *values: told.append(values))
    same(told[-1], (100_000, 100_000))
    told.clear()
    bucket.get_object("k", progress_callback=lambda *values: told.append(values)).read()
    same(told[-1], (100_000, 100_000))


@check("HeadObject", "GetObjectMeta")
def head_meta_and_existence(bucket):
    sent = bucket.put_object("k", b"hello")
    found = bucket.head_object("k")
    same((found.content_length, found.object_type, found.etag), (5, "Normal", sent.etag))
    meta = bucket.get_object_meta("k")
    same((meta.content_length, meta.etag), (5, sent.etag))
    same((bucket.object_exists("k"), bucket.object_exists("absent")), (True, False))
    refused(404, "NoSuchKey", lambda: bucket.head_object("absent"))


@check("GetObject")
def missing_things_have_their_codes(bucket):
    error = refused(404, "NoSuchKey", lambda: bucket.get_object("absent"))
    same((type(error), len(error.request_id)), (oss2.exceptions.NoSuchKey, 24))
    error = refused(404, "NoSuchBucket", lambda: bucket_named(bucket.bucket_name + "-absent").get_object("k"))
    same(type(error), oss2.exceptions.NoSuchBucket)


@check("GetObject")
def ranges(bucket):
    bucket.put_object("k", b"0123456789")
    for wanted, body in (((2, 5), b"2345"), ((None, 3), b"789"), ((7, None), b"789")):
        got = bucket.get_object("k", byte_range=wanted)
        same((got.status, got.read()), (206, body))
    same(content(bucket, byte_range=(50, 60)), b"0123456789")
    standard = {"x-oss-range-behavior": "standard"}
    refused(416, "InvalidRange", lambda: bucket.get_object("k", byte_range=(50, 60), headers=standard))


@check("GetObject")
def conditions(bucket):
    etag = '"' + bucket.put_object("k", b"x").etag + '"'
    same(content(bucket, headers={"If-Match": etag}), b"x")
    refused(412, "PreconditionFailed", lambda: bucket.get_object("k", headers={"If-Match": NO_ETAG}))
    try:
        bucket.get_object("k", headers={"If-None-Match": etag})
    except oss2.exceptions.NotModified as error:
        same(error.status, 304)
    else:
        raise AssertionError("the object was sent")
    refused(412, "PreconditionFailed", lambda: bucket.get_object("k", headers={"If-Unmodified-Since": BEFORE}))


@check("GetObject")
def answers_take_headers_from_the_query(bucket):
    bucket.put_object("k", b"x")
    got = bucket.get_object("k", params={"response-content-type": "a/b", "response-cache-control": "max-age=1"})
    same((got.content_type, got.headers["Cache-Control"]), ("a/b", "max-age=1"))


@check("PutObject")
def forbidden_overwrite(bucket):
    bucket.put_object("k", b"first")
    refused(
        409, "FileAlreadyExists",
        lambda: bucket.put_object("k", b"second", headers={"x-oss-forbid-overwrite": "true"}),
    )
    same(content(bucket), b"first")


@check("PutObject")
def content_md5_is_checked(bucket):
    headers = {"Content-MD5": oss2.utils.content_md5(b"right")}
    bucket.put_object("k", b"right", headers=headers)
    refused(400, "InvalidDigest", lambda: bucket.put_object("k", b"wrong", headers=headers))


@check("AppendObject")
def appends(bucket):
    same(bucket.append_object("log", 0, b"one ").next_position, 4)
    done = bucket.append_object("log", 4, b"two")
    same(done.next_position, 7)
    same(content(bucket, "log"), b"one two")
    same(bucket.head_object("log").headers["x-oss-next-append-position"], "7")
    error = refused(409, "PositionNotEqualToLength", lambda: bucket.append_object("log", 4, b"late"))
    same((type(error), error.next_position), (oss2.exceptions.PositionNotEqualToLength, 7))


@check("AppendObject")
def only_appendable_objects_are_appended(bucket):
    bucket.put_object("k", b"x")
    refused(409, "ObjectNotAppendable", lambda: bucket.append_object("k", 1, b"y"))


@check("CopyObject")
def copies(bucket, other):
    sent = bucket.put_object("from + \u00fc", b"copy me", headers={"x-oss-meta-kept": "yes"})
    done = other.copy_object(bucket.bucket_name, "from + \u00fc", "to")
    same(done.etag, sent.etag)
    got = other.get_object("to")
    same((got.read(), got.headers["x-oss-meta-kept"]), (b"copy me", "yes"))
    refused(404, "NoSuchKey", lambda: other.copy_object(bucket.bucket_name, "absent", "to"))


@check("CopyObject")
def metadata_is_replaced(bucket):
    bucket.put_object("k", b"x", headers={"x-oss-meta-a": "1"})
    bucket.update_object_meta("k", {"x-oss-meta-b": "2"})
    found = bucket.head_object("k").headers
    same((found.get("x-oss-meta-a"), found["x-oss-meta-b"]), (None, "2"))


@check("CopyObject")
def copies_on_conditions(bucket):
    etag = '"' + bucket.put_object("k", b"x").etag + '"'

    def copy(**headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return bucket.copy_object(bucket.bucket_name, "k", "to", headers=named)

    copy(x_oss_copy_source_if_match=etag)
    refused(412, "PreconditionFailed", lambda: copy(x_oss_copy_source_if_match=NO_ETAG))


@check("PutSymlink", "GetSymlink")
def symbolic_links(bucket):
    bucket.put_object("target", b"behind")
    bucket.put_symlink("target", "link")
    same(bucket.get_symlink("link").target_key, "target")
    same(content(bucket, "link"), b"behind")
    refused(400, "NotSymlink", lambda: bucket.get_symlink("target"))


@check("PutObjectAcl", "GetObjectAcl")
def object_acls(bucket):
    bucket.put_object("k", b"x")
    for acl in ("private", "public-read", "public-read-write", "default"):
        bucket.put_object_acl("k", acl)
        same(bucket.get_object_acl("k").acl, acl)


@check("PutObjectTagging", "GetObjectTagging", "DeleteObjectTagging")
def object_tags(bucket):
    bucket.put_object("k", b"x", headers={oss2.headers.OSS_OBJECT_TAGGING: "a=1&b=2"})
    same(bucket.get_object_tagging("k").tag_set.tagging_rule, {"a": "1", "b": "2"})
    rule = oss2.models.TaggingRule()
    rule.add("c", "x + y")
    bucket.put_object_tagging("k", oss2.models.Tagging(rule))
    same(bucket.get_object_tagging("k").tag_set.tagging_rule, {"c": "x + y"})
    bucket.delete_object_tagging("k")
    same(bucket.get_object_tagging("k").tag_set.tagging_rule, {})


@check("DeleteObject", "DeleteMultipleObjects")
def deletes_one_and_many(bucket):
    keys = ["a", "b & <c>", "tab\there"]
    for key in keys:
        bucket.put_object(key, b"x")
    same(bucket.delete_object("a").status, 204)
    same(sorted(bucket.batch_delete_objects(keys).deleted_keys), sorted(keys))
    same(list(oss2.ObjectIterator(bucket)), [])


@check("RestoreObject")
def archived_objects_are_restored(bucket):
    bucket.put_object("k", b"x", headers={"x-oss-storage-class": "Archive"})
    refused(403, "InvalidObjectState", lambda: bucket.get_object("k"))
    same(bucket.restore_object("k").status, 202)
    holds("ongoing-request" in bucket.head_object("k").headers["x-oss-restore"], "no restore state")


@check("RestoreObject")
def cold_archives_are_restored_in_tiers(bucket):
    bucket.put_object("k", b"x", headers={"x-oss-storage-class": "ColdArchive"})
    job = oss2.models.RestoreJobParameters(oss2.models.RESTORE_TIER_STANDARD)
    same(bucket.restore_object("k", input=oss2.models.RestoreConfiguration(days=2, job_parameters=job)).status, 202)


@check("PutObject")
def storage_classes(bucket):
    for name in ("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"):
        bucket.put_object(name, b"x", headers={"x-oss-storage-class": name})
        same(bucket.head_object(name).headers["x-oss-storage-class"], name)


@check("PutObject", "HeadObject")
def server_side_encryption_is_told(bucket):
    bucket.put_object("k", b"x", headers={"x-oss-server-side-encryption": "AES256"})
    same(bucket.head_object("k").headers["x-oss-server-side-encryption"], "AES256")


def chunk(kind, data):
    body = kind + data
    return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")


# A PNG of one red pixel.
PIXEL = (
    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0")
    + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + chunk(b"IEND", b"")
)
PEOPLE = b"name,age,city\nAnn,30,Ulm\nBob,41,Bonn\nCid,25,Ulm\n"


@check("SelectObject")
def csv_is_selected(bucket):
    bucket.put_object("k", PEOPLE)
    sql = "select name from ossobject where city = 'Ulm'"
    same(bucket.select_object("k", sql, None, {"CsvHeaderInfo": "Use"}).read(), b"Ann\nCid\n")


@check("SelectObject")
def csv_is_selected_into_files(bucket, folder):
    bucket.put_object("k", PEOPLE)
    path = os.path.join(folder, "found")
    bucket.select_object_to_file("k", path, "select _1 from ossobject limit 2", None, {"CsvHeaderInfo": "Ignore"})
    same(read_file(path), b"Ann\nBob\n")


@check("SelectObject")
def json_lines_are_selected(bucket):
    bucket.put_object("k", b'{"name":"Ann","age":30}\n{"name":"Bob","age":41}\n')
    found = bucket.select_object("k", "select name from ossobject where age > 35", None, {"Json_Type": "LINES"})
    same(json.loads(found.read()), {"name": "Bob"})


@check("CreateSelectObjectMeta")
def lines_and_columns_are_counted(bucket):
    bucket.put_object("k", PEOPLE)
    meta = bucket.create_select_object_meta("k", {"RecordDelimiter": "\n"})
    same(meta.rows, 4)


@check("GetObject")
def images_are_described(bucket):
    bucket.put_object("a.png", PIXEL)
    found = json.loads(content(bucket, "a.png", process="image/info"))
    same((found["ImageWidth"]["value"], found["Format"]["value"]), ("1", "png"))


@check("ProcessObject")
def processed_images_are_saved(bucket):
    bucket.put_object("a.png", PIXEL)
    name = base64.urlsafe_b64encode(b"saved.png").decode()
    done = bucket.process_object("a.png", f"image/resize,w_4|sys/saveas,o_{name}")
    same((done.object, done.process_status), ("saved.png", "OK"))


@check("PutObject", "GetObject")
def client_side_encryption(bucket):
    from Crypto.PublicKey import RSA

    keys = RSA.generate(1024)
    pair = oss2.crypto.RsaProvider(
        {"private_key": keys.export_key().decode(), "public_key": keys.publickey().export_key().decode()}
    )
    secret = oss2.CryptoBucket(
        bucket.auth, bucket.endpoint, bucket.bucket_name, pair, region=bucket.region
    )
    secret.put_object("k", b"for my eyes only")
    holds(content(bucket) != b"for my eyes only", "it is not encrypted")
    same(content(secret), b"for my eyes only")

