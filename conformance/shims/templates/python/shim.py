#!/usr/bin/env python3
"""A shim for kez-conformance: fill OPERATIONS with calls of your implementation. Needs Python 3.10, no packages."""

import base64
import json
import re
import sys
import traceback


class Refused(Exception):
    """The input is not acceptable; `code` is one of the specification's codes."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message)
        self.code = code


def hex_decode(args: dict) -> str:
    if not re.fullmatch(r"([0-9a-f]{2})*", args["text"]):
        raise Refused("encoding_malformed", "lower-case digits in pairs")
    return base64.urlsafe_b64encode(bytes.fromhex(args["text"])).rstrip(b"=").decode()


# Each takes the `input` of a vector and returns its `result`: kez-conformance list --operations
OPERATIONS = {"hex.decode": hex_decode}

START = {
    "protocol": 1,
    "implementation": {"name": "my-kez", "version": "0.1.0", "language": "Python"},
    "profiles": ["identity"],
    "ops": list(OPERATIONS),
}


def answer(cmd: str, args: dict) -> dict:
    if cmd == "start":
        return {"ok": START}
    if cmd == "stop":
        return {"ok": {}}
    if cmd not in OPERATIONS:
        return {"unsupported": True}
    try:
        return {"ok": OPERATIONS[cmd](args)}
    except Refused as refused:
        return {"error": {"code": refused.code, "message": str(refused)}}
    except Exception as error:  # noqa: BLE001 - whatever it is, the suite shows it
        return {"internal": {"message": repr(error), "trace": traceback.format_exc()}}


for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps({"seq": request["seq"], **answer(request["cmd"], request["args"])}), flush=True)
    if request["cmd"] == "stop":
        break
