"""Who may do what: wrong keys, anonymous requests, temporary credentials, policies, referers, CORS, websites, forms."""

import base64
import datetime
import hashlib
import hmac
import json
import urllib.parse
import uuid

import alibabacloud_oss_v2 as oss

from checks import (
    ACCESS_KEY_ID, ACCESS_KEY_SECRET, ACCOUNT_ID, ENDPOINT, REGION, ROLE, holds, http, post_form, same,
)

from .base import check, client, content, get, put, refused


def anonymous():
    return client(provider=oss.credentials.AnonymousCredentialsProvider())


@check("ListBuckets", "PutObject")
def wrong_secrets_are_refused(bucket):
    error = refused(
        403, "SignatureDoesNotMatch", lambda: client(secret="wrong").list_buckets(oss.ListBucketsRequest())
    )
    holds(error.message, "no message")
    refused(403, "SignatureDoesNotMatch", lambda: put(client(secret="wrong"), bucket))


@check("ListBuckets")
def unknown_keys_are_refused():
    refused(403, "InvalidAccessKeyId", lambda: client(key="nobody").list_buckets(oss.ListBucketsRequest()))


@check("ListBuckets", versions=("v4",))
def other_regions_are_refused():
    try:
        client(region="cn-beijing").list_buckets(oss.ListBucketsRequest())
    except oss.exceptions.OperationError as error:
        holds(error.unwrap().code in ("InvalidArgument", "SignatureDoesNotMatch"), error)
    else:
        raise AssertionError("a signature of another region was accepted")


@check("GetObject", "PutObject")
def strangers_need_an_acl(service, bucket):
    put(service, bucket)
    refused(403, "AccessDenied", lambda: get(anonymous(), bucket))
    service.put_object_acl(oss.PutObjectAclRequest(bucket=bucket, key="k", acl="public-read"))
    same(content(anonymous(), bucket), b"0123456789")
    refused(403, "AccessDenied", lambda: put(anonymous(), bucket))
    service.put_bucket_acl(oss.PutBucketAclRequest(bucket=bucket, acl="public-read-write"))
    put(anonymous(), bucket, "by anyone", b"x")
    same(content(service, bucket, "by anyone"), b"x")
    refused(
        403, "AccessDenied",
        lambda: anonymous().put_bucket_acl(oss.PutBucketAclRequest(bucket=bucket, acl="private")),
    )


def assume_role(policy=None):
    """Temporary credentials from STS, asked for as its RPC protocol has it."""
    parameters = {
        "Action": "AssumeRole", "Version": "2015-04-01", "Format": "JSON", "RoleArn": ROLE,
        "RoleSessionName": "interop", "AccessKeyId": ACCESS_KEY_ID, "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0", "SignatureNonce": uuid.uuid4().hex,
        "Timestamp": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if policy is not None:
        parameters["Policy"] = json.dumps(policy)

    def quote(text):
        return urllib.parse.quote(text, safe="-_.~")

    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in sorted(parameters.items()))
    digest = hmac.new((ACCESS_KEY_SECRET + "&").encode(), f"GET&%2F&{quote(query)}".encode(), hashlib.sha1)
    signature = quote(base64.b64encode(digest.digest()).decode())
    answer = http("GET", f"{ENDPOINT}/?{query}&Signature={signature}")
    same((answer.status, answer.body[:2000] if answer.status != 200 else b""), (200, b""))
    return json.loads(answer.body)["Credentials"]


def with_token(credentials, **settings):
    return client(
        key=credentials["AccessKeyId"], secret=credentials["AccessKeySecret"], token=credentials["SecurityToken"],
        **settings,
    )


# With V1 this client sends the token in a header of another name.
@check("PutObject", "GetObject", "ListObjectsV2", versions=("v4",))
def temporary_credentials(bucket):
    credentials = assume_role()
    service = with_token(credentials)
    put(service, bucket)
    same(content(service, bucket), b"0123456789")
    same(len(service.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket)).contents), 1)
    signed = service.presign(oss.GetObjectRequest(bucket=bucket, key="k"))
    holds("oss-security-token" in signed.url or "security-token" in signed.url, "no token in the URL")
    same(http("GET", signed.url).body, b"0123456789")
    credentials["SecurityToken"] += "x"
    refused(403, "InvalidSecurityToken", lambda: get(with_token(credentials), bucket))


