"""Settings of buckets: what was put is got, listed and deleted; what is missing or wrong has its code."""

import alibabacloud_oss_v2 as oss

from checks import ACCOUNT_ID, REGION, ROLE, holds, same, wait_until

from .base import check, head, put, refused


def status_of(call):
    """The status with which a call is refused, and 200 when it is not."""
    try:
        call()
    except oss.exceptions.OperationError as error:
        answer = error.unwrap()
        if getattr(answer, "status_code", None) in (None, 501):
            raise
        return answer.status_code
    return 200


def fields(model):
    """What a model says, without what it does not say."""
    if isinstance(model, list):
        return [fields(entry) for entry in model]
    if not hasattr(model, "__dict__"):
        return model
    found = {name: fields(value) for name, value in vars(model).items() if not name.startswith("_")}
    return {name: value for name, value in found.items() if value not in (None, [], {})}


@check("PutBucketCors", "GetBucketCors", "DeleteBucketCors")
def cors(service, bucket):
    configuration = oss.CORSConfiguration(
        cors_rules=[
            oss.CORSRule(
                allowed_origins=["*"], allowed_methods=["GET", "PUT"], allowed_headers=["authorization"],
                expose_headers=["x-oss-test", "x-oss-test1"], max_age_seconds=100,
            ),
            oss.CORSRule(allowed_origins=["http://example.com", "http://example.net"], allowed_methods=["GET"]),
        ],
        response_vary=False,
    )
    service.put_bucket_cors(oss.PutBucketCorsRequest(bucket=bucket, cors_configuration=configuration))
    found = service.get_bucket_cors(oss.GetBucketCorsRequest(bucket=bucket)).cors_configuration
    same(fields(found), fields(configuration))
    service.delete_bucket_cors(oss.DeleteBucketCorsRequest(bucket=bucket))
    refused(
        404, "NoSuchCORSConfiguration", lambda: service.get_bucket_cors(oss.GetBucketCorsRequest(bucket=bucket))
    )


@check("PutBucketCors")
def wrong_cors(service, bucket):
    def put_rules(rules):
        configuration = oss.CORSConfiguration(cors_rules=rules)
        service.put_bucket_cors(oss.PutBucketCorsRequest(bucket=bucket, cors_configuration=configuration))

    rule = oss.CORSRule(allowed_origins=["*"], allowed_methods=["GET"])
    same(status_of(lambda: put_rules([rule] * 10)), 200)
    same(status_of(lambda: put_rules([rule] * 21)), 400)
    same(status_of(lambda: put_rules([oss.CORSRule(allowed_origins=["*"], allowed_methods=["FLY"])])), 400)
    same(status_of(lambda: put_rules([oss.CORSRule(allowed_origins=["*.*"], allowed_methods=["GET"])])), 400)


@check("PutBucketLifecycle", "GetBucketLifecycle", "DeleteBucketLifecycle")
def lifecycle(service, bucket):
    rules = [
        oss.LifecycleRule(
            id="logs", prefix="logs/", status="Enabled", expiration=oss.LifecycleRuleExpiration(days=30),
            transitions=[oss.LifecycleRuleTransition(days=10, storage_class="IA")],
            tags=[oss.Tag(key="a", value="1")],
        ),
        oss.LifecycleRule(
            id="uploads", prefix="up/", status="Enabled",
            abort_multipart_upload=oss.LifecycleRuleAbortMultipartUpload(days=3),
        ),
        oss.LifecycleRule(
            id="versions", prefix="data/", status="Disabled",
            noncurrent_version_expiration=oss.NoncurrentVersionExpiration(noncurrent_days=5),
            expiration=oss.LifecycleRuleExpiration(expired_object_delete_marker=True),
        ),
    ]
    service.put_bucket_lifecycle(
        oss.PutBucketLifecycleRequest(
            bucket=bucket, lifecycle_configuration=oss.LifecycleConfiguration(rules=rules)
        )
    )
    found = service.get_bucket_lifecycle(oss.GetBucketLifecycleRequest(bucket=bucket)).lifecycle_configuration.rules
    same([rule.id for rule in found], ["logs", "uploads", "versions"])
    same((found[0].prefix, found[0].status, found[0].expiration.days), ("logs/", "Enabled", 30))
    same((found[0].transitions[0].days, found[0].transitions[0].storage_class), (10, "IA"))
    same((found[1].abort_multipart_upload.days, found[0].tags[0].key), (3, "a"))
    same(found[2].noncurrent_version_expiration.noncurrent_days, 5)
    same(found[2].expiration.expired_object_delete_marker, True)
    service.delete_bucket_lifecycle(oss.DeleteBucketLifecycleRequest(bucket=bucket))
    refused(
        404, "NoSuchLifecycle", lambda: service.get_bucket_lifecycle(oss.GetBucketLifecycleRequest(bucket=bucket))
    )


