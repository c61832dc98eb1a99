"""What an alignment minimises: kernels of the squared distance of a pair.

Every objective is a sum over pairs, ``loss = sum_i w_i rho(d_i^2)`` with weights that add up to one, so one kernel
``rho`` with its first two derivatives in ``s = d^2`` is all that a gradient, a Hessian or iteratively reweighted
least squares need. The kernels are written with arithmetic that numpy arrays and torch tensors share: the kind that
goes in comes out, and torch is never imported here.

Scaling
-------
All kernels are in Å² and have slope one where a fit is good (``rho'(0) = 1``; for GDT, whose kernel is flat at zero,
the slope is about one at the smallest cutoff), so that the Hessian at a good fit is of order one and one step size
serves all of them. Scores that people maximise become losses by

===============  ==========================================  ==================================================
name             loss                                        value for people
===============  ==========================================  ==================================================
rmsd             ``sum w d^2``                               RMSD = ``sqrt(loss)``, Å
tm               ``d0^2 (1 - TM / coverage)``                TM-score = ``coverage (1 - loss / d0^2)``
gdt              ``K (1 - GDT / coverage)``                  smooth GDT-TS = ``coverage (1 - loss / K)``
huber            ``sum w d^2`` with linear tails             robust RMSD = ``sqrt(loss)``, Å
geman-mcclure    ``sum w d^2 / (1 + d^2 / sigma^2)``         mean of ``d^2 / (d^2 + sigma^2)``, ``loss / sigma^2``
===============  ==========================================  ==================================================

where ``coverage`` is the number of paired residues over the length L that the score is normalised with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeVar, get_args, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lieapp.alignment.errors import AlignmentError

__all__ = [
    "GDT_HA_CUTOFFS",
    "GDT_TS_CUTOFFS",
    "MSD",
    "OBJECTIVE_NAMES",
    "TM",
    "GemanMcClure",
    "Huber",
    "Objective",
    "ObjectiveName",
    "SmoothGDT",
    "d0_nucleic",
    "d0_of",
    "d0_protein",
    "make_objective",
    "normalised_weights",
]

ObjectiveName = Literal["rmsd", "tm", "gdt", "huber", "geman-mcclure"]
OBJECTIVE_NAMES: tuple[ObjectiveName, ...] = get_args(ObjectiveName)

GDT_TS_CUTOFFS = (1.0, 2.0, 4.0, 8.0)
"""Cutoffs of GDT-TS in Å."""
GDT_HA_CUTOFFS = (0.5, 1.0, 2.0, 4.0)
"""Cutoffs of GDT-HA in Å."""

_D0_MINIMUM = 0.5  # TM-align's floor: without it d0 is tiny or negative for 16 to 21 residues
_D0_NUCLEIC = ((11, 0.3), (15, 0.4), (19, 0.5), (23, 0.6), (29, 0.7))
_HUBER_DELTA = 3.0
_GEMAN_MCCLURE_SIGMA = 4.0
_GDT_WIDTH = 0.25
_GDT_WIDTH_MINIMUM = 0.05  # narrower ones overflow float64 at distances of 1e6 Å

Array = TypeVar("Array")
"""A numpy array or a torch tensor."""


@runtime_checkable
class Objective(Protocol):
    """A kernel of the squared distance, and how its sum is shown to people.

    Attributes
    ----------
    name : str
        One of `OBJECTIVE_NAMES`.
    title : str
        For people, such as ``"TM-score"``.
    unit : str
        Of the value for people: ``"Å"`` or ``""``.
    maximised : bool
        True where people want the value large.
    concave : bool
        True where ``rho`` is concave in the squared distance, so that reweighted least squares never goes up.
    scale : float
        The kernel's one number: d0, delta, sigma (Å) or the relative width of GDT; 0 for the MSD, which has none.
    ceiling : float
        Largest loss of a pair in Å², approached at large distances; infinite for the MSD and Huber's.
    """

    @property
    def name(self) -> ObjectiveName: ...
    @property
    def title(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def maximised(self) -> bool: ...
    @property
    def concave(self) -> bool: ...
    @property
    def scale(self) -> float: ...
    @property
    def ceiling(self) -> float: ...

    def rho(self, d2: Array) -> Array:
        """Return the loss of each pair in Å², from its squared distance in Å²; any shape, which the result has, too."""
        ...

    def weight(self, d2: Array) -> Array:
        """Return ``d rho / d (d^2)``: how much a pair pulls, from 0 to about 1; shapes as of `rho`."""
        ...

    def curvature(self, d2: Array) -> Array:
        """Return the second derivative of ``rho`` in ``d^2``, in 1/Å²; shapes as of `rho`."""
        ...

    def value_for_people(self, loss: Any) -> Any:
        """Return what is shown (see the table above) for one loss or an array of losses."""
        ...

    def loss_of(self, value: Any) -> Any:
        """Return the loss whose value for people is given: the inverse of `value_for_people`."""
        ...


@dataclass(frozen=True)
class MSD:
    """Mean squared deviation, shown as its root: what Kabsch's method minimises."""

    name: ClassVar[ObjectiveName] = "rmsd"
    title: ClassVar[str] = "RMSD"
    unit: ClassVar[str] = "Å"
    maximised: ClassVar[bool] = False
    concave: ClassVar[bool] = True
    scale: ClassVar[float] = 0.0
    ceiling: ClassVar[float] = math.inf

    def rho(self, d2: Array) -> Array:
        return 1.0 * _number(d2)

    def weight(self, d2: Array) -> Array:
        return 0.0 * _number(d2) + 1.0

    def curvature(self, d2: Array) -> Array:
        return 0.0 * _number(d2)

    def value_for_people(self, loss: Any) -> Any:
        return _root(loss)

    def loss_of(self, value: Any) -> Any:
        return value**2


