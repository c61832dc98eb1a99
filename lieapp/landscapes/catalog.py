"""Everything that a landscape job can name: surfaces in the plane, losses of many parameters. No torch.

A surface is one formula; its derivatives are exact, see `lieapp.landscapes.jets`. Its stationary points are listed
in `lieapp.landscapes.known_points`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.formula import Formula, parse_formula
from lieapp.landscapes.known_points import known_points
from lieapp.landscapes.points import StationaryPoint
from lieapp.landscapes.stationary import Domain, find_stationary_points

__all__ = ["LANDSCAPES", "SURFACES", "Landscape", "Surface", "formula_surface", "landscape", "surface"]


@dataclass(frozen=True)
class Landscape:
    """One entry of the menu.

    Attributes
    ----------
    name : str
        As flags and files spell it.
    title : str
        As a menu shows it.
    dimension : int or None
        Number of parameters; None where it depends on the input.
    teaches : str
        One sentence on what there is to see.
    is_planar : bool
        Whether it is a surface over x and y that can be drawn.
    first : bool
        Whether it stands in the first menu, or under More.
    """

    name: str
    title: str
    dimension: int | None
    teaches: str
    is_planar: bool = False
    first: bool = True

    @property
    def starts_beside_saddle(self) -> bool:
        """Whether a run starts at some distance from a saddle, in a random direction, where nothing else is said."""
        return not self.is_planar and self.dimension is not None


@dataclass(frozen=True)
class Surface:
    """A function of x and y with what is known about it.

    Attributes
    ----------
    name, title : str
    formula : str
        As people write it.
    expression : str
        As `lieapp.landscapes.formula.parse_formula` reads it.
    teaches : str
        One sentence on what there is to see.
    domain : ((x0, x1), (y0, y1))
        The part of the plane that is drawn.
    clip : float or None
        Value above which colours stay the same; None where none is needed.
    start : (float, float)
        Where runs start unless told otherwise.
    stationary_points : tuple of StationaryPoint
        All of those on the domain that are isolated.
    first : bool
        Whether it stands in the first menu, or under More.
    """

    name: str
    title: str
    formula: str
    expression: str
    teaches: str
    domain: Domain
    clip: float | None
    start: tuple[float, float]
    stationary_points: tuple[StationaryPoint, ...]
    first: bool = True

    @property
    def extent(self) -> None:
        """The part of the plane where it has values: nobody drew a border."""

    @property
    def function(self) -> Formula:
        """The formula, ready to be evaluated."""
        return parse_formula(self.expression)

    @property
    def dimension(self) -> int:
        """Number of parameters: 2."""
        return 2

    @property
    def is_planar(self) -> bool:
        """Whether it can be drawn: yes."""
        return True

    @property
    def size(self) -> float:
        """Diagonal of the domain."""
        (x0, x1), (y0, y1) = self.domain
        return float(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5)

    def value(self, x: Any, y: Any) -> Any:
        """Return the value; x and y are numbers, numpy arrays, or torch tensors (which may be differentiated)."""
        return self.function.value(x, y)

    def gradient(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return the first derivatives ``f_x, f_y``, shaped like x and y."""
        return self.function.gradient(x, y)[1:]

    def hessian(self, x: Any, y: Any) -> tuple[Any, Any, Any]:
        """Return the second derivatives ``f_xx, f_xy, f_yy``, shaped like x and y."""
        return self.function.derivatives(x, y)[3:]

    @property
    def minima(self) -> tuple[StationaryPoint, ...]:
        """The minima, the deepest first."""
        return tuple(sorted((p for p in self.stationary_points if p.kind == "minimum"), key=lambda p: p.value))

    @property
    def saddles(self) -> tuple[StationaryPoint, ...]:
        """Saddles, and points that second derivatives do not decide."""
        return tuple(p for p in self.stationary_points if p.kind in ("saddle", "degenerate"))


