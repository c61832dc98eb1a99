"""Fetching entries of the PDB and of AlphaFold DB by their id, with a cache."""

from __future__ import annotations

import http.client
import json
import os
import re
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lieapp.structures import content
from lieapp.structures.errors import StructureError
from lieapp.structures.reading import parse_structures

__all__ = ["DEFAULT_URLS", "FetchCancelled", "default_cache_dir", "fetch_structure", "is_entry_id"]

Archive = Literal["rcsb", "alphafold"]
Progress = Callable[[int, int | None], None]
Cancelled = Callable[[], bool]

DEFAULT_URLS: dict[Archive, str] = {
    "rcsb": "https://files.rcsb.org",
    "alphafold": "https://alphafold.ebi.ac.uk",
}
_ENVIRONMENT: dict[Archive, str] = {"rcsb": "LIEAPP_RCSB_URL", "alphafold": "LIEAPP_ALPHAFOLD_URL"}
_ARCHIVE_TITLES: dict[Archive, str] = {"rcsb": "the PDB", "alphafold": "AlphaFold DB"}

_CLASSIC = re.compile(r"[1-9][A-Za-z0-9]{3}")
_EXTENDED = re.compile(r"pdb_(?P<tail>[0-9A-Za-z]{8})", re.IGNORECASE)
_ALPHAFOLD = re.compile(r"AF-(?P<accession>[A-Z0-9]{6,10}(?:-\d+)?)-F(?P<fragment>\d+)(?:-model_v\d+)?", re.IGNORECASE)

_TIMEOUT_SECONDS = 20.0
_CHUNK_BYTES = 1 << 16
# Names of files for the case that the archive's own list of them cannot be had.
_KNOWN_ALPHAFOLD_VERSIONS = (6, 4)


class FetchCancelled(StructureError):
    """The user cancelled a download."""


@dataclass(frozen=True)
class _Entry:
    archive: Archive
    name: str  # as it is shown and as the file in the cache begins
    accession: str  # what the archive is asked for


def is_entry_id(text: str) -> bool:
    """Return True for ``4AKE``, ``pdb_00004ake`` and ``AF-P69441-F1``, in small letters or capitals.

    Parameters
    ----------
    text : str
    """
    stripped = text.strip()
    return any(pattern.fullmatch(stripped) for pattern in (_CLASSIC, _EXTENDED, _ALPHAFOLD))


def default_cache_dir() -> Path:
    """Return the folder in which fetched entries are kept."""
    from platformdirs import user_cache_path

    return user_cache_path("lieapp", appauthor=False) / "structures"


