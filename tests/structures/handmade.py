"""Small structures written down by hand, so that these tests need no reader and no file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lieapp.structures.structure import Atoms, Residues, Structure

LETTERS = {
    "ALA": "A", "ARG": "R", "ASN": "N", "ASP": "D", "CYS": "C", "GLN": "Q", "GLU": "E", "GLY": "G", "HIS": "H",
    "ILE": "I", "LEU": "L", "LYS": "K", "MET": "M", "PHE": "F", "PRO": "P", "SER": "S", "THR": "T", "TRP": "W",
    "TYR": "Y", "VAL": "V", "MSE": "M", "UNK": "X",
}  # fmt: skip
NAMES = {letter: name for name, letter in reversed(LETTERS.items())}
NUCLEOTIDES = ("A", "C", "G", "U", "DA", "DC", "DG", "DT")


@dataclass(frozen=True)
class Site:
    """One atom."""

    name: str
    position: tuple[float, float, float]
    altloc: str = ""
    occupancy: float = 1.0
    b_factor: float = 20.0
    element: str = ""


@dataclass(frozen=True)
class Part:
    """One residue."""

    chain: str
    number: int
    name: str = "ALA"
    code: str = ""
    sites: tuple[Site, ...] = field(default=())
    secondary: str = ""

    @property
    def kind(self) -> str:
        if self.name in LETTERS:
            return "protein"
        if self.name in NUCLEOTIDES:
            return "nucleic"
        return "water" if self.name == "HOH" else "other"


def build(parts: Sequence[Part], name: str = "TEST", models: int = 1) -> Structure:
    """Return a structure of these residues, every model with the same coordinates."""
    sites = [(index, site) for index, part in enumerate(parts) for site in part.sites]
    first = np.cumsum([0, *(len(part.sites) for part in parts)])
    guides = []
    for index, part in enumerate(parts):
        wanted = {"protein": ("CA",), "nucleic": ("C3'", "P")}.get(part.kind, ())
        found = -1
        for atom in wanted:
            places = [k for k, site in enumerate(part.sites) if site.name == atom and site.element != "Ca"]
            if places:
                found = int(first[index]) + max(places, key=lambda k: (part.sites[k].occupancy, -k))
                break
        guides.append(found)
    letters = [
        LETTERS[part.name] if part.kind == "protein" else part.name[-1] if part.kind == "nucleic" else ""
        for part in parts
    ]
    coordinates = np.array([site.position for _, site in sites], dtype=np.float64).reshape(-1, 3)
    return Structure(
        name=name,
        title="",
        coordinates=np.repeat(coordinates[None], models, axis=0),
        model_numbers=tuple(range(1, models + 1)),
        atoms=Atoms(
            name=np.array([site.name for _, site in sites], dtype=str),
            element=np.array([site.element or site.name[0] for _, site in sites], dtype=str),
            residue=np.array([index for index, _ in sites], dtype=np.int64),
            altloc=np.array([site.altloc for _, site in sites], dtype=str),
            serial=np.arange(1, len(sites) + 1),
            occupancy=np.array([site.occupancy for _, site in sites], dtype=np.float64),
            b_factor=np.array([site.b_factor for _, site in sites], dtype=np.float64),
            hetero=np.array([parts[index].kind not in ("protein", "nucleic") for index, _ in sites], dtype=bool),
        ),
        residues=Residues(
            name=np.array([part.name for part in parts], dtype=str),
            chain=np.array([part.chain for part in parts], dtype=str),
            number=np.array([part.number for part in parts], dtype=np.int64),
            insertion_code=np.array([part.code for part in parts], dtype=str),
            kind=np.array([part.kind for part in parts], dtype=str),
            letter=np.array(letters, dtype=str),
            first_atom=first.astype(np.int64),
            guide_atom=np.array(guides, dtype=np.int64),
            secondary=np.array([part.secondary for part in parts], dtype=str),
        ),
    )


def coil(index: int, shift: float = 0.0) -> tuple[float, float, float]:
    """Return a point on a helix of CA: never three on a line."""
    return 2.3 * np.cos(1.75 * index) + shift, 2.3 * np.sin(1.75 * index), 1.5 * index


def peptide(
    sequence: str, chain: str = "A", start: int = 1, *, numbers: Sequence[int] | None = None, b_factor: float = 20.0
) -> list[Part]:
    """Return residues with a CA and a CB each."""
    places = numbers if numbers is not None else range(start, start + len(sequence))
    parts = []
    for index, (letter, number) in enumerate(zip(sequence, places, strict=True)):
        x, y, z = coil(number, 10.0 * (ord(chain[0]) if chain else 0))
        sites = (Site("CA", (x, y, z), b_factor=b_factor), Site("CB", (x + 1.5, y, z + 0.1 * index), b_factor=b_factor))
        parts.append(Part(chain, number, NAMES[letter], sites=sites))
    return parts


def strand_of_dna(sequence: str, chain: str = "D", *, phosphorus: bool = True, c3: bool = True) -> list[Part]:
    """Return nucleotides with P, C3' or both."""
    parts = []
    for index, letter in enumerate(sequence):
        x, y, z = coil(index, 50.0)
        sites = []
        if phosphorus and index:  # the first nucleotide has no phosphate
            sites.append(Site("P", (x, y, z)))
        if c3:
            sites.append(Site("C3'", (x + 1.0, y + 2.0, z)))
        parts.append(Part(chain, index + 1, f"D{letter}", sites=tuple(sites)))
    return parts


def water(chain: str, number: int) -> Part:
    return Part(chain, number, "HOH", sites=(Site("O", (number, 0.0, 0.0)),))
