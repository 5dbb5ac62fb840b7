"""Table buckets, namespaces and tables."""

import ast
import json

import alibabacloud_oss_v2 as oss
import alibabacloud_oss_v2.tables as tables

from checks import ACCOUNT_ID, REGION, holds, new_name, same

from .base import check, config

models = tables.models


def tables_client():
    return tables.Client(config(use_path_style=True))


def table_bucket():
    """Yields the ARN of a fresh table bucket."""
    yield tables_client().create_table_bucket(models.CreateTableBucketRequest(name=new_name())).arn


def namespace():
    """Yields a namespace in a fresh table bucket, as members of requests."""
    service = tables_client()
    for arn in table_bucket():
        service.create_namespace(models.CreateNamespaceRequest(table_bucket_arn=arn, namespace=["sales"]))
        yield {"table_bucket_arn": arn, "namespace": "sales"}


def table():
    """Yields a table, as members of requests."""
    service = tables_client()
    for where in namespace():
        service.create_table(create(where, "orders"))
        yield {**where, "name": "orders"}


def as_printed(configuration):
    """The client makes a text of what is no text, in Python's way."""
    return ast.literal_eval(configuration)


def create(where, name):
    return models.CreateTableRequest(
        **where, name=name, format="ICEBERG",
        metadata=models.TableMetadata(
            iceberg=models.IcebergMetadata(
                schema=models.IcebergSchema(fields=[models.SchemaField(name="id", type="int", required=True)])
            )
        ),
    )


check.fixtures.update(tables_service=tables_client, table_bucket=table_bucket, namespace=namespace, table=table)


def refused_with(status, call):
    try:
        call()
    except oss.exceptions.OperationError as error:
        answer = error.unwrap()
        if answer.status_code == 501:
            raise
        same(answer.status_code, status)
        return
    raise AssertionError(f"the call succeeded, wanted {status}")


@check(
    "tables/CreateTableBucket", "tables/GetTableBucket", "tables/ListTableBuckets", "tables/DeleteTableBucket"
)
def table_buckets(tables_service):
    service = tables_service
    name = new_name()
    arn = service.create_table_bucket(models.CreateTableBucketRequest(name=name)).arn
    same(arn, f"acs:osstables:{REGION}:{ACCOUNT_ID}:bucket/{name}")
    found = service.get_table_bucket(models.GetTableBucketRequest(table_bucket_arn=arn))
    same((found.arn, found.name, found.owner_account_id), (arn, name, ACCOUNT_ID))
    holds(found.created_at and found.table_bucket_id, "no time or id")
    second = service.create_table_bucket(models.CreateTableBucketRequest(name=name + "-2")).arn
    pages = service.list_table_buckets_paginator().iter_page(
        models.ListTableBucketsRequest(prefix=name, max_buckets=1)
    )
    same([entry.name for page in pages for entry in page.table_buckets or []], [name, name + "-2"])
    refused_with(409, lambda: service.create_table_bucket(models.CreateTableBucketRequest(name=name)))
    for bucket in (arn, second):
        service.delete_table_bucket(models.DeleteTableBucketRequest(table_bucket_arn=bucket))
    refused_with(404, lambda: service.get_table_bucket(models.GetTableBucketRequest(table_bucket_arn=arn)))


@check("tables/CreateNamespace", "tables/GetNamespace", "tables/ListNamespaces", "tables/DeleteNamespace")
def namespaces(tables_service, table_bucket):
    service = tables_service
    for name in ("a", "b", "c"):
        made = service.create_namespace(
            models.CreateNamespaceRequest(table_bucket_arn=table_bucket, namespace=[name])
        )
        same((made.table_bucket_arn, made.namespace), (table_bucket, [name]))
    where = {"table_bucket_arn": table_bucket, "namespace": "b"}
    found = service.get_namespace(models.GetNamespaceRequest(**where))
    same((found.namespace, found.owner_account_id), (["b"], ACCOUNT_ID))
    pages = service.list_namespaces_paginator().iter_page(
        models.ListNamespacesRequest(table_bucket_arn=table_bucket, max_namespaces=2)
    )
    same([entry.namespace for page in pages for entry in page.namespaces or []], [["a"], ["b"], ["c"]])
    service.delete_namespace(models.DeleteNamespaceRequest(**where))
    refused_with(404, lambda: service.get_namespace(models.GetNamespaceRequest(**where)))


@check("tables/CreateTable", "tables/GetTable", "tables/ListTables", "tables/DeleteTable")
def tables_of_a_namespace(tables_service, namespace):
    service = tables_service
    made = {name: service.create_table(create(namespace, name)) for name in ("orders", "returns")}
    found = service.get_table(models.GetTableRequest(**namespace, name="orders"))
    same((found.name, found.table_arn, found.format), ("orders", made["orders"].table_arn, "ICEBERG"))
    same(found.version_token, made["orders"].version_token)
    by_arn = service.get_table(models.GetTableRequest(table_arn=made["returns"].table_arn))
    same(by_arn.name, "returns")
    pages = service.list_tables_paginator().iter_page(models.ListTablesRequest(**namespace, max_tables=1))
    same([entry.name for page in pages for entry in page.tables or []], ["orders", "returns"])
    refused_with(409, lambda: service.create_table(create(namespace, "orders")))
    refused_with(409, lambda: service.delete_namespace(models.DeleteNamespaceRequest(**namespace)))
    service.delete_table(models.DeleteTableRequest(**namespace, name="orders"))
    refused_with(404, lambda: service.get_table(models.GetTableRequest(**namespace, name="orders")))


