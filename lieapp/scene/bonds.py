"""Which atoms are joined, by distance against the sum of their covalent radii; no loop over residues."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["covalent_bonds"]

# Covalent radii in Å (B. Cordero et al., Dalton Trans. 2008, 2832); others are taken as 1.4.
_COVALENT = {"H": 0.31, "C": 0.76, "N": 0.71, "O": 0.66, "F": 0.57, "P": 1.07, "S": 1.05, "CL": 1.02, "SE": 1.20}
_BOND_SLACK = 0.40
_SHORTEST = 0.4
_MOST_APART = 120  # places in the file between two bonded atoms of neighbouring residues
_MOST_SULPHURS = 3000


def covalent_bonds(
    points: NDArray[np.float64],
    elements: NDArray[np.str_],
    residue: NDArray[np.int64],
    chain: NDArray[np.str_] | None = None,
) -> NDArray[np.int64]:
    """Return bonded pairs within residues and, if chains are told, from each residue to the next of its chain.

    Sulphurs are joined wherever they are close: disulphide bridges.

    Parameters
    ----------
    points : ndarray, shape=(atoms, 3)
        Positions in Å.
    elements : ndarray, shape=(atoms,), dtype=str
    residue : ndarray, shape=(atoms,), dtype=int
        Equal numbers are contiguous.
    chain : ndarray, shape=(atoms,), dtype=str, optional

    Returns
    -------
    pairs : ndarray, shape=(bonds, 2), dtype=int
        Each once, the smaller index first.
    """
    count = len(points)
    if count < 2:
        return np.zeros((0, 2), dtype=np.int64)
    symbols, kind = np.unique(np.char.upper(np.asarray(elements, dtype=str)), return_inverse=True)
    radii = np.array([_COVALENT.get(str(symbol), 1.4) for symbol in symbols])[kind]
    order = np.concatenate([[0], np.cumsum(np.diff(residue) != 0)])
    largest = int(np.bincount(order).max())
    reach = min(largest if chain is None else 2 * largest, _MOST_APART, count - 1)
    steps = 0 if chain is None else 1
    found = []
    for apart in range(1, reach + 1):
        near = order[apart:] - order[:-apart] <= steps
        if chain is not None:
            near &= chain[apart:] == chain[:-apart]
        first = np.flatnonzero(near)
        offset = points[first + apart] - points[first]
        squared = np.einsum("ij,ij->i", offset, offset)
        limit = radii[first] + radii[first + apart] + _BOND_SLACK
        joined = first[(squared < limit**2) & (squared > _SHORTEST**2)]
        found.append(np.stack([joined, joined + apart], axis=1))
    if chain is not None:
        sulphur = np.flatnonzero(np.isin(symbols, ("S", "SE"))[kind])[:_MOST_SULPHURS]
        distance = np.linalg.norm(points[sulphur, None] - points[None, sulphur], axis=-1)
        first, second = np.nonzero(np.triu((distance > _SHORTEST) & (distance < 2.5), k=1))
        bridges = np.stack([sulphur[first], sulphur[second]], axis=1)
        found.append(bridges[order[bridges[:, 1]] - order[bridges[:, 0]] > 1])
    return np.concatenate(found)
