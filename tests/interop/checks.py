"""What the client programs in Python share: named checks, the things they are given, and lines about how they ended.

A check is a function. Its decorator names the operations that it is about; what it is given depends on the names of its
parameters, each of which has a fixture: a function that returns the thing, or a generator that yields it and cleans up.
Each check prints one line of JSON, as README.md describes.
"""

import contextlib
import inspect
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
import uuid

ENDPOINT = os.environ.get("OSS_ENDPOINT", "http://127.0.0.1:9000")
REGION = os.environ.get("OSS_REGION", "cn-hangzhou")
ACCESS_KEY_ID = os.environ.get("OSS_ACCESS_KEY_ID", "oss-emulator")
ACCESS_KEY_SECRET = os.environ.get("OSS_ACCESS_KEY_SECRET", "oss-emulator-secret")
ACCOUNT_ID = os.environ.get("OSS_ACCOUNT_ID", "1234567890123456")
SIGNATURE_VERSION = os.environ.get("OSS_SIGNATURE_VERSION", "v4")

ROLE = f"acs:ram::{ACCOUNT_ID}:role/interop"


class Checks:
    """The checks of one client program."""

    def __init__(self, fixtures, is_not_implemented):
        """`is_not_implemented` tells of an exception of the client whether it is the emulator's 501."""
        self.fixtures = {"folder": folder, **fixtures}
        self.is_not_implemented = is_not_implemented
        self.functions = []

    def __call__(self, *operations, versions=("v1", "v2", "v4")):
        """Decorates a check of these operations, of `oss` where no service is named, for these signature versions."""

        def decorate(function):
            names = [name if "/" in name else f"oss/{name}" for name in operations]
            if SIGNATURE_VERSION in versions:
                self.functions.append((function, names))
            return function

        return decorate

    def chosen(self):
        """The checks whose names contain one of the program's arguments, or all."""
        for function, operations in self.functions:
            name = function.__name__.replace("_", " ")
            if len(sys.argv) < 2 or any(wanted in name for wanted in sys.argv[1:]):
                yield name, function, operations

    def run(self, offers):
        """Runs all checks; 0 when none failed."""
        tell(offers=sorted(offers))
        failed = 0
        for name, function, operations in self.chosen():
            with reported(self, name, operations) as report, contextlib.ExitStack() as stack:
                given = {}
                for parameter in inspect.signature(function).parameters:
                    given[parameter] = enter(stack, self.fixtures[parameter])
                function(**given)
            failed += report["outcome"] == "failed"
        return 1 if failed else 0

    async def run_async(self, offers):
        """Runs all checks, which may be coroutines and so may their fixtures; 0 when none failed."""
        tell(offers=sorted(offers))
        failed = 0
        for name, function, operations in self.chosen():
            with reported(self, name, operations) as report:
                async with contextlib.AsyncExitStack() as stack:
                    given = {}
                    for parameter in inspect.signature(function).parameters:
                        given[parameter] = await enter_async(stack, self.fixtures[parameter])
                    await function(**given)
            failed += report["outcome"] == "failed"
        return 1 if failed else 0


@contextlib.contextmanager
def reported(checks, name, operations):
    report = {"check": name, "operations": operations, "outcome": "ok", "detail": ""}
    try:
        yield report
    except Exception as error:  # noqa: BLE001 - every failure of a check is reported and counted
        if checks.is_not_implemented(error):
            report["outcome"] = "not implemented"
            report["detail"] = one_line(error)
        else:
            report["outcome"] = "failed"
            report["detail"] = f"{one_line(error)} ({place(error)})"
    tell(**report)


def enter(stack, fixture):
    if inspect.isgeneratorfunction(fixture):
        return stack.enter_context(contextlib.contextmanager(fixture)())
    return fixture()


async def enter_async(stack, fixture):
    if inspect.isasyncgenfunction(fixture):
        return await stack.enter_async_context(contextlib.asynccontextmanager(fixture)())
    return enter(stack, fixture)


def tell(**line):
    print(json.dumps(line, ensure_ascii=False), flush=True)


def one_line(error):
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:600]


def place(error):
    """Where the check itself was when it failed."""
    own = str(pathlib.Path(__file__).parent)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(own)]
    frames = [frame for frame in frames if frame.filename != __file__ and "site-packages" not in frame.filename]
    return f"{pathlib.Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "outside the checks"


def folder():
    """Yields a directory that is deleted afterwards."""
    path = tempfile.mkdtemp(prefix="interop-")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def new_name():
    return "interop-" + uuid.uuid4().hex[:16]


def camel(method):
    """The name of an operation from that of a Python method."""
    return "".join(part.capitalize() for part in method.split("_"))


def same(found, wanted):
    if found != wanted:
        raise AssertionError(f"found {found!r}, wanted {wanted!r}")


def holds(condition, otherwise):
    if not condition:
        raise AssertionError(otherwise)


def wait_until(read, wanted, seconds=10):
    """Waits for a state that the service reaches by itself."""
    until = time.monotonic() + seconds
    while read() != wanted:
        holds(time.monotonic() < until, f"{read()!r} is not {wanted!r} after {seconds} seconds")
        time.sleep(0.2)


def write_file(folder, content, name="content"):
    path = os.path.join(folder, name)
    pathlib.Path(path).write_bytes(content)
    return path


def read_file(path):
    return pathlib.Path(path).read_bytes()


class Answer:
    """What a plain HTTP client got."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body


class StayHere(urllib.request.HTTPRedirectHandler):
    """Gives redirects to the caller."""

    def redirect_request(self, *_):
        return None


def http(method, url, body=None, headers=None):
    """A request by a plain HTTP client, which adds no headers to those that are given but a type where there is a body."""
    request = urllib.request.Request(url, data=body, method=method, headers=dict(headers or {}))
    if body is not None and not request.has_header("Content-type"):
        # Urllib would say that it is a form.
        request.add_header("Content-Type", "")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), StayHere)
    try:
        with opener.open(request, timeout=20) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


def post_form(url, fields, content, filename="file.txt"):
    """Posts a form as a browser does, the file last."""
    boundary = uuid.uuid4().hex
    lines = []
    for name, value in fields.items():
        lines.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    lines.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        f"Content-Type: text/plain\r\n\r\n".encode()
    )
    body = b"".join([*lines, content, f"\r\n--{boundary}--\r\n".encode()])
    return http("POST", url, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
