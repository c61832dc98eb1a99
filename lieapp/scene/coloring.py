"""Colour schemes of residues: one table that the scene, the menus and the key to the colours read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.scene.colors import CONTEXT, DEVIATION_STOPS, ELEMENT_COLORS, MOBILE, deviation_colors, element_colors, rgba
from lieapp.scene.residue_classes import class_colors, classes_shown
from lieapp.structures.secondary import secondary_structure
from lieapp.structures.structure import Structure

__all__ = [
    "CHAIN_COLORS",
    "COLOR_SCHEMES",
    "PLDDT_BANDS",
    "SECONDARY_COLORS",
    "ColorScheme",
    "Legend",
    "legend_for",
    "residue_colors",
]

CHAIN_COLORS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C8C00", "#5E4FA2",
    "#A5002D", "#FFB487", "#005A5A", "#875A4B", "#69B44B", "#874B00", "#FF6987", "#87965A",
    "#00D2E1", "#6996FF", "#B41E69", "#2D5A2D", "#785A78", "#E1A5FF", "#96D2A5", "#E1C369",
)  # fmt: skip
"""Okabe and Ito's set and more, each as far as possible in CIELAB from all before it and from the greys of what is
not compared. Colour-blind eyes tell the first six apart; of twenty nobody can without the names in the hover."""

PLDDT_BANDS: tuple[tuple[float, str, str], ...] = (
    (90.0, "#0053D6", "very high (> 90)"),
    (70.0, "#65CBF3", "confident (70-90)"),
    (50.0, "#FFDB13", "low (50-70)"),
    (-np.inf, "#FF7D45", "very low (< 50)"),
)
"""Lower bound (not included), colour and name of AlphaFold DB's bands of confidence."""

SECONDARY_COLORS: dict[str, tuple[str, str]] = {
    "H": ("#D55E00", "helix"),
    "E": ("#0072B2", "strand"),
    "C": ("#BDBDBD", "coil and loops"),
}

# The rainbow from blue to red that structural biologists read chains by, and viridis, whose lightness rises evenly.
_RAINBOW = ("#3B4CC0", "#2A8BD8", "#1CB5A3", "#5CC24B", "#C9C42B", "#F09A2C", "#D7301F")
_VIRIDIS = ("#440154", "#3B528B", "#21918C", "#5EC962", "#FDE725")

Kind = Literal["bands", "gradient"]


@dataclass(frozen=True)
class Legend:
    """What the key to a colour scheme shows.

    Attributes
    ----------
    caption : str
    kind : {"bands", "gradient"}
        Patches with names, or a bar from the first stop to the last.
    entries : tuple of (float, str, str)
        Place on the bar from 0 to 1 (of bands: their order), colour and writing.
    """

    caption: str
    kind: Kind
    entries: tuple[tuple[float, str, str], ...]


@dataclass(frozen=True)
class ColorScheme:
    """A way to colour residues.

    Attributes
    ----------
    name, title, description : str
        For programs, for menus and for tooltips.
    colors : callable(structure, model, values) -> ndarray, shape=(residues, 4)
    legend : callable(structure, model, values) -> Legend or None
    needs_values : bool
        Whether the caller brings a number for each residue.
    """

    name: str
    title: str
    description: str
    colors: Callable[[Structure, int, NDArray[np.float64] | None], NDArray[np.float32]]
    legend: Callable[[Structure, int, NDArray[np.float64] | None], Legend | None]
    needs_values: bool = False


def _table(colors: list[str] | tuple[str, ...]) -> NDArray[np.float32]:
    return np.stack([rgba(color) for color in colors])


def _ramp(part: NDArray[np.float64], colors: tuple[str, ...]) -> NDArray[np.float32]:
    """Return colours at places from 0 to 1 of a ramp; NaN takes the colour of what is not compared."""
    table = _table(colors)
    places = np.linspace(0, 1, len(colors))
    filled = np.nan_to_num(np.clip(part, 0, 1), nan=0.0)
    result = np.stack([np.interp(filled, places, channel) for channel in table.T], axis=-1).astype(np.float32)
    result[np.isnan(part)] = rgba(CONTEXT)
    return result


def _polymer(structure: Structure) -> NDArray[np.bool_]:
    return structure.residues.guide_atom >= 0


