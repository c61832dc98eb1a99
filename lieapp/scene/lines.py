"""The line of a run, in plots, on pictures and on paper: the colour and the dash of its optimiser, or close to them."""

from __future__ import annotations

import colorsys
import itertools
from collections.abc import Collection

from lieapp.scene.colors import OPTIMIZER_COLORS, OPTIMIZER_DASHES, optimizer_color, optimizer_dash

__all__ = ["Dash", "free_line", "tint"]

Dash = tuple[float, ...]
"""On and off lengths in line widths; empty for a solid line."""

_DASHES: tuple[Dash, ...] = ((1.5, 2.0), (8.0, 2.0, 1.5, 2.0), (5.0, 3.0), (3.0, 1.5, 1.0, 1.5))
_SHARES = (0.35, 0.3, 0.2)
_BRIGHT = 0.55


def tint(color: str, number: int) -> str:
    """Return a colour of the same hue, lighter or darker.

    Parameters
    ----------
    color : str
        ``"#RRGGBB"``.
    number : int
        Which of the tints; 0 is the colour itself.

    Returns
    -------
    str
        ``"#RRGGBB"``.
    """
    if number == 0:
        return color
    share = _SHARES[min(number, len(_SHARES)) - 1]
    hue, lightness, saturation = colorsys.rgb_to_hls(*(int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)))
    # Bright colours would fade on white if they became lighter.
    if (number % 2 == 1) != (lightness > _BRIGHT):
        # What is mixed with white alone looks grey beside the colour.
        shade = hue, lightness + share * (1.0 - lightness), min(1.0, 1.6 * saturation)
    else:
        shade = hue, (1.0 - share) * lightness, saturation
    return "#" + "".join(f"{round(255 * value):02X}" for value in colorsys.hls_to_rgb(*shade))


def free_line(optimizer: str, taken: Collection[tuple[str, Dash]]) -> tuple[str, Dash]:
    """Return a colour and a dash for a run of an optimiser that are not taken together.

    Parameters
    ----------
    optimizer : str
    taken : collection of (str, tuple of float)

    Notes
    -----
    An optimiser keeps its colour and dash. A second run of it gets a tint of the colour and another dash, so that the
    modes of one optimiser can be told apart in a race; when these are used up it gets another colour.
    """
    own = optimizer_color(optimizer)
    dashes = (*_DASHES, *OPTIMIZER_DASHES.values())
    candidates = itertools.chain(
        ((own, optimizer_dash(optimizer)),),
        ((tint(own, 1 + place % len(_SHARES)), dash) for place, dash in enumerate(dashes)),
        ((color, dash) for color in OPTIMIZER_COLORS.values() for dash in dashes),
    )
    return next((line for line in candidates if line not in taken), (own, optimizer_dash(optimizer)))