@check("PutBucketLifecycle")
def wrong_lifecycle(service, bucket):
    def put_rules(*rules):
        service.put_bucket_lifecycle(
            oss.PutBucketLifecycleRequest(
                bucket=bucket, lifecycle_configuration=oss.LifecycleConfiguration(rules=list(rules))
            )
        )

    def rule(name, prefix, **members):
        members.setdefault("expiration", oss.LifecycleRuleExpiration(days=1))
        return oss.LifecycleRule(id=name, prefix=prefix, status="Enabled", **members)

    same(status_of(lambda: put_rules(rule("a", "x/"), rule("b", "y/"))), 200)
    same(status_of(lambda: put_rules(rule("a", "x/"), rule("a", "y/"))), 400)
    same(status_of(lambda: put_rules(rule("a", "x/", expiration=oss.LifecycleRuleExpiration(days=0)))), 400)
    same(status_of(lambda: put_rules(oss.LifecycleRule(id="a", prefix="x/", status="Perhaps"))), 400)


@check("PutBucketWebsite", "GetBucketWebsite", "DeleteBucketWebsite")
def website(service, bucket):
    configuration = oss.WebsiteConfiguration(
        index_document=oss.IndexDocument(suffix="index.html", support_sub_dir=True, type=0),
        error_document=oss.ErrorDocument(key="error.html", http_status=404),
        routing_rules=oss.RoutingRules(
            routing_rules=[
                oss.RoutingRule(
                    rule_number=1,
                    condition=oss.RoutingRuleCondition(key_prefix_equals="abc/", http_error_code_returned_equals=404),
                    redirect=oss.RoutingRuleRedirect(
                        redirect_type="External", protocol="https", host_name="example.com",
                        replace_key_with="prefix/${key}", http_redirect_code=301,
                    ),
                ),
            ]
        ),
    )
    service.put_bucket_website(
        oss.PutBucketWebsiteRequest(bucket=bucket, website_configuration=configuration)
    )
    found = service.get_bucket_website(oss.GetBucketWebsiteRequest(bucket=bucket)).website_configuration
    same(fields(found), fields(configuration))
    service.delete_bucket_website(oss.DeleteBucketWebsiteRequest(bucket=bucket))
    refused(
        404, "NoSuchWebsiteConfiguration",
        lambda: service.get_bucket_website(oss.GetBucketWebsiteRequest(bucket=bucket)),
    )


@check("PutBucketReferer", "GetBucketReferer")
def referer(service, bucket):
    def found():
        return service.get_bucket_referer(oss.GetBucketRefererRequest(bucket=bucket)).referer_configuration

    same(found().allow_empty_referer, True)
    configuration = oss.RefererConfiguration(
        allow_empty_referer=False, allow_truncate_query_string=True, truncate_path=True,
        referer_list=oss.RefererList(referers=["http://www.example.com", "https://*.example.net"]),
        referer_blacklist=oss.RefererBlacklist(referers=["http://bad.example.com"]),
    )
    service.put_bucket_referer(
        oss.PutBucketRefererRequest(bucket=bucket, referer_configuration=configuration)
    )
    same(fields(found()), fields(configuration))


@check("PutBucketLogging", "GetBucketLogging", "DeleteBucketLogging")
def logging(service, bucket, other):
    def found():
        status = service.get_bucket_logging(oss.GetBucketLoggingRequest(bucket=bucket)).bucket_logging_status
        return status.logging_enabled if status is not None else None

    same(found(), None)
    enabled = oss.LoggingEnabled(target_bucket=other, target_prefix="logs/")
    service.put_bucket_logging(
        oss.PutBucketLoggingRequest(
            bucket=bucket, bucket_logging_status=oss.BucketLoggingStatus(logging_enabled=enabled)
        )
    )
    same((found().target_bucket, found().target_prefix), (other, "logs/"))
    service.delete_bucket_logging(oss.DeleteBucketLoggingRequest(bucket=bucket))
    same(found(), None)


