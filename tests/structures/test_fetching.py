"""Fetching, from a server on this very machine."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lieapp.structures import content, fetching
from lieapp.structures.errors import StructureError
from lieapp.structures.fetching import FetchCancelled, default_cache_dir, fetch_structure, is_entry_id
from lieapp.structures.reading import read_structure
from tests.structures.records import atom_line, cif_row, mmcif, pdb

CIF = mmcif(*[cif_row(i, number=i) for i in range(1, 3000)])
PDB = pdb(atom_line(), "END")


@dataclass
class Archive:
    """What the server holds and what it was asked."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    announced: dict[str, int | None] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def base_urls(self) -> dict[str, str]:
        return {"rcsb": self.url, "alphafold": self.url + "/"}


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    held = Archive()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            held.asked.append(self.path)
            if self.path in held.redirects:
                self.send_response(302)
                self.send_header("Location", held.redirects[self.path])
                self.end_headers()
                return
            body = held.files.get(self.path)
            status = held.status.get(self.path, 404 if body is None else 200)
            self.send_response(status)
            length = held.announced.get(self.path, len(body or b""))
            if length is not None:
                self.send_header("Content-Length", str(length))
            self.end_headers()
            with suppress(OSError):  # the client may go away
                self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    held.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield held
    server.shutdown()
    server.server_close()
    thread.join()


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("4AKE", True), ("4ake", True), (" 1ake ", True), ("pdb_00004ake", True), ("PDB_00004AKE", True),
        ("AF-P69441-F1", True), ("af-p69441-f1", True), ("AF-A0A024B7W1-F1", True), ("AF-P69441-F1-model_v4", True),
        ("AF-P69441-2-F1", True), ("", False), ("AKE4", False), ("0AKE", False), ("4AKEE", False), ("4AK", False),
        ("pdb_4ake", False), ("AF-P69441", False), ("../etc", False), ("4ake.pdb", False), ("AF-../..-F1", False),
    ],
)  # fmt: skip
def test_ids(text, good):
    assert is_entry_id(text) == good
    if not good:
        with pytest.raises(StructureError, match="is not the id of an entry"):
            fetch_structure(text)


@pytest.mark.parametrize("entry", ["4AKE", "4ake", "pdb_00004ake", " PDB_00004AKE "])
def test_an_entry_is_fetched_as_mmcif_and_kept(archive, tmp_path, entry):
    archive.files["/download/4AKE.cif"] = CIF
    path = fetch_structure(entry, cache_dir=tmp_path, base_urls=archive.base_urls)
    assert path == tmp_path / "4AKE.cif"
    assert path.read_bytes() == CIF
    assert read_structure(path).name == "4AKE"
    assert archive.asked == ["/download/4AKE.cif"]
    assert fetch_structure("4AKE", cache_dir=tmp_path, base_urls=archive.base_urls) == path
    assert archive.asked == ["/download/4AKE.cif"]
    assert leftovers(tmp_path) == ["4AKE.cif"]


def test_long_ids_have_no_short_form(archive, tmp_path):
    archive.files["/download/pdb_10004ake.cif"] = CIF
    path = fetch_structure("pdb_10004AKE", cache_dir=tmp_path, base_urls=archive.base_urls)
    assert path.name == "pdb_10004ake.cif"


def test_pdb_is_second_choice(archive, tmp_path):
    archive.files["/download/1ABC.pdb"] = PDB
    path = fetch_structure("1abc", cache_dir=tmp_path, base_urls=archive.base_urls)
    assert path.name == "1ABC.pdb"
    assert archive.asked == ["/download/1ABC.cif", "/download/1ABC.pdb"]
    assert fetch_structure("1abc", cache_dir=tmp_path, base_urls=archive.base_urls) == path
    assert len(archive.asked) == 2


def test_no_such_entry(archive, tmp_path):
    with pytest.raises(StructureError) as caught:
        fetch_structure("9zzz", cache_dir=tmp_path, base_urls=archive.base_urls)
    assert str(caught.value) == "9ZZZ: there is no such entry in the PDB."
    assert leftovers(tmp_path) == []


def test_zipped_answers_and_redirects(archive, tmp_path):
    archive.redirects["/download/4AKE.cif"] = "/elsewhere"
    archive.files["/elsewhere"] = gzip.compress(CIF)
    path = fetch_structure("4AKE", cache_dir=tmp_path, base_urls=archive.base_urls)
    assert read_structure(path).atom_count == 2999


# --- AlphaFold DB ---


def prediction(archive: Archive, entry: str, version: int, **more: object) -> dict[str, object]:
    stem = f"{archive.url}/files/{entry}-model_v{version}"
    return {"entryId": entry, "latestVersion": version, "cifUrl": f"{stem}.cif", "pdbUrl": f"{stem}.pdb", **more}


