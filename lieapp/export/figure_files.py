"""The look of figures for print, and files of them: vector or pixels, fonts inside, the same bytes each time."""

from __future__ import annotations

import base64
import io
import re
import string
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lieapp.export.errors import ExportError, writing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLUMN_WIDTHS", "FIGURE_FORMATS", "figure_style", "new_figure", "place_legend", "save_figure", "settle"]

FIGURE_FORMATS = ("svg", "pdf", "png")
"""Formats that can be written. Fonts are embedded in PDF and SVG, where text stays text."""

COLUMN_WIDTHS = {1: 3.5, 2: 7.2}
"""Width in inches of a figure over one and over two columns of a journal."""

_DOTS_PER_INCH = 300
# In every drawing, so that the font need not be cut anew for each: a third of a second.
_USUAL_LETTERS = frozenset(string.printable.strip() + " Å°−×≥αβγδ")
_HANDLE_INCH = 0.6
_LETTER_INCH = 0.06
_ROW_INCH = 0.16
_GAP_INCH = 0.12
_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.2,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "legend.handlelength": 3.2,  # long enough to tell dashes apart
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "lieapp",  # identifiers, else random
    "path.simplify": True,
}
_METADATA: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw as figures for print look, whatever the user's own matplotlib settings say."""
    from matplotlib import rc_context, rcParamsDefault

    # A backend set here would load a window system.
    plain = {key: value for key, value in rcParamsDefault.items() if not key.startswith(("backend", "toolbar"))}
    with rc_context({**plain, **_STYLE}):
        yield


def new_figure(columns: int = 1, aspect: float = 0.74) -> Figure:
    """Return an empty figure; call it within `figure_style`.

    Parameters
    ----------
    columns : {1, 2}
        Columns of a journal that it fills.
    aspect : float
        Height over width.

    Raises
    ------
    ExportError
        If `columns` is neither.
    """
    # Not pyplot: it would choose a window system and keep every figure alive.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if columns not in COLUMN_WIDTHS:
        raise ExportError(f"A figure fills 1 or 2 columns, not {columns}.")
    width = COLUMN_WIDTHS[columns]
    figure = Figure(figsize=(width, width * aspect), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def place_legend(figure: Figure, axes: Axes, columns: int) -> None:
    """Put the legend above the axes, clear of the curves, in as many columns as fit."""
    handles, labels = axes.get_legend_handles_labels()
    across = _legend_columns([len(label) for label in labels], COLUMN_WIDTHS[columns])
    figure.legend(handles, labels, loc="outside upper left", ncols=across, borderaxespad=0.2, columnspacing=1.4)
    # The axes keep their height, however many runs there are.
    rows = -(-len(labels) // across)
    figure.set_figheight(figure.get_figheight() + (rows - 1) * _ROW_INCH)


def _legend_columns(letters: list[int], width: float) -> int:
    """Return the most columns, filled one after another, into which labels of so many letters fit."""
    for across in range(len(letters), 1, -1):
        longest = [int(max(part)) for part in np.array_split(letters, across)]
        needed = sum(_HANDLE_INCH + _LETTER_INCH * most for most in longest) + _GAP_INCH * (across - 1)
        if needed <= width:
            return across
    return 1


def settle(figure: Figure) -> Figure:
    """Lay a figure out once and for all; one that is written in several formats is else laid out for each."""
    engine = figure.get_layout_engine()
    if engine is not None:
        with figure_style():
            engine.execute(figure)
            figure.set_layout_engine("none")
    return figure


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure in the format of the file's suffix: ``.svg``, ``.pdf`` or ``.png`` (300 dots per inch).

    Raises
    ------
    ExportError
        If the suffix is another one, or the file cannot be written.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FIGURE_FORMATS:
        raise ExportError(f"{path}: a figure is written as .svg, .pdf or .png.")
    buffer = io.BytesIO()
    with figure_style():
        figure.savefig(buffer, format=kind, dpi=_DOTS_PER_INCH, metadata=_METADATA[kind])
    content = buffer.getvalue()
    if kind == "svg":
        content = _with_fonts(content.decode("utf-8")).encode("utf-8")
    with writing(path):
        path.write_bytes(content)
    return path


def _with_fonts(drawing: str) -> str:
    """Put the letters that a drawing uses into it, so that it looks the same where the font is not installed."""
    text = "".join(re.findall(r"<text\b.*?</text>", drawing, flags=re.DOTALL))
    letters = _USUAL_LETTERS | set(re.sub(r"<[^>]*>", "", text))
    rule = (
        "@font-face{font-family:'DejaVu Sans';src:url(data:font/woff;base64,"
        f"{base64.b64encode(_subset(frozenset(letters))).decode('ascii')}) format('woff')}}"
    )
    return drawing.replace("<defs>", f'<defs>\n  <style type="text/css">{rule}</style>', 1)


@lru_cache(maxsize=16)
def _subset(letters: frozenset[str]) -> bytes:
    from importlib import import_module

    from matplotlib import font_manager

    subset = import_module("fontTools.subset")  # comes with matplotlib, without types
    options = subset.Options(flavor="woff", recalc_timestamp=False, layout_features=[], hinting=False)
    options.drop_tables += ["FFTM", "GDEF", "GPOS", "GSUB"]
    buffer = io.BytesIO()
    with subset.load_font(font_manager.findfont("DejaVu Sans"), options) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(text="".join(sorted(letters)))
        subsetter.subset(font)
        subset.save_font(font, buffer, options)
    return buffer.getvalue()