def _leps() -> str:
    """LEPS potential of a collinear A-B-C plus a harmonic oscillator (model II); x is r_AB, y the oscillator."""
    shifts = {"AB": "(x - 0.742)", "BC": "(3 - x)", "AC": "3"}  # r - r0, with r_BC = r_AC - r_AB, r_AC = 3.742
    depths = {"AB": 4.746, "BC": 4.746, "AC": 3.445}
    overlaps = {"AB": 1.05, "BC": 1.80, "AC": 1.05}
    coulomb, exchange = [], {}
    for pair, shift in shifts.items():
        near, far = f"exp(-3.884*{shift})", f"exp(-1.942*{shift})"
        coulomb.append(f"{depths[pair] / 2.0!r}*(1.5*{near} - {far})/{overlaps[pair]}")
        exchange[pair] = f"{depths[pair] / 4.0!r}*({near} - 6*{far})/{overlaps[pair]}"
    ab, bc, ac = (f"({term})" for term in exchange.values())
    root = f"{ab}^2 + {bc}^2 + {ac}^2 - {ab}*{bc} - {bc}*{ac} - {ab}*{ac}"
    return f"{' + '.join(coulomb)} - sqrt({root}) + 0.405*(x - 1.871 + y/1.154)^2"


def _listed(
    name: str,
    title: str,
    expression: str,
    teaches: str,
    domain: Domain,
    start: tuple[float, float],
    *,
    clip: float | None = None,
    formula: str = "",
    first: bool = True,
) -> Surface:
    points = known_points(name)
    return Surface(
        name, title, formula or _typeset(expression), expression, teaches, domain, clip, start, points, first
    )


def _typeset(expression: str) -> str:
    """Return a formula as people write it: raised exponents, a real minus, no signs for products."""
    text = expression
    for digit, sign in zip("23456789", "²³⁴⁵⁶⁷⁸⁹", strict=True):
        text = text.replace(f"^{digit}", sign)
    return text.replace("*", " ").replace("-", "−").replace("pi", "π")


