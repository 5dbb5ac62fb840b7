"""Vector buckets, indexes and vectors."""

import json

import alibabacloud_oss_v2 as oss
import alibabacloud_oss_v2.vectors as vectors

from checks import ACCOUNT_ID, REGION, holds, new_name, same

from .base import SUBDOMAINS, check, config, refused

INDEX = {"data_type": "float32", "dimension": 3, "distance_metric": "cosine", "index_name": "index1"}
DATA = {"red": [1.0, 0.0, 0.0], "green": [0.0, 1.0, 0.0], "orange": [0.9, 0.3, 0.0]}


def vectors_client():
    return vectors.Client(config(**{**SUBDOMAINS, "endpoint": f"http://{REGION}.oss-vectors.aliyuncs.com"}))


def vector_bucket():
    service = vectors_client()
    name = new_name()
    service.put_vector_bucket(vectors.models.PutVectorBucketRequest(bucket=name))
    yield name


def filled_bucket():
    service = vectors_client()
    for name in vector_bucket():
        service.put_vector_index(
            vectors.models.PutVectorIndexRequest(
                bucket=name, metadata={"nonFilterableMetadataKeys": ["note"]}, **INDEX
            )
        )
        service.put_vectors(
            vectors.models.PutVectorsRequest(
                bucket=name, index_name="index1",
                vectors=[
                    {"key": key, "data": {"float32": data}, "metadata": {"colour": key, "rank": number, "note": "n"}}
                    for number, (key, data) in enumerate(DATA.items())
                ],
            )
        )
        yield name


check.fixtures.update(vectors_service=vectors_client, vector_bucket=vector_bucket, filled=filled_bucket)


@check(
    "vectors/PutVectorBucket", "vectors/GetVectorBucket", "vectors/ListVectorBuckets", "vectors/DeleteVectorBucket"
)
def vector_buckets(vectors_service, vector_bucket):
    service = vectors_service
    info = service.get_vector_bucket(vectors.models.GetVectorBucketRequest(bucket=vector_bucket)).bucket_info
    holds(info.name.endswith(vector_bucket), info.name)
    holds(REGION in info.location, info.location)
    pages = service.list_vector_buckets_paginator().iter_page(vectors.models.ListVectorBucketsRequest(max_keys=1))
    names = [entry.name for page in pages for entry in page.buckets or []]
    holds(any(name.endswith(vector_bucket) for name in names), names)
    service.delete_vector_bucket(vectors.models.DeleteVectorBucketRequest(bucket=vector_bucket))
    try:
        service.get_vector_bucket(vectors.models.GetVectorBucketRequest(bucket=vector_bucket))
    except oss.exceptions.OperationError as error:
        same(error.unwrap().status_code, 404)
    else:
        raise AssertionError("the bucket is still there")


@check(
    "vectors/PutVectorIndex", "vectors/GetVectorIndex", "vectors/ListVectorIndexes", "vectors/DeleteVectorIndex"
)
def vector_indexes(vectors_service, filled):
    service = vectors_service
    found = service.get_vector_index(vectors.models.GetVectorIndexRequest(bucket=filled, index_name="index1")).index
    same((found["indexName"], found["dimension"], found["distanceMetric"]), ("index1", 3, "cosine"))
    same(found["metadata"], {"nonFilterableMetadataKeys": ["note"]})
    service.put_vector_index(
        vectors.models.PutVectorIndexRequest(bucket=filled, **{**INDEX, "index_name": "index2"})
    )
    pages = service.list_vector_indexes_paginator().iter_page(
        vectors.models.ListVectorIndexesRequest(bucket=filled, max_results=1)
    )
    names = [entry["indexName"] for page in pages for entry in page.indexes or []]
    same(names, ["index1", "index2"])
    service.delete_vector_index(vectors.models.DeleteVectorIndexRequest(bucket=filled, index_name="index2"))
    found = service.list_vector_indexes(vectors.models.ListVectorIndexesRequest(bucket=filled, prefix="index"))
    same([entry["indexName"] for entry in found.indexes], ["index1"])


@check("vectors/PutVectors", "vectors/GetVectors", "vectors/DeleteVectors")
def vectors_are_put_got_and_deleted(vectors_service, filled):
    service = vectors_service
    found = service.get_vectors(
        vectors.models.GetVectorsRequest(
            bucket=filled, index_name="index1", keys=["red", "orange"], return_data=True, return_metadata=True
        )
    ).vectors
    found = {entry["key"]: entry for entry in found}
    same(found["red"]["data"]["float32"], DATA["red"])
    same(found["orange"]["metadata"]["colour"], "orange")
    service.delete_vectors(
        vectors.models.DeleteVectorsRequest(bucket=filled, index_name="index1", keys=["red"])
    )
    found = service.get_vectors(
        vectors.models.GetVectorsRequest(bucket=filled, index_name="index1", keys=["red", "green"])
    ).vectors
    same([entry["key"] for entry in found], ["green"])


