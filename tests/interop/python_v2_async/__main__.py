"""Runs the official Python SDK V2, asynchronous, against the OSS server that the environment names.

Arguments choose checks by parts of their names.
"""

import asyncio
import inspect
import sys

import alibabacloud_oss_v2.aio as oss_aio

from checks import camel

from . import buckets, objects  # noqa: F401
from .base import check


def offers():
    for name, _ in inspect.getmembers(oss_aio.AsyncClient, inspect.isfunction):
        if not name.startswith("_"):
            yield "oss/" + camel(name)


sys.exit(asyncio.run(check.run_async(offers())))
