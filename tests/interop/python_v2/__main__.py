"""Runs the official Python SDK V2, synchronous, against the OSS server that the environment names.

OSS_SIGNATURE_VERSION chooses between v4 and v1. Arguments choose checks by parts of their names.
"""

import inspect
import sys

import alibabacloud_oss_v2 as oss
import alibabacloud_oss_v2.agentic
import alibabacloud_oss_v2.dataprocess
import alibabacloud_oss_v2.tables
import alibabacloud_oss_v2.vectors

from checks import SIGNATURE_VERSION, camel

# Modules of checks, in the order in which they run.
from . import (  # noqa: F401
    buckets,
    conditions,
    copies,
    listings,
    multipart,
    objects,
    presigned,
    security,
    settings,
    transfers,
    versions,
    worm,
)
from .base import check

CLIENTS = {"oss": oss.Client}
if SIGNATURE_VERSION == "v4":
    # The other services know no other signature.
    from . import agentic, dataprocess, tables, vectors  # noqa: F401

    CLIENTS.update(
        vectors=oss.vectors.Client,
        tables=oss.tables.Client,
        dataprocess=oss.dataprocess.Client,
        agentic=oss.agentic.AgenticBucketClient,
    )


def offers():
    for service, client in CLIENTS.items():
        for name, _ in inspect.getmembers(client, inspect.isfunction):
            if not name.startswith("_"):
                yield f"{service}/{camel(name)}"


sys.exit(check.run(offers()))
