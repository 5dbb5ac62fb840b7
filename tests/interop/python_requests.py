"""Requests of the official Python SDK V2 for inputs that have the names of our models."""

import base64
import datetime
import inspect
import json
import re
import typing

import alibabacloud_oss_v2 as oss
import alibabacloud_oss_v2.agentic
import alibabacloud_oss_v2.dataprocess
import alibabacloud_oss_v2.tables
import alibabacloud_oss_v2.vectors

REGION = "cn-hangzhou"
ACCOUNT_ID = "1234567890123456"

MODELS = {
    "oss": oss.models,
    "vectors": oss.vectors.models,
    "tables": oss.tables.models,
    "dataprocess": oss.dataprocess.models,
    "agentic": oss.agentic.models,
}
CLIENTS = {
    "oss": oss.Client,
    "vectors": oss.vectors.Client,
    "tables": oss.tables.Client,
    "dataprocess": oss.dataprocess.Client,
    "agentic": oss.agentic.AgenticBucketClient,
}

# Query parameters for which Python's callers write JSON themselves, with the classes that help them.
PARAMETERS = {
    "aggregations": "MetaQueryAggregations",
    "dataset_config": "DatasetConfig",
    "media_types": "MediaTypes",
    "notification": "SmartClusterNotificationInfo",
    "query": "SimpleQuery",
    "rule": "SmartClusterRule",
    "rules": "Rules",
    "simple_query": "SimpleQuery",
    "with_fields": "WithFields",
    "workflow_parameters": "WorkflowParameters",
}
# Members that are JSON in Python, with their wire names below.
JSON_MEMBERS = {
    "vectors/PutVectorIndex.metadata",
    "vectors/PutVectors.vectors",
    "vectors/QueryVectors.query_vector",
    "tables/PutTableBucketMaintenanceConfiguration.value",
    "tables/PutTableMaintenanceConfiguration.value",
}
# Names of objects in them that take any key besides their own members.
OBJECTS_WITH_A_REST = {"data", "query_vector"}
# Wire names in them that are not just lowerCamelCase.
UNUSUAL_NAMES = {"target_file_size_mb": "targetFileSizeMB"}
# Parts of values that Python's callers write themselves.
PREFIXES = {
    ("CSVInput", "range"): "line-range=",
    ("CSVInput", "split_range"): "split-range=",
    ("JSONInput", "range"): "line-range=",
    ("JSONInput", "split_range"): "split-range=",
}
# Operations whose `x-oss-process` Python's callers write themselves.
FORMAT_ACTIONS = {"SelectObject": "select", "CreateSelectObjectMeta": "meta"}
# Texts that Python's callers encode themselves.
BASE64_MEMBERS = {
    "CSVInput": {"record_delimiter", "field_delimiter", "quote_character", "comment_character"},
    "CSVOutput": {"record_delimiter", "field_delimiter", "quote_character"},
    "JSONOutput": {"record_delimiter"},
    "SelectRequest": {"expression"},
}


class Kept(BaseException):
    """Carries a request out of the Python SDK, through all of its handlers."""

    def __init__(self, request):
        super().__init__()
        self.request = request


class Keeper(oss.types.HttpClient):
    """An HTTP client that sends nothing."""

    def send(self, request, **_):
        raise Kept(request)

    def open(self):
        pass

    def close(self):
        pass


class Lacking(Exception):
    """The Python SDK has no such member."""


def clients(endpoint):
    """A client of each service for the public addresses, or for this endpoint."""
    config = oss.config.load_default()
    config.region = REGION
    config.account_id = ACCOUNT_ID
    config.endpoint = endpoint
    config.retry_max_attempts = 1
    config.http_client = Keeper()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider("ak", "sk")
    return {service: client(config) for service, client in CLIENTS.items()}


def send(client, operation, request):
    """What the client would send."""
    try:
        getattr(client, snake(operation))(request)
    except Kept as kept:
        return kept.request
    raise RuntimeError("nothing was sent")


def operations(service):
    """Names of the operations that the client of the service has."""
    names = (name[: -len("Request")] for name in dir(MODELS[service]) if name.endswith("Request"))
    return {name for name in names if hasattr(CLIENTS[service], snake(name))}


def snake(name):
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name).lower()


def select_format(value):
    """What a query is about: Python's callers say it twice."""
    request = value.get("select_request", value.get("select_meta_request", {}))
    return "json" if "json" in request or "json" in request.get("input_serialization", {}) else "csv"


def lower_camel(name):
    if name in UNUSUAL_NAMES:
        return UNUSUAL_NAMES[name]
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def classes_in(hint):
    if inspect.isclass(hint):
        return [hint] if issubclass(hint, oss.serde.Model) else []
    return [found for part in typing.get_args(hint) for found in classes_in(part)]


def parameters(model):
    names = set(inspect.signature(model.__init__).parameters) - {"self", "kwargs"}
    return names | set(model._attribute_map)


