"""Agentic buckets and their settings."""

import functools
import json
import uuid

import alibabacloud_oss_v2 as oss
import alibabacloud_oss_v2.agentic as agentic

from checks import ACCOUNT_ID, same

from .base import check, config, refused

models = agentic.models


def agentic_client():
    return agentic.AgenticBucketClient(config())


def disable(service, bucket):
    """Makes a bucket one that can be deleted."""
    service.put_agentic_bucket_status(
        models.PutAgenticBucketStatusRequest(
            bucket=bucket, agentic_bucket_status=models.AgenticBucketStatus(status="Disabled")
        )
    )


def agentic_bucket():
    service = agentic_client()
    # The full name has the account and the region behind it.
    name = "ai-" + uuid.uuid4().hex[:8]
    service.create_agentic_bucket(models.CreateAgenticBucketRequest(bucket=name))
    # Only one that was disabled for a day can be deleted.
    yield name


check.fixtures.update(agents=agentic_client, agentic_bucket=agentic_bucket)


@check(
    "agentic/CreateAgenticBucket", "agentic/GetAgenticBucket", "agentic/ListAgenticBuckets",
    "agentic/DeleteAgenticBucket",
)
def agentic_buckets(agents, agentic_bucket):
    info = agents.get_agentic_bucket(models.GetAgenticBucketRequest(bucket=agentic_bucket)).agentic_bucket_info
    same((info.name.startswith(agentic_bucket), info.owner), (True, ACCOUNT_ID))
    listed = agents.list_agentic_buckets(models.ListAgenticBucketsRequest()).agentic_buckets
    same([entry.name for entry in listed if entry.name.startswith(agentic_bucket)], [info.name])
    # It has to rest for a day between the two.
    delete = functools.partial(agents.delete_agentic_bucket, models.DeleteAgenticBucketRequest(bucket=agentic_bucket))
    refused(409, "AgenticBucketNotDisabled", delete)
    disable(agents, agentic_bucket)
    refused(409, "AgenticBucketNotReady", delete)
    missing = models.GetAgenticBucketRequest(bucket="missing")
    refused(404, "AgenticBucketNotFound", lambda: agents.get_agentic_bucket(missing))


@check("agentic/PutAgenticBucketStatus", "agentic/ListBucketSpaces")
def status_and_spaces(agents, agentic_bucket):
    found = agents.list_bucket_spaces(models.ListBucketSpacesRequest(bucket=agentic_bucket))
    same(found.bucket_spaces or [], [])
    disable(agents, agentic_bucket)
    info = agents.get_agentic_bucket(models.GetAgenticBucketRequest(bucket=agentic_bucket)).agentic_bucket_info
    same(info.status, "Disabled")


@check("agentic/PutAgenticBucketAcl", "agentic/GetAgenticBucketAcl")
def acls_of_agentic_buckets(agents, agentic_bucket):
    agents.delete_agentic_bucket_public_access_block(
        models.DeleteAgenticBucketPublicAccessBlockRequest(bucket=agentic_bucket)
    )
    agents.put_agentic_bucket_acl(models.PutAgenticBucketAclRequest(bucket=agentic_bucket, acl="public-read"))
    same(agents.get_agentic_bucket_acl(models.GetAgenticBucketAclRequest(bucket=agentic_bucket)).acl, "public-read")


@check("agentic/PutAgenticBucketVersioning", "agentic/GetAgenticBucketVersioning")
def versioning_of_agentic_buckets(agents, agentic_bucket):
    agents.put_agentic_bucket_versioning(
        models.PutAgenticBucketVersioningRequest(
            bucket=agentic_bucket, versioning_configuration=models.VersioningConfiguration(status="Enabled")
        )
    )
    found = agents.get_agentic_bucket_versioning(models.GetAgenticBucketVersioningRequest(bucket=agentic_bucket))
    same(found.version_status, "Enabled")


@check(
    "agentic/PutAgenticBucketEncryption", "agentic/GetAgenticBucketEncryption",
    "agentic/DeleteAgenticBucketEncryption",
)
def encryption_of_agentic_buckets(agents, agentic_bucket):
    rule = oss.ServerSideEncryptionRule(
        apply_server_side_encryption_by_default=oss.ApplyServerSideEncryptionByDefault(sse_algorithm="AES256")
    )
    agents.put_agentic_bucket_encryption(
        models.PutAgenticBucketEncryptionRequest(bucket=agentic_bucket, server_side_encryption_rule=rule)
    )
    found = agents.get_agentic_bucket_encryption(
        models.GetAgenticBucketEncryptionRequest(bucket=agentic_bucket)
    ).server_side_encryption_rule
    same(found.apply_server_side_encryption_by_default.sse_algorithm, "AES256")
    agents.delete_agentic_bucket_encryption(models.DeleteAgenticBucketEncryptionRequest(bucket=agentic_bucket))


@check("agentic/PutAgenticBucketPolicy", "agentic/GetAgenticBucketPolicy", "agentic/DeleteAgenticBucketPolicy")
def policies_of_agentic_buckets(agents, agentic_bucket):
    policy = json.dumps({"Version": "1", "Statement": [{
        "Effect": "Allow", "Action": ["oss:GetObject"], "Principal": ["1234567890"],
        "Resource": [f"acs:oss:*:{ACCOUNT_ID}:*"],
    }]})
    agents.put_agentic_bucket_policy(models.PutAgenticBucketPolicyRequest(bucket=agentic_bucket, body=policy.encode()))
    found = agents.get_agentic_bucket_policy(models.GetAgenticBucketPolicyRequest(bucket=agentic_bucket)).body
    same(json.loads(found), json.loads(policy))
    agents.delete_agentic_bucket_policy(models.DeleteAgenticBucketPolicyRequest(bucket=agentic_bucket))


@check(
    "agentic/PutAgenticBucketPublicAccessBlock", "agentic/GetAgenticBucketPublicAccessBlock",
    "agentic/DeleteAgenticBucketPublicAccessBlock",
)
def agentic_buckets_block_public_access(agents, agentic_bucket):
    agents.put_agentic_bucket_public_access_block(
        models.PutAgenticBucketPublicAccessBlockRequest(
            bucket=agentic_bucket,
            public_access_block_configuration=models.PublicAccessBlockConfiguration(block_public_access=True),
        )
    )
    found = agents.get_agentic_bucket_public_access_block(
        models.GetAgenticBucketPublicAccessBlockRequest(bucket=agentic_bucket)
    )
    same(found.public_access_block_configuration.block_public_access, True)
    agents.delete_agentic_bucket_public_access_block(
        models.DeleteAgenticBucketPublicAccessBlockRequest(bucket=agentic_bucket)
    )


@check(
    "agentic/PutAgenticBucketStorageQuota", "agentic/GetAgenticBucketStorageQuota",
    "agentic/DeleteAgenticBucketStorageQuota",
)
def quotas_of_agentic_buckets(agents, agentic_bucket):
    agents.put_agentic_bucket_storage_quota(
        models.PutAgenticBucketStorageQuotaRequest(
            bucket=agentic_bucket, quota_configuration=models.QuotaConfiguration(storage_quota=1024, mode="Strict")
        )
    )
    found = agents.get_agentic_bucket_storage_quota(
        models.GetAgenticBucketStorageQuotaRequest(bucket=agentic_bucket)
    ).quota_configuration
    same(int(found.storage_quota), 1024)
    agents.delete_agentic_bucket_storage_quota(
        models.DeleteAgenticBucketStorageQuotaRequest(bucket=agentic_bucket)
    )
