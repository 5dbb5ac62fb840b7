"""Settings of buckets and of the account: what was put is got, listed and deleted."""

import json
import time

from oss2 import models
import oss2

from checks import ACCOUNT_ID, REGION, ROLE, holds, http, same, wait_until

from .base import bucket_named, check, content, refused


def gone(call):
    """Makes sure that something is not found."""
    try:
        call()
    except oss2.exceptions.OssError as error:
        if error.status == 501:
            raise
        same(error.status, 404)
    else:
        raise AssertionError("it is still there")


@check("PutBucketCors", "GetBucketCors", "DeleteBucketCors")
def cors(bucket):
    rule = models.CorsRule(["*"], ["GET", "HEAD"], ["*"], ["ETag"], 60)
    bucket.put_bucket_cors(models.BucketCors([rule]))
    found = bucket.get_bucket_cors().rules[0]
    same((found.allowed_origins, found.allowed_methods, found.max_age_seconds), (["*"], ["GET", "HEAD"], 60))
    bucket.delete_bucket_cors()
    refused(404, "NoSuchCORSConfiguration", bucket.get_bucket_cors)


@check("PutBucketLifecycle", "GetBucketLifecycle", "DeleteBucketLifecycle")
def lifecycle(bucket):
    rule = models.LifecycleRule(
        "rule", "logs/", expiration=models.LifecycleExpiration(days=30),
        abort_multipart_upload=models.AbortMultipartUpload(days=3),
        storage_transitions=[models.StorageTransition(days=10, storage_class="IA")],
    )
    bucket.put_bucket_lifecycle(models.BucketLifecycle([rule]))
    found = bucket.get_bucket_lifecycle().rules[0]
    same((found.id, found.prefix, found.status, found.expiration.days), ("rule", "logs/", "Enabled", 30))
    same((found.abort_multipart_upload.days, found.storage_transitions[0].storage_class), (3, "IA"))
    bucket.delete_bucket_lifecycle()
    refused(404, "NoSuchLifecycle", bucket.get_bucket_lifecycle)


@check("PutBucketLifecycle", "GetBucketLifecycle")
def lifecycle_of_versions(bucket):
    rule = models.LifecycleRule(
        "rule", "", expiration=models.LifecycleExpiration(expired_detete_marker=True),
        noncurrent_version_expiration=models.NoncurrentVersionExpiration(5),
    )
    bucket.put_bucket_lifecycle(models.BucketLifecycle([rule]))
    found = bucket.get_bucket_lifecycle().rules[0]
    same((found.noncurrent_version_expiration.noncurrent_days, found.expiration.expired_detete_marker), (5, True))


@check("PutBucketWebsite", "GetBucketWebsite", "DeleteBucketWebsite")
def website(bucket):
    rule = models.RoutingRule(
        1, models.Condition(key_prefix_equals="old/", http_err_code_return_equals=404),
        models.Redirect(
            redirect_type="External", proto="https", host_name="example.com", replace_key_prefix_with="new/",
            http_redirect_code=302,
        ),
    )
    bucket.put_bucket_website(models.BucketWebsite("index.html", "error.html", [rule]))
    found = bucket.get_bucket_website()
    same((found.index_file, found.error_file), ("index.html", "error.html"))
    same((found.rules[0].condition.key_prefix_equals, found.rules[0].redirect.host_name), ("old/", "example.com"))
    bucket.delete_bucket_website()
    refused(404, "NoSuchWebsiteConfiguration", bucket.get_bucket_website)


@check("PutBucketReferer", "GetBucketReferer")
def referer(bucket):
    bucket.put_bucket_referer(models.BucketReferer(False, ["http://www.example.com", "http://*.example.net"]))
    found = bucket.get_bucket_referer()
    same((found.allow_empty_referer, found.referers), (False, ["http://www.example.com", "http://*.example.net"]))


@check("PutBucketReferer", "GetObject")
def referers_are_judged(bucket):
    bucket.put_object("k", b"x", headers={"x-oss-object-acl": "public-read"})
    bucket.put_bucket_referer(models.BucketReferer(True, ["http://www.example.com"]))
    stranger = bucket_named(bucket.bucket_name, oss2.AnonymousAuth())
    same(content(stranger, headers={"Referer": "http://www.example.com"}), b"x")
    refused(403, "AccessDenied", lambda: stranger.get_object("k", headers={"Referer": "http://www.example.net"}))


@check("PutBucketLogging", "GetBucketLogging", "DeleteBucketLogging")
def logging(bucket, other):
    bucket.put_bucket_logging(models.BucketLogging(other.bucket_name, "logs/"))
    found = bucket.get_bucket_logging()
    same((found.target_bucket, found.target_prefix), (other.bucket_name, "logs/"))
    bucket.delete_bucket_logging()
    same(bucket.get_bucket_logging().target_bucket or "", "")


