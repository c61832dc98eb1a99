"""Pairing and the exact answer; secondary structure. Peer of pairing: Biopython's aligner and superimposer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from Bio.Align import PairwiseAligner, substitution_matrices
from Bio.SVDSuperimposer import SVDSuperimposer

from lieapp.alignment.superposition import superpose
from lieapp.structures.pairing import pair_structures
from lieapp.structures.reading import read_structure
from lieapp.structures.secondary import assign_from_ca, assign_from_hydrogen_bonds
from lieapp.structures.structure import Structure
from tests.conftest import shared_data


def milliseconds(function: Callable[[], object], repeats: int) -> float:
    """Return the median duration of a call that ran once before."""
    function()
    times = []
    for _ in range(repeats):
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
    return 1e3 * median(times)


def exact(mobile: Structure, target: Structure, **options: Any) -> float:
    """Pair and superpose."""
    pairing = pair_structures(mobile, target, **options)
    return superpose(mobile.coordinates[0][pairing.mobile_atoms], target.coordinates[0][pairing.target_atoms]).rmsd


def with_biopython(mobile: Structure, target: Structure) -> float:
    """Do the same for chain A with Biopython's parts on the same arrays."""
    sequences, points = [], []
    for structure in (mobile, target):
        rows = structure.residues
        own = (rows.chain == "A") & (rows.kind == "protein")
        sequences.append("".join(rows.letter[own].tolist()))
        points.append(structure.coordinates[0][rows.guide_atom[own]])
    aligner = PairwiseAligner(mode="global", open_gap_score=-10.0, extend_gap_score=-0.5, end_gap_score=0.0)
    aligner.substitution_matrix = substitution_matrices.load("BLOSUM62")
    one, two = aligner.align(*sequences)[0].aligned
    columns = [np.concatenate([np.arange(*block) for block in blocks]) for blocks in (one, two)]
    superimposer = SVDSuperimposer()
    superimposer.set(points[1][columns[1]], points[0][columns[0]])
    superimposer.run()
    return float(superimposer.get_rms())


def run(quick: bool) -> list[dict[str, Any]]:
    """Return the rows; `quick` takes few repeats and leaves the large assembly out."""
    data = shared_data()
    assert data is not None
    folder: Path = data / "structures"
    repeats = 3 if quick else 50
    mobile, target = (read_structure(folder / f"adk/{name}.pdb") for name in ("4AKE", "1AKE"))
    one, two = (read_structure(folder / f"homologs/{name}.bcif") for name in ("2nwd", "1hml"))
    assert abs(exact(mobile, target) - with_biopython(mobile, target)) < 1e-4

    peer = milliseconds(lambda: with_biopython(mobile, target), repeats)
    value = milliseconds(lambda: exact(mobile, target), repeats)
    rows: list[dict[str, Any]] = [
        {
            "name": "auto pairing of 2 x 2 chains and exact answer, 214 CA (peer: Biopython, chain A only)",
            "value": value,
            "unit": "ms",
            "peer": peer,
            "ratio": value / peer,
            "limit": 10.0,
        }
    ]
    for name, options in (
        ("by sequence", {"method": "sequence"}),
        ("by number", {"method": "number"}),
        ("1656 heavy atoms", {"atoms": "heavy"}),
    ):
        value = milliseconds(lambda options=options: exact(mobile, target, **options), repeats)  # type: ignore[misc]
        rows.append({"name": f"the same, {name}", "value": value, "unit": "ms", "limit": 10.0})
    value = milliseconds(lambda: exact(one, two), repeats)
    rows.append(
        {"name": "homologs 2NWD and 1HML, pairing and exact answer", "value": value, "unit": "ms", "limit": 10.0}
    )
    for name, method in (("hydrogen bonds", assign_from_hydrogen_bonds), ("CA alone", assign_from_ca)):
        value = milliseconds(lambda method=method: method(target), repeats)  # type: ignore[misc]
        rows.append({"name": f"secondary structure of 428 residues from {name}", "value": value, "unit": "ms"})
    if not quick:
        groel = read_structure(folder / "diverse/1aon.pdb.gz")
        value = milliseconds(lambda: pair_structures(groel, groel), 5)
        rows.append({"name": "auto pairing of 21 x 21 chains, 1AON", "value": value, "unit": "ms"})
        every = groel.polymer_chains
        value = milliseconds(lambda: pair_structures(groel, groel, mobile_chains=every, atoms="heavy"), 5)
        rows.append({"name": "all 58 674 heavy atoms of 1AON", "value": value, "unit": "ms"})
        for name, method in (("hydrogen bonds", assign_from_hydrogen_bonds), ("CA alone", assign_from_ca)):
            value = milliseconds(lambda method=method: method(groel), 5)  # type: ignore[misc]
            limit = 2000.0 if method is assign_from_hydrogen_bonds else None
            rows.append(
                {
                    "name": f"secondary structure of 8015 residues from {name}",
                    "value": value,
                    "unit": "ms",
                    "limit": limit,
                }
            )
    return rows
