"""Buckets themselves, and what the account has besides them."""

import json

import alibabacloud_oss_v2 as oss

from checks import ACCOUNT_ID, REGION, holds, new_name, same

from .base import check, put, refused


@check("PutBucket", "GetBucketInfo", "GetBucketLocation", "DeleteBucket")
def bucket_is_created_described_and_deleted(service, bucket):
    info = service.get_bucket_info(oss.GetBucketInfoRequest(bucket=bucket)).bucket_info
    same((info.name, info.acl, info.storage_class), (bucket, "private", "Standard"))
    same((info.data_redundancy_type, info.location), ("LRS", f"oss-{REGION}"))
    same(info.owner.id, ACCOUNT_ID)
    location = service.get_bucket_location(oss.GetBucketLocationRequest(bucket=bucket)).location
    same(location, f"oss-{REGION}")
    same(service.is_bucket_exist(bucket), True)
    service.delete_bucket(oss.DeleteBucketRequest(bucket=bucket))
    same(service.is_bucket_exist(bucket), False)
    refused(404, "NoSuchBucket", lambda: service.get_bucket_info(oss.GetBucketInfoRequest(bucket=bucket)))


@check("PutBucket", "GetBucketInfo")
def buckets_of_other_classes(service):
    name = new_name()
    service.put_bucket(
        oss.PutBucketRequest(
            bucket=name, acl="public-read",
            create_bucket_configuration=oss.CreateBucketConfiguration(storage_class="IA", data_redundancy_type="ZRS"),
        )
    )
    info = service.get_bucket_info(oss.GetBucketInfoRequest(bucket=name)).bucket_info
    same((info.storage_class, info.data_redundancy_type, info.acl), ("IA", "ZRS", "public-read"))
    put(service, name)
    same(service.head_object(oss.HeadObjectRequest(bucket=name, key="k")).storage_class, "IA")


@check("PutBucket")
def wrong_buckets(service, bucket):
    configuration = oss.CreateBucketConfiguration(storage_class="Attic")
    try:
        service.put_bucket(oss.PutBucketRequest(bucket=new_name(), create_bucket_configuration=configuration))
    except oss.exceptions.OperationError as error:
        same(error.unwrap().status_code, 400)
    else:
        raise AssertionError("a bucket of an unknown class")
    refused(
        400, "InvalidArgument", lambda: service.put_bucket(oss.PutBucketRequest(bucket=new_name(), acl="for-friends"))
    )


@check("DeleteBucket")
def buckets_with_objects_stay(service, bucket):
    put(service, bucket)
    refused(409, "BucketNotEmpty", lambda: service.delete_bucket(oss.DeleteBucketRequest(bucket=bucket)))
    same(service.is_bucket_exist(bucket), True)


@check("GetBucketStat")
def statistics_count(service, bucket):
    put(service, bucket, "a", b"12345")
    put(service, bucket, "b", b"123", storage_class="IA")
    service.initiate_multipart_upload(oss.InitiateMultipartUploadRequest(bucket=bucket, key="c"))
    stat = service.get_bucket_stat(oss.GetBucketStatRequest(bucket=bucket))
    same((stat.storage, stat.object_count, stat.multi_part_upload_count), (8, 2, 1))
    same((stat.standard_storage, stat.standard_object_count), (5, 1))
    same((stat.infrequent_access_real_storage, stat.infrequent_access_object_count), (3, 1))


@check("PutBucketAcl", "GetBucketAcl")
def bucket_acls(service, bucket):
    same(service.get_bucket_acl(oss.GetBucketAclRequest(bucket=bucket)).acl, "private")
    for acl in ("public-read", "public-read-write", "private"):
        service.put_bucket_acl(oss.PutBucketAclRequest(bucket=bucket, acl=acl))
        found = service.get_bucket_acl(oss.GetBucketAclRequest(bucket=bucket))
        same((found.acl, found.owner.id), (acl, ACCOUNT_ID))
    refused(
        400, "InvalidArgument", lambda: service.put_bucket_acl(oss.PutBucketAclRequest(bucket=bucket, acl="default"))
    )


@check("DescribeRegions")
def regions(service):
    found = service.describe_regions(oss.DescribeRegionsRequest()).region_info
    holds(f"oss-{REGION}" in [region.region for region in found], "the region is missing")
    one = service.describe_regions(oss.DescribeRegionsRequest(regions=f"oss-{REGION}")).region_info
    same([region.region for region in one], [f"oss-{REGION}"])
    holds(one[0].internet_endpoint and one[0].internal_endpoint, "no endpoints")


@check("ListCloudBoxes")
def cloud_boxes(service):
    same(service.list_cloud_boxes(oss.ListCloudBoxesRequest()).cloud_boxes or [], [])


def block(allowed):
    return oss.PublicAccessBlockConfiguration(block_public_access=allowed)


@check("PutPublicAccessBlock", "GetPublicAccessBlock", "DeletePublicAccessBlock")
def public_access_is_blocked_for_all_buckets(service, bucket):
    service.put_public_access_block(oss.PutPublicAccessBlockRequest(public_access_block_configuration=block(True)))
    try:
        found = service.get_public_access_block(oss.GetPublicAccessBlockRequest())
        same(found.public_access_block_configuration.block_public_access, True)
        refused(
            403, "AccessDenied",
            lambda: service.put_bucket_acl(oss.PutBucketAclRequest(bucket=bucket, acl="public-read")),
        )
    finally:
        service.delete_public_access_block(oss.DeletePublicAccessBlockRequest())
    service.put_bucket_acl(oss.PutBucketAclRequest(bucket=bucket, acl="public-read"))