@check("tables/RenameTable")
def tables_are_renamed(tables_service, table):
    service = tables_service
    service.rename_table(models.RenameTableRequest(**table, new_name="archive"))
    refused_with(404, lambda: service.get_table(models.GetTableRequest(**table)))
    same(service.get_table(models.GetTableRequest(**{**table, "name": "archive"})).name, "archive")


@check("tables/GetTableMetadataLocation", "tables/UpdateTableMetadataLocation")
def metadata_locations_have_optimistic_versions(tables_service, table):
    service = tables_service
    found = service.get_table_metadata_location(models.GetTableMetadataLocationRequest(**table))
    holds(found.version_token and found.warehouse_location, "no token or warehouse")
    location = found.warehouse_location.rstrip("/") + "/metadata/00001.metadata.json"
    update = models.UpdateTableMetadataLocationRequest(
        **table, version_token=found.version_token, metadata_location=location
    )
    done = service.update_table_metadata_location(update)
    same(done.metadata_location, location)
    holds(done.version_token != found.version_token, "the token is the same")
    refused_with(409, lambda: service.update_table_metadata_location(update))
    again = service.get_table_metadata_location(models.GetTableMetadataLocationRequest(**table))
    same((again.metadata_location, again.version_token), (location, done.version_token))


POLICY = json.dumps({"Version": "1", "Statement": [{
    "Effect": "Allow", "Action": ["oss:GetTable"], "Principal": ["1234567890"],
    "Resource": [f"acs:osstables:{REGION}:{ACCOUNT_ID}:*"],
}]})


@check("tables/PutTableBucketPolicy", "tables/GetTableBucketPolicy", "tables/DeleteTableBucketPolicy")
def policies_of_table_buckets(tables_service, table_bucket):
    service = tables_service
    where = {"table_bucket_arn": table_bucket}
    service.put_table_bucket_policy(models.PutTableBucketPolicyRequest(resource_policy=POLICY, **where))
    found = service.get_table_bucket_policy(models.GetTableBucketPolicyRequest(**where)).resource_policy
    same(json.loads(found), json.loads(POLICY))
    service.delete_table_bucket_policy(models.DeleteTableBucketPolicyRequest(**where))
    refused_with(404, lambda: service.get_table_bucket_policy(models.GetTableBucketPolicyRequest(**where)))


@check("tables/PutTablePolicy", "tables/GetTablePolicy", "tables/DeleteTablePolicy")
def policies_of_tables(tables_service, table):
    service = tables_service
    service.put_table_policy(models.PutTablePolicyRequest(resource_policy=POLICY, **table))
    found = service.get_table_policy(models.GetTablePolicyRequest(**table)).resource_policy
    same(json.loads(found), json.loads(POLICY))
    service.delete_table_policy(models.DeleteTablePolicyRequest(**table))
    refused_with(404, lambda: service.get_table_policy(models.GetTablePolicyRequest(**table)))


@check(
    "tables/PutTableBucketEncryption", "tables/GetTableBucketEncryption", "tables/DeleteTableBucketEncryption",
    "tables/GetTableEncryption",
)
def encryption_of_tables(tables_service, table):
    service = tables_service
    where = {"table_bucket_arn": table["table_bucket_arn"]}
    service.put_table_bucket_encryption(
        models.PutTableBucketEncryptionRequest(
            encryption_configuration=models.EncryptionConfiguration(sse_algorithm="AES256"), **where
        )
    )
    found = service.get_table_bucket_encryption(models.GetTableBucketEncryptionRequest(**where))
    same(found.encryption_configuration.sse_algorithm, "AES256")
    service.create_table(create({**where, "namespace": "sales"}, "secret"))
    found = service.get_table_encryption(models.GetTableEncryptionRequest(**{**table, "name": "secret"}))
    same(found.encryption_configuration.sse_algorithm, "AES256")
    service.delete_table_bucket_encryption(models.DeleteTableBucketEncryptionRequest(**where))


@check("tables/PutTableBucketMaintenanceConfiguration", "tables/GetTableBucketMaintenanceConfiguration")
def maintenance_of_table_buckets(tables_service, table_bucket):
    service = tables_service
    service.put_table_bucket_maintenance_configuration(
        models.PutTableBucketMaintenanceConfigurationRequest(
            table_bucket_arn=table_bucket, type="icebergUnreferencedFileRemoval",
            value={
                "status": "enabled",
                "settings": {"icebergUnreferencedFileRemoval": {"unreferencedDays": 4, "nonCurrentDays": 10}},
            },
        )
    )
    found = service.get_table_bucket_maintenance_configuration(
        models.GetTableBucketMaintenanceConfigurationRequest(table_bucket_arn=table_bucket)
    )
    same(as_printed(found.configuration)["icebergUnreferencedFileRemoval"]["status"], "enabled")


@check(
    "tables/PutTableMaintenanceConfiguration", "tables/GetTableMaintenanceConfiguration",
    "tables/GetTableMaintenanceJobStatus",
)
def maintenance_of_tables(tables_service, table):
    service = tables_service
    service.put_table_maintenance_configuration(
        models.PutTableMaintenanceConfigurationRequest(
            **table, type="icebergCompaction",
            value={"status": "enabled", "settings": {"icebergCompaction": {"targetFileSizeMB": 256}}},
        )
    )
    found = service.get_table_maintenance_configuration(
        models.GetTableMaintenanceConfigurationRequest(**table)
    )
    same(as_printed(found.configuration)["icebergCompaction"]["settings"]["icebergCompaction"]["targetFileSizeMB"], 256)
    found = service.get_table_maintenance_job_status(models.GetTableMaintenanceJobStatusRequest(**table))
    holds(found.table_arn, "no ARN")