@dataclass(frozen=True)
class _Rational:
    """The kernel ``d^2 / (1 + d^2/s^2)``, which the TM-score and the loss of Geman and McClure have in common."""

    scale: float

    concave: ClassVar[bool] = True

    @property
    def ceiling(self) -> float:
        return self.scale**2

    def rho(self, d2: Array) -> Array:
        return _number(d2) / (1.0 + _number(d2) / self.scale**2)

    def weight(self, d2: Array) -> Array:
        return (1.0 + _number(d2) / self.scale**2) ** -2

    def curvature(self, d2: Array) -> Array:
        return -2.0 / self.scale**2 * (1.0 + _number(d2) / self.scale**2) ** -3


@dataclass(frozen=True)
class TM(_Rational):
    """TM-score, ``(1/L) sum 1 / (1 + d^2/d0^2)``, for a fixed correspondence.

    Attributes
    ----------
    scale : float
        d0 in Å, see `d0_of`.
    coverage : float
        Paired residues over L. The score of a perfect fit.

    References
    ----------
    Zhang, Skolnick (2004) Proteins 57, 702.
    """

    coverage: float = 1.0

    name: ClassVar[ObjectiveName] = "tm"
    title: ClassVar[str] = "TM-score"
    unit: ClassVar[str] = ""
    maximised: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_positive("d0 of the TM-score", self.scale)
        _check_positive("coverage", self.coverage)

    def value_for_people(self, loss: Any) -> Any:
        return self.coverage * (1.0 - loss / self.scale**2)

    def loss_of(self, value: Any) -> Any:
        return self.scale**2 * (1.0 - value / self.coverage)


