"""Whole clients. They live in an event loop of their own, in a thread beside the one that answers the suite."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from kez.client.client import Client, ShownMessage
from kez.client.texts import warning_of
from kez.client.trust.contacts import Person
from kez.data.text import b64u_decode
from kez.data.times import move_clock
from kez.errors import KezError
from kez.manifests.manifest import SharedFile

from .registry import Arguments, operation

_T = TypeVar("_T")
_loop = asyncio.new_event_loop()
_clients: dict[str, Client] = {}

threading.Thread(target=_loop.run_forever, daemon=True).start()


def _client_operation(
    name: str,
) -> Callable[[Callable[[Client, Arguments], Coroutine[Any, Any, _T]]], None]:
    """Register an operation of the client that `id` names."""

    def register(function: Callable[[Client, Arguments], Coroutine[Any, Any, _T]]) -> None:
        def run(args: Arguments) -> _T:
            client = _clients.get(args["id"])
            if client is None:
                raise KezError("request_malformed", "no client of this name is open")
            return _wait(function(client, args))

        operation(name)(run)

    return register


def _wait(work: Coroutine[Any, Any, _T]) -> _T:
    return asyncio.run_coroutine_threadsafe(work, _loop).result()


@operation("client.open")
def client_open(args: Arguments) -> dict[str, str]:
    return _wait(_open(args))


async def _open(args: Arguments) -> dict[str, str]:
    client = await Client.open(Path(args["store"]), args["words"], args["home"], args.get("handle"), args.get("invite"))
    _clients[args["id"]] = client
    return {"primary": client.account.primary, "handle": client.account.handle}


@_client_operation("client.close")
async def client_close(client: Client, args: Arguments) -> dict[str, Any]:
    del _clients[args["id"]]
    await client.close()
    return {}


@_client_operation("client.sync")
async def client_sync(client: Client, args: Arguments) -> dict[str, Any]:
    await client.sync(args["millis"] / 1000)
    return {}


@_client_operation("client.connection")
async def client_connection(client: Client, _: Arguments) -> dict[str, Any]:
    reason = client.disconnected
    return {"connected": True} if reason is None else {"connected": False, "reason": reason}


@_client_operation("client.add")
async def client_add(client: Client, args: Arguments) -> dict[str, Any]:
    return _contact(await client.add(args["who"]))


@_client_operation("client.contacts")
async def client_contacts(client: Client, _: Arguments) -> list[dict[str, Any]]:
    return [_contact(person) for person in client.contacts()]


@_client_operation("client.refresh")
async def client_refresh(client: Client, args: Arguments) -> dict[str, Any]:
    return _contact(await client.refresh(args["who"]))


@_client_operation("client.accept")
async def client_accept(client: Client, args: Arguments) -> dict[str, Any]:
    return _contact(await client.accept(args["who"], args.get("primary")))


@_client_operation("client.keep")
async def client_keep(client: Client, args: Arguments) -> dict[str, Any]:
    return _contact(client.keep(args["who"]))


@_client_operation("client.confirm")
async def client_confirm(client: Client, args: Arguments) -> dict[str, Any]:
    return _contact(client.confirm(args["who"], args["primary"]))


@_client_operation("client.block")
async def client_block(client: Client, args: Arguments) -> dict[str, Any]:
    return _contact(client.block(args["who"], True))


@_client_operation("client.unblock")
async def client_unblock(client: Client, args: Arguments) -> dict[str, Any]:
    return _contact(client.block(args["who"], False))


@_client_operation("client.safetyNumber")
async def client_safety_number(client: Client, args: Arguments) -> dict[str, Any]:
    number, primary, offered = client.numbers(args["who"])
    if primary is None:
        return {"number": number}
    return {"number": number, "offered": _without_none({"primary": primary, "number": offered})}


@_client_operation("client.send")
async def client_send(client: Client, args: Arguments) -> dict[str, str]:
    return {"id": client.send(args["who"], args["text"]), "state": "queued"}


@_client_operation("client.messages")
async def client_messages(client: Client, args: Arguments) -> list[dict[str, Any]]:
    return [_message(message) for message in client.messages(args["who"])]


@_client_operation("client.markRead")
async def client_mark_read(client: Client, args: Arguments) -> dict[str, Any]:
    # Receipts that say "read" are for users who chose so, and the choice is off at first (KEZ-SEQ-029).
    client.messages(args["who"])
    return {}


@_client_operation("client.trim")
async def client_trim(client: Client, args: Arguments) -> dict[str, int]:
    used, limit = await client.trim(args["box"])
    return {"used": used, "limit": limit}


@_client_operation("client.clock")
async def client_clock(_: Client, args: Arguments) -> dict[str, Any]:
    move_clock(args["forward"])
    return {}


@_client_operation("client.manifest")
async def client_manifest(client: Client, args: Arguments) -> dict[str, Any]:
    revision, files = await client.files(args["who"])
    return {"revision": revision, "entries": [_entry(shared) for shared in files]}


@_client_operation("client.share")
async def client_share(client: Client, args: Arguments) -> dict[str, str]:
    return {"entry": client.share(args["name"], b64u_decode(args["bytes"]), args.get("with"))}


@_client_operation("client.unshare")
async def client_unshare(client: Client, args: Arguments) -> dict[str, Any]:
    client.unshare(args["entry"])
    return {}


@_client_operation("client.publication")
async def client_publication(client: Client, _: Arguments) -> dict[str, Any]:
    published, reason = client.publication
    return _without_none({"published": published, "reason": reason})


def _contact(person: Person) -> dict[str, Any]:
    trust, head = person.trust, person.chain.head
    name, chain = trust.name.removesuffix("_kept"), trust.chain.removesuffix("_kept")
    return _without_none(
        {
            "primary": person.primary,
            "handle": person.handle or person.primary,
            "state": "changed" if trust.relation == "accepted" and trust.stops else trust.relation,
            "verified": trust.shown_verified,
            "name": None if name == "named" else name,
            "chain": None if chain == "whole" else chain,
            "kept": trust.is_kept or None,
            "offered": trust.offered and vars(trust.offered),
            "head": head and vars(head),
            "warning": warning_of(person),
        }
    )


def _message(message: ShownMessage) -> dict[str, Any]:
    always = {name: getattr(message, name) for name in ("id", "peer", "direction", "type", "text")}
    names = ("state", "reason", "gap", "equivocation", "fork", "suspicious", "retired")
    marks = {name: getattr(message, name) for name in names}
    return always | {name: value for name, value in marks.items() if value}


def _entry(shared: SharedFile) -> dict[str, Any]:
    file = shared.file
    entry = {"id": shared.id, "name": file["name"], "folder": file.get("folder"), "size": file["size"]}
    return _without_none({**entry, "public": shared.public})


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
