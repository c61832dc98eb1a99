"""Straight lines of a width in pixels, whole or dashed, between two bodies that may move apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vispy import gloo

from lieapp.scene.colors import rgba
from lieapp.scene.frame import SceneProgram, column_major
from lieapp.scene.headlight import DEPTH_CUE

__all__ = ["SegmentProgram", "Segments"]

_VERTEX = """
uniform mat4 u_to_eye;         // pose of the starts, then view
uniform mat4 u_to_eye_end;
uniform mat4 u_projection;
uniform vec2 u_viewport;
uniform float u_width;
attribute vec3 a_start;
attribute vec3 a_end;
attribute vec2 a_corner;      // 0 or 1 along, -1 or 1 across
varying float v_along;        // from the start
varying vec3 v_eye;

void main() {
    vec4 start = u_to_eye * vec4(a_start, 1.0);
    vec4 end = u_to_eye_end * vec4(a_end, 1.0);
    vec4 eye = mix(start, end, a_corner.x);
    vec4 a = u_projection * start;
    vec4 b = u_projection * end;
    vec2 direction = (b.xy / b.w - a.xy / a.w) * u_viewport;
    float length_ = length(direction);
    vec2 across = length_ > 1e-6 ? vec2(-direction.y, direction.x) / length_ : vec2(0.0);
    gl_Position = u_projection * eye;
    gl_Position.xy += across * a_corner.y * u_width / u_viewport * gl_Position.w;
    v_along = a_corner.x * distance(start.xyz, end.xyz);
    v_eye = eye.xyz;
}
"""

_FRAGMENT = (
    """
uniform vec4 u_color;
uniform float u_dash;         // length of a dash and its gap together; 0 is a whole line
varying float v_along;
varying vec3 v_eye;
"""
    + DEPTH_CUE
    + """
void main() {
    if (u_dash > 0.0 && fract(v_along / u_dash) > 0.55) discard;
    gl_FragColor = vec4(mix(u_color.rgb, u_background, depth_cue(-v_eye.z)), u_color.a);
}
"""
)

_CORNERS = np.array([[0, -1], [1, -1], [1, 1], [0, 1]], dtype=np.float32)
_TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.uint32)


class Segments:
    """Lines that were uploaded once.

    Parameters
    ----------
    starts, ends : ndarray, shape=(lines, 3)
        In Å, each in the frame of its own body.
    color : str or array_like
    width : float
        Logical pixels.
    dash : float
        Å of a dash and its gap together; 0 is a whole line.
    """

    def __init__(
        self,
        starts: NDArray[np.float64],
        ends: NDArray[np.float64],
        *,
        color: str | NDArray[np.float32],
        width: float = 1.5,
        dash: float = 0.0,
    ) -> None:
        count = len(starts)
        self.starts = gloo.VertexBuffer(np.repeat(starts, 4, axis=0).astype(np.float32))
        self.ends = gloo.VertexBuffer(np.repeat(ends, 4, axis=0).astype(np.float32))
        self.corners = gloo.VertexBuffer(np.tile(_CORNERS, (count, 1)))
        faces = 4 * np.arange(count, dtype=np.uint32)[:, None, None] + _TRIANGLES
        self.faces = gloo.IndexBuffer(faces.reshape(-1, 3).astype(np.uint32))
        self.color = rgba(color)
        self.width = width
        self.dash = dash
        self.count = count


class SegmentProgram(SceneProgram):
    """The shaders of all lines of one context."""

    def __init__(self) -> None:
        super().__init__(_VERTEX, _FRAGMENT)

    def draw(
        self,
        segments: Segments,
        matrix: NDArray[np.float64],
        matrix_end: NDArray[np.float64],
        *,
        pixel_ratio: float,
        opacity: float = 1.0,
        fade: float = 0.0,
        behind: bool = False,
    ) -> None:
        """Draw lines whose starts and ends are each at a pose, shape (4, 4).

        `fade` mixes the background into the colour: pale, but without the dots that overlapping translucent lines show.
        `behind` draws them as a backdrop, which does not hide anything.
        """
        gloo.set_state(
            depth_test=not behind,
            depth_func="lequal",
            blend=True,
            blend_func=("src_alpha", "one_minus_src_alpha", "one", "one_minus_src_alpha"),
            cull_face=False,
        )
        gloo.set_color_mask(True, True, True, True)
        program = self._program
        color = segments.color.copy()
        color[3] *= opacity
        color[:3] += fade * (np.asarray(self.background, dtype=np.float32) - color[:3])
        program["u_to_eye"] = column_major(self.view @ matrix)
        program["u_to_eye_end"] = column_major(self.view @ matrix_end)
        program["u_color"] = color
        program["u_width"] = segments.width * pixel_ratio
        program["u_dash"] = segments.dash
        program["a_start"] = segments.starts
        program["a_end"] = segments.ends
        program["a_corner"] = segments.corners
        program.draw("triangles", segments.faces)