@check("PutUserDefinedLogFieldsConfig", "GetUserDefinedLogFieldsConfig", "DeleteUserDefinedLogFieldsConfig")
def fields_of_logs(service, bucket):
    configuration = oss.UserDefinedLogFieldsConfiguration(
        header_set=oss.LoggingHeaderSet(headers=["header1", "header2"]),
        param_set=oss.LoggingParamSet(parameters=["param1"]),
    )
    service.put_user_defined_log_fields_config(
        oss.PutUserDefinedLogFieldsConfigRequest(bucket=bucket, user_defined_log_fields_configuration=configuration)
    )

    def found():
        return service.get_user_defined_log_fields_config(
            oss.GetUserDefinedLogFieldsConfigRequest(bucket=bucket)
        ).user_defined_log_fields_configuration

    same(fields(found()), fields(configuration))
    service.delete_user_defined_log_fields_config(oss.DeleteUserDefinedLogFieldsConfigRequest(bucket=bucket))
    same(status_of(found), 404)


@check("PutBucketEncryption", "GetBucketEncryption", "DeleteBucketEncryption")
def encryption(service, bucket):
    rule = oss.ServerSideEncryptionRule(
        apply_server_side_encryption_by_default=oss.ApplyServerSideEncryptionByDefault(sse_algorithm="AES256")
    )
    service.put_bucket_encryption(
        oss.PutBucketEncryptionRequest(bucket=bucket, server_side_encryption_rule=rule)
    )
    found = service.get_bucket_encryption(oss.GetBucketEncryptionRequest(bucket=bucket)).server_side_encryption_rule
    same(found.apply_server_side_encryption_by_default.sse_algorithm, "AES256")
    put(service, bucket)
    same(head(service, bucket).server_side_encryption, "AES256")
    service.delete_bucket_encryption(oss.DeleteBucketEncryptionRequest(bucket=bucket))
    refused(
        404, "NoSuchServerSideEncryptionRule",
        lambda: service.get_bucket_encryption(oss.GetBucketEncryptionRequest(bucket=bucket)),
    )


@check("PutBucketTags", "GetBucketTags", "DeleteBucketTags")
def tags(service, bucket):
    tagging = oss.Tagging(tag_set=oss.TagSet(tags=[oss.Tag(key="a", value="1"), oss.Tag(key="b", value="\u00fc")]))
    service.put_bucket_tags(oss.PutBucketTagsRequest(bucket=bucket, tagging=tagging))

    def found():
        tagging = service.get_bucket_tags(oss.GetBucketTagsRequest(bucket=bucket)).tagging
        return {tag.key: tag.value for tag in (tagging.tag_set.tags if tagging and tagging.tag_set else None) or []}

    same(found(), {"a": "1", "b": "\u00fc"})
    service.delete_bucket_tags(oss.DeleteBucketTagsRequest(bucket=bucket))
    same(found(), {})


def inventory_of(bucket, name):
    return oss.InventoryConfiguration(
        id=name, is_enabled=True, included_object_versions="All",
        schedule=oss.InventorySchedule(frequency="Daily"), filter=oss.InventoryFilter(prefix="data/"),
        optional_fields=oss.OptionalFields(fields=["Size", "ETag"]),
        destination=oss.InventoryDestination(
            oss_bucket_destination=oss.InventoryOSSBucketDestination(
                format="CSV", account_id=ACCOUNT_ID, role_arn=ROLE, bucket=f"acs:oss:::{bucket}", prefix="inventory"
            )
        ),
    )