@check("PutObject", "GetObject", versions=("v4",))
def temporary_credentials_with_less_rights(service, bucket):
    put(service, bucket)
    reader = with_token(assume_role({
        "Version": "1",
        "Statement": [{
            "Effect": "Allow", "Action": ["oss:GetObject"], "Resource": [f"acs:oss:*:*:{bucket}/*"],
        }],
    }))
    same(content(reader, bucket), b"0123456789")
    refused(403, "AccessDenied", lambda: put(reader, bucket))
    refused(403, "AccessDenied", lambda: reader.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket)))


def statement(bucket, **members):
    return json.dumps({
        "Version": "1",
        "Statement": [{
            "Effect": "Allow", "Action": ["oss:GetObject"], "Principal": ["*"],
            "Resource": [f"acs:oss:*:{ACCOUNT_ID}:{bucket}/open/*"], **members,
        }],
    })


@check("PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy", "GetBucketPolicyStatus")
def bucket_policies_let_strangers_in(service, bucket):
    put(service, bucket, "open/door")
    put(service, bucket, "shut/door")
    policy = statement(bucket)
    service.put_bucket_policy(oss.PutBucketPolicyRequest(bucket=bucket, body=policy))
    same(json.loads(service.get_bucket_policy(oss.GetBucketPolicyRequest(bucket=bucket)).body), json.loads(policy))
    same(content(anonymous(), bucket, "open/door"), b"0123456789")
    refused(403, "AccessDenied", lambda: get(anonymous(), bucket, "shut/door"))
    found = service.get_bucket_policy_status(oss.GetBucketPolicyStatusRequest(bucket=bucket))
    same(found.policy_status.is_public, True)
    service.delete_bucket_policy(oss.DeleteBucketPolicyRequest(bucket=bucket))
    refused(403, "AccessDenied", lambda: get(anonymous(), bucket, "open/door"))
    refused(
        404, "NoSuchBucketPolicy", lambda: service.get_bucket_policy(oss.GetBucketPolicyRequest(bucket=bucket))
    )


@check("PutBucketPolicy")
def bucket_policies_shut_doors(service, bucket):
    service.put_bucket_acl(oss.PutBucketAclRequest(bucket=bucket, acl="public-read"))
    put(service, bucket, "open/door")
    same(content(anonymous(), bucket, "open/door"), b"0123456789")
    policy = statement(bucket, Effect="Deny")
    service.put_bucket_policy(oss.PutBucketPolicyRequest(bucket=bucket, body=policy))
    refused(403, "AccessDenied", lambda: get(anonymous(), bucket, "open/door"))


@check("PutBucketPolicy")
def wrong_policies_are_refused(service, bucket):
    for body in ("no JSON", '{"Version":"1"}', statement(bucket, Effect="Perhaps")):
        try:
            service.put_bucket_policy(oss.PutBucketPolicyRequest(bucket=bucket, body=body))
        except oss.exceptions.OperationError as error:
            same(error.unwrap().status_code, 400)
        else:
            raise AssertionError(f"{body} was accepted")


@check("PutBucketReferer")
def referers_are_judged(service, bucket):
    service.put_bucket_acl(oss.PutBucketAclRequest(bucket=bucket, acl="public-read"))
    put(service, bucket)
    service.put_bucket_referer(
        oss.PutBucketRefererRequest(
            bucket=bucket,
            referer_configuration=oss.RefererConfiguration(
                allow_empty_referer=False, referer_list=oss.RefererList(referers=["http://*.example.com"])
            ),
        )
    )
    url = f"{ENDPOINT}/{bucket}/k"
    same(http("GET", url, headers={"Referer": "http://www.example.com/page"}).status, 200)
    same(http("GET", url, headers={"Referer": "http://www.example.net/page"}).status, 403)
    same(http("GET", url).status, 403)


CORS = dict(
    allowed_origins=["https://*.example.com"], allowed_methods=["GET", "PUT"], allowed_headers=["x-oss-*"],
    expose_headers=["ETag", "x-oss-request-id"], max_age_seconds=600,
)


def put_cors(service, bucket, **members):
    configuration = oss.CORSConfiguration(cors_rules=[oss.CORSRule(**CORS)], **members)
    service.put_bucket_cors(oss.PutBucketCorsRequest(bucket=bucket, cors_configuration=configuration))