class Builder:
    """Turns inputs with the names of our models into request objects of Python."""

    def __init__(self, service, operation, exceptions):
        self.service = service
        self.models = MODELS[service]
        self.operation = operation
        self.exceptions = exceptions

    def attribute(self, model, name):
        """Python's name of a member, or an exception that says that it has none."""
        row = self.exceptions.covers("Names", f"{model.__name__}.{name}")
        if row:
            return row[1]
        if name in parameters(model):
            return name
        raise Lacking(f"{model.__name__}.{name}")

    def nested(self, model, attribute):
        """The class of an attribute and whether the attribute is a list."""
        description = model._attribute_map.get(attribute, {})
        kind = description.get("type", "str").split(",")[0]
        hint = typing.get_type_hints(model.__init__).get(attribute)
        is_list = kind.startswith("[") or "List[" in str(hint)
        found = classes_in(hint)
        if found:
            return found[0], is_list
        name = kind.strip("[]")
        dependency = model._dependency_map.get(name, {}).get("new")
        if dependency:
            return type(dependency()), is_list
        found = getattr(self.models, name, None) or getattr(self.models, description.get("rename", ""), None)
        return (found if inspect.isclass(found) else None), is_list

    def request(self, value):
        """The request object for an input. What Python lacks is taken out of the input where exceptions.md allows it."""
        request = self.build(getattr(self.models, f"{self.operation}Request"), value)
        if self.operation in FORMAT_ACTIONS:
            request.process = f"{select_format(value)}/{FORMAT_ACTIONS[self.operation]}"
        return request

    def build(self, model, value):
        attributes = {}
        for name, member in list(value.items()):
            # There is no difference between an empty list and none here.
            if member == []:
                del value[name]
                continue
            try:
                attribute = self.attribute(model, name)
            except Lacking as lacking:
                if self.exceptions.covers("Members that the Python SDK lacks", f"{self.service}/{lacking}"):
                    del value[name]
                    continue
                raise
            attributes[attribute] = self.member(model, name, attribute, member)
        built = model(**attributes)
        for attribute, member in attributes.items():
            setattr(built, attribute, member)
        return built

    def member(self, model, name, attribute, value):
        is_request = model.__name__ == f"{self.operation}Request"
        if is_request and f"{self.service}/{self.operation}.{name}" in JSON_MEMBERS:
            return with_wire_names(value, name if name in OBJECTS_WITH_A_REST else None)
        if self.service == "dataprocess" and is_request and not isinstance(value, (str, int)):
            return self.parameter(attribute, value)
        if name == "select_meta_request":
            # Python has a class for each format in place of members.
            ((kind, value),) = value.items()
            return self.build(getattr(self.models, f"{kind.upper()}MetaRequest"), value)
        nested, is_list = self.nested(model, attribute)
        if nested and isinstance(value, list) and not is_list:
            return self.wrapped(nested, value)
        if nested and isinstance(value, list):
            return [self.build(nested, item) for item in value]
        if nested and isinstance(value, dict):
            return self.build(nested, value)
        if isinstance(value, dict) and set(value) == {"$text"}:
            return value["$text"].encode()
        description = model._attribute_map.get(attribute, {})
        if description.get("position") == "body" and self.service not in ("vectors", "tables"):
            return value.encode()
        kind = description.get("type") or ""
        # Some dates are texts here; Python writes texts as they are, too.
        if "datetime" in kind and re.match(r"\d{4}-\d\d-\d\dT", str(value)):
            return datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        if name in BASE64_MEMBERS.get(model.__name__, ()):
            return base64.b64encode(value.encode()).decode()
        prefix = PREFIXES.get((model.__name__, name))
        return prefix + value if prefix else value

    def wrapped(self, model, values):
        """A list where Python has a class that holds nothing else."""
        (attribute,) = model._attribute_map
        nested, _ = self.nested(model, attribute)
        items = [self.build(nested, value) if nested and isinstance(value, dict) else value for value in values]
        return model(**{attribute: items})

    def parameter(self, attribute, value):
        """The JSON of a query parameter, by the class that Python has for it."""
        name = PARAMETERS.get(attribute)
        model = getattr(self.models, name) if name else None
        if model is None:
            nested, _ = self.nested(getattr(self.models, f"{self.operation}Request"), attribute)
            if nested:
                return self.build(nested, value)
            return json.dumps(value)
        built = self.wrapped(model, value) if isinstance(value, list) else self.build(model, value)
        return built.to_parameter_value()


def with_wire_names(value, name=None):
    """JSON with the names of the wire. Metadata of vectors is the caller's own, and so is what stands in `fields`, whose
    entries are keys of the object itself."""
    if isinstance(value, list):
        return [with_wire_names(item, name) for item in value]
    if isinstance(value, dict) and name != "metadata":
        own = value.get("fields", {}) if name in OBJECTS_WITH_A_REST else {}
        rest = {key: item for key, item in value.items() if item != [] and not (own and key == "fields")}
        return {lower_camel(key): with_wire_names(item, key) for key, item in rest.items()} | own
    return value