@check("PutBucketInventory", "GetBucketInventory", "ListBucketInventory", "DeleteBucketInventory")
def inventory(service, bucket):
    for name in ("report1", "report2"):
        service.put_bucket_inventory(
            oss.PutBucketInventoryRequest(
                bucket=bucket, inventory_id=name, inventory_configuration=inventory_of(bucket, name)
            )
        )

    def found(name):
        return service.get_bucket_inventory(
            oss.GetBucketInventoryRequest(bucket=bucket, inventory_id=name)
        ).inventory_configuration

    same(fields(found("report1")), fields(inventory_of(bucket, "report1")))
    listed = service.list_bucket_inventory(oss.ListBucketInventoryRequest(bucket=bucket))
    listed = listed.list_inventory_configurations_result
    same([entry.id for entry in listed.inventory_configurations], ["report1", "report2"])
    same(listed.is_truncated, False)
    service.delete_bucket_inventory(oss.DeleteBucketInventoryRequest(bucket=bucket, inventory_id="report1"))
    refused(404, "NoSuchInventory", lambda: found("report1"))
    same(found("report2").id, "report2")


def replication_rule(bucket):
    return oss.ReplicationConfiguration(
        rules=[
            oss.ReplicationRule(
                id="rule-1", action="ALL", historical_object_replication="enabled",
                prefix_set=oss.ReplicationPrefixSet(prefixs=["source1", "video"]),
                destination=oss.ReplicationDestination(
                    bucket=bucket, location=f"oss-{REGION}", transfer_type="internal"
                ),
                rtc=oss.ReplicationTimeControl(status="disabled"),
            )
        ]
    )


def replication(service, bucket):
    return service.get_bucket_replication(
        oss.GetBucketReplicationRequest(bucket=bucket)
    ).replication_configuration.rules


def replicate(service, bucket, other):
    done = service.put_bucket_replication(
        oss.PutBucketReplicationRequest(bucket=bucket, replication_configuration=replication_rule(other))
    )
    # The client does not fill in its member for this header.
    return done.headers["x-oss-replication-rule-id"]


@check("PutBucketReplication", "GetBucketReplication", "DeleteBucketReplication")
def replication_rules(service, bucket, other):
    rule_id = replicate(service, bucket, other)
    rule = replication(service, bucket)[0]
    same((rule.id, rule.action, rule.destination.bucket), (rule_id, "ALL", other))
    same(rule.prefix_set.prefixs, ["source1", "video"])
    holds(rule.status in ("starting", "doing"), rule.status)
    service.delete_bucket_replication(
        oss.DeleteBucketReplicationRequest(bucket=bucket, replication_rules=oss.ReplicationRules(ids=[rule_id]))
    )
    # A rule that ends is told as closing, or is gone.
    try:
        left = replication(service, bucket)
    except oss.exceptions.OperationError as error:
        same(error.unwrap().code, "NoSuchReplicationConfiguration")
    else:
        same([rule.status for rule in left], ["closing"])


@check("PutBucketRtc", "GetBucketReplicationProgress", "GetBucketReplicationLocation")
def replication_time_and_progress(service, bucket, other):
    rule_id = replicate(service, bucket, other)
    service.put_bucket_rtc(
        oss.PutBucketRtcRequest(
            bucket=bucket,
            rtc_configuration=oss.RtcConfiguration(id=rule_id, rtc=oss.ReplicationTimeControl(status="enabled")),
        )
    )
    holds(replication(service, bucket)[0].rtc.status in ("enabled", "enabling"), "RTC is not enabled")
    progress = service.get_bucket_replication_progress(
        oss.GetBucketReplicationProgressRequest(bucket=bucket, rule_id=rule_id)
    ).replication_progress.rules
    same((progress[0].id, progress[0].destination.bucket), (rule_id, other))
    locations = service.get_bucket_replication_location(oss.GetBucketReplicationLocationRequest(bucket=bucket))
    holds("oss-cn-beijing" in locations.replication_location.locations, "Beijing is missing")


@check("PutBucketRequestPayment", "GetBucketRequestPayment")
def request_payment(service, bucket):
    def payer():
        found = service.get_bucket_request_payment(oss.GetBucketRequestPaymentRequest(bucket=bucket))
        return found.request_payment_configuration.payer

    same(payer(), "BucketOwner")
    service.put_bucket_request_payment(
        oss.PutBucketRequestPaymentRequest(
            bucket=bucket, request_payment_configuration=oss.RequestPaymentConfiguration(payer="Requester")
        )
    )
    same(payer(), "Requester")


