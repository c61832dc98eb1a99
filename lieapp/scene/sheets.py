"""Translucent layers in the right order in every pixel, for still pictures.

Each layer is one sheet: what of it is nearest. Structures that lie through each other have no order as wholes, so every
sheet is drawn into a picture of its own, with how far each pixel of it is, and the pictures are then laid over each
other pixel by pixel, the farthest first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from vispy import gloo

__all__ = ["MOST_SHEETS", "PACKED_DISTANCE", "SheetProgram"]

MOST_SHEETS = 8
"""A card looks into 16 textures at least, two for each sheet."""
_MOST_BYTES = 1 << 30

PACKED_DISTANCE = """
vec4 packed_distance(float distance_) {
    vec3 digits = fract(vec3(1.0, 255.0, 65025.0) * min(distance_, 0.9999999));
    digits.xy -= digits.yz / 255.0;
    return vec4(digits, 1.0);
}
"""
"""Depth in 0 to 1 as three bytes: pictures of floating-point numbers are not to be had everywhere."""

_VERTEX = """
attribute vec2 a_corner;
varying vec2 v_place;
void main() {
    v_place = a_corner * 0.5 + 0.5;
    gl_Position = vec4(a_corner, 0.0, 1.0);
}
"""
_CORNERS = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], dtype=np.float32)


def _fragment(count: int) -> str:
    names = "\n".join(f"uniform sampler2D u_color{k};\nuniform sampler2D u_distance{k};" for k in range(count))
    reads = "\n".join(
        f"    vec4 c{k} = texture2D(u_color{k}, v_place); float d{k} = unpacked(texture2D(u_distance{k}, v_place).rgb);"
        for k in range(count)
    )
    # Bubble sort, written out: the farthest comes first.
    swaps = "\n".join(
        f"    if (d{i} < d{j}) {{ vec4 c = c{i}; c{i} = c{j}; c{j} = c; float d = d{i}; d{i} = d{j}; d{j} = d; }}"
        for end in range(count, 1, -1)
        for i, j in pairwise(range(end))
    )
    over = "\n".join(f"    sum = mix(sum, vec4(c{k}.rgb, 1.0), c{k}.a);" for k in range(count))
    return f"""
{names}
varying vec2 v_place;
float unpacked(vec3 digits) {{
    return dot(digits, vec3(1.0, 1.0 / 255.0, 1.0 / 65025.0));
}}
void main() {{
{reads}
{swaps}
    vec4 sum = vec4(0.0);  // premultiplied
{over}
    gl_FragColor = sum;
}}
"""


class SheetProgram:
    """Lays translucent sheets over each other; its shaders are compiled once for each number of sheets."""

    def __init__(self) -> None:
        self._programs: dict[int, gloo.Program] = {}

    def lay(
        self,
        size: tuple[int, int],
        hide: Callable[[], None],
        sheets: Sequence[tuple[Callable[[], None], Callable[[], None]]],
    ) -> bool:
        """Draw sheets over what is bound, the nearest last in every pixel.

        Parameters
        ----------
        size : tuple of int
            Width and height in pixels of what is bound.
        hide : callable
            Draws what is opaque, which hides what is behind it.
        sheets : sequence of pairs of callables
            The first draws the colours of a sheet, not blended, with its opacity as alpha; the second draws
            `PACKED_DISTANCE` of what the first has left nearest.

        Returns
        -------
        done : bool
            False, with nothing drawn, if there are more sheets than a card can combine.
        """
        if len(sheets) > MOST_SHEETS or len(sheets) * 8 * size[0] * size[1] > _MOST_BYTES:
            return False
        program = self._program(len(sheets))
        shape = (size[1], size[0], 4)
        depth = gloo.RenderBuffer(shape[:2])
        made: list[gloo.Texture2D] = []
        for row, steps in enumerate(sheets):
            for name, step in zip(("u_color", "u_distance"), steps, strict=True):
                texture = gloo.Texture2D(shape, interpolation="nearest", internalformat="rgba8")
                buffer = gloo.FrameBuffer(texture, depth)
                with buffer:
                    gloo.set_viewport(0, 0, *size)
                    if name == "u_color":
                        _clear(0.0, depth=True)
                        hide()
                        _clear(0.0)
                    else:
                        _clear(1.0)
                    step()
                buffer.delete()
                program[f"{name}{row}"] = texture
                made.append(texture)
        gloo.set_viewport(0, 0, *size)
        gloo.set_color_mask(True, True, True, True)
        gloo.set_state(depth_test=False, cull_face=False, blend=True, blend_func=("one", "one_minus_src_alpha"))
        program.draw("triangle_strip")
        for thing in (*made, depth):
            thing.delete()
        return True

    def _program(self, count: int) -> gloo.Program:
        if count not in self._programs:
            self._programs[count] = gloo.Program(_VERTEX, _fragment(count))
            self._programs[count]["a_corner"] = gloo.VertexBuffer(_CORNERS)
        return self._programs[count]


def _clear(value: float, *, depth: bool = False) -> None:
    gloo.set_color_mask(True, True, True, True)
    gloo.set_depth_mask(True)
    gloo.clear(color=(value, value, value, value), depth=depth)