@check("PutBucketEncryption", "GetBucketEncryption", "DeleteBucketEncryption")
def encryption(bucket):
    bucket.put_bucket_encryption(models.ServerSideEncryptionRule("AES256"))
    same(bucket.get_bucket_encryption().sse_algorithm, "AES256")
    bucket.delete_bucket_encryption()
    refused(404, "NoSuchServerSideEncryptionRule", bucket.get_bucket_encryption)


@check("PutBucketTags", "GetBucketTags", "DeleteBucketTags")
def tags(bucket):
    rule = models.TaggingRule()
    rule.add("a", "1")
    bucket.put_bucket_tagging(models.Tagging(rule))
    same(bucket.get_bucket_tagging().tag_set.tagging_rule, {"a": "1"})
    bucket.delete_bucket_tagging()
    same(bucket.get_bucket_tagging().tag_set.tagging_rule, {})


@check("PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy")
def policies(bucket):
    policy = {
        "Version": "1",
        "Statement": [{
            "Effect": "Allow", "Action": ["oss:GetObject"], "Principal": ["*"],
            "Resource": [f"acs:oss:*:{ACCOUNT_ID}:{bucket.bucket_name}/*"],
        }],
    }
    bucket.put_bucket_policy(json.dumps(policy))
    same(json.loads(bucket.get_bucket_policy().policy), policy)
    bucket.put_object("k", b"x")
    same(content(bucket_named(bucket.bucket_name, oss2.AnonymousAuth())), b"x")
    bucket.delete_bucket_policy()
    refused(404, "NoSuchBucketPolicy", bucket.get_bucket_policy)


@check("PutBucketRequestPayment", "GetBucketRequestPayment")
def request_payment(bucket):
    same(bucket.get_bucket_request_payment().payer, "BucketOwner")
    bucket.put_bucket_request_payment(models.PAYER_REQUESTER)
    same(bucket.get_bucket_request_payment().payer, "Requester")


def inventory_of(bucket, name):
    destination = models.InventoryBucketDestination(
        account_id=ACCOUNT_ID, role_arn=ROLE, bucket=bucket.bucket_name, inventory_format="CSV", prefix="reports"
    )
    return models.InventoryConfiguration(
        inventory_id=name, is_enabled=True, included_object_versions="Current",
        inventory_filter=models.InventoryFilter(prefix="data/"),
        inventory_destination=models.InventoryDestination(bucket_destination=destination),
        inventory_schedule=models.InventorySchedule("Daily"), optional_fields=["Size", "ETag"],
    )


@check("PutBucketInventory", "GetBucketInventory", "ListBucketInventory", "DeleteBucketInventory")
def inventory(bucket):
    for name in ("one", "two"):
        bucket.put_bucket_inventory_configuration(inventory_of(bucket, name))
    found = bucket.get_bucket_inventory_configuration("one")
    same((found.inventory_id, found.is_enabled, found.inventory_filter.prefix), ("one", True, "data/"))
    same((found.inventory_schedule.frequency, found.optional_fields), ("Daily", ["Size", "ETag"]))
    same(found.inventory_destination.bucket_destination.bucket, bucket.bucket_name)
    listed = bucket.list_bucket_inventory_configurations().inventory_configurations
    same([entry.inventory_id for entry in listed], ["one", "two"])
    bucket.delete_bucket_inventory_configuration("one")
    refused(404, "NoSuchInventory", lambda: bucket.get_bucket_inventory_configuration("one"))


@check("InitiateBucketWorm", "GetBucketWorm", "AbortBucketWorm")
def bucket_worm_begins_and_is_aborted(bucket):
    worm_id = bucket.init_bucket_worm(1).worm_id
    found = bucket.get_bucket_worm()
    same((found.worm_id, found.state, found.retention_period_days), (worm_id, "InProgress", 1))
    bucket.abort_bucket_worm()
    refused(404, "NoSuchWORMConfiguration", bucket.get_bucket_worm)


@check("InitiateBucketWorm", "CompleteBucketWorm", "ExtendBucketWorm")
def bucket_worm_is_locked_and_extended(bucket):
    worm_id = bucket.init_bucket_worm(1).worm_id
    bucket.put_object("k", b"x")
    bucket.complete_bucket_worm(worm_id)
    same(bucket.get_bucket_worm().state, "Locked")
    refused(409, "FileImmutable", lambda: bucket.delete_object("k"))
    bucket.extend_bucket_worm(worm_id, 2)
    same(bucket.get_bucket_worm().retention_period_days, 2)