SURFACES: dict[str, Surface] = {
    each.name: each
    for each in (
        _listed(
            "saddle",
            "x² − y² + y⁴",
            "x^2 - y^2 + y^4",
            "A strict saddle between two minima: along y gradient descent grows by a constant factor each step, a "
            "projected dimer by none.",
            ((-1.2, 1.2), (-1.1, 1.1)),
            (0.5, 0.0001),
        ),
        _listed(
            "muller-brown",
            "Müller-Brown",
            "-200*exp(-(x - 1)^2 - 10*y^2) - 100*exp(-x^2 - 10*(y - 0.5)^2)"
            " - 170*exp(-6.5*(x + 0.5)^2 + 11*(x + 0.5)*(y - 1.5) - 6.5*(y - 1.5)^2)"
            " + 15*exp(0.7*(x + 1)^2 + 0.6*(x + 1)*(y - 1) + 0.7*(y - 1)^2)",
            "Three basins and two saddles, as in a chemical reaction: minimisers fall from the ridge into a basin, a "
            "reflected dimer climbs back to a saddle.",
            ((-1.5, 1.2), (-0.3, 2.0)),
            (-0.7785, 0.6653),
            clip=100.0,
            formula="Σ A exp(a (x − x₀)² + b (x − x₀)(y − y₀) + c (y − y₀)²), four terms",
        ),
        _listed(
            "himmelblau",
            "Himmelblau",
            "(x^2 + y - 11)^2 + (x + y^2 - 7)^2",
            "Four equal minima, four saddles and one maximum: which minimum is reached depends on the start and on the "
            "optimiser.",
            ((-6.0, 6.0), (-6.0, 6.0)),
            (0.2, 4.6),
            clip=300.0,
        ),
        _listed(
            "rosenbrock",
            "Rosenbrock",
            "(1 - x)^2 + 100*(y - x^2)^2",
            "A curved valley without a saddle, 2500 times steeper across than along: removing the direction of lowest "
            "curvature removes the way to the minimum.",
            ((-2.0, 2.0), (-1.0, 3.0)),
            (-1.2, 1.0),
            clip=500.0,
        ),
        _listed(
            "monkey-saddle",
            "Monkey saddle",
            "x^3 - 3*x*y^2 + (x^2 + y^2)^2",
            "Three ways down and no curvature at all at the saddle: escape is slow at first, and a curvature test says "
            "nothing there.",
            ((-1.1, 1.1), (-1.1, 1.1)),
            (0.05, 0.02),
            clip=1.0,
        ),
        _listed(
            "flat-saddle",
            "Flat-plateau saddle",
            "x^2 - y^4 + y^6",
            "The way down has zero curvature at the saddle: the time to leave grows as one over the square of the "
            "distance, not as its logarithm.",
            ((-1.1, 1.1), (-1.1, 1.1)),
            (0.5, 0.1),
        ),
        _listed(
            "leps",
            "LEPS-II",
            _leps(),
            "A model of a reaction A + BC to AB + C coupled to an oscillator: the saddle between the two sides "
            "is the transition state.",
            ((0.4, 3.4), (-4.0, 4.0)),
            (2.021, -0.55),
            clip=6.0,
            formula="LEPS(r_AB = x, r_BC = 3.742 − x) + 0.405 (x − 1.871 + y/1.154)²",
            first=False,
        ),
        _listed(
            "three-hump-camel",
            "Three-hump camel",
            "2*x^2 - 1.05*x^4 + x^6/6 + x*y + y^2",
            "Two shallow minima beside the deep one: which one is reached depends on the side of a saddle.",
            ((-2.2, 2.2), (-2.2, 2.2)),
            (1.1, -1.6),
            clip=5.0,
            first=False,
        ),
        _listed(
            "six-hump-camel",
            "Six-hump camel",
            "(4 - 2.1*x^2 + x^4/3)*x^2 + x*y + (-4 + 4*y^2)*y^2",
            "Six minima, seven saddles and two maxima within reach of one another.",
            ((-2.2, 2.2), (-1.2, 1.2)),
            (0.4, 0.001),
            clip=5.0,
            first=False,
        ),
        _listed(
            "beale",
            "Beale",
            "(1.5 - x + x*y)^2 + (2.25 - x + x*y^2)^2 + (2.625 - x + x*y^3)^2",
            "A narrow valley beside a saddle of steep sides: a step that suits one is far too large for the other.",
            ((-4.5, 4.5), (-4.5, 4.5)),
            (1.0, 0.8),
            clip=200.0,
            first=False,
        ),
        _listed(
            "double-well",
            "Double well",
            "(x^2 - 1)^2 + y^2",
            "Two equal minima and the saddle between them, the simplest picture of a rare event.",
            ((-1.8, 1.8), (-1.4, 1.4)),
            (0.0001, 0.9),
            clip=4.0,
            first=False,
        ),
        _listed(
            "rastrigin",
            "Rastrigin",
            "20 + x^2 + y^2 - 10*cos(2*pi*x) - 10*cos(2*pi*y)",
            "A bowl full of minima: every method that follows the slope ends in the nearest one.",
            ((-2.2, 2.2), (-2.2, 2.2)),
            (1.4, 1.45),
            first=False,
        ),
        _listed(
            "ackley",
            "Ackley",
            # The tiny term keeps the root differentiable at the cusp itself.
            "20 + e - 20*exp(-0.2*sqrt((x^2 + y^2)/2 + 1e-30)) - exp((cos(2*pi*x) + cos(2*pi*y))/2)",
            "Minima all around a cusp: at the deepest point the gradient does not vanish but jumps, so that a constant "
            "step never comes to rest.",
            ((-2.4, 2.4), (-2.4, 2.4)),
            (1.6, 0.55),
            formula="20 + e − 20 exp(−0.2 √((x² + y²)/2)) − exp((cos 2πx + cos 2πy)/2)",
            first=False,
        ),
    )
}
"""The surfaces in the order that menus show them."""

FORMULA_DOMAIN: Domain = ((-2.0, 2.0), (-2.0, 2.0))
"""The part of the plane that is drawn of a typed formula, unless another is asked for."""


