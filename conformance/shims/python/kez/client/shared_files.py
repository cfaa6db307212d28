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

    The manifest is on durable storage before it is shown (KEZ-MAN-029).
    """
    reader = _Reader(store, home, seed, owner)
    anchor = _anchor_of(await look_at_chain())
    newest = await home.manifest(owner)
    try:
        manifest = reader.take(newest, anchor)
    except KezError as error:
        if error.code != "manifest_mismatch":
            raise
        # The chain has moved on, or the home shows something else (KEZ-MAN-025).
        anchor = _anchor_of(await look_at_chain())
        try:
            manifest = reader.take(newest, anchor)
        except KezError as still:
            if still.code != "manifest_mismatch" or anchor is None:
                raise
            manifest = reader.take(await home.manifest(owner, anchor), anchor)
    return manifest.revision, _newest_of_path(manifest.files)


class _Reader:
    def __init__(self, store: Store, home: Home, seed: bytes, owner: str) -> None:
        self._store = store
        self._home = home
        self._seed = seed
        self._owner = owner

    def take(self, body: bytes | None, anchor: Anchor | None) -> Manifest:
        """Take the manifest that the home shows; where that is older or none, the kept one as long as it holds."""
        kept = self._store.row("SELECT * FROM manifests WHERE owner = ?", self._owner)
        known = None if kept is None else Known(kept["revision"], kept["hash"])
        if body is not None:
            try:
                manifest = read_manifest(self._seed, self._owner, anchor, body, known)
            except KezError as error:
                if error.code != "manifest_rollback":
                    raise
            else:
                self._store.run(
                    "INSERT OR REPLACE INTO manifests VALUES (?, ?, ?, ?)",
                    *(self._owner, manifest.revision, manifest.hash, body),
                )
                return manifest
        if kept is None:
            raise KezError("manifest_not_found", "the home server has no manifest")
        try:
            return read_manifest(self._seed, self._owner, anchor, kept["body"], known)
        except KezError as error:
            if error.code == "manifest_mismatch" and body is not None:
                raise KezError("manifest_rollback", "the home server shows an older manifest than before") from error
            raise


def _anchor_of(chain: Verified | None) -> Anchor | None:
    return None if chain is None else chain.anchor


def _newest_of_path(files: list[SharedFile]) -> list[SharedFile]:
    """Of several files of one path the one that was shared last (KEZ-MAN-040)."""
    newest: dict[tuple[str, str], SharedFile] = {}
    for shared in sorted(files, key=lambda shared: (shared.file["shared_at"], b64u_decode(shared.id))):
        newest[shared.file.get("folder", ""), shared.file["name"]] = shared
    return [shared for shared in files if shared in newest.values()]