@check("PutBucketReplication", "GetBucketReplication", "GetBucketReplicationProgress", "DeleteBucketReplication")
def replication(bucket, other):
    rule = models.ReplicationRule(
        rule_id="rule", target_bucket_name=other.bucket_name, target_bucket_location=f"oss-{REGION}",
        prefix_list=["a", "b"], action_list=[models.ReplicationRule.PUT],
    )
    bucket.put_bucket_replication(rule)
    found = bucket.get_bucket_replication().rule_list[0]
    same((found.target_bucket_name, found.prefix_list), (other.bucket_name, ["a", "b"]))
    same(bucket.get_bucket_replication_progress(found.rule_id).progress.rule_id, found.rule_id)
    bucket.delete_bucket_replication(found.rule_id)


@check("GetBucketReplicationLocation")
def locations_of_replication(bucket):
    found = bucket.get_bucket_replication_location()
    holds("oss-cn-beijing" in [entry.location for entry in found.location_transfer_type_list], "Beijing is missing")


@check("PutBucketTransferAcceleration", "GetBucketTransferAcceleration")
def transfer_acceleration(bucket):
    for enabled in ("true", "false"):
        bucket.put_bucket_transfer_acceleration(enabled)
        same(bucket.get_bucket_transfer_acceleration().enabled, enabled)


@check("CreateCnameToken", "GetCnameToken", "PutCname", "ListCname", "DeleteCname")
def own_domains(bucket):
    domain = bucket.bucket_name + ".example.org"
    token = bucket.create_bucket_cname_token(domain)
    same((token.bucket, token.cname), (bucket.bucket_name, domain))
    same(bucket.get_bucket_cname_token(domain).token, token.token)
    bucket.put_bucket_cname(models.PutBucketCnameRequest(domain))
    same([entry.domain for entry in bucket.list_bucket_cname().cname], [domain])
    bucket.delete_bucket_cname(domain)
    same(bucket.list_bucket_cname().cname, [])


@check("OpenMetaQuery", "GetMetaQueryStatus", "DoMetaQuery", "CloseMetaQuery")
def metadata_queries(bucket):
    bucket.put_object("small", b"x")
    bucket.put_object("large", b"x" * 1000)
    bucket.open_bucket_meta_query()
    wait_until(lambda: bucket.get_bucket_meta_query_status().state, "Running")
    query = models.MetaQuery(
        max_results=10, query='{"Field":"Size","Value":"100","Operation":"gt"}', sort="Size", order="asc"
    )
    same([file.file_name for file in bucket.do_bucket_meta_query(query).files], ["large"])
    bucket.close_bucket_meta_query()


@check("DoMetaQuery", "OpenMetaQuery")
def metadata_is_aggregated(bucket):
    for number in range(3):
        bucket.put_object(f"k{number}", b"x" * 10)
    bucket.open_bucket_meta_query()
    wait_until(lambda: bucket.get_bucket_meta_query_status().state, "Running")
    query = models.MetaQuery(
        max_results=10, query='{"Field":"Size","Value":"1","Operation":"gt"}', sort="Size", order="asc",
        aggregations=[models.AggregationsRequest("Size", "sum")],
    )
    found = bucket.do_bucket_meta_query(query).aggregations[0]
    same((found.field, found.operation, float(found.value)), ("Size", "sum", 30.0))
    bucket.close_bucket_meta_query()


@check("PutBucketAccessMonitor", "GetBucketAccessMonitor")
def access_monitor(bucket):
    bucket.put_bucket_access_monitor("Enabled")
    same(bucket.get_bucket_access_monitor().access_monitor.status, "Enabled")


@check("PutBucketResourceGroup", "GetBucketResourceGroup")
def resource_groups(bucket):
    bucket.put_bucket_resource_group("rg-aekz00000000000")
    same(bucket.get_bucket_resource_group().resource_group_id, "rg-aekz00000000000")


@check("PutStyle", "GetStyle", "ListStyle", "DeleteStyle")
def image_styles(bucket):
    bucket.put_bucket_style("small", "image/resize,p_50")
    found = bucket.get_bucket_style("small")
    same((found.name, found.content), ("small", "image/resize,p_50"))
    same([style.name for style in bucket.list_bucket_style().styles], ["small"])
    bucket.delete_bucket_style("small")
    gone(lambda: bucket.get_bucket_style("small"))


@check("PutBucketArchiveDirectRead", "GetBucketArchiveDirectRead")
def direct_reads_of_archives(bucket):
    bucket.put_bucket_archive_direct_read(True)
    same(bucket.get_bucket_archive_direct_read().enabled, True)