def bucket_block(service, bucket):
    found = service.get_bucket_public_access_block(oss.GetBucketPublicAccessBlockRequest(bucket=bucket))
    return found.public_access_block_configuration.block_public_access


@check("PutBucketPublicAccessBlock", "GetBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock")
def public_access_is_blocked_for_a_bucket(service, bucket):
    service.put_bucket_public_access_block(
        oss.PutBucketPublicAccessBlockRequest(bucket=bucket, public_access_block_configuration=block(True))
    )
    same(bucket_block(service, bucket), True)
    refused(
        403, "AccessDenied",
        lambda: service.put_bucket_acl(oss.PutBucketAclRequest(bucket=bucket, acl="public-read-write")),
    )
    service.delete_bucket_public_access_block(oss.DeleteBucketPublicAccessBlockRequest(bucket=bucket))
    service.put_bucket_acl(oss.PutBucketAclRequest(bucket=bucket, acl="public-read-write"))


def create_point(service, bucket, name):
    return service.create_access_point(
        oss.CreateAccessPointRequest(
            bucket=bucket,
            create_access_point_configuration=oss.CreateAccessPointConfiguration(
                access_point_name=name, network_origin="internet"
            ),
        )
    )


def delete_point(service, bucket, name):
    service.delete_access_point(oss.DeleteAccessPointRequest(bucket=bucket, access_point_name=name))


@check("CreateAccessPoint", "GetAccessPoint", "ListAccessPoints", "DeleteAccessPoint")
def access_points(service, bucket):
    name = "ap-" + bucket[-12:]
    made = create_point(service, bucket, name)
    same(made.access_point_arn, f"acs:oss:{REGION}:{ACCOUNT_ID}:accesspoint/{name}")
    found = service.get_access_point(oss.GetAccessPointRequest(bucket=bucket, access_point_name=name))
    same((found.access_point_name, found.bucket, found.network_origin), (name, bucket, "internet"))
    same((found.account_id, found.alias), (ACCOUNT_ID, made.alias))
    holds(found.status, "no status")
    listed = service.list_access_points(oss.ListAccessPointsRequest(bucket=bucket)).access_points
    same([point.access_point_name for point in listed], [name])
    delete_point(service, bucket, name)
    refused(
        404, "NoSuchAccessPoint",
        lambda: [
            service.get_access_point(oss.GetAccessPointRequest(bucket=bucket, access_point_name="ap-absent"))
        ],
    )


@check("PutAccessPointPolicy", "GetAccessPointPolicy", "DeleteAccessPointPolicy")
def access_point_policies(service, bucket):
    name = "ap-" + bucket[-12:]
    create_point(service, bucket, name)
    policy = json.dumps({
        "Version": "1",
        "Statement": [{
            "Effect": "Allow", "Action": ["oss:GetObject"], "Principal": ["2773796215615712"],
            "Resource": [f"acs:oss:{REGION}:{ACCOUNT_ID}:accesspoint/{name}/object/*"],
        }],
    })
    where = {"bucket": bucket, "access_point_name": name}
    service.put_access_point_policy(oss.PutAccessPointPolicyRequest(body=policy, **where))
    found = service.get_access_point_policy(oss.GetAccessPointPolicyRequest(**where)).body
    same(json.loads(found), json.loads(policy))
    service.delete_access_point_policy(oss.DeleteAccessPointPolicyRequest(**where))
    try:
        service.get_access_point_policy(oss.GetAccessPointPolicyRequest(**where))
    except oss.exceptions.OperationError as error:
        same(error.unwrap().status_code, 404)
    else:
        raise AssertionError("the policy is still there")
    delete_point(service, bucket, name)


@check(
    "PutAccessPointPublicAccessBlock", "GetAccessPointPublicAccessBlock", "DeleteAccessPointPublicAccessBlock",
)
def access_points_block_public_access(service, bucket):
    name = "ap-" + bucket[-12:]
    create_point(service, bucket, name)
    where = {"bucket": bucket, "access_point_name": name}

    def blocked():
        found = service.get_access_point_public_access_block(oss.GetAccessPointPublicAccessBlockRequest(**where))
        return found.public_access_block_configuration.block_public_access

    for value in (False, True):
        service.put_access_point_public_access_block(
            oss.PutAccessPointPublicAccessBlockRequest(public_access_block_configuration=block(value), **where)
        )
        same(blocked(), value)
    service.delete_access_point_public_access_block(oss.DeleteAccessPointPublicAccessBlockRequest(**where))
    delete_point(service, bucket, name)


@check("PutBucketResourceGroup", "GetBucketResourceGroup")
def resource_groups(service, bucket):
    def group():
        found = service.get_bucket_resource_group(oss.GetBucketResourceGroupRequest(bucket=bucket))
        return found.bucket_resource_group_configuration.resource_group_id

    holds(group(), "no resource group at first")
    service.put_bucket_resource_group(
        oss.PutBucketResourceGroupRequest(
            bucket=bucket,
            bucket_resource_group_configuration=oss.BucketResourceGroupConfiguration(
                resource_group_id="rg-aekz00000000000"
            ),
        )
    )
    same(group(), "rg-aekz00000000000")


@check("PutBucket", "ListBuckets", "PutBucketTags")
def buckets_are_found_by_tag(service, bucket, other):
    service.put_bucket_tags(
        oss.PutBucketTagsRequest(
            bucket=bucket,
            tagging=oss.Tagging(tag_set=oss.TagSet(tags=[oss.Tag(key="find", value=bucket)])),
        )
    )
    found = service.list_buckets(oss.ListBucketsRequest(tag_key="find", tag_value=bucket)).buckets
    same([entry.name for entry in found], [bucket])
