"""Reading large files into arrays. Peer: Biopython's parsers, on the same plain file in the same run."""

from __future__ import annotations

import gc
import gzip
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from Bio.PDB.MMCIFParser import MMCIFParser
from Bio.PDB.PDBParser import PDBParser

from lieapp.structures.reading import read_structure
from tests.conftest import shared_data


def milliseconds(functions: dict[str, Callable[[], object]], repeats: dict[str, int]) -> dict[str, float]:
    """Return the shortest duration of each function.

    The calls alternate, so that a busy machine slows all of them alike.
    """
    best = dict.fromkeys(functions, float("inf"))
    for turn in range(max(repeats.values())):
        for name, function in functions.items():
            for _ in range(3 if turn < repeats[name] and repeats[name] > 1 else turn < repeats[name]):
                gc.collect()  # or one pays for the garbage of the other
                start = perf_counter()
                function()
                best[name] = min(best[name], 1e3 * (perf_counter() - start))
    return best


def biopython(parser: type, path: Path) -> Callable[[], object]:
    def read() -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return parser(QUIET=True).get_structure("x", path)

    return read


def run(quick: bool) -> list[dict[str, Any]]:
    """Return the rows, a ratio being our time over the peer's; `quick` takes few repeats and leaves mmCIF out."""
    data = shared_data()
    if data is None:
        return []
    cases: list[tuple[str, str, type, float | None]] = [("1AON, PDB, 58 870 atoms", "1aon.pdb.gz", PDBParser, 20.0)]
    if not quick:
        cases.append(("4ZXB, mmCIF, 12 918 atoms", "4zxb.cif.gz", MMCIFParser, None))
    rows: list[dict[str, Any]] = []
    with TemporaryDirectory() as folder:
        for title, file, parser, limit in cases:
            zipped = data / "structures" / "diverse" / file
            plain = Path(folder) / zipped.stem
            plain.write_bytes(gzip.decompress(zipped.read_bytes()))
            best = milliseconds(
                {
                    "ours": lambda path=plain: read_structure(path),
                    "zipped": lambda path=zipped: read_structure(path),
                    "peer": biopython(parser, plain),
                },
                {"ours": 2 if quick else 7, "zipped": 1 if quick else 5, "peer": 1 if quick else 4},
            )
            rows.append(
                {
                    "name": f"read_structure of {title}",
                    "value": best["ours"],
                    "unit": "ms",
                    "peer": f"Bio.PDB {best['peer']:.0f} ms",
                    "ratio": best["ours"] / best["peer"],
                    "limit": None if limit is None else f"ratio <= 1/{limit:g} = {1 / limit:g}",
                }
            )
            rows.append({"name": f"the same, gzipped: {title}", "value": best["zipped"], "unit": "ms"})
    return rows
