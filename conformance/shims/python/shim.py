#!/usr/bin/env python3
"""A shim of the kez conformance suite: JSON lines on standard input and output."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any

from kez.errors import KezError
from operations import OPERATIONS

IMPLEMENTATION = {"name": "kez-python", "version": "0.1.0", "language": "Python"}


def start() -> dict[str, Any]:
    return {
        "protocol": 1,
        "implementation": IMPLEMENTATION,
        "profiles": ["identity", "chat", "files"],
        "ops": sorted(OPERATIONS),
        "features": ["clock"],
    }


def answer(command: str, args: dict[str, Any]) -> dict[str, Any]:
    """The response to a request, without its `seq`."""
    if command == "start":
        return {"ok": start()}
    if command == "stop":
        return {"ok": {}}
    operation = OPERATIONS.get(command)
    if operation is None:
        return {"unsupported": True}
    try:
        return {"ok": operation(args)}
    except KezError as error:
        return {"error": {"code": error.code, "message": str(error)}}
    except Exception as error:
        return {"internal": {"message": repr(error), "trace": traceback.format_exc()}}


def main() -> None:
    for line in sys.stdin.buffer:
        request = json.loads(line)
        response = {"seq": request["seq"], **answer(request["cmd"], request["args"])}
        sys.stdout.buffer.write(json.dumps(response).encode("ascii") + b"\n")
        sys.stdout.buffer.flush()
        if request["cmd"] == "stop":
            return


if __name__ == "__main__":
    main()
