"""HTTP requests whose answers are bounded, never redirected, and read strictly (envelope.md, errors.md)."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from ..data import strict_json
from ..errors import CODES, KezError
from . import Unreachable
from .addresses import Address, Place

TIMEOUT_SECONDS = 10
MAX_PROBLEM_BYTES = 65_536

_CODE_OF_STATUS = {404: "not_found", 410: "handle_deleted", 429: "rate_limited", 503: "unavailable"}


@dataclass(frozen=True)
class Answer:
    """An answer, and the address that gave it."""

    status: int
    body: bytes
    address: Address


async def request(
    place: Place, method: str, path: str, max_bytes: int, body: bytes | None = None, *, or_else: tuple[int, ...] = ()
) -> Answer:
    """Ask one of the addresses of `place`.

    An answer of success, or of one of the statuses `or_else`, is returned; an error raises the code of its problem
    document (KEZ-ERR-002), and everything else `Unreachable`.
    """
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            answer = await _ask_first(place, method, path, max_bytes, body)
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise Unreachable(f"{place.host}: {error or type(error).__name__}") from error
    if answer.status in (200, 201, 204, *or_else):
        return answer
    raise _problem(answer)


def parse(answer: Answer) -> Any:
    """The JSON of an answer, whatever its media type says (KEZ-CAN-014)."""
    return parse_bytes(answer.body, len(answer.body))


def parse_bytes(data: bytes, max_bytes: int) -> Any:
    """The JSON of an answer or of a line of one; `Unreachable` where it is another kind of page."""
    try:
        return strict_json.parse(data, max_bytes)
    except KezError as error:
        raise (Unreachable("an answer that is no JSON") if error.code == "json_malformed" else error) from error


async def _ask_first(place: Place, method: str, path: str, max_bytes: int, body: bytes | None) -> Answer:
    """Ask the first address that can be connected to."""
    failure: Exception = Unreachable(f"no address of {place.host}")
    for address in place.addresses:
        try:
            return await _ask(place, address, method, path, max_bytes, body)
        except httpx.ConnectError as error:
            failure = error
    raise failure


async def _ask(place: Place, address: Address, method: str, path: str, max_bytes: int, body: bytes | None) -> Answer:
    url = httpx.URL(scheme=place.scheme, host=str(address), port=place.port, raw_path=path.encode("ascii"))
    headers = {"Host": place.authority, "User-Agent": "", "Accept-Encoding": "gzip"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    async with (
        httpx.AsyncClient(verify=_tls(), trust_env=False, timeout=TIMEOUT_SECONDS) as client,
        client.stream(method, url, content=body, headers=headers, extensions={"sni_hostname": place.host}) as response,
    ):
        received = bytearray()
        # Bytes are counted after content decoding (KEZ-CAN-015).
        async for part in response.aiter_bytes():
            received += part
            if len(received) > max(max_bytes, 0 if response.is_success else MAX_PROBLEM_BYTES):
                raise Unreachable("an answer that is too long")
        return Answer(response.status_code, bytes(received), address)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _problem(answer: Answer) -> KezError:
    if answer.status < 400:
        return Unreachable(f"an answer with the status {answer.status}")
    try:
        problem = strict_json.parse(answer.body, MAX_PROBLEM_BYTES)
    except KezError:
        problem = None
    if not isinstance(problem, dict) or not isinstance(problem.get("code"), str):
        return Unreachable(f"an error that is no problem document, status {answer.status}")
    code = problem["code"]
    if code not in CODES:
        code = _CODE_OF_STATUS.get(answer.status, "internal" if answer.status >= 500 else "request_malformed")
    return Problem(code, f"refused with the status {answer.status}")


class Problem(KezError):
    """What a server refused with a problem document."""
