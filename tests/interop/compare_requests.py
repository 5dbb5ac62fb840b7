"""Compares the requests of this SDK with those of the official Python SDK V2, operation by operation, without a network.

The program that OSS_REQUESTS names gives sample inputs and turns inputs into requests. Each input is also given to the
Python SDK, whose HTTP client is replaced by one that keeps the request. Differences that exceptions.md does not list fail,
and so do lines of it that nothing needed. Exit code 1 then.
"""

import collections
import fnmatch
import json
import os
import pathlib
import re
import subprocess
import sys

from differences import Request, differences
from python_requests import CLIENTS, Builder, Lacking, clients, operations, send

# Bucket names in the host, and in the path.
ENDPOINTS = [None, "http://127.0.0.1:9000"]
# Enough for every member and every choice between members to be there.
SAMPLES = ["--samples", "--filled", "6", "--random", "24"]

# Told, and no failure: both clients fill them in as they like.
INFORMATION = {"header content-type", "header content-md5"}


class Exceptions:
    """The tables of exceptions.md, which know what was needed."""

    def __init__(self, path):
        self.tables = collections.defaultdict(list)
        self.used = set()
        title = None
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("## "):
                title = line[3:].strip()
            elif line.startswith("| `"):
                cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
                self.tables[title].append([re.sub(r"^`(.*)`$", r"\1", cell) for cell in cells])

    def covers(self, title, *wanted):
        for number, row in enumerate(self.tables[title]):
            if all(fnmatch.fnmatchcase(text, pattern) for text, pattern in zip(wanted, row)):
                self.used.add((title, number))
                return row
        return None

    def unused(self):
        for title, rows in self.tables.items():
            for number, row in enumerate(rows):
                if (title, number) not in self.used:
                    yield f"{title}: " + ", ".join(row[:-1])


def run(arguments, lines=""):
    done = subprocess.run(
        [os.environ["OSS_REQUESTS"], "requests", *arguments], input=lines, stdout=subprocess.PIPE, check=True, encoding="utf-8"
    )
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def adapt(value):
    """Changes an input to what Python takes, too, as exceptions.md says under Inputs."""
    if "complete_multipart_upload" in value:
        parts = value["complete_multipart_upload"].get("parts", [])
        parts.sort(key=lambda part: part["part_number"])
    retention = value.get("object_worm_configuration", {}).get("rule", {}).get("default_retention")
    if retention is not None and "years" not in retention:
        retention.setdefault("days", 1)


class Comparison:
    def __init__(self, exceptions):
        self.exceptions = exceptions
        self.failures = collections.OrderedDict()
        self.information = collections.defaultdict(set)
        self.compared = collections.Counter()
        self.samples = 0

    def fail(self, where, what, example):
        self.failures.setdefault((where, what), []).append(example)

    def inputs(self, samples, operations):
        """Inputs that both can have: without what Python lacks."""
        for sample in samples:
            service, operation = sample["service"], sample["operation"]
            theirs = operations.get(service, {}).get(operation.lower())
            if theirs is None:
                continue
            where = f"{service}/{operation}"
            builder = Builder(service, theirs, self.exceptions)
            adapt(sample["input"])
            try:
                builder.request(sample["input"])
            except Lacking as lacking:
                self.fail(where, f"Python lacks {service}/{lacking}", sample["sample"])
                continue
            except Exception:  # Seen again when the requests are compared.
                pass
            sample["python"] = theirs
            yield sample

    def compare(self, sample, clients):
        service, operation, theirs = sample["service"], sample["operation"], sample["python"]
        where = f"{service}/{operation}"
        example = sample["sample"]
        refused = []
        rust = python = None
        if "error" in sample:
            refused.append(f"refused here: {sample['error']}")
        else:
            rust = Request.of_rust(sample["request"])
        try:
            request = Builder(service, theirs, self.exceptions).request(sample["input"])
            python = Request.of_python(send(clients[service], theirs, request))
        except Exception as error:  # Whatever the Python SDK throws is its refusal.
            refused.append(f"refused by Python: {error}")
        self.samples += 1
        self.compared[where] += 1
        for what in refused:
            if not self.exceptions.covers("Differences", where, what):
                self.fail(where, what, example)
        if refused:
            return
        for what, ours, other in [*differences(rust, python), *rust.wrong_digest()]:
            if what in INFORMATION:
                self.inform(where, what, ours, other)
            elif not self.exceptions.covers("Differences", where, what):
                self.fail(where, what, f"{example}:\n      here:   {ours!r}\n      Python: {other!r}")

    def inform(self, where, what, ours, other):
        if what == "header content-md5":
            # Digests of documents that are written in another way.
            if ours and other:
                return
            ours, other = ("one" if digest else "none" for digest in (ours, other))
        self.information[f"{what}: {ours or 'none'} here, {other or 'none'} in Python"].add(where)


def main():
    exceptions = Exceptions(pathlib.Path(__file__).with_name("exceptions.md"))
    comparison = Comparison(exceptions)
    samples = [sample for sample in run(SAMPLES) if len(sys.argv) < 2 or sample["operation"] in sys.argv[1:]]
    theirs = {service: {name.lower(): name for name in operations(service)} for service in CLIENTS}
    ours = collections.defaultdict(dict)
    for sample in samples:
        ours[sample["service"]][sample["operation"].lower()] = sample["operation"]
    for service, names in theirs.items():
        for missing in sorted(set(names) - set(ours[service])):
            if len(sys.argv) < 2 and not exceptions.covers("Operations that are not here", f"{service}/{names[missing]}"):
                comparison.fail(f"{service}/{names[missing]}", "no such operation here", "")
    inputs = list(comparison.inputs(samples, theirs))
    lines = "".join(json.dumps(sample) + "\n" for sample in inputs)
    for endpoint in ENDPOINTS:
        made = clients(endpoint)
        for sample in run(["--endpoint", endpoint] if endpoint else [], lines):
            comparison.compare(sample, made)
    report(comparison, theirs, ours)
    return 1 if comparison.failures or (len(sys.argv) < 2 and list(exceptions.unused())) else 0


def report(comparison, theirs, ours):
    for (where, what), examples in comparison.failures.items():
        print(f"FAIL {where}: {what} ({len(examples)} times)")
        print(f"    {examples[0]}")
    if len(sys.argv) < 2:
        for line in comparison.exceptions.unused():
            print(f"FAIL exceptions.md: unused: {line}")
    for what, where in sorted(comparison.information.items()):
        print(f"information: {what}: {len(where)} operations: {', '.join(sorted(where))}")
    for service in sorted(ours):
        alone = sorted(name for key, name in ours[service].items() if key not in theirs.get(service, {}))
        if alone:
            print(f"information: {service}: not in the Python SDK: {', '.join(alone)}")
    print(
        f"{len(comparison.compared)} operations, {comparison.samples} requests compared, "
        f"{len(comparison.failures)} unexplained differences, {len(comparison.exceptions.used)} exceptions used"
    )


if __name__ == "__main__":
    sys.exit(main())
