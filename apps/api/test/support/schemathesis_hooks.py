"""What schemathesis can't know: how a gzipped body is written, and the names of what is in the server it is let loose on.

MYCLOUD_SEEDED is JSON: {"path": {parameter: value}, "body": {key: value}}.
"""

import gzip
import json
import os
import zlib

import schemathesis

seeded = json.loads(os.environ.get("MYCLOUD_SEEDED", "{}"))


@schemathesis.serializer("application/gzip")
def gzipped(_context, value):
    """What can be JSON is sent as gzipped JSON, which a manifest could be; other things as they are."""
    try:
        return gzip.compress(json.dumps(value).encode("utf-8", "surrogatepass"))
    except (TypeError, ValueError):
        return str(value).encode("utf-8", "replace")


def chosen(value):
    """The same half of what is drawn, whenever it is drawn: a generator must not depend on chance of ours."""
    return zlib.crc32(repr(value).encode("utf-8", "replace")) % 2 == 0


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Names drawn at random lead nowhere; half of the requests are about what is there, so that their bodies are looked at."""
    if not path_parameters or not chosen(path_parameters):
        return path_parameters
    known = dict(seeded.get("path", {}))
    known["id"] = seeded.get("ids", {}).get(context.operation.path.split("/")[2], "")
    return {name: known.get(name) or value for name, value in path_parameters.items()}


@schemathesis.hook
def map_body(_context, body):
    """A worker's word counts with the lease that it holds."""
    if not isinstance(body, dict) or not chosen(body):
        return body
    return {name: seeded.get("body", {}).get(name, value) for name, value in body.items()}