@dataclass(frozen=True)
class SmoothGDT:
    """GDT-TS with its steps made smooth.

    The step "within c" of each cutoff becomes a sigmoid of the logarithm of the distance,
    ``sigmoid(ln(c/d) / width) = 1 / (1 + (d/c)^(1/width))``: exactly one at zero distance, one half at the cutoff, as
    steep there as a sigmoid of ``(c - d) / (width c)``, and smooth at zero. Its tail is algebraic, so a pose that is
    50 Å away still feels a slope; an ordinary sigmoid would be flat to the last bit there.

    Attributes
    ----------
    scale : float
        Relative width of the steps, 0.05 to 0.25: 0.25 blurs the step at 1 Å by 0.25 Å, that at 8 Å by 2 Å.
    coverage : float
        Paired residues over L.
    cutoffs : tuple of float
        In Å, increasing.

    References
    ----------
    Zemla (2003) Nucleic Acids Res. 31, 3370, for GDT. The score here is that of **one** pose, whereas LGA maximises
    each cutoff by itself.
    """

    scale: float = _GDT_WIDTH
    coverage: float = 1.0
    cutoffs: tuple[float, ...] = GDT_TS_CUTOFFS

    name: ClassVar[ObjectiveName] = "gdt"
    title: ClassVar[str] = "smooth GDT-TS"
    unit: ClassVar[str] = ""
    maximised: ClassVar[bool] = True
    concave: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not _GDT_WIDTH_MINIMUM <= self.scale <= _GDT_WIDTH:
            raise AlignmentError(
                f"The relative width of the smooth GDT is {self.scale:g}; "
                f"it must lie between {_GDT_WIDTH_MINIMUM:g} and {_GDT_WIDTH:g}"
            )
        _check_positive("coverage", self.coverage)

    @property
    def ceiling(self) -> float:
        return self._unit_of_loss

    @property
    def _power(self) -> float:
        return 0.5 / self.scale

    @property
    def _unit_of_loss(self) -> float:
        # A pair at the smallest cutoff pulls with weight one through that cutoff's step.
        return 4.0 * len(self.cutoffs) * self.cutoffs[0] ** 2 / self._power

    def rho(self, d2: Array) -> Array:
        total: Any = 0.0
        for cutoff in self.cutoffs:
            within = 1.0 / (1.0 + (_number(d2) / cutoff**2) ** self._power)
            total = total + (1.0 - within)
        return total * (self._unit_of_loss / len(self.cutoffs))

    def weight(self, d2: Array) -> Array:
        q, total = self._power, 0.0 * _number(d2)
        for cutoff in self.cutoffs:
            r = _number(d2) / cutoff**2
            total = total + (q / cutoff**2) * r ** (q - 1.0) / (1.0 + r**q) ** 2
        return total * (self._unit_of_loss / len(self.cutoffs))

    def curvature(self, d2: Array) -> Array:
        q, total = self._power, 0.0 * _number(d2)
        for cutoff in self.cutoffs:
            r = _number(d2) / cutoff**2
            slope = (q - 1.0) - (q + 1.0) * r**q
            total = total + (q / cutoff**4) * r ** (q - 2.0) * slope / (1.0 + r**q) ** 3
        return total * (self._unit_of_loss / len(self.cutoffs))

    def value_for_people(self, loss: Any) -> Any:
        return self.coverage * (1.0 - loss / self._unit_of_loss)

    def loss_of(self, value: Any) -> Any:
        return self._unit_of_loss * (1.0 - value / self.coverage)


@dataclass(frozen=True)
class Huber:
    """Squares for near pairs, distances for far ones: ``d^2`` up to delta, ``2 delta d - delta^2`` beyond.

    Attributes
    ----------
    scale : float
        delta in Å.

    References
    ----------
    Huber (1964) Ann. Math. Stat. 35, 73; here twice his function, so that near pairs count as in the MSD.
    """

    scale: float = _HUBER_DELTA

    name: ClassVar[ObjectiveName] = "huber"
    title: ClassVar[str] = "Huber RMSD"
    unit: ClassVar[str] = "Å"
    maximised: ClassVar[bool] = False
    concave: ClassVar[bool] = True
    ceiling: ClassVar[float] = math.inf

    def __post_init__(self) -> None:
        _check_positive("delta of the Huber loss", self.scale)

    def rho(self, d2: Array) -> Array:
        near, far = _number(d2).clip(max=self.scale**2), _number(d2).clip(min=self.scale**2)
        return near + 2.0 * self.scale * (far**0.5 - self.scale)

    def weight(self, d2: Array) -> Array:
        return self.scale * _number(d2).clip(min=self.scale**2) ** -0.5

    def curvature(self, d2: Array) -> Array:
        far = _number(d2) > self.scale**2
        return far * (-0.5 * self.scale) * _number(d2).clip(min=self.scale**2) ** -1.5

    def value_for_people(self, loss: Any) -> Any:
        return _root(loss)

    def loss_of(self, value: Any) -> Any:
        return value**2


@dataclass(frozen=True)
class GemanMcClure(_Rational):
    """A bounded loss that ignores outliers: ``d^2 / (1 + d^2/sigma^2)``; the TM-score has the same shape.

    Attributes
    ----------
    scale : float
        sigma in Å: the distance at which a pair counts for half of the largest loss.

    References
    ----------
    Geman, McClure (1987) Bull. Int. Stat. Inst. 52, 5.
    """

    scale: float = _GEMAN_MCCLURE_SIGMA

    name: ClassVar[ObjectiveName] = "geman-mcclure"
    title: ClassVar[str] = "Geman-McClure loss"
    unit: ClassVar[str] = ""
    maximised: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check_positive("sigma of the Geman-McClure loss", self.scale)

    def value_for_people(self, loss: Any) -> Any:
        return loss / self.scale**2

    def loss_of(self, value: Any) -> Any:
        return value * self.scale**2


def d0_protein(length: int) -> float:
    """Return the distance scale of the TM-score of proteins in Å.

    Parameters
    ----------
    length : int
        Residues of the structure that the score is normalised with, not of the aligned part.

    Notes
    -----
    ``1.24 (L - 15)^(1/3) - 1.8``, and 0.5 for up to 21 residues, as TM-align's final score has it.
    """
    if length <= 21:
        return _D0_MINIMUM
    return max(_D0_MINIMUM, 1.24 * (length - 15) ** (1.0 / 3.0) - 1.8)