def _by_residue(structure: Structure, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the guide atoms have, of other residues the mean of their atoms, shape (residues,)."""
    residues = structure.residues
    count = np.maximum(np.diff(residues.first_atom), 1)
    owner = structure.atoms.residue
    mean = np.bincount(owner, weights=values, minlength=len(residues)) / count
    return np.where(residues.guide_atom >= 0, values[residues.guide_atom], mean)


def _chains(structure: Structure) -> tuple[str, ...]:
    """Polymer chains first, so that two files with different waters get the same colours."""
    return tuple(dict.fromkeys((*structure.polymer_chains, *structure.chains)))


def _chain_colors(structure: Structure, model: int, values: NDArray[np.float64] | None) -> NDArray[np.float32]:
    table = _table(CHAIN_COLORS)
    names, code = np.unique(structure.residues.chain, return_inverse=True)
    place = {chain: index for index, chain in enumerate(_chains(structure))}
    order = np.array([place[str(name)] for name in names], dtype=np.int64)
    return table[order[code] % len(table)] if len(code) else np.zeros((0, 4), dtype=np.float32)


def _chain_legend(structure: Structure, model: int, values: NDArray[np.float64] | None) -> Legend:
    chains = structure.polymer_chains
    entries = [
        (float(k), color, chain or "_") for k, (chain, color) in enumerate(zip(chains, CHAIN_COLORS, strict=False))
    ]
    more = len(chains) - len(entries)
    return Legend("chain" if more <= 0 else f"chain (and {more} more)", "bands", tuple(entries))


def _index_colors(structure: Structure, model: int, values: NDArray[np.float64] | None) -> NDArray[np.float32]:
    polymer = _polymer(structure)
    part = np.full(len(polymer), np.nan)
    chain = structure.residues.chain
    for name in structure.polymer_chains:
        mine = np.flatnonzero(polymer & (chain == name))
        part[mine] = np.linspace(0, 1, len(mine)) if len(mine) > 1 else 0.5
    return _ramp(part, _RAINBOW)


def _secondary_colors(structure: Structure, model: int, values: NDArray[np.float64] | None) -> NDArray[np.float32]:
    states = secondary_structure(structure, model)
    return np.stack(
        [
            np.select([states == "H", states == "E"], [helix, strand], coil)
            for helix, strand, coil in zip(*(rgba(SECONDARY_COLORS[state][0]) for state in "HEC"), strict=True)
        ],
        axis=-1,
    ).astype(np.float32)


def _class_legend(structure: Structure, drawn: NDArray[np.bool_] | None) -> Legend:
    classes = classes_shown(structure, drawn)
    return Legend(
        "kind of residue", "bands", tuple((float(place), color, name) for place, (color, name) in enumerate(classes))
    )


def _b_factor_range(structure: Structure) -> tuple[NDArray[np.float64], float, float]:
    values = _by_residue(structure, structure.atoms.b_factor)
    polymer = values[_polymer(structure)]
    polymer = polymer[np.isfinite(polymer)]
    # The range of nearly all: one wild loop must not make the rest look the same.
    low, high = np.percentile(polymer, [2, 98]) if len(polymer) else (0.0, 1.0)
    return values, float(low), float(high)


def _b_factor_colors(structure: Structure, model: int, values: NDArray[np.float64] | None) -> NDArray[np.float32]:
    factors, low, high = _b_factor_range(structure)
    part = (factors - low) / (high - low) if high > low else np.where(np.isfinite(factors), 0.0, np.nan)
    return _ramp(part, _VIRIDIS)


def _b_factor_legend(structure: Structure, model: int, values: NDArray[np.float64] | None) -> Legend:
    _, low, high = _b_factor_range(structure)
    ends = {0: f"{low:.0f}", len(_VIRIDIS) - 1: f"{high:.0f} Å²"}
    return Legend("B-factor", "gradient", _gradient(_VIRIDIS, ends))


def _gradient(colors: tuple[str, ...], writing: dict[int, str]) -> tuple[tuple[float, str, str], ...]:
    last = len(colors) - 1
    return tuple((index / last, color, writing.get(index, "")) for index, color in enumerate(colors))


def _plddt_colors(structure: Structure, model: int, values: NDArray[np.float64] | None) -> NDArray[np.float32]:
    score = _by_residue(structure, structure.atoms.b_factor)
    # Some programs write it as a fraction.
    polymer = score[_polymer(structure)]
    if len(polymer) and np.nanmax(polymer) <= 1.0:
        score = 100 * score
    table = _table([color for _, color, _ in PLDDT_BANDS])
    band = np.sum([~(score > bound) for bound, _, _ in PLDDT_BANDS[:-1]], axis=0)
    return table[band]


def _element_colors(structure: Structure, model: int, values: NDArray[np.float64] | None) -> NDArray[np.float32]:
    """Return the colour of the guide atom's element, of small molecules that of their first atom."""
    first = np.minimum(structure.residues.first_atom[:-1], max(len(structure.atoms) - 1, 0))
    guide = np.where(_polymer(structure), structure.residues.guide_atom, first)
    symbols, kind = np.unique(structure.atoms.element[guide], return_inverse=True)
    return element_colors(symbols)[kind]


def _element_legend(structure: Structure, model: int, values: NDArray[np.float64] | None) -> Legend:
    return Legend(
        "element",
        "bands",
        tuple((float(i), ELEMENT_COLORS[symbol], symbol) for i, symbol in enumerate(("C", "N", "O", "S", "P"))),
    )


def _deviation_colors(structure: Structure, model: int, values: NDArray[np.float64] | None) -> NDArray[np.float32]:
    if values is None:
        raise ValueError("the colours of the deviation need a distance for each residue")
    return deviation_colors(values)


def _deviation_legend(structure: Structure, model: int, values: NDArray[np.float64] | None) -> Legend:
    last = DEVIATION_STOPS[-1][0]
    entries = tuple(
        (stop / last, color, f"{stop:g}" if stop < last else f"≥ {stop:g} Å") for stop, color in DEVIATION_STOPS
    )
    return Legend("distance to partner", "gradient", entries)


COLOR_SCHEMES: dict[str, ColorScheme] = {
    scheme.name: scheme
    for scheme in (
        ColorScheme(
            "deviation",
            "Deviation",
            "Distance of each residue to its partner: blue 0 Å, white 4 Å, red 8 Å and more",
            _deviation_colors,
            _deviation_legend,
            needs_values=True,
        ),
        ColorScheme("chain", "Chain", "One colour for each chain", _chain_colors, _chain_legend),
        ColorScheme(
            "index",
            "Rainbow",
            "From blue at the start of each chain to red at its end",
            _index_colors,
            lambda structure, model, values: Legend(
                "position in the chain", "gradient", _gradient(_RAINBOW, {0: "start", len(_RAINBOW) - 1: "end"})
            ),
        ),
        ColorScheme(
            "secondary",
            "Secondary structure",
            "Helices, strands and the rest",
            _secondary_colors,
            lambda structure, model, values: Legend(
                "secondary structure",
                "bands",
                tuple((float(i), *SECONDARY_COLORS[state]) for i, state in enumerate(SECONDARY_COLORS)),
            ),
        ),
        ColorScheme(
            "class",
            "Bases and amino acids",
            "Each base its colour; amino acids by what their side chains are like",
            lambda structure, model, values: class_colors(structure),
            lambda structure, model, values: _class_legend(structure, None),
        ),
        ColorScheme(
            "b-factor", "B-factor", "Temperature factors of the file, low to high", _b_factor_colors, _b_factor_legend
        ),
        ColorScheme(
            "plddt",
            "Confidence (pLDDT)",
            "The bands of AlphaFold DB, from the B-factor column of a predicted model",
            _plddt_colors,
            lambda structure, model, values: Legend(
                "model confidence",
                "bands",
                tuple((float(i), color, name) for i, (_, color, name) in enumerate(PLDDT_BANDS)),
            ),
        ),
        ColorScheme("element", "Element", "The usual colours of the elements", _element_colors, _element_legend),
        ColorScheme(
            "uniform",
            "One colour",
            "The colour of what moves and of what stays",
            lambda structure, model, values: np.tile(rgba(MOBILE), (len(structure.residues), 1)),
            lambda structure, model, values: None,
        ),
    )
}
"""All schemes in the order of the menu."""


def _scheme(name: str) -> ColorScheme:
    if name not in COLOR_SCHEMES:
        raise ValueError(f"a colour scheme is one of {', '.join(COLOR_SCHEMES)}, not {name!r}")
    return COLOR_SCHEMES[name]


def residue_colors(
    structure: Structure,
    scheme: str,
    model: int = 0,
    *,
    values: ArrayLike | None = None,
    color: str | None = None,
) -> NDArray[np.float32]:
    """Return the colour of every residue.

    Parameters
    ----------
    structure : Structure
    scheme : str
        A name of `COLOR_SCHEMES`.
    model : int
        Position of the model, from 0.
    values : array_like, shape=(residues,), optional
        Distances in Å for ``"deviation"``; NaN where there is no partner.
    color : str, optional
        For ``"uniform"``.

    Returns
    -------
    rgba : ndarray, shape=(residues, 4), dtype=float32

    Raises
    ------
    ValueError
        If there is no such scheme, or the values it needs are missing or not one a residue.
    """
    count = len(structure.residues)
    numbers = None if values is None else np.asarray(values, dtype=np.float64)
    if numbers is not None and numbers.shape != (count,):
        raise ValueError(f"{structure.name} has {count} residues; values have shape {numbers.shape}")
    if scheme == "uniform" and color is not None:
        return np.tile(rgba(color), (count, 1))
    return _scheme(scheme).colors(structure, model, numbers)


def legend_for(
    structure: Structure, scheme: str, model: int = 0, drawn: NDArray[np.bool_] | None = None
) -> Legend | None:
    """Return the key to the colours that `residue_colors` gives; None where there is nothing to explain.

    Parameters
    ----------
    structure : Structure
    scheme : str
    model : int
    drawn : ndarray, shape=(residues,), dtype=bool, optional
        Residues that are drawn in their colours: chains and kinds of polymer with none are left out. All by default.

    Raises
    ------
    ValueError
        If there is no such scheme.
    """
    legend = _scheme(scheme).legend(structure, model, None)
    if scheme == "class" and drawn is not None:
        return _class_legend(structure, drawn)
    if legend is None or scheme != "chain" or drawn is None:
        return legend
    seen = {str(chain) or "_" for chain in np.unique(structure.residues.chain[drawn])}
    entries = tuple(entry for entry in legend.entries if entry[2] in seen)
    return replace(legend, entries=entries) if entries else legend