@check("vectors/ListVectors")
def vectors_page(vectors_service, filled):
    pages = vectors_service.list_vectors_paginator().iter_page(
        vectors.models.ListVectorsRequest(bucket=filled, index_name="index1", max_results=2, return_metadata=True)
    )
    found = [entry for page in pages for entry in page.vectors or []]
    same(sorted(entry["key"] for entry in found), sorted(DATA))
    holds(all("metadata" in entry and "data" not in entry for entry in found), "metadata only was wanted")


@check("vectors/QueryVectors")
def vectors_are_found_by_distance(vectors_service, filled):
    def query(**members):
        return vectors_service.query_vectors(
            vectors.models.QueryVectorsRequest(
                bucket=filled, index_name="index1", query_vector={"float32": DATA["red"]}, return_distance=True,
                return_metadata=True, **members,
            )
        ).vectors

    found = query(top_k=2)
    same([entry["key"] for entry in found], ["red", "orange"])
    holds(abs(found[0]["distance"]) < 1e-6, found[0]["distance"])
    holds(abs(found[1]["distance"] - (1 - 0.9 / 0.9 ** 0.5)) < 0.01, found[1]["distance"])
    found = query(top_k=5, filter={"colour": {"$in": ["green", "orange"]}})
    same([entry["key"] for entry in found], ["orange", "green"])
    found = query(top_k=5, filter={"$and": [{"rank": {"$gte": 1}}, {"colour": {"$ne": "orange"}}]})
    same([entry["key"] for entry in found], ["green"])


@check("vectors/PutVectors", "vectors/QueryVectors")
def wrong_vectors_are_refused(vectors_service, filled):
    for call in (
        lambda: vectors_service.put_vectors(
            vectors.models.PutVectorsRequest(
                bucket=filled, index_name="index1", vectors=[{"key": "short", "data": {"float32": [1.0]}}]
            )
        ),
        lambda: vectors_service.query_vectors(
            vectors.models.QueryVectorsRequest(
                bucket=filled, index_name="index1", query_vector={"float32": [1.0]}, top_k=1
            )
        ),
    ):
        try:
            call()
        except oss.exceptions.OperationError as error:
            same(error.unwrap().status_code, 400)
        else:
            raise AssertionError("a vector of another dimension was accepted")


@check("vectors/GetVectorIndex")
def missing_indexes(vectors_service, filled):
    error = refused(
        404, "NoSuchVectorIndex",
        lambda: vectors_service.get_vector_index(
            vectors.models.GetVectorIndexRequest(bucket=filled, index_name="absent")
        ),
    )
    holds(error.message, "no message")


@check("vectors/PutBucketPolicy", "vectors/GetBucketPolicy", "vectors/DeleteBucketPolicy")
def policies_of_vector_buckets(vectors_service, vector_bucket):
    service = vectors_service
    policy = json.dumps({
        "Version": "1",
        "Statement": [{
            "Action": ["oss:PutVectors"], "Effect": "Deny", "Principal": ["1234567890"],
            "Resource": [f"acs:ossvector:{REGION}:{ACCOUNT_ID}:*"],
        }],
    })
    service.put_bucket_policy(vectors.models.PutBucketPolicyRequest(bucket=vector_bucket, body=policy))
    found = service.get_bucket_policy(vectors.models.GetBucketPolicyRequest(bucket=vector_bucket)).body
    same(json.loads(found), json.loads(policy))
    service.delete_bucket_policy(vectors.models.DeleteBucketPolicyRequest(bucket=vector_bucket))
    refused(
        404, "NoSuchBucketPolicy",
        lambda: service.get_bucket_policy(vectors.models.GetBucketPolicyRequest(bucket=vector_bucket)),
    )


@check("vectors/PutBucketLogging", "vectors/GetBucketLogging", "vectors/DeleteBucketLogging")
def logging_of_vector_buckets(vectors_service, vector_bucket, bucket):
    service = vectors_service
    models = vectors.models
    service.put_bucket_logging(
        models.PutBucketLoggingRequest(
            bucket=vector_bucket,
            bucket_logging_status=models.BucketLoggingStatus(
                logging_enabled=models.LoggingEnabled(target_bucket=bucket, target_prefix="logs/")
            ),
        )
    )
    found = service.get_bucket_logging(models.GetBucketLoggingRequest(bucket=vector_bucket)).bucket_logging_status
    same((found.logging_enabled.target_bucket, found.logging_enabled.target_prefix), (bucket, "logs/"))
    service.delete_bucket_logging(models.DeleteBucketLoggingRequest(bucket=vector_bucket))


@check("vectors/PutVectorIndexFusion", "vectors/QueryVectorsFusion")
def fused_indexes(vectors_service, vector_bucket):
    vectors_service.put_vector_index_fusion(
        vectors.models.PutVectorIndexFusionRequest(
            bucket=vector_bucket, index_name="fused", mode="fusion",
            schema_configuration={
                "fields": [{"fieldName": "v", "fieldType": "vector", "dimension": 3, "distanceMetric": "cosine"}]
            },
        )
    )
    vectors_service.query_vectors_fusion(
        vectors.models.QueryVectorsFusionRequest(bucket=vector_bucket, index_name="fused", limit=1)
    )