@check("PutBucketTransferAcceleration", "GetBucketTransferAcceleration")
def transfer_acceleration(service, bucket):
    def found():
        return service.get_bucket_transfer_acceleration(oss.GetBucketTransferAccelerationRequest(bucket=bucket))

    for enabled in (True, False):
        service.put_bucket_transfer_acceleration(
            oss.PutBucketTransferAccelerationRequest(
                bucket=bucket,
                transfer_acceleration_configuration=oss.TransferAccelerationConfiguration(enabled=enabled),
            )
        )
        same(found().transfer_acceleration_configuration.enabled, enabled)


@check("PutBucketAccessMonitor", "GetBucketAccessMonitor")
def access_monitor(service, bucket):
    def status():
        found = service.get_bucket_access_monitor(oss.GetBucketAccessMonitorRequest(bucket=bucket))
        return found.access_monitor_configuration.status

    same(status(), "Disabled")
    service.put_bucket_access_monitor(
        oss.PutBucketAccessMonitorRequest(
            bucket=bucket, access_monitor_configuration=oss.AccessMonitorConfiguration(status="Enabled")
        )
    )
    same(status(), "Enabled")


@check("PutBucketArchiveDirectRead", "GetBucketArchiveDirectRead")
def direct_reads_of_archives(service, bucket):
    def enabled():
        found = service.get_bucket_archive_direct_read(oss.GetBucketArchiveDirectReadRequest(bucket=bucket))
        return found.archive_direct_read_configuration.enabled

    same(enabled(), False)
    service.put_bucket_archive_direct_read(
        oss.PutBucketArchiveDirectReadRequest(
            bucket=bucket, archive_direct_read_configuration=oss.ArchiveDirectReadConfiguration(enabled=True)
        )
    )
    same(enabled(), True)


@check("PutBucketHttpsConfig", "GetBucketHttpsConfig")
def tls_versions(service, bucket):
    configuration = oss.HttpsConfiguration(
        tls=oss.TLS(enable=True, tls_versions=["TLSv1.2", "TLSv1.3"]),
        cipher_suite=oss.CipherSuite(
            enable=True, strong_cipher_suite=False, custom_cipher_suites=["ECDHE-ECDSA-AES128-SHA256"],
            tls13_custom_cipher_suites=["TLS_AES_256_GCM_SHA384"],
        ),
    )
    service.put_bucket_https_config(
        oss.PutBucketHttpsConfigRequest(bucket=bucket, https_configuration=configuration)
    )
    found = service.get_bucket_https_config(oss.GetBucketHttpsConfigRequest(bucket=bucket)).https_configuration
    same(fields(found), fields(configuration))


@check("CreateCnameToken", "GetCnameToken", "PutCname", "ListCname", "DeleteCname")
def own_domains(service, bucket):
    domain = f"{bucket}.example.com"
    configuration = oss.BucketCnameConfiguration(cname=oss.Cname(domain=domain))
    made = service.create_cname_token(
        oss.CreateCnameTokenRequest(bucket=bucket, bucket_cname_configuration=configuration)
    ).cname_token
    same((made.bucket, made.cname), (bucket, domain))
    found = service.get_cname_token(oss.GetCnameTokenRequest(bucket=bucket, cname=domain)).cname_token
    same((found.token, found.expire_time), (made.token, made.expire_time))
    service.put_cname(oss.PutCnameRequest(bucket=bucket, bucket_cname_configuration=configuration))
    listed = service.list_cname(oss.ListCnameRequest(bucket=bucket))
    same((listed.bucket, [(cname.domain, cname.status) for cname in listed.cnames]), (bucket, [(domain, "Enabled")]))
    service.delete_cname(oss.DeleteCnameRequest(bucket=bucket, bucket_cname_configuration=configuration))
    same(service.list_cname(oss.ListCnameRequest(bucket=bucket)).cnames or [], [])


@check("PutStyle", "GetStyle", "ListStyle", "DeleteStyle")
def image_styles(service, bucket):
    for name, content in (("small", "image/resize,p_50"), ("large", "image/resize,p_200")):
        service.put_style(
            oss.PutStyleRequest(
                bucket=bucket, style_name=name, category="image", style=oss.StyleContent(content=content)
            )
        )

    def found(name):
        return service.get_style(oss.GetStyleRequest(bucket=bucket, style_name=name)).style

    same((found("small").name, found("small").content), ("small", "image/resize,p_50"))
    holds(found("small").create_time and found("small").last_modify_time, "no times")
    styles = service.list_style(oss.ListStyleRequest(bucket=bucket)).style_list.styles
    same(sorted(style.name for style in styles), ["large", "small"])
    service.delete_style(oss.DeleteStyleRequest(bucket=bucket, style_name="small"))
    refused(404, "NoSuchStyle", lambda: found("small"))


