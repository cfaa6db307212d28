"""A client's questions to its home server and to the sig-server that this names (registration.md, sigchain.md)."""

from __future__ import annotations

from typing import Any

from blake3 import blake3

from ..data.strict_json import canonical
from ..data.times import now_time
from ..errors import KezError
from ..identity.handles import Handle, parse_handle
from ..manifests.manifest import Anchor
from ..network import Unreachable, http
from ..network.addresses import Place, find
from ..statements.envelope import MAX_BYTES, MAX_MANIFEST_BYTES, sign_payload
from ..statements.hosts import AddressClass, class_of_address
from ..statements.registration import parse_description, verify_record
from ..statements.sigchain import MAX_CHAIN_BYTES, Chain, Head
from .store import Store
from .trust.chains import ShownChain

MAX_ANSWER_BYTES = 65_536
_NOBODY = frozenset({"handle_not_found", "handle_deleted", "handle_reserved", "not_found"})
_NO_CHAIN = frozenset({"chain_not_found", "not_found"})


class Verified:
    """A chain that was verified from its beginning."""

    def __init__(self, chain: Chain, hashes: list[str]) -> None:
        self.state = chain
        self.shown = ShownChain.of(chain, hashes)
        files = chain.shared_files
        self.anchor = None if files is None else Anchor(**files)


class Home:
    """`description` and the class of the home's address are those of the last answer, kept in the store."""

    def __init__(self, store: Store, url: str) -> None:
        self._store = store
        self._url = url.rstrip("/")

    @property
    def address_class(self) -> AddressClass:
        """The class of the address at which the home was reached (KEZ-REG-031)."""
        kept: AddressClass = self._store.fact("home_class") or "public"
        return kept

    async def describe(self) -> dict[str, Any]:
        """The server's description, of now."""
        description = parse_description(await self._get_json("/.well-known/kez-chat"))
        self._store.keep_fact("description", description)
        return description

    async def description(self) -> dict[str, Any]:
        """The server's description, as it was when it was last asked for."""
        kept: dict[str, Any] | None = self._store.fact("description")
        return kept or await self.describe()

    async def register(self, seed: bytes, primary: str, handle: Handle, invite: str | None) -> None:
        payload = {
            "type": "kez.chat.handle_registration",
            "version": 1,
            "handle": handle.local,
            "server": handle.server,
            "primary": primary,
            "created_at": now_time(),
        }
        statement = sign_payload(seed, "handle_registration", payload)
        body = canonical(statement if invite is None else {"invite": invite, "registration": statement})
        answer = await self._ask("POST", "/v1/register", MAX_ANSWER_BYTES, body)
        verify_record(http.parse(answer), handle.server, handle.local, primary)

    async def names(self, handle: Handle) -> str | None:
        """The key that the home names for a handle; None for nobody (KEZ-REG-043)."""
        record = await self._look_up(f"/v1/u/{handle}")
        return None if record is None else verify_record(record, handle.server, handle.local, None)[1]

    async def handle_of(self, primary: str) -> Handle | None:
        """The handle that a key holds at this home."""
        record = await self._look_up(f"/v1/by-primary/{primary}")
        if record is None:
            return None
        server = (await self.description())["server"]
        return parse_handle(verify_record(record, server, None, primary)[0])

    async def chain(self, primary: str) -> Verified | None:
        """The sigchain of a key, verified; None where the sig-server shows none (KEZ-SIG-134)."""
        place, path = await self._sig_server(primary)
        try:
            answer = await http.request(place, "GET", path, MAX_CHAIN_BYTES)
        except http.Problem as error:
            if error.code in _NO_CHAIN:
                return None
            raise
        chain, hashes = Chain(primary), []
        for line in answer.body.removesuffix(b"\n").split(b"\n") if answer.body else []:
            chain.append(http.parse_bytes(line, MAX_BYTES))
            assert chain.head is not None
            hashes.append(chain.head.hash)
        return Verified(chain, hashes) if hashes else None

    async def append(self, primary: str, event: dict[str, Any]) -> None:
        """Append an event to the own chain; `chain_conflict` where it does not extend the head."""
        place, path = await self._sig_server(primary)
        body = canonical(event)
        answer = await http.request(place, "POST", path + "/events", MAX_ANSWER_BYTES, body, or_else=(404, 405))
        if answer.status in (404, 405):
            await http.request(place, "POST", path, MAX_ANSWER_BYTES, body)

    async def manifest(self, owner: str, anchor: Anchor | None = None) -> bytes | None:
        """The newest manifest of an owner, or the anchored one by its hash; None where the home has none."""
        path = f"/v1/manifests/{owner.replace(':', '/')}"
        if anchor is not None:
            path += "/" + anchor.manifest.removeprefix("blake3:")
        try:
            body = (await self._ask("GET", path, MAX_MANIFEST_BYTES)).body
        except http.Problem as error:
            if error.code in ("manifest_not_found", "not_found"):
                return None
            raise
        if anchor is not None and (len(body), "blake3:" + blake3(body).hexdigest()) != (anchor.size, anchor.manifest):
            raise KezError("manifest_mismatch", "other bytes than the chain names")
        return body

    async def put_manifest(self, owner: str, body: bytes) -> None:
        """Store a manifest; `manifest_conflict` where its revision is not higher than that of the newest one."""
        await self._ask("PUT", f"/v1/manifests/{owner.replace(':', '/')}", MAX_ANSWER_BYTES, body)

    async def broker_places(self) -> list[Place]:
        """Where the broker is, by the description (KEZ-REG-031); of now, or as it was where the home is away."""
        try:
            description = await self.describe()
        except Unreachable:
            description = await self.description()
        return [await find(url, self.address_class) for url in description["broker"]["tcp"]]

    async def _sig_server(self, primary: str) -> tuple[Place, str]:
        url = (await self.description())["sig_server"]
        return await find(url, self.address_class), _path_of(url) + f"/v1/sigchains/{primary.replace(':', '/')}"

    async def _look_up(self, path: str) -> Any:
        try:
            return await self._get_json(path)
        except http.Problem as error:
            if error.code in _NOBODY:
                return None
            raise

    async def _get_json(self, path: str) -> Any:
        return http.parse(await self._ask("GET", path, MAX_ANSWER_BYTES))

    async def _ask(self, method: str, path: str, max_bytes: int, body: bytes | None = None) -> http.Answer:
        place = await find(self._url)
        answer = await http.request(place, method, _path_of(self._url) + path, max_bytes, body)
        self._store.keep_fact("home_class", class_of_address(answer.address))
        return answer


def next_event(seed: bytes, primary: str, head: Head | None, op: str, payload: dict[str, Any]) -> dict[str, Any]:
    """An event that extends a chain."""
    event = {
        "type": "kez.sigchain.event",
        "version": 1,
        "primary": primary,
        "seq": 0 if head is None else head.seq + 1,
        **({} if head is None else {"prev": head.hash}),
        "created_at": now_time(),
        "op": op,
        "payload": payload,
    }
    return sign_payload(seed, "sigchain_event", event)


def _path_of(url: str) -> str:
    """The path of a base URL, without a slash at its end."""
    return ("/" + url.partition("://")[2].partition("/")[2]).rstrip("/")
