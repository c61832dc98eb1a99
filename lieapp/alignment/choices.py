"""The words that an alignment job may use, with what a menu shows and a tooltip says. No torch, no numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ATOMS",
    "OBJECTIVES",
    "PAIRINGS",
    "PARAMETRISATIONS",
    "PIVOTS",
    "STARTS",
    "WEIGHTS",
    "AtomsName",
    "Choice",
    "ObjectiveChoice",
    "ParametrisationName",
    "PivotName",
    "StartName",
    "WeightsName",
    "title_of_choice",
]

AtomsName = Literal["ca", "backbone", "heavy"]
ParametrisationName = Literal["local", "se3", "so3xr3"]
PivotName = Literal["centroid", "origin"]
StartName = Literal["identity", "centroids", "random", "given"]
WeightsName = Literal["equal", "occupancy", "b-factor", "plddt"]


@dataclass(frozen=True)
class Choice:
    """One word of a field.

    Attributes
    ----------
    value : str
        As jobs, flags and files spell it.
    title : str
        What a menu shows.
    help : str
        One or two sentences for a tooltip.
    available : bool
        False for words that are reserved.
    """

    value: str
    title: str
    help: str
    available: bool = True


@dataclass(frozen=True)
class ObjectiveChoice(Choice):
    """An objective, with what its scale is called.

    Attributes
    ----------
    scale_title : str
        Empty where there is no scale.
    scale_unit : str
    scale_default : float or None
        None where it follows from the length (TM).
    scale_minimum, scale_maximum : float or None
    scale_help : str
    """

    scale_title: str = ""
    scale_unit: str = ""
    scale_default: float | None = None
    scale_minimum: float | None = None
    scale_maximum: float | None = None
    scale_help: str = ""


OBJECTIVES: tuple[ObjectiveChoice, ...] = (
    ObjectiveChoice(
        "rmsd",
        "RMSD",
        "Least mean squared deviation. Kabsch's closed form is the exact answer, so the gap to it is exact.",
    ),
    ObjectiveChoice(
        "tm",
        "TM-score",
        "Highest TM-score of these pairs: near pairs count fully, far ones hardly. Moving domains do not pull.",
        scale_title="d0",
        scale_unit="Å",
        scale_minimum=0.1,
        scale_maximum=100.0,
        scale_help="Distance at which a pair counts half; by default from the length of the structure that stays.",
    ),
    ObjectiveChoice(
        "gdt",
        "GDT-TS (smooth)",
        "Most pairs within 1, 2, 4 and 8 Å, with smooth steps. The reference is the best pose found, not proven.",
        scale_title="width",
        scale_default=0.25,
        scale_minimum=0.05,
        scale_maximum=0.25,
        scale_help="Width of each step relative to its cutoff: 0.25 blurs 1 Å by 0.25 Å and 8 Å by 2 Å.",
    ),
    ObjectiveChoice(
        "huber",
        "Huber",
        "Squares up to delta, distances beyond: outliers pull, but no harder the farther they are.",
        scale_title="delta",
        scale_unit="Å",
        scale_default=3.0,
        scale_minimum=0.01,
        scale_maximum=1000.0,
        scale_help="Distance from which a pair counts linearly.",
    ),
    ObjectiveChoice(
        "geman-mcclure",
        "Geman-McClure",
        "A bounded loss: far pairs stop pulling. The TM-score has this shape with d0 as sigma.",
        scale_title="sigma",
        scale_unit="Å",
        scale_default=4.0,
        scale_minimum=0.01,
        scale_maximum=1000.0,
        scale_help="Distance at which a pair counts for half of the largest loss.",
    ),
)

PAIRINGS: tuple[Choice, ...] = (
    Choice(
        "auto", "automatic", "Best chain pair by sequence alignment; numbers where they say the same, only clearer."
    ),
    Choice("sequence", "by sequence", "Aligned columns of the sequences (BLOSUM62, affine gaps)."),
    Choice("number", "by number", "Residues with equal number and insertion code, whatever their names."),
    Choice("structure", "by structure", "Reserved: correspondence from the structures themselves.", available=False),
)

ATOMS: tuple[Choice, ...] = (
    Choice("ca", "CA", "One atom a residue: CA of proteins, C3' (else P) of nucleic acids."),
    Choice("backbone", "backbone", "N, CA, C, O of proteins; the sugar-phosphate chain of nucleic acids."),
    Choice("heavy", "all heavy", "All atoms but hydrogen where the residues are equal; backbone and CB elsewhere."),
)

PARAMETRISATIONS: tuple[Choice, ...] = (
    Choice(
        "local",
        "local, re-anchored",
        "Six numbers about the present pose, zero again after each step: nothing is singular, nothing is coupled.",
    ),
    Choice(
        "se3",
        "se(3), one 6-vector",
        "One 6-vector (v, w) for the whole motion, translation coupled by V(w), as in arXiv:2508.17010.",
    ),
    Choice("so3xr3", "SO(3) x R3", "A rotation vector and a translation, not coupled, for the whole motion."),
)

PIVOTS: tuple[Choice, ...] = (
    Choice("centroid", "centroid", "Rotate about the mobile centroid, angles as paths at the radius of gyration (Å)."),
    Choice(
        "origin", "origin of the file", "Rotate about the file's origin, angles in rad: shows why centring matters."
    ),
)

STARTS: tuple[Choice, ...] = (
    Choice("centroids", "centroids matched", "As deposited, shifted so that the centroids coincide."),
    Choice("identity", "as deposited", "Both structures as the files have them."),
    Choice("random", "random", "Centroids matched, a random rotation from the seed (uniform on SO(3))."),
    Choice("given", "by hand", "The pose that was set by hand, or a 4x4 matrix."),
)

WEIGHTS: tuple[Choice, ...] = (
    Choice("equal", "equal", "Every pair counts the same."),
    Choice("occupancy", "occupancy", "The smaller occupancy of the two atoms."),
    Choice("b-factor", "1 / B-factor", "1/(B + mean B), B averaged over the two atoms: flexible ones count less."),
    Choice("plddt", "pLDDT", "pLDDT/100 from the B column of the structure that moves (predicted models)."),
)


def title_of_choice(choices: tuple[Choice, ...], value: str) -> str:
    """Return what a menu shows for a word; the word itself if it is none of the choices."""
    return next((choice.title for choice in choices if choice.value == value), value)
