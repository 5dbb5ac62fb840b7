"""Datasets, queries, clusters and pipelines of data processing."""

import json

import alibabacloud_oss_v2 as oss
import alibabacloud_oss_v2.dataprocess as dataprocess

from checks import ROLE, holds, same

from .base import check, config, put

models = dataprocess.models


def dataprocess_client():
    return dataprocess.Client(config())


check.fixtures["processing"] = dataprocess_client


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


def open_index(processing, bucket):
    rule = models.RouteRule(type="OSSTag", auto_create_dataset="False", oss_tag_key="set")
    processing.open_meta_query(
        models.OpenMetaQueryRequest(
            bucket=bucket, mode="semantic", meta_query_body=models.MetaQueryOpenBody(route_rule=rule)
        )
    )


def with_dataset(processing, bucket):
    open_index(processing, bucket)
    processing.create_dataset(models.CreateDatasetRequest(bucket=bucket, dataset_name="one"))


@check(
    "dataprocess/CreateDataset", "dataprocess/GetDataset", "dataprocess/UpdateDataset", "dataprocess/ListDatasets",
    "dataprocess/DeleteDataset",
)
def datasets(processing, bucket):
    open_index(processing, bucket)
    for name in ("one", "two"):
        made = processing.create_dataset(
            models.CreateDatasetRequest(bucket=bucket, dataset_name=name, description="first")
        )
        same(made.dataset.dataset_name, name)
    where = {"bucket": bucket, "dataset_name": "one"}
    same(processing.get_dataset(models.GetDatasetRequest(**where)).dataset.description, "first")
    processing.update_dataset(models.UpdateDatasetRequest(description="second", **where))
    same(processing.get_dataset(models.GetDatasetRequest(**where)).dataset.description, "second")
    found = processing.list_datasets(models.ListDatasetsRequest(bucket=bucket)).datasets
    same(sorted(dataset.dataset_name for dataset in found.dataset), ["one", "two"])
    processing.delete_dataset(models.DeleteDatasetRequest(**where))
    refused_with(404, lambda: processing.get_dataset(models.GetDatasetRequest(**where)))


@check("dataprocess/SimpleQuery")
def simple_queries(processing, service, bucket):
    with_dataset(processing, bucket)
    put(service, bucket)
    service.put_object(oss.PutObjectRequest(bucket=bucket, key="in", body=b"xx", tagging="set=one"))
    query = json.dumps({"Field": "Size", "Value": "1", "Operation": "gt"})
    found = processing.simple_query(
        models.SimpleQueryRequest(bucket=bucket, dataset_name="one", query=query, max_results=10)
    )
    same([entry.filename for entry in found.files.file], ["in"])
    same(found.total_hits, 1)


@check("dataprocess/DeleteFileMeta")
def entries_of_files(processing, bucket):
    with_dataset(processing, bucket)
    processing.delete_file_meta(
        models.DeleteFileMetaRequest(bucket=bucket, dataset_name="one", uri=f"oss://{bucket}/k")
    )


@check("dataprocess/SemanticQuery")
def semantic_queries(processing, bucket):
    with_dataset(processing, bucket)
    found = processing.semantic_query(
        models.SemanticQueryRequest(bucket=bucket, dataset_name="one", query="a cat on a mat")
    )
    same(found.files or [], [])


@check(
    "dataprocess/OpenMetaQuery", "dataprocess/GetMetaQueryStatus", "dataprocess/CloseMetaQuery",
)
def metadata_indexes(processing, bucket):
    processing.open_meta_query(models.OpenMetaQueryRequest(bucket=bucket, mode="basic"))
    holds(processing.get_meta_query_status(models.GetMetaQueryStatusRequest(bucket=bucket)).status, "no status")
    processing.close_meta_query(models.CloseMetaQueryRequest(bucket=bucket))


@check("dataprocess/DoMetaQuery")
def metadata_queries(processing, service, bucket):
    put(service, bucket, "large", b"x" * 1000)
    processing.open_meta_query(models.OpenMetaQueryRequest(bucket=bucket, mode="basic"))
    query = models.MetaQueryDoBody(
        query='{"Field": "Size", "Value": "100", "Operation": "gt"}', max_results=5, sort="Size", order="asc",
    )
    found = processing.do_meta_query(models.DoMetaQueryRequest(bucket=bucket, mode="basic", meta_query_body=query))
    same([entry.filename for entry in found.files.file], ["large"])


@check(
    "dataprocess/CreateSmartCluster", "dataprocess/GetSmartCluster", "dataprocess/UpdateSmartCluster",
    "dataprocess/ListSmartClusters", "dataprocess/DeleteSmartCluster",
)
def smart_clusters(processing, bucket):
    with_dataset(processing, bucket)
    where = {"bucket": bucket, "dataset_name": "one"}
    rules = json.dumps([{"RuleType": "keywords", "Keywords": ["cats"], "Sensitivity": 0.5}])
    object_id = processing.create_smart_cluster(
        models.CreateSmartClusterRequest(name="cats", cluster_type="knowledge", rules=rules, **where)
    ).object_id
    found = processing.get_smart_cluster(models.GetSmartClusterRequest(object_id=object_id, **where))
    same(found.smart_cluster.name, "cats")
    processing.update_smart_cluster(models.UpdateSmartClusterRequest(object_id=object_id, name="dogs", **where))
    found = processing.list_smart_clusters(models.ListSmartClustersRequest(**where)).smart_clusters
    same([cluster.name for cluster in found.smart_cluster], ["dogs"])
    processing.delete_smart_cluster(models.DeleteSmartClusterRequest(object_id=object_id, **where))


@check(
    "dataprocess/PutDataPipelineConfiguration", "dataprocess/GetDataPipelineConfiguration",
    "dataprocess/ListDataPipelineConfigurations", "dataprocess/PauseDataPipeline", "dataprocess/RestartDataPipeline",
    "dataprocess/DeleteDataPipelineConfiguration",
)
def data_pipelines(processing, bucket):
    name = "pipeline-" + bucket[-8:]
    configuration = models.PutDataPipelineConfigurationConfiguration(
        data_pipeline_description="for a check",
        sources=[models.DataPipelineSource(input_bucket=bucket, input_data_scope="All")],
        data_pipeline_embedding_configuration=models.DataPipelineEmbeddingConfiguration(
            embedding_provider="bailian", api_key="sk-of-a-check", model="text-embedding-v4",
        ),
        destination=models.DataPipelineDestination(vector_bucket_name="vectors", vector_index_names=["index1"]),
    )
    processing.put_data_pipeline_configuration(
        models.PutDataPipelineConfigurationRequest(data_pipeline_name=name, role=ROLE, configuration=configuration)
    )
    where = {"data_pipeline_name": name}
    found = processing.get_data_pipeline_configuration(
        models.GetDataPipelineConfigurationRequest(**where)
    ).configuration
    same(found.data_pipeline_name, name)
    listed = processing.list_data_pipeline_configurations(models.ListDataPipelineConfigurationsRequest())
    listed = listed.data_pipeline_configurations.data_pipeline_configuration
    names = [entry.data_pipeline_name for entry in listed]
    holds(name in names, names)
    processing.pause_data_pipeline(models.PauseDataPipelineRequest(**where))
    processing.restart_data_pipeline(models.RestartDataPipelineRequest(**where))
    processing.delete_data_pipeline_configuration(models.DeleteDataPipelineConfigurationRequest(**where))
    refused_with(
        404,
        lambda: processing.get_data_pipeline_configuration(models.GetDataPipelineConfigurationRequest(**where)),
    )