@check(
    "CreateBucketDataRedundancyTransition", "GetBucketDataRedundancyTransition",
    "ListBucketDataRedundancyTransition", "ListUserDataRedundancyTransition", "DeleteBucketDataRedundancyTransition",
)
def redundancy_transitions(service, bucket):
    made = service.create_bucket_data_redundancy_transition(
        oss.CreateBucketDataRedundancyTransitionRequest(bucket=bucket, target_redundancy_type="ZRS")
    ).bucket_data_redundancy_transition
    where = {"bucket": bucket, "redundancy_transition_taskid": made.task_id}
    found = service.get_bucket_data_redundancy_transition(
        oss.GetBucketDataRedundancyTransitionRequest(**where)
    ).bucket_data_redundancy_transition
    same((found.bucket, found.task_id), (bucket, made.task_id))
    holds(found.status in ("Queueing", "Processing", "Finished"), found.status)
    listed = service.list_bucket_data_redundancy_transition(
        oss.ListBucketDataRedundancyTransitionRequest(bucket=bucket)
    ).list_bucket_data_redundancy_transition
    same([task.task_id for task in listed.bucket_data_redundancy_transition], [made.task_id])
    listed = service.list_user_data_redundancy_transition(
        oss.ListUserDataRedundancyTransitionRequest(max_keys=50)
    ).list_bucket_data_redundancy_transition
    holds(made.task_id in [task.task_id for task in listed.bucket_data_redundancy_transition], "the task is missing")
    if found.status == "Queueing":
        service.delete_bucket_data_redundancy_transition(oss.DeleteBucketDataRedundancyTransitionRequest(**where))
        same(status_of(lambda: service.get_bucket_data_redundancy_transition(
            oss.GetBucketDataRedundancyTransitionRequest(**where))), 404)


@check("OpenMetaQuery", "GetMetaQueryStatus", "DoMetaQuery", "CloseMetaQuery")
def metadata_queries(service, bucket):
    put(service, bucket, "small", b"x")
    put(service, bucket, "large", b"x" * 1000)
    service.open_meta_query(oss.OpenMetaQueryRequest(bucket=bucket))
    wait_until(
        lambda: service.get_meta_query_status(oss.GetMetaQueryStatusRequest(bucket=bucket)).meta_query_status.state,
        "Running",
    )
    query = oss.MetaQuery(
        max_results=10, query='{"Field":"Size","Value":"100","Operation":"gt"}', sort="Size", order="asc"
    )
    files = service.do_meta_query(oss.DoMetaQueryRequest(bucket=bucket, meta_query=query)).files.file
    same([(file.filename, file.size) for file in files], [("large", 1000)])
    service.close_meta_query(oss.CloseMetaQueryRequest(bucket=bucket))
    same(
        status_of(lambda: service.do_meta_query(oss.DoMetaQueryRequest(bucket=bucket, meta_query=query))) >= 400, True
    )


@check("PutBucketOverwriteConfig", "GetBucketOverwriteConfig", "DeleteBucketOverwriteConfig")
def overwriting_is_forbidden(service, bucket):
    configuration = oss.OverwriteConfiguration(
        rules=[oss.OverwriteRule(id="rule1", action="forbid", prefix="kept/", suffix=".txt")]
    )
    service.put_bucket_overwrite_config(
        oss.PutBucketOverwriteConfigRequest(bucket=bucket, overwrite_configuration=configuration)
    )
    found = service.get_bucket_overwrite_config(oss.GetBucketOverwriteConfigRequest(bucket=bucket))
    rule = found.overwrite_configuration.rules[0]
    same((rule.id, rule.action, rule.prefix, rule.suffix), ("rule1", "forbid", "kept/", ".txt"))
    put(service, bucket, "kept/a.txt")
    refused(409, "FileAlreadyExists", lambda: put(service, bucket, "kept/a.txt"))
    put(service, bucket, "free/a.txt")
    put(service, bucket, "free/a.txt")
    service.delete_bucket_overwrite_config(oss.DeleteBucketOverwriteConfigRequest(bucket=bucket))
    put(service, bucket, "kept/a.txt")


