"""Runs oss2, the first official Python SDK, against the OSS server that the environment names.

OSS_SIGNATURE_VERSION chooses between v4, v2 and v1. Arguments choose checks by parts of their names.
"""

import inspect
import sys

import oss2

from checks import camel

from . import buckets, objects, settings  # noqa: F401
from .base import check

# Methods that are called otherwise than their operations.
NAMES = {
    "create_bucket": "PutBucket",
    "put_bucket_tagging": "PutBucketTags",
    "get_bucket_tagging": "GetBucketTags",
    "delete_bucket_tagging": "DeleteBucketTags",
    "batch_delete_objects": "DeleteMultipleObjects",
    "init_multipart_upload": "InitiateMultipartUpload",
    "put_bucket_inventory_configuration": "PutBucketInventory",
    "get_bucket_inventory_configuration": "GetBucketInventory",
    "list_bucket_inventory_configurations": "ListBucketInventory",
    "delete_bucket_inventory_configuration": "DeleteBucketInventory",
    "init_bucket_worm": "InitiateBucketWorm",
    "create_bucket_cname_token": "CreateCnameToken",
    "get_bucket_cname_token": "GetCnameToken",
    "put_bucket_cname": "PutCname",
    "list_bucket_cname": "ListCname",
    "delete_bucket_cname": "DeleteCname",
    "open_bucket_meta_query": "OpenMetaQuery",
    "get_bucket_meta_query_status": "GetMetaQueryStatus",
    "do_bucket_meta_query": "DoMetaQuery",
    "close_bucket_meta_query": "CloseMetaQuery",
    "put_bucket_style": "PutStyle",
    "get_bucket_style": "GetStyle",
    "list_bucket_style": "ListStyle",
    "delete_bucket_style": "DeleteStyle",
}


def offers():
    for owner in (oss2.Service, oss2.Bucket):
        for name, _ in inspect.getmembers(owner, inspect.isfunction):
            if not name.startswith("_"):
                yield "oss/" + NAMES.get(name, camel(name))


sys.exit(check.run(offers()))
