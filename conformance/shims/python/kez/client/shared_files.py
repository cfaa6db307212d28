"""The files that somebody shares with this account (manifest.md)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ..data.text import b64u_decode
from ..errors import KezError
from ..manifests.manifest import Anchor, Known, Manifest, SharedFile, read_manifest
from .home import Home, Verified
from .store import Store

LookAtChain = Callable[[], Awaitable[Verified | None]]
"""Fetches and verifies the owner's chain; raises where nothing may be fetched from the owner any more."""


async def shared_files(
    store: Store, home: Home, seed: bytes, owner: str, look_at_chain: LookAtChain
) -> tuple[int, list[SharedFile]]:
    """The revision of an owner's current manifest, and the files in it that are for this account.

    Where the home shows nothing that holds, that is the manifest seen before, as long as it holds (KEZ-MAN-029); and
    revision 0 without files where the owner never shared any.
    """
    reader = _Reader(store, seed, owner)
    anchor = _anchor_of(await look_at_chain())
    try:
        newest = await home.manifest(owner)
        try:
            manifest = reader.take(newest, anchor)
        except KezError as error:
            if error.code != "manifest_mismatch":
                raise
            # The chain has moved on, or the home shows something else (KEZ-MAN-025).
            anchor = _anchor_of(await look_at_chain())
            manifest = await _take_newest_or_anchor(reader, home, owner, newest, anchor)
    except KezError as error:
        kept = reader.kept(anchor)
        if kept is None and error.code == "manifest_not_found" and anchor is None:
            return 0, []
        if kept is None or error.code == "send_stopped":
            raise
        manifest = kept
    return manifest.revision, _newest_of_path(manifest.files)


async def _take_newest_or_anchor(
    reader: _Reader, home: Home, owner: str, newest: bytes | None, anchor: Anchor | None
) -> Manifest:
    try:
        return reader.take(newest, anchor)
    except KezError as error:
        if error.code != "manifest_mismatch" or anchor is None:
            raise
        return reader.take(await home.manifest(owner, anchor), anchor)


class _Reader:
    """Takes manifests of one owner, and keeps the one of the highest revision."""

    def __init__(self, store: Store, seed: bytes, owner: str) -> None:
        self._store = store
        self._seed = seed
        self._owner = owner

    def take(self, body: bytes | None, anchor: Anchor | None) -> Manifest:
        """Take a manifest that the home shows. It is on durable storage before it is shown."""
        if body is None:
            raise KezError("manifest_not_found", "the home server has no manifest")
        manifest = read_manifest(self._seed, self._owner, anchor, body, self._known())
        self._store.run(
            "INSERT OR REPLACE INTO manifests VALUES (?, ?, ?, ?)",
            *(self._owner, manifest.revision, manifest.hash, body),
        )
        return manifest

    def kept(self, anchor: Anchor | None) -> Manifest | None:
        """The manifest that was taken last, if it holds against the anchor."""
        body = self._store.value("SELECT body FROM manifests WHERE owner = ?", self._owner)
        try:
            return None if body is None else read_manifest(self._seed, self._owner, anchor, body, self._known())
        except KezError:
            return None

    def _known(self) -> Known | None:
        row = self._store.row("SELECT revision, hash FROM manifests WHERE owner = ?", self._owner)
        return None if row is None else Known(row["revision"], row["hash"])


def _anchor_of(chain: Verified | None) -> Anchor | None:
    return None if chain is None else chain.anchor


def _newest_of_path(files: list[SharedFile]) -> list[SharedFile]:
    """Of several files of one path the one that was shared last (KEZ-MAN-040)."""
    newest: dict[tuple[str, str], SharedFile] = {}
    for shared in sorted(files, key=lambda shared: (shared.file["shared_at"], b64u_decode(shared.id))):
        newest[shared.file.get("folder", ""), shared.file["name"]] = shared
    return [shared for shared in files if shared in newest.values()]