def d0_nucleic(length: int) -> float:
    """Return the distance scale of the TM-score of RNA and DNA (C3' atoms) in Å.

    Parameters
    ----------
    length : int
        Residues of the structure that the score is normalised with.

    Notes
    -----
    ``0.6 (L - 0.5)^(1/2) - 2.5`` from 30 residues on, steps of 0.3 to 0.7 Å below.

    References
    ----------
    Gong, Zhang, Zhang (2019) Bioinformatics 35, 4459.
    """
    for longest, d0 in _D0_NUCLEIC:
        if length <= longest:
            return d0
    return 0.6 * (length - 0.5) ** 0.5 - 2.5


def d0_of(length: int, polymer: str) -> float:
    """Return d0 in Å for a polymer, ``"protein"`` or ``"nucleic"``.

    Raises
    ------
    AlignmentError
        If the polymer is neither, or the length is not positive.
    """
    if length <= 0:
        raise AlignmentError(f"The TM-score needs a length of at least 1, not {length}")
    if polymer == "protein":
        return d0_protein(length)
    if polymer == "nucleic":
        return d0_nucleic(length)
    raise AlignmentError(f"The TM-score knows 'protein' and 'nucleic', not {polymer!r}")


def make_objective(
    name: str,
    *,
    length: int,
    polymer: str = "protein",
    scale: float | None = None,
    residues: int | None = None,
) -> Objective:
    """Return an objective by name.

    Parameters
    ----------
    name : {"rmsd", "tm", "gdt", "huber", "geman-mcclure"}
    length : int
        L of the TM-score and of GDT: residues of the structure that stays.
    polymer : {"protein", "nucleic"}
        Selects the rule for d0.
    scale : float, optional
        Replaces d0, delta, sigma (Å) or the width of GDT. The MSD has no scale.
    residues : int, optional
        Paired residues that take part; by default all `length`.

    Raises
    ------
    AlignmentError
        If the name is unknown or the scale out of bounds.
    """
    coverage = 1.0 if residues is None else residues / max(length, 1)
    if name == "rmsd":
        if scale is not None:
            raise AlignmentError("RMSD has no scale; choose huber, geman-mcclure, tm or gdt to use one")
        return MSD()
    if name == "tm":
        return TM(d0_of(length, polymer) if scale is None else scale, coverage)
    if name == "gdt":
        return SmoothGDT(_GDT_WIDTH if scale is None else scale, coverage)
    if name == "huber":
        return Huber(_HUBER_DELTA if scale is None else scale)
    if name == "geman-mcclure":
        return GemanMcClure(_GEMAN_MCCLURE_SIGMA if scale is None else scale)
    raise AlignmentError(f"No objective is called {name!r}; there are {', '.join(OBJECTIVE_NAMES)}")


def normalised_weights(weights: NDArray[np.float64] | None, pairs: int) -> NDArray[np.float64]:
    """Return weights that add up to one.

    Parameters
    ----------
    weights : ndarray, shape=(pairs,), dtype=float, optional
        Non-negative; equal ones by default.
    pairs : int

    Raises
    ------
    AlignmentError
        If there are no pairs, or weights are negative, not finite, all zero or of another number.
    """
    if pairs <= 0:
        raise AlignmentError("There are no pairs to superpose")
    if weights is None:
        return np.full(pairs, 1.0 / pairs)
    given = np.asarray(weights, dtype=np.float64)
    if given.shape != (pairs,):
        raise AlignmentError(f"Expected {pairs} weights, one a pair, but got an array of shape {given.shape}")
    wrong = np.flatnonzero(~np.isfinite(given) | (given < 0.0))
    if wrong.size:
        raise AlignmentError(f"Weight {wrong[0]} is {given[wrong[0]]}; weights must be finite and not negative")
    largest = given.max()
    if largest == 0.0:
        raise AlignmentError("All weights are zero; at least one pair must count")
    scaled = given / largest  # keeps the sum finite for weights near the largest float
    normalised: NDArray[np.float64] = scaled / scaled.sum()
    return normalised


def _number(d2: Any) -> Any:
    # The kernels accept two kinds of array that share no base class; this hides their arithmetic from the checker.
    return d2


def _root(loss: Any) -> Any:
    # A sum of squares can round to a hair below zero.
    return np.sqrt(np.maximum(loss, 0.0))


def _check_positive(what: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0.0):
        raise AlignmentError(f"The {what} is {value:g}; it must be a positive number")
