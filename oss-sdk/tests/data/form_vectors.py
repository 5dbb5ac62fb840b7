"""Computes form-vectors.json: policies and signatures of upload forms, by hashlib, hmac and json alone.

    python3 form_vectors.py > form-vectors.json
"""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta, timezone

ID, SECRET = "LTAI5tTestAccessKeyId01", "TestAccessKeySecret0123456789ab"
TOKEN = "CAIStest/token+with=special&chars=="
TIME = "2023-12-17T16:20:57Z"

CASES = [
    {"name": "key", "key": "a/b.txt", "seconds": 600},
    {
        "name": "everything",
        "prefix": "user/eric/",
        "content_length": [1, 10485760],
        "conditions": [
            ["in", "x-oss-content-type", ["image/png", "image/jpeg"]],
            ["starts-with", "x-oss-meta-tag", "t-"],
            ["not-in", "Cache-Control", ["no-cache"]],
        ],
        "fields": [["success_action_status", "201"], ["x-oss-meta-who", "me"], ["x:var", "1"]],
        "seconds": 3600,
    },
    {"name": "temporary credentials", "prefix": "", "token": TOKEN, "seconds": 900},
    {
        "name": "text that json escapes",
        "key": "quote\"back\\slash/日本 ü&<>/$x.txt",
        "fields": [["x-oss-meta-note", "a\"},{\"b\\"]],
        "seconds": 1,
    },
    {"name": "the longest time", "key": "k", "seconds": 604800},
    {"name": "another region", "key": "k", "region": "us-west-1", "seconds": 60},
]


def mac(key, text, digest):
    return hmac.new(key, text.encode(), digest).digest()


def sign(case, version):
    now = datetime.strptime(TIME, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    region, token = case.get("region", "cn-hangzhou"), case.get("token")
    conditions = [{"bucket": "examplebucket"}]
    if "key" in case:
        conditions.append(["eq", "$key", case["key"]])
        key = case["key"]
    else:
        conditions.append(["starts-with", "$key", case["prefix"]])
        key = case["prefix"] + "${filename}"
    if "content_length" in case:
        conditions.append(["content-length-range", *case["content_length"]])
    conditions += [[operator, "$" + field, operand] for operator, field, operand in case.get("conditions", [])]
    conditions += [["eq", "$" + name, value] for name, value in case.get("fields", [])]
    fields = [["key", key], *case.get("fields", [])]
    date, stamp = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
    bound = []
    if version == "v4":
        bound = [
            ["x-oss-signature-version", "OSS4-HMAC-SHA256"],
            ["x-oss-credential", f"{ID}/{date}/{region}/oss/aliyun_v4_request"],
            ["x-oss-date", stamp],
        ]
        bound += [["x-oss-security-token", token]] if token else []
        conditions += [{name: value} for name, value in bound]
    expiration = (now + timedelta(seconds=case["seconds"])).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    text = json.dumps(
        {"expiration": expiration, "conditions": conditions}, ensure_ascii=False, separators=(",", ":")
    )
    policy = base64.b64encode(text.encode()).decode()
    fields.append(["policy", policy])
    if version == "v4":
        secret = ("aliyun_v4" + SECRET).encode()
        for part in (date, region, "oss", "aliyun_v4_request"):
            secret = mac(secret, part, hashlib.sha256)
        fields += bound + [["x-oss-signature", mac(secret, policy, hashlib.sha256).hex()]]
    else:
        signature = base64.b64encode(mac(SECRET.encode(), policy, hashlib.sha1)).decode()
        fields += [["OSSAccessKeyId", ID]]
        fields += [["x-oss-security-token", token]] if token else []
        fields += [["Signature", signature]]
    facts = {"version": version, "bucket": "examplebucket", "region": region, "time": TIME}
    keys = {"access_key_id": ID, "access_key_secret": SECRET}
    url = f"https://examplebucket.oss-{region}.aliyuncs.com/"
    expect = {"url": url, "expiration": expiration, "policy": text, "fields": fields}
    return {**case, **facts, **keys, "expect": expect}


vectors = [sign(case, version) for version in ("v4", "v1") for case in CASES]
print(json.dumps(vectors, ensure_ascii=False, indent=1))
