"""What is written onto a picture: a few words and the key of the colours."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lieapp.scene.colors import DEVIATION_STOPS, deviation_colors, rgba

__all__ = ["Caption"]

_LINES_PER_HEIGHT = 26.0
_DARK, _LIGHT = (20, 22, 26, 255), (240, 241, 243, 255)


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
        self.line = max(round(size[1] / _LINES_PER_HEIGHT), 9)
        self._font = _font(round(self.line * 0.8))
        self._ink = _DARK if float(rgba(background)[:3] @ [0.299, 0.587, 0.114]) > 0.5 else _LIGHT
        self._key = self._draw_key(size)

    def write(self, picture: NDArray[np.uint8], lines: Sequence[str]) -> NDArray[np.uint8]:
        """Return the picture, shape (height, width, 4), with lines at the top left and the key at the bottom left."""
        image = Image.fromarray(picture)
        draw = ImageDraw.Draw(image)
        margin = self.line // 2
        for row, text in enumerate(lines):
            draw.text((margin, margin + row * self.line), text, fill=self._ink, font=self._font)
        if self._key is not None:
            image.alpha_composite(self._key, (margin, image.height - self._key.height - margin))
        return np.asarray(image)

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


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)