@check("PutBucketStorageQuota", "GetBucketStorageQuota", "DeleteBucketStorageQuota")
def storage_quotas(service, bucket):
    service.put_bucket_storage_quota(
        oss.PutBucketStorageQuotaRequest(
            bucket=bucket, quota_configuration=oss.QuotaConfiguration(storage_quota=1024, mode="Strict")
        )
    )
    found = service.get_bucket_storage_quota(oss.GetBucketStorageQuotaRequest(bucket=bucket)).quota_configuration
    same(int(found.storage_quota), 1024)
    service.delete_bucket_storage_quota(oss.DeleteBucketStorageQuotaRequest(bucket=bucket))


@check(
    "CreateBucketMetadataConfiguration", "GetBucketMetadataConfiguration", "DeleteBucketMetadataConfiguration",
    "UpdateBucketMetadataInventoryTableConfiguration", "UpdateBucketMetadataJournalTableConfiguration",
)
def metadata_tables(service, bucket):
    expiration = oss.MetadataTableRecordExpiration(expiration="ENABLED", days=10)
    service.create_bucket_metadata_configuration(
        oss.CreateBucketMetadataConfigurationRequest(
            bucket=bucket,
            metadata_configuration=oss.MetadataConfiguration(
                journal_table_configuration=oss.JournalTableConfiguration(record_expiration=expiration),
                inventory_table_configuration=oss.InventoryTableConfiguration(configuration_state="ENABLED"),
            ),
        )
    )

    def found():
        return service.get_bucket_metadata_configuration(
            oss.GetBucketMetadataConfigurationRequest(bucket=bucket)
        ).metadata_configuration_result

    same(found().journal_table_configuration_result.record_expiration.days, 10)
    service.update_bucket_metadata_journal_table_configuration(
        oss.UpdateBucketMetadataJournalTableConfigurationRequest(
            bucket=bucket,
            journal_table_configuration=oss.JournalTableConfiguration(
                record_expiration=oss.MetadataTableRecordExpiration(expiration="DISABLED")
            ),
        )
    )
    same(found().journal_table_configuration_result.record_expiration.expiration, "DISABLED")
    service.update_bucket_metadata_inventory_table_configuration(
        oss.UpdateBucketMetadataInventoryTableConfigurationRequest(
            bucket=bucket,
            inventory_table_configuration=oss.InventoryTableConfiguration(configuration_state="DISABLED"),
        )
    )
    same(found().inventory_table_configuration_result.configuration_state, "DISABLED")
    service.delete_bucket_metadata_configuration(oss.DeleteBucketMetadataConfigurationRequest(bucket=bucket))
    same(status_of(found), 404)


@check("GetBucketPolicy", "GetBucketCors", "GetBucketLifecycle", "GetBucketWebsite", "GetBucketEncryption")
def settings_of_missing_buckets(service, bucket):
    absent = bucket + "-absent"
    for call in (
        lambda: service.get_bucket_policy(oss.GetBucketPolicyRequest(bucket=absent)),
        lambda: service.get_bucket_cors(oss.GetBucketCorsRequest(bucket=absent)),
        lambda: service.get_bucket_lifecycle(oss.GetBucketLifecycleRequest(bucket=absent)),
        lambda: service.get_bucket_website(oss.GetBucketWebsiteRequest(bucket=absent)),
        lambda: service.get_bucket_encryption(oss.GetBucketEncryptionRequest(bucket=absent)),
    ):
        refused(404, "NoSuchBucket", call)


# With V1 the client does not sign `action` in these two, unlike in its client for data processing.
@check("DoMetaQueryAction", versions=("v4",))
def metadata_query_actions(service, bucket):
    service.do_meta_query_action(oss.DoMetaQueryActionRequest(bucket=bucket, action="listDatasets", body=b""))


@check("DoDataPipeLineAction", versions=("v4",))
def data_pipeline_actions(service):
    service.do_data_pipeline_action(
        oss.DoDataPipelineActionRequest(action="listDataPipelineConfigurations", body=b"")
    )