@check("OptionObject", "PutBucketCors")
def browsers_ask_first(service, bucket):
    put_cors(service, bucket)

    def ask(origin, method="PUT", headers="x-oss-test"):
        return service.option_object(
            oss.OptionObjectRequest(
                bucket=bucket, key="k", origin=origin, access_control_request_method=method,
                access_control_request_headers=headers,
            )
        )

    found = ask("https://www.example.com")
    same(found.access_control_allow_origin, "https://www.example.com")
    holds("PUT" in found.access_control_allow_methods, found.access_control_allow_methods)
    holds("x-oss-test" in found.access_control_allow_headers, found.access_control_allow_headers)
    same(str(found.access_control_max_age), "600")
    refused(403, "AccessForbidden", lambda: ask("https://www.example.net"))
    refused(403, "AccessForbidden", lambda: ask("https://www.example.com", "DELETE"))
    refused(403, "AccessForbidden", lambda: ask("https://www.example.com", headers="x-other"))


@check("GetObject", "PutBucketCors")
def answers_to_browsers_have_cors_headers(service, bucket):
    put_cors(service, bucket, response_vary=True)
    put(service, bucket, acl="public-read")
    url = f"{ENDPOINT}/{bucket}/k"
    answer = http("GET", url, headers={"Origin": "https://www.example.com"})
    same(answer.headers["Access-Control-Allow-Origin"], "https://www.example.com")
    holds("ETag" in answer.headers["Access-Control-Expose-Headers"], "no exposed headers")
    same(answer.headers["Vary"], "Origin")
    answer = http("GET", url, headers={"Origin": "https://www.example.net"})
    same((answer.status, answer.headers["Access-Control-Allow-Origin"]), (200, None))


def website(service, bucket, **members):
    service.put_bucket_website(
        oss.PutBucketWebsiteRequest(
            bucket=bucket,
            website_configuration=oss.WebsiteConfiguration(
                index_document=oss.IndexDocument(suffix="index.html"),
                error_document=oss.ErrorDocument(key="error.html"), **members,
            ),
        )
    )


@check("PutBucketWebsite")
def websites_are_served(service, bucket):
    service.put_bucket_acl(oss.PutBucketAclRequest(bucket=bucket, acl="public-read"))
    put(service, bucket, "index.html", b"the index")
    put(service, bucket, "error.html", b"an error")
    website(service, bucket)
    port = ENDPOINT.rsplit(":", 1)[1]
    at_domain = {"Host": f"{bucket}.localhost:{port}"}
    answer = http("GET", f"{ENDPOINT}/", headers=at_domain)
    same((answer.status, answer.body), (200, b"the index"))
    answer = http("GET", f"{ENDPOINT}/absent.html", headers=at_domain)
    same((answer.status, answer.body), (404, b"an error"))


def form_fields(bucket, key, policy):
    """Fields of a form with a signature of version 4."""
    now = datetime.datetime.now(datetime.timezone.utc)
    date, time = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
    credential = f"{ACCESS_KEY_ID}/{date}/{REGION}/oss/aliyun_v4_request"
    policy = {
        "expiration": (now + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "conditions": [
            {"bucket": bucket}, {"x-oss-signature-version": "OSS4-HMAC-SHA256"}, {"x-oss-credential": credential},
            {"x-oss-date": time}, *policy,
        ],
    }
    text = base64.b64encode(json.dumps(policy).encode()).decode()
    signing = ("aliyun_v4" + ACCESS_KEY_SECRET).encode()
    for part in (date, REGION, "oss", "aliyun_v4_request", text):
        signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
    return {
        "key": key, "policy": text, "x-oss-signature-version": "OSS4-HMAC-SHA256", "x-oss-credential": credential,
        "x-oss-date": time, "x-oss-signature": signing.hex(),
    }


@check("PutObject", versions=("v4",))
def forms_are_posted(service, bucket):
    fields = form_fields(bucket, "forms/${filename}", [["starts-with", "$key", "forms/"], ["content-length-range", 1, 20]])
    answer = post_form(f"{ENDPOINT}/{bucket}", {**fields, "success_action_status": "201"}, b"by a form", "a.txt")
    same(answer.status, 201)
    holds(b"<Key>forms/a.txt</Key>" in answer.body, answer.body)
    same(content(service, bucket, "forms/a.txt"), b"by a form")
    answer = post_form(f"{ENDPOINT}/{bucket}", fields, b"more than twenty bytes of content")
    same((answer.status, b"EntityTooLarge" in answer.body), (400, True))
    answer = post_form(f"{ENDPOINT}/{bucket}", {**fields, "key": "elsewhere"}, b"x")
    same((answer.status, b"AccessDenied" in answer.body), (403, True))
    answer = post_form(f"{ENDPOINT}/{bucket}", {**fields, "x-oss-signature": "0" * 64}, b"x")
    same((answer.status, b"SignatureDoesNotMatch" in answer.body), (403, True))
