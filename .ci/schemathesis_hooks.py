"""What schemathesis has to know of the service, besides the contract."""
import base64
import binascii
import json
import os

import schemathesis

# The files that imports take.
schemathesis.serializer.alias("text/csv", "text/plain")
schemathesis.serializer.alias(
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/octet-stream",
)


def given(cursor):
    """Whether a cursor came from an answer: only those belong to a list."""
    try:
        padded = str(cursor) + "=" * (-len(str(cursor)) % 4)
        return isinstance(json.loads(base64.urlsafe_b64decode(padded)), list)
    except (binascii.Error, UnicodeError, ValueError):
        return False


def told(place):
    """Whether a place in the feed of changes came from an answer: only those lie in it."""
    try:
        position = base64.urlsafe_b64decode(str(place) + "=" * (-len(str(place)) % 4))
        return len(position) == 8 and position.startswith(bytes(5))
    except (binascii.Error, UnicodeError, ValueError):
        return False


@schemathesis.hook
def before_call(context, case, kwargs):
    """Leaves invented cursors out of requests that are meant to succeed, and keeps the
    token of this run from being revoked."""
    own = (case.path_parameters or {}).get("id") == os.environ.get("OWN_TOKEN")
    if own and case.operation.path.endswith("/revoke"):
        case.path_parameters["id"] = "0" * 12
    mode = case.meta.generation.mode if case.meta else None
    if mode is None or not mode.is_positive:
        return
    if case.query and "cursor" in case.query and not given(case.query["cursor"]):
        del case.query["cursor"]
    if case.query and "after" in case.query and not told(case.query["after"]):
        del case.query["after"]
