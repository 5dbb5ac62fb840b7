"""What keeps objects from being changed: bucket WORM, retention, legal hold."""

import datetime

import alibabacloud_oss_v2 as oss

from checks import holds, same

from .base import check, put, refused


def initiate(service, bucket, days=1):
    return service.initiate_bucket_worm(
        oss.InitiateBucketWormRequest(
            bucket=bucket,
            initiate_worm_configuration=oss.InitiateWormConfiguration(retention_period_in_days=days),
        )
    ).worm_id


def state(service, bucket):
    return service.get_bucket_worm(oss.GetBucketWormRequest(bucket=bucket)).worm_configuration


@check("InitiateBucketWorm", "GetBucketWorm", "AbortBucketWorm")
def bucket_worm_begins_and_is_aborted(service, bucket):
    worm_id = initiate(service, bucket)
    found = state(service, bucket)
    same((found.worm_id, found.state, found.retention_period_in_days), (worm_id, "InProgress", 1))
    holds(found.creation_date, "no date")
    service.abort_bucket_worm(oss.AbortBucketWormRequest(bucket=bucket))
    refused(404, "NoSuchWORMConfiguration", lambda: state(service, bucket))


@check("InitiateBucketWorm", "CompleteBucketWorm", "ExtendBucketWorm")
def bucket_worm_is_locked_and_extended(service, bucket):
    worm_id = initiate(service, bucket)
    put(service, bucket)
    service.complete_bucket_worm(oss.CompleteBucketWormRequest(bucket=bucket, worm_id=worm_id))
    same(state(service, bucket).state, "Locked")
    refused(409, "FileImmutable", lambda: put(service, bucket, body=b"changed"))
    refused(
        409, "FileImmutable", lambda: service.delete_object(oss.DeleteObjectRequest(bucket=bucket, key="k"))
    )
    refused(403, "WORMConfigurationLocked", lambda: service.abort_bucket_worm(oss.AbortBucketWormRequest(bucket=bucket)))
    service.extend_bucket_worm(
        oss.ExtendBucketWormRequest(
            bucket=bucket, worm_id=worm_id,
            extend_worm_configuration=oss.ExtendWormConfiguration(retention_period_in_days=3),
        )
    )
    same(state(service, bucket).retention_period_in_days, 3)


def enable_object_worm(service, bucket, rule=None):
    service.put_bucket_object_worm_configuration(
        oss.PutBucketObjectWormConfigurationRequest(
            bucket=bucket,
            object_worm_configuration=oss.ObjectWormConfiguration(object_worm_enabled="Enabled", rule=rule),
        )
    )


@check("PutBucketObjectWormConfiguration", "GetBucketObjectWormConfiguration")
def object_worm_is_configured(service, versioned):
    rule = oss.ObjectWormConfigurationRule(
        default_retention=oss.ObjectWormConfigurationRuleDefaultRetention(mode="GOVERNANCE", days=1)
    )
    enable_object_worm(service, versioned, rule)
    found = service.get_bucket_object_worm_configuration(
        oss.GetBucketObjectWormConfigurationRequest(bucket=versioned)
    ).object_worm_configuration
    same(found.object_worm_enabled, "Enabled")
    same((found.rule.default_retention.mode, found.rule.default_retention.days), ("GOVERNANCE", 1))


@check("PutObjectRetention", "GetObjectRetention")
def retention_protects_versions(service, versioned):
    enable_object_worm(service, versioned)
    version = put(service, versioned).version_id
    where = {"bucket": versioned, "key": "k", "version_id": version}
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)
    until = until.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    service.put_object_retention(
        oss.PutObjectRetentionRequest(
            retention=oss.Retention(mode="GOVERNANCE", retain_until_date=until), **where
        )
    )
    found = service.get_object_retention(oss.GetObjectRetentionRequest(**where)).retention
    same(found.mode, "GOVERNANCE")
    same(str(found.retain_until_date)[:16], until[:16])
    try:
        service.delete_object(oss.DeleteObjectRequest(**where))
    except oss.exceptions.OperationError as error:
        same(error.unwrap().status_code in (403, 409), True)
    else:
        raise AssertionError("a retained version was deleted")
    service.delete_object(oss.DeleteObjectRequest(bypass_governance_retention=True, **where))


@check("PutObjectLegalHold", "GetObjectLegalHold")
def legal_hold_protects_versions(service, versioned):
    enable_object_worm(service, versioned)
    version = put(service, versioned).version_id
    where = {"bucket": versioned, "key": "k", "version_id": version}
    for status in ("ON", "OFF"):
        service.put_object_legal_hold(
            oss.PutObjectLegalHoldRequest(legal_hold=oss.LegalHold(status=status), **where)
        )
        same(service.get_object_legal_hold(oss.GetObjectLegalHoldRequest(**where)).legal_hold.status, status)
        if status == "ON":
            try:
                service.delete_object(oss.DeleteObjectRequest(**where))
            except oss.exceptions.OperationError as error:
                same(error.unwrap().status_code in (403, 409), True)
            else:
                raise AssertionError("a version on hold was deleted")
    service.delete_object(oss.DeleteObjectRequest(**where))
