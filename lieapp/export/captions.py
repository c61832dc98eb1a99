"""What is written onto a picture: a few words, the key of the colours, and numbers at the copies of a race."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lieapp.scene.colors import DEVIATION_STOPS, deviation_colors, rgba

__all__ = ["Caption", "KeyEntry", "caption_room"]

_LINES_PER_HEIGHT = 26.0
_DARK, _LIGHT = (20, 22, 26, 255), (240, 241, 243, 255)
_SAME_PLACE = 0.35
"""In heights of a letter."""
_DASHES = 5.0
"""Length of the line of a key in heights of a letter."""


@dataclass(frozen=True)
class KeyEntry:
    """One copy of a race in the key; its number is its place in the key, written at the copy as well.

    Attributes
    ----------
    text : str
        Name, gap and the like.
    color : str
        ``"#RRGGBB"``.
    dash : tuple of float
        That of its curve, in line widths.
    """

    text: str
    color: str
    dash: tuple[float, ...] = ()


def _line_pixels(size: tuple[int, int]) -> int:
    return max(round(size[1] / _LINES_PER_HEIGHT), 9)


def caption_room(size: tuple[int, int], lines: int, entries: int) -> tuple[float, float]:
    """Return the parts of a picture's height that lines at the top and entries at the bottom take.

    Where the words would take more than half of it, as on a stamp, they are written over what is drawn.
    """
    line = _line_pixels(size)
    top, bottom = (line * (count + 0.5) / size[1] for count in (lines, entries))
    return (top, bottom) if top + bottom <= 0.5 else (0.0, 0.0)


class Caption:
    """Writes onto pictures of one size.

    Parameters
    ----------
    size : tuple of int
        Width and height in pixels; letters grow with the height.
    background : str
        ``"#RRGGBB"``; letters stand out from it.
    """

    def __init__(self, size: tuple[int, int], background: str) -> None:
        self.line = _line_pixels(size)
        self._font = _font(round(self.line * 0.8))
        self._ink = _DARK if float(rgba(background)[:3] @ [0.299, 0.587, 0.114]) > 0.5 else _LIGHT
        self._key = self._draw_key(size)

    def write(
        self,
        picture: NDArray[np.uint8],
        lines: Sequence[str],
        entries: Sequence[KeyEntry] = (),
        marks: NDArray[np.float64] | None = None,
        key_place: tuple[int, int] | None = None,
    ) -> NDArray[np.uint8]:
        """Return the picture with lines at the top left and the key at the bottom left.

        Parameters
        ----------
        picture : ndarray, shape=(height, width, 4), dtype=uint8
        lines : sequence of str
        entries : sequence of KeyEntry
            Key of a race, instead of that of the deviation.
        marks : ndarray, shape=(entries, 2), optional
            Pixels to the right and down at which the number of each entry is written; none where they are NaN.
        key_place : tuple of int, optional
            Left and top of the key of a race in pixels, where it does not belong at the bottom left.
        """
        image = Image.fromarray(picture)
        draw = ImageDraw.Draw(image)
        margin = self.line // 2
        for row, text in enumerate(lines):
            draw.text((margin, margin + row * self.line), text, fill=self._ink, font=self._font)
        if entries:
            self._write_race(image, entries, marks, key_place)
        elif self._key is not None:
            image.alpha_composite(self._key, (margin, image.height - self._key.height - margin))
        return np.asarray(image)

    def _write_race(
        self,
        image: Image.Image,
        entries: Sequence[KeyEntry],
        marks: NDArray[np.float64] | None,
        place: tuple[int, int] | None,
    ) -> None:
        draw = ImageDraw.Draw(image)
        margin = self.line // 2
        first, top = place or (margin, image.height - margin - len(entries) * self.line)
        for row, entry in enumerate(entries):
            middle = top + (row + 0.5) * self.line
            left = first + self._badge(draw, (first + self.line / 2, middle), [row], entries) + margin
            self._dashed(draw, left, middle, entry)
            draw.text(
                (left + _DASHES * self.line * 0.8, middle), entry.text, fill=self._ink, font=self._font, anchor="lm"
            )
        if marks is None:
            return
        for middle_of_badge, rows in _gathered(marks, self.line):
            self._badge(draw, middle_of_badge, rows, entries)

    def _badge(
        self, draw: ImageDraw.ImageDraw, center: tuple[float, float], rows: Sequence[int], entries: Sequence[KeyEntry]
    ) -> float:
        """Write the numbers of entries side by side, each on its colour; returns the width."""
        side = self.line * 0.92
        left = center[0] - side * len(rows) / 2
        for row in rows:
            box = (left, center[1] - side / 2, left + side, center[1] + side / 2)
            draw.ellipse(box, fill=entries[row].color, outline=_LIGHT, width=max(self.line // 12, 1))
            light = float(rgba(entries[row].color)[:3] @ [0.299, 0.587, 0.114]) > 0.6
            ink = _DARK if light else _LIGHT
            draw.text((left + side / 2, center[1]), str(row + 1), fill=ink, font=self._font, anchor="mm")
            left += side
        return side * len(rows)

    def _dashed(self, draw: ImageDraw.ImageDraw, left: float, middle: float, entry: KeyEntry) -> None:
        width = max(round(self.line / 7), 2)
        end = left + (_DASHES - 1) * self.line * 0.8
        pattern = [length * width * 0.8 for length in entry.dash] or [end - left]
        on, index = True, 0
        while left < end:
            stop = min(left + pattern[index % len(pattern)], end)
            if on:
                draw.line((left, middle, stop, middle), fill=entry.color, width=width)
            left, on, index = stop, not on, index + 1

    def _draw_key(self, size: tuple[int, int]) -> Image.Image | None:
        width, bar = 11 * self.line, max(self.line // 3, 3)
        if width > size[0] or 3 * self.line > size[1]:
            return None
        stops = [stop for stop, _ in DEVIATION_STOPS]
        left = self.line // 2
        key = Image.new("RGBA", (width + 2 * left, bar + 2 * self.line), (0, 0, 0, 0))
        ramp = np.round(deviation_colors(np.linspace(stops[0], stops[-1], width)) * 255).astype(np.uint8)
        key.paste(Image.fromarray(np.tile(ramp, (bar, 1, 1))), (left, self.line))
        draw = ImageDraw.Draw(key)
        draw.text((left, 0), "distance to partner (Å)", fill=self._ink, font=self._font)
        for stop in stops:
            x = left + (stop - stops[0]) / (stops[-1] - stops[0]) * (width - 1)
            # Beyond the last stop the colour stays.
            text = f"{stop:g}" if stop != stops[-1] else f"≥{stop:g}"
            draw.text((x, self.line + bar), text, fill=self._ink, font=self._font, anchor="ma")
        return key


def _gathered(marks: NDArray[np.float64], line: float) -> list[tuple[tuple[float, float], list[int]]]:
    """Return places with the rows of the marks there: those in one place share it, others make way downwards."""
    groups: list[tuple[tuple[float, float], list[int]]] = []
    for row, (x, y) in enumerate(marks.tolist()):
        if not (np.isfinite(x) and np.isfinite(y)):
            continue
        same = next((rows for (u, v), rows in groups if np.hypot(u - x, v - y) < _SAME_PLACE * line), None)
        if same is not None:
            same.append(row)
        else:
            groups.append(((x, y), [row]))
    placed: list[tuple[tuple[float, float], list[int]]] = []
    for (x, y), rows in sorted(groups, key=lambda group: group[0][1]):
        while any(abs(u - x) < line * (len(others) + len(rows)) / 2 and abs(v - y) < line for (u, v), others in placed):
            y += line / 4
        placed.append(((x, y), rows))
    return placed


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)
