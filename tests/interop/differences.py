"""What two HTTP requests differ in. Documents are compared as trees."""

import base64
import collections
import hashlib
import json
import re
import urllib.parse
import xml.etree.ElementTree as ElementTree

# Depend on the clock, the client or the connection.
IGNORED_HEADERS = {
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "date",
    "host",
    "user-agent",
    "x-oss-content-sha256",
    "x-oss-date",
}


class Request:
    """A request in comparable form."""

    def __init__(self, method, url, headers, body):
        url = urllib.parse.urlsplit(url)
        self.method = method
        self.host = f"{url.scheme}://{url.netloc}"
        self.is_at_ip_address = re.search(r"\d+\.\d+\.\d+\.\d+$", url.hostname) is not None
        # A slash that is encoded does not separate.
        self.path = [urllib.parse.unquote(part) for part in url.path.split("/")]
        self.query = sorted(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    @classmethod
    def of_python(cls, request):
        body = request.body or b""
        if hasattr(body, "read"):
            body = body.read()
        elif not isinstance(body, (bytes, str)):
            body = b"".join(body)
        if isinstance(body, str):
            body = body.encode()
        return cls(request.method, request.url, request.headers.items(), body)

    def wrong_digest(self):
        """As a difference: a digest that is not that of the body."""
        given = self.headers.get("content-md5")
        right = base64.b64encode(hashlib.md5(self.body).digest()).decode()
        return [("wrong digest", given, right)] if given not in (None, right) else []

    @classmethod
    def of_rust(cls, request):
        return cls(request["method"], request["url"], request["headers"], request["body"].encode())


def differences(rust, python):
    """Pairs of a name for what differs and both sides of it."""
    if rust.method != python.method:
        yield "method", rust.method, python.method
    # Addresses are another matter where the endpoint cannot have sub-domains.
    at = "IP endpoint: " if rust.is_at_ip_address else ""
    for name in ("host", "path"):
        if getattr(rust, name) != getattr(python, name):
            yield at + name, getattr(rust, name), getattr(python, name)
    ours, theirs = collections.defaultdict(list), collections.defaultdict(list)
    for pairs, side in ((rust.query, ours), (python.query, theirs)):
        for name, value in pairs:
            side[name].append(value)
    for name in sorted(set(ours) | set(theirs)):
        if not same_values(ours.get(name), theirs.get(name)):
            yield f"query {name}", ours.get(name), theirs.get(name)
    for name in sorted(set(rust.headers) | set(python.headers)):
        one, other = rust.headers.get(name), python.headers.get(name)
        if name in IGNORED_HEADERS or one == other:
            continue
        if name == "x-oss-copy-source" and same_but_for_version(one, other):
            yield f"header {name}: encoding of the version", one, other
        else:
            yield f"header {name}", one, other
    yield from body_differences(rust.body, python.body)


def same_but_for_version(ours, theirs):
    """Whether copy sources are equal when the version's percent-encoding is undone here only."""
    if ours is None or theirs is None:
        return False
    ours, _, our_version = ours.partition("?versionId=")
    theirs, _, their_version = theirs.partition("?versionId=")
    return ours == theirs and urllib.parse.unquote(our_version) == their_version


def same_values(ours, theirs):
    if ours == theirs:
        return True
    try:
        return [json.loads(value) for value in ours] == [json.loads(value) for value in theirs]
    except (TypeError, ValueError):
        return False


def body_differences(ours, theirs):
    if ours == theirs:
        return
    for reader, compare in ((ElementTree.fromstring, xml_differences), (json.loads, json_differences)):
        trees = []
        for body in (ours, theirs):
            try:
                trees.append(reader(body))
            except (ElementTree.ParseError, ValueError):
                trees.append(None)
        if None not in trees:
            yield from compare(*trees)
            return
        if trees != [None, None]:
            side = "ours" if trees[0] is None else "Python's"
            yield f"body: {side} cannot be read", ours.decode(), theirs.decode()
            return
    yield "body", ours.decode(), theirs.decode()


def xml_differences(ours, theirs, path=""):
    path = f"{path}.{ours.tag}" if path else ours.tag
    if ours.tag != theirs.tag:
        yield f"body root {path}", ours.tag, theirs.tag
        return
    if not len(ours) and not len(theirs):
        if not same_text(ours.text or "", theirs.text or ""):
            only_breaks = unbroken(ours.text) == unbroken(theirs.text)
            yield "body: carriage returns" if only_breaks else f"body {path}", ours.text, theirs.text
        return
    alone = [], []
    for tag in sorted({child.tag for child in ours} | {child.tag for child in theirs}):
        left, right = ours.findall(tag), theirs.findall(tag)
        if len(left) != len(right):
            alone[0].extend(left)
            alone[1].extend(right)
            continue
        for one, other in zip(left, right):
            yield from xml_differences(one, other, path)
    yield from name_differences(*alone, path)


def name_differences(ours, theirs, path):
    """Of elements that have no counterpart of their name: what is in them may be the same."""
    names = [sorted({element.tag for element in side}) for side in (ours, theirs)]
    if sorted(map(inside, ours)) == sorted(map(inside, theirs)):
        if ours:
            called = f"{', '.join(names[0])} called {', '.join(names[1])}"
            yield f"body {path}: {called}", shown(ours), shown(theirs)
        return
    for tag in sorted({*names[0], *names[1]}):
        yield f"body {path}.{tag}", *(shown(element for element in side if element.tag == tag) for side in (ours, theirs))


def shown(elements):
    return [ElementTree.tostring(element, encoding="unicode") for element in elements]


def inside(element):
    children = sorted((child.tag, inside(child)) for child in element)
    return repr(children or unbroken(element.text))


def unbroken(text):
    return (text or "").replace("\r\n", "\n").replace("\r", "\n")


def same_text(ours, theirs):
    if ours == theirs:
        return True
    try:
        return float(ours) == float(theirs) and ("." in ours + theirs or "e" in ours + theirs)
    except ValueError:
        return False


def json_differences(ours, theirs, path="$"):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted(set(ours) | set(theirs)):
            if name in ours and name in theirs:
                yield from json_differences(ours[name], theirs[name], f"{path}.{name}")
            else:
                yield f"body {path}.{name}", ours.get(name), theirs.get(name)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for one, other in zip(ours, theirs):
            yield from json_differences(one, other, path)
    elif ours != theirs or isinstance(ours, bool) != isinstance(theirs, bool):
        yield f"body {path}", ours, theirs
