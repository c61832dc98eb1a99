"""Colours that mean something, the same in the scene, on the plots and in exported figures."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "BACKGROUND_DARK",
    "BACKGROUND_LIGHT",
    "CONTEXT",
    "CURVATURE_DOWN",
    "CURVATURE_UP",
    "DEVIATION_STOPS",
    "ELEMENT_COLORS",
    "HIGHLIGHT",
    "MOBILE",
    "OPTIMIZER_COLORS",
    "OPTIMIZER_DASHES",
    "TARGET",
    "deviation_colors",
    "element_colors",
    "optimizer_color",
    "optimizer_dash",
    "rgba",
    "uniform_colors",
]

MOBILE = "#0072B2"
TARGET = "#BDBDBD"
CONTEXT = "#A8A8A8"
"""Chains that take no part in the fit."""
HIGHLIGHT = "#FFC400"
"""Residues under the pointer, and those selected."""
CURVATURE_DOWN = "#B2182B"
"""A direction along which a landscape curves down."""
CURVATURE_UP = "#2166AC"
"""A direction along which it curves up."""
BACKGROUND_LIGHT = "#FFFFFF"
BACKGROUND_DARK = "#1B1D21"

DEVIATION_STOPS: tuple[tuple[float, str], ...] = ((0.0, "#2166AC"), (4.0, "#F7F7F7"), (8.0, "#B2182B"))
"""Distance to the partner in Å and its colour. Fixed, so that two pictures can be compared; capped at 8 Å."""

# Okabe-Ito, in an order that keeps neighbours in a race apart for the colour-blind.
_PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C510A", "#5E4FA2", "#666666")

OPTIMIZER_COLORS: dict[str, str] = {
    "adam": "#0072B2",
    "sgd": "#D55E00",
    "adamw": "#56B4E9",
    "sophia": "#CC79A7",
    "lbfgs": "#009E73",
    "saddle-free-newton": "#E69F00",
    "deo": "#5E4FA2",
    "preconditioned-sgd": "#8C510A",
    "complex-adam": "#666666",
}
"""An optimiser keeps its colour in every workbench."""

OPTIMIZER_DASHES: dict[str, tuple[float, ...]] = {
    "adam": (),
    "sgd": (5.0, 3.0),
    "adamw": (9.0, 2.0),
    "sophia": (6.0, 2.0, 1.0, 2.0),
    "lbfgs": (2.0, 2.0),
    "saddle-free-newton": (8.0, 2.0, 1.0, 2.0, 1.0, 2.0),
    "deo": (4.0, 2.0),
    "preconditioned-sgd": (12.0, 3.0),
    "complex-adam": (1.0, 2.0),
}
"""Dash and gap in line widths (empty: solid): colour is never the only cue."""

ELEMENT_COLORS: dict[str, str] = {
    "C": "#8F8F8F",
    "N": "#3050F8",
    "O": "#E0281B",
    "S": "#D9B400",
    "P": "#F07F00",
    "H": "#E8E8E8",
    "SE": "#F0A000",
    "FE": "#C05828",
    "MG": "#2E9E2E",
    "CA": "#38A838",
    "ZN": "#7070A8",
    "CL": "#1FC01F",
    "NA": "#8A4FD0",
    "K": "#7F3FC0",
    "BR": "#9C2A2A",
    "F": "#70B030",
    "I": "#7A1690",
}
_OTHER_ELEMENT = "#C06FA8"


def rgba(color: str | ArrayLike, alpha: float | None = None) -> NDArray[np.float32]:
    """Return a colour as four numbers.

    Parameters
    ----------
    color : str or array_like, shape=(3,) or (4,)
        ``"#RRGGBB"``, ``"#RRGGBBAA"``, or numbers from 0 to 1.
    alpha : float, optional
        Replaces the alpha of `color`.

    Returns
    -------
    rgba : ndarray, shape=(4,), dtype=float32

    Raises
    ------
    ValueError
        If the text is not a hexadecimal colour or the array has another shape.
    """
    if isinstance(color, str):
        digits = color.removeprefix("#")
        if len(digits) not in (6, 8):
            raise ValueError(f"a colour is written #RRGGBB or #RRGGBBAA, not {color!r}")
        values = np.array([int(digits[k : k + 2], 16) / 255 for k in range(0, len(digits), 2)], dtype=np.float32)
    else:
        values = np.asarray(color, dtype=np.float32)
    if values.shape not in ((3,), (4,)):
        raise ValueError(f"a colour has 3 or 4 numbers, not shape {values.shape}")
    result = np.ones(4, dtype=np.float32)
    result[: len(values)] = values
    if alpha is not None:
        result[3] = alpha
    return result


def uniform_colors(count: int, color: str | ArrayLike) -> NDArray[np.float32]:
    """Return one colour for each of `count` residues, shape (count, 4)."""
    return np.tile(rgba(color), (count, 1))


def deviation_colors(deviations: ArrayLike) -> NDArray[np.float32]:
    """Colour residues by the distance to their partner.

    Blue at 0 Å, white at 4 Å, red from 8 Å on, linear between; residues without a partner (NaN) take the colour of
    chains outside the fit.

    Parameters
    ----------
    deviations : array_like, shape=(...)
        Distances in Å; NaN where there is no partner.

    Returns
    -------
    rgba : ndarray, shape=(..., 4), dtype=float32
    """
    values = np.asarray(deviations, dtype=np.float64)
    stops = np.array([stop for stop, _ in DEVIATION_STOPS])
    table = np.stack([rgba(color) for _, color in DEVIATION_STOPS])
    filled = np.where(np.isnan(values), 0.0, values)
    channels = [np.interp(filled, stops, table[:, channel]) for channel in range(4)]
    result: NDArray[np.float32] = np.stack(channels, axis=-1).astype(np.float32)
    result[np.isnan(values)] = rgba(CONTEXT)
    return result


def element_colors(elements: Iterable[str]) -> NDArray[np.float32]:
    """Return the usual colour of each element symbol (any case), shape (atoms, 4)."""
    colors = [rgba(ELEMENT_COLORS.get(str(symbol).upper(), _OTHER_ELEMENT)) for symbol in elements]
    return np.stack(colors) if colors else np.zeros((0, 4), dtype=np.float32)


def _base_name(name: str) -> str:
    """Strip what tells two entrants of one optimiser apart: ``"sgd #2"`` and ``"sgd/se3"`` are ``"sgd"``."""
    return name.lower().replace("#", " ").replace("/", " ").split(" ")[0]


def optimizer_color(name: str) -> str:
    """Return an optimiser's colour; one that is not in the table gets a fixed one from the palette."""
    base = _base_name(name)
    return OPTIMIZER_COLORS.get(base, _PALETTE[zlib.crc32(base.encode()) % len(_PALETTE)])


def optimizer_dash(name: str) -> tuple[float, ...]:
    """Return an optimiser's dash pattern; one that is not in the table gets a fixed one."""
    base = _base_name(name)
    patterns = tuple(OPTIMIZER_DASHES.values())
    return OPTIMIZER_DASHES.get(base, patterns[zlib.crc32(base.encode()) % len(patterns)])