def fetch_structure(
    entry: str,
    *,
    cache_dir: str | Path | None = None,
    base_urls: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Path:
    """Fetch an entry as mmCIF, or as PDB if there is no mmCIF, and keep it in a cache.

    Parameters
    ----------
    entry : str
        ``"4AKE"``, ``"pdb_00004ake"`` or ``"AF-P69441-F1"``.
    cache_dir : str or Path, optional
        Where files are kept; by default a folder among the user's caches.
    base_urls : mapping, optional
        Other places of ``"rcsb"`` and ``"alphafold"``. The environment variables ``LIEAPP_RCSB_URL`` and
        ``LIEAPP_ALPHAFOLD_URL`` do the same for all calls.
    progress : callable, optional
        Called with the bytes received and the bytes expected (None if unknown).
    cancelled : callable, optional
        Asked before each part of a download; True ends it.

    Returns
    -------
    Path
        The file in the cache; nothing is fetched if it is there already.

    Raises
    ------
    FetchCancelled
        If ``cancelled`` returned True.
    StructureError
        If the id is none, no such entry exists, the archive cannot be reached, or it sends something else. No part of
        a failed download stays in the cache.
    """
    wanted = _parse(entry)
    folder = Path(cache_dir) if cache_dir is not None else default_cache_dir()
    cached = _cached(folder, wanted)
    if cached is not None:
        return cached
    base = _base_url(wanted.archive, base_urls)
    download = _Download(wanted, progress or _ignore_progress, cancelled or _never)
    for url in _alphafold_urls(download, base) if wanted.archive == "alphafold" else _rcsb_urls(wanted, base):
        received = download.get(url)
        if received is not None:
            return _keep(folder, _file_name(wanted, url), received)
    raise StructureError(f"{wanted.name}: there is no such entry in {_ARCHIVE_TITLES[wanted.archive]}.")


def _parse(text: str) -> _Entry:
    stripped = text.strip()
    if _CLASSIC.fullmatch(stripped):
        return _Entry("rcsb", stripped.upper(), stripped.upper())
    extended = _EXTENDED.fullmatch(stripped)
    if extended:
        tail = extended["tail"].lower()
        if tail.startswith("0000") and _CLASSIC.fullmatch(tail[4:]):
            return _Entry("rcsb", tail[4:].upper(), tail[4:].upper())  # the same entry under its old name
        return _Entry("rcsb", f"pdb_{tail}", f"pdb_{tail}")
    predicted = _ALPHAFOLD.fullmatch(stripped)
    if predicted:
        accession = predicted["accession"].upper()
        return _Entry("alphafold", f"AF-{accession}-F{int(predicted['fragment'])}", accession)
    raise StructureError(
        f"{text.strip()[:60]!r} is not the id of an entry: 4AKE, pdb_00004ake or AF-P69441-F1 were expected."
    )


def _base_url(archive: Archive, given: Mapping[str, str] | None) -> str:
    url = (given or {}).get(archive) or os.environ.get(_ENVIRONMENT[archive]) or DEFAULT_URLS[archive]
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise StructureError(f"{url}: the address of {_ARCHIVE_TITLES[archive]} should begin with http:// or https://.")
    return url.rstrip("/")


def _cached(folder: Path, entry: _Entry) -> Path | None:
    if entry.archive == "rcsb":
        candidates = [folder / f"{entry.name}.cif", folder / f"{entry.name}.pdb"]
    else:
        found = [path for suffix in ("cif", "pdb") for path in folder.glob(f"{entry.name}-model_v*.{suffix}")]
        candidates = sorted(found, key=_version, reverse=True)
    return next((path for path in candidates if path.is_file() and path.stat().st_size), None)


def _version(path: Path) -> int:
    found = re.search(r"_v(\d+)$", path.stem)
    return int(found.group(1)) if found else 0


def _rcsb_urls(entry: _Entry, base: str) -> list[str]:
    return [f"{base}/download/{entry.accession}.{suffix}" for suffix in ("cif", "pdb")]


def _alphafold_urls(download: _Download, base: str) -> list[str]:
    """Ask the archive where the current version is; without an answer, try the versions known to exist."""
    entry = download.entry
    try:
        answer = download.get(f"{base}/api/prediction/{entry.accession}", silent=True)
    except _Unhelpful:
        answer = None
    listed: list[str] = []
    if answer is not None:
        with suppress(ValueError, TypeError, AttributeError, KeyError):
            predictions: list[dict[str, Any]] = [item for item in json.loads(answer) if isinstance(item, dict)]
            own = [item for item in predictions if entry.name in (item.get("entryId"), item.get("modelEntityId"))]
            for item in own or (predictions[:1] if entry.name.endswith("-F1") else []):
                listed += [item[key] for key in ("cifUrl", "pdbUrl") if isinstance(item.get(key), str)]
    listed = [url for url in listed if urllib.parse.urlsplit(url).scheme in ("http", "https")]
    return listed or [f"{base}/files/{entry.name}-model_v{version}.cif" for version in _KNOWN_ALPHAFOLD_VERSIONS]


def _file_name(entry: _Entry, url: str) -> str:
    name = urllib.parse.urlsplit(url).path.rpartition("/")[2]
    suffix = ".pdb" if name.lower().endswith(".pdb") else ".cif"
    if entry.archive == "rcsb":
        return f"{entry.name}{suffix}"
    version = re.search(r"_v(\d+)\.", name)
    return f"{entry.name}-model_v{version.group(1) if version else 1}{suffix}"


class _Unhelpful(StructureError):
    """An answer other than the thing asked for or the word that it does not exist."""


class _Download:
    """Requests on behalf of one entry, with errors that name it."""

    def __init__(self, entry: _Entry, progress: Progress, cancelled: Cancelled) -> None:
        self.entry = entry
        self._progress = progress
        self._cancelled = cancelled

    def get(self, url: str, *, silent: bool = False) -> bytes | None:
        """Return what an address holds, None if there is nothing (404 or 410).

        Parameters
        ----------
        url : str
        silent : bool
            True to report no progress.

        Raises
        ------
        StructureError
            If the address cannot be reached or answers with an error.
        """
        host = urllib.parse.urlsplit(url).hostname or url
        self._check()
        request = urllib.request.Request(url, headers={"User-Agent": "LieApp", "Accept-Encoding": "identity"})
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:
                return self._receive(response, host, silent)
        except urllib.error.HTTPError as error:
            with error:
                if error.code in (404, 410):
                    return None
                raise _Unhelpful(
                    f"{self.entry.name} cannot be fetched: {host} answered {error.code} {error.reason}."
                ) from None
        except urllib.error.URLError as error:
            reason = getattr(error.reason, "strerror", None) or error.reason
            raise StructureError(
                f"{self.entry.name} cannot be fetched: {host} cannot be reached ({reason}). Are you offline?"
            ) from None
        except (http.client.HTTPException, OSError, ValueError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise StructureError(
                f"{self.entry.name} cannot be fetched: the connection to {host} failed ({reason})."
            ) from None

    def _receive(self, response: http.client.HTTPResponse, host: str, silent: bool) -> bytes:
        announced = response.headers.get("Content-Length", "")
        total = int(announced) if announced.isdecimal() else None
        parts: list[bytes] = []
        received = 0
        while True:
            self._check()
            part = response.read1(_CHUNK_BYTES)
            if not part:
                break
            parts.append(part)
            received += len(part)
            if received > content.MAX_CONTENT_BYTES:
                raise StructureError(f"{self.entry.name} cannot be fetched: {host} sends too much.")
            if not silent:
                self._progress(received, total)
        if total is not None and received != total:
            raise StructureError(
                f"{self.entry.name} cannot be fetched: the connection to {host} broke off"
                f" after {received} of {total} bytes."
            )
        return b"".join(parts)

    def _check(self) -> None:
        if self._cancelled():
            raise FetchCancelled(f"{self.entry.name}: the download was cancelled.")


def _keep(folder: Path, name: str, received: bytes) -> Path:
    """Put a download into the cache, by rename, if it is a structure that can be read."""
    try:
        parse_structures(content.unpack(received, name), Path(name))
    except StructureError as error:
        raise StructureError(f"What the archive sent is no structure: {error}") from None
    place = folder / name
    temporary = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.", suffix=".part")
        with os.fdopen(handle, "wb") as stream:
            stream.write(received)
        os.replace(temporary, place)
        temporary = None
    except OSError as error:
        raise StructureError(f"{place}: the file cannot be kept ({error.strerror or error}).") from None
    finally:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)
    return place


def _ignore_progress(received: int, total: int | None) -> None:
    pass


def _never() -> bool:
    return False