@check("PutBucketHttpsConfig", "GetBucketHttpsConfig")
def tls_versions(bucket):
    bucket.put_bucket_https_config(models.BucketTlsVersion(True, ["TLSv1.2", "TLSv1.3"]))
    found = bucket.get_bucket_https_config()
    same((found.tls_enabled, sorted(found.tls_version)), (True, ["TLSv1.2", "TLSv1.3"]))


@check(
    "CreateBucketDataRedundancyTransition", "GetBucketDataRedundancyTransition",
    "ListBucketDataRedundancyTransition", "ListUserDataRedundancyTransition",
)
def redundancy_transitions(service, bucket):
    task = bucket.create_bucket_data_redundancy_transition("ZRS").task_id
    same(bucket.get_bucket_data_redundancy_transition(task).task_id, task)
    listed = bucket.list_bucket_data_redundancy_transition().data_redundancy_transitions
    same([entry.task_id for entry in listed], [task])
    listed = service.list_user_data_redundancy_transition().data_redundancy_transitions
    holds(task in [entry.task_id for entry in listed], "the task is missing")


@check("CreateAccessPoint", "GetAccessPoint", "ListAccessPoints", "DeleteAccessPoint")
def access_points(bucket):
    name = "ap-" + bucket.bucket_name[-12:]
    made = bucket.create_access_point(models.CreateAccessPointRequest(name, "internet"))
    found = bucket.get_access_point(name)
    same((found.access_point_name, found.bucket, found.alias), (name, bucket.bucket_name, made.alias))
    listed = bucket.list_bucket_access_points().access_points
    same([point.access_point_name for point in listed], [name])
    bucket.delete_access_point(name)


@check("PutAccessPointPolicy", "GetAccessPointPolicy", "DeleteAccessPointPolicy")
def policies_of_access_points(bucket):
    name = "ap-" + bucket.bucket_name[-12:]
    arn = bucket.create_access_point(models.CreateAccessPointRequest(name, "internet")).access_point_arn
    policy = {
        "Version": "1",
        "Statement": [{
            "Effect": "Allow", "Action": ["oss:GetObject"], "Principal": ["1234567890"], "Resource": [f"{arn}/object/*"],
        }],
    }
    bucket.put_access_point_policy(name, json.dumps(policy))
    same(json.loads(bucket.get_access_point_policy(name).policy), policy)
    bucket.delete_access_point_policy(name)
    gone(lambda: bucket.get_access_point_policy(name))


@check("PutBucketPublicAccessBlock", "GetBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock")
def public_access_is_blocked_for_a_bucket(bucket):
    bucket.put_bucket_public_access_block(True)
    same(bucket.get_bucket_public_access_block().block_public_access, True)
    refused(403, "AccessDenied", lambda: bucket.put_bucket_acl("public-read"))
    bucket.delete_bucket_public_access_block()
    bucket.put_bucket_acl("public-read")


@check("PutPublicAccessBlock", "GetPublicAccessBlock", "DeletePublicAccessBlock")
def public_access_is_blocked_for_all_buckets(service):
    service.put_public_access_block(True)
    same(service.get_public_access_block().block_public_access, True)
    service.delete_public_access_block()
    same(service.get_public_access_block().block_public_access, False)


@check(
    "PutAccessPointPublicAccessBlock", "GetAccessPointPublicAccessBlock", "DeleteAccessPointPublicAccessBlock"
)
def access_points_block_public_access(bucket):
    name = "ap-" + bucket.bucket_name[-12:]
    bucket.create_access_point(models.CreateAccessPointRequest(name, "internet"))
    bucket.put_access_point_public_access_block(name, False)
    same(bucket.get_access_point_public_access_block(name).block_public_access, False)
    bucket.delete_access_point_public_access_block(name)


@check("PutBucketVersioning", "GetBucketVersioning")
def versioning_is_suspended(versioned):
    versioned.put_bucket_versioning(models.BucketVersioningConfig(oss2.BUCKET_VERSIONING_SUSPEND))
    same(versioned.get_bucket_versioning().status, "Suspended")
    same(versioned.put_object("k", b"x").versionid in (None, "null"), True)


@check("AsyncProcessObject")
def processing_in_the_background_gets_ids(bucket):
    bucket.put_object("a.mp4", b"x")
    done = bucket.async_process_object("a.mp4", "video/convert,f_avi|sys/saveas,o_YS5hdmk=")
    holds(done.event_id and done.task_id, "no ids")


@check("PutObject")
def requests_that_are_too_late(bucket):
    """A signature of a quarter of an hour ago is refused."""
    url = bucket.sign_url("PUT", "k", 1)
    time.sleep(2.1)
    same(http("PUT", url, b"x").status, 403)