def formula_surface(text: str, domain: Domain | None = None) -> Surface:
    """Return the surface of a formula that somebody typed, with the stationary points that a search finds.

    Parameters
    ----------
    text : str
    domain : ((x0, x1), (y0, y1)), optional
        ``FORMULA_DOMAIN`` by default.

    Raises
    ------
    FormulaError
        Naming the column and what was expected there.
    """
    function = parse_formula(text)
    domain = FORMULA_DOMAIN if domain is None else domain
    (x0, x1), (y0, y1) = domain
    # Off the middle, where symmetric formulas have a stationary point.
    start = (x0 + 0.7 * (x1 - x0), y0 + 0.55 * (y1 - y0))
    return Surface(
        "formula",
        "Formula",
        text.strip(),
        text,
        "A function of your own: its stationary points are searched for on the domain.",
        domain,
        None,
        start,
        find_stationary_points(function, domain),
    )


LANDSCAPES: dict[str, Landscape] = {
    **{
        each.name: Landscape(each.name, each.title, 2, each.teaches, is_planar=True, first=each.first)
        for each in SURFACES.values()
    },
    "formula": Landscape(
        "formula",
        "Formula ...",
        2,
        "Any function of x and y you type, with its stationary points.",
        is_planar=True,
    ),
    "strict-saddle-100": Landscape(
        "strict-saddle-100",
        "100-D strict saddle",
        100,
        "Ten directions lead down from the saddle, ninety up: freezing the lowest one leaves nine to escape by, and a "
        "last saddle to stop at.",
    ),
    "matrix-factorisation": Landscape(
        "matrix-factorisation",
        "Matrix factorisation",
        32,
        "½|W₂W₁ − T|² from small weights: singular values are learned one after another, each behind a strict saddle.",
    ),
    "deep-linear": Landscape(
        "deep-linear",
        "Deep linear network",
        48,
        "½|W₃W₂W₁ − T|²: with three layers the origin has no negative curvature at all, and plateaus are long.",
    ),
    "so3-alignment": Landscape(
        "so3-alignment",
        "Alignment on SO(3)",
        3,
        "The alignment loss over rotations: one minimum, two saddles, one maximum, half a turn apart, in closed form.",
    ),
    "transformer": Landscape(
        "transformer",
        "Character transformer",
        None,
        "The network of the paper: 4 layers, 4 heads, 128 channels, 12 windows of 64 characters a step.",
    ),
    "transformer-tiny": Landscape(
        "transformer-tiny",
        "Character transformer, tiny",
        None,
        "The same network with 2 layers of 32 channels: it learns something within seconds.",
    ),
}
"""Everything that a job can name, in the order that menus show it."""


def landscape(name: str) -> Landscape:
    """Return the entry of a name.

    Raises
    ------
    LandscapeError
        If there is none, with the nearest names.
    """
    if name in LANDSCAPES:
        return LANDSCAPES[name]
    import difflib

    close = difflib.get_close_matches(name, LANDSCAPES, n=2, cutoff=0.5)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    raise LandscapeError(f"there is no landscape {name[:60]!r}{hint} (names: {', '.join(LANDSCAPES)})")


def surface(name: str, formula: str | None = None, domain: Domain | None = None) -> Surface:
    """Return the surface that a job means.

    Parameters
    ----------
    name : str
        One of `SURFACES`, or "formula".
    formula : str, optional
        Text, for "formula".
    domain : ((x0, x1), (y0, y1)), optional
        The part of the plane that is drawn, where it differs from the surface's own. Listed points stay listed.

    Raises
    ------
    LandscapeError
        If the name is no surface, or the formula cannot be read.
    """
    if name == "formula":
        if formula is None:
            raise LandscapeError("landscape 'formula' needs a formula in x and y, such as x^2 - y^2 + y^4")
        return formula_surface(formula, domain)
    if name not in SURFACES:
        raise LandscapeError(f"{landscape(name).title} is no surface over x and y")
    found = SURFACES[name]
    if domain is None or domain == found.domain:
        return found
    from dataclasses import replace

    return replace(found, domain=domain)