def test_the_archive_says_which_version_is_current(archive, tmp_path):
    listed = [prediction(archive, "AF-P69441-F2", 9), prediction(archive, "AF-P69441-F1", 9)]
    archive.files["/api/prediction/P69441"] = json.dumps(listed).encode()
    archive.files["/files/AF-P69441-F1-model_v9.cif"] = CIF
    path = fetch_structure("af-p69441-f1", cache_dir=tmp_path, base_urls=archive.base_urls)
    assert path.name == "AF-P69441-F1-model_v9.cif"
    assert fetch_structure("AF-P69441-F1", cache_dir=tmp_path, base_urls=archive.base_urls) == path
    assert len(archive.asked) == 2


def test_the_newest_version_in_the_cache_counts(tmp_path):
    for version in (4, 10, 6):
        (tmp_path / f"AF-P69441-F1-model_v{version}.cif").write_bytes(CIF)
    assert fetch_structure("AF-P69441-F1", cache_dir=tmp_path).name == "AF-P69441-F1-model_v10.cif"


def test_a_prediction_without_mmcif_is_fetched_as_pdb(archive, tmp_path):
    archive.files["/api/prediction/P69441"] = json.dumps([prediction(archive, "AF-P69441-F1", 6)]).encode()
    archive.files["/files/AF-P69441-F1-model_v6.pdb"] = PDB
    path = fetch_structure("AF-P69441-F1", cache_dir=tmp_path, base_urls=archive.base_urls)
    assert path.name == "AF-P69441-F1-model_v6.pdb"


@pytest.mark.parametrize("answer", [None, b"", b"not json", b"[]", b"{}", b"7", b'[{"cifUrl": 5}]', b'["x"]', "500"])
@pytest.mark.parametrize("version", [6, 4])
def test_known_versions_are_tried_without_an_answer(archive, tmp_path, answer, version):
    if answer == "500":
        archive.files["/api/prediction/P69441"] = b"oops"
        archive.status["/api/prediction/P69441"] = 500
    elif answer is not None:
        archive.files["/api/prediction/P69441"] = answer
    archive.files[f"/files/AF-P69441-F1-model_v{version}.cif"] = CIF
    path = fetch_structure("AF-P69441-F1", cache_dir=tmp_path, base_urls=archive.base_urls)
    assert path.name == f"AF-P69441-F1-model_v{version}.cif"


def test_addresses_that_are_no_web_addresses_are_not_followed(archive, tmp_path):
    secret = tmp_path / "secret.cif"
    secret.write_bytes(CIF)
    listed = [prediction(archive, "AF-P69441-F1", 6, cifUrl=secret.as_uri(), pdbUrl="ftp://x/y.pdb")]
    archive.files["/api/prediction/P69441"] = json.dumps(listed).encode()
    with pytest.raises(StructureError, match=r"AF-P69441-F1: there is no such entry in AlphaFold DB"):
        fetch_structure("AF-P69441-F1", cache_dir=tmp_path / "cache", base_urls=archive.base_urls)


# --- progress, cancel, failures ---


def test_progress(archive, tmp_path):
    archive.files["/download/4AKE.cif"] = CIF
    seen: list[tuple[int, int | None]] = []
    fetch_structure(
        "4AKE",
        cache_dir=tmp_path,
        base_urls=archive.base_urls,
        progress=lambda received, total: seen.append((received, total)),
    )
    assert seen[-1] == (len(CIF), len(CIF))
    assert len(seen) > 1
    assert [received for received, _ in seen] == sorted({received for received, _ in seen})


def test_without_an_announced_length_the_total_is_unknown(archive, tmp_path):
    archive.files["/download/4AKE.cif"] = CIF
    archive.announced["/download/4AKE.cif"] = None
    totals = set()
    fetch_structure(
        "4AKE",
        cache_dir=tmp_path,
        base_urls=archive.base_urls,
        progress=lambda received, total: totals.add(total),
    )
    assert totals == {None}


@pytest.mark.parametrize("polls", [1, 2, 3])
def test_cancel_ends_a_download_and_leaves_nothing(archive, tmp_path, polls):
    archive.files["/download/4AKE.cif"] = CIF
    asked = iter(range(1, 100))
    with pytest.raises(FetchCancelled, match="4AKE: the download was cancelled"):
        fetch_structure("4AKE", cache_dir=tmp_path, base_urls=archive.base_urls, cancelled=lambda: next(asked) >= polls)
    assert leftovers(tmp_path) == []


def test_a_callback_that_fails_leaves_nothing(archive, tmp_path):
    archive.files["/download/4AKE.cif"] = CIF

    def fail(received: int, total: int | None) -> None:
        raise KeyError("callback")

    with pytest.raises(KeyError):
        fetch_structure("4AKE", cache_dir=tmp_path, base_urls=archive.base_urls, progress=fail)
    assert leftovers(tmp_path) == []


def refusal(archive: Archive, folder: Path) -> str:
    with pytest.raises(StructureError) as caught:
        fetch_structure("4AKE", cache_dir=folder, base_urls=archive.base_urls)
    assert "\n" not in str(caught.value)
    assert "4AKE" in str(caught.value)
    assert leftovers(folder) == []
    return str(caught.value)


def test_a_connection_that_breaks_off(archive, tmp_path):
    archive.files["/download/4AKE.cif"] = CIF[:1000]
    archive.announced["/download/4AKE.cif"] = len(CIF)
    assert f"broke off after 1000 of {len(CIF)} bytes" in refusal(archive, tmp_path)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>Please log in</html>", CIF[: CIF.rindex(b"ATOM") + 10], gzip.compress(CIF)[:-9], b"\0" * 99],
    ids=["empty", "web page", "cut off", "cut off gzip", "zeros"],
)
def test_what_is_no_structure_is_not_kept(archive, tmp_path, body):
    archive.files["/download/4AKE.cif"] = body
    assert "What the archive sent is no structure: 4AKE.cif: " in refusal(archive, tmp_path)


def test_server_errors(archive, tmp_path):
    archive.files["/download/4AKE.cif"] = b"busy"
    archive.status["/download/4AKE.cif"] = 503
    assert "127.0.0.1 answered 503" in refusal(archive, tmp_path)


def test_too_much(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(content, "MAX_CONTENT_BYTES", 1000)
    archive.files["/download/4AKE.cif"] = CIF
    assert "sends too much" in refusal(archive, tmp_path)


def test_nobody_answers(archive, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        archive.url = f"http://127.0.0.1:{free.getsockname()[1]}"
    for entry in ("4AKE", "AF-P69441-F1"):
        with pytest.raises(StructureError, match=r"127.0.0.1 cannot be reached \(.*\). Are you offline\?"):
            fetch_structure(entry, cache_dir=tmp_path, base_urls=archive.base_urls)


def test_a_server_that_falls_silent(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "_TIMEOUT_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        archive.url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert "timed out" in refusal(archive, tmp_path)


def test_nonsense_for_an_answer(archive, tmp_path):
    def answer(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"this is not HTTP\r\n\r\n")

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        thread = threading.Thread(target=answer, args=(server,))
        thread.start()
        archive.url = f"http://127.0.0.1:{server.getsockname()[1]}"
        message = refusal(archive, tmp_path)
        thread.join()
    assert "the connection to 127.0.0.1 failed" in message


# --- where from and where to ---


def test_environment_variables_name_the_archives(archive, tmp_path, monkeypatch):
    archive.files["/mirror/download/4AKE.cif"] = CIF
    archive.files["/mirror/files/AF-P69441-F1-model_v4.cif"] = CIF
    monkeypatch.setenv("LIEAPP_RCSB_URL", f"{archive.url}/mirror/")
    monkeypatch.setenv("LIEAPP_ALPHAFOLD_URL", f"{archive.url}/mirror")
    assert fetch_structure("4AKE", cache_dir=tmp_path).name == "4AKE.cif"
    assert fetch_structure("AF-P69441-F1", cache_dir=tmp_path).name == "AF-P69441-F1-model_v4.cif"
    with pytest.raises(StructureError, match="should begin with http"):
        fetch_structure("1AKE", cache_dir=tmp_path, base_urls={"rcsb": "file:///etc"})


def test_the_cache_is_among_those_of_the_user(archive):
    archive.files["/download/4AKE.cif"] = CIF
    path = fetch_structure("4AKE", base_urls=archive.base_urls)
    assert path.parent == default_cache_dir()
    assert path.parent.parts[-2:] == ("lieapp", "structures")


def test_a_cache_that_cannot_be_written(archive, tmp_path):
    archive.files["/download/4AKE.cif"] = CIF
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StructureError, match="the file cannot be kept"):
        fetch_structure("4AKE", cache_dir=tmp_path / "file", base_urls=archive.base_urls)


def test_an_empty_file_in_the_cache_is_fetched_again(archive, tmp_path):
    archive.files["/download/4AKE.cif"] = CIF
    (tmp_path / "4AKE.cif").write_bytes(b"")
    assert fetch_structure("4AKE", cache_dir=tmp_path, base_urls=archive.base_urls).read_bytes() == CIF
