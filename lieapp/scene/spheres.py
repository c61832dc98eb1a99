"""Spheres as impostors: four corners each, and an exact sphere in every pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vispy import gloo

from lieapp.scene.frame import Pass, SceneProgram, column_major
from lieapp.scene.headlight import DEPTH_CUE, SHADING
from lieapp.scene.sheets import PACKED_DISTANCE

__all__ = ["SphereProgram", "Spheres"]

_VERTEX = """
uniform mat4 u_to_eye;         // pose, then view
uniform mat4 u_projection;
uniform vec2 u_viewport;
uniform float u_outline;
uniform float u_perspective;
attribute vec4 a_sphere;      // centre and radius
attribute vec2 a_corner;
attribute vec4 a_color;
attribute vec2 a_marks;       // 1 if hatched; 1 if highlighted
uniform float u_glow;         // outline of what is highlighted
uniform vec3 u_highlight;
varying vec4 v_color;
varying vec2 v_marks;
varying vec3 v_center;
varying float v_radius;
varying float v_rim;          // width of the outline at this depth
varying vec3 v_eye;

void main() {
    vec4 eye = u_to_eye * vec4(a_sphere.xyz, 1.0);
    float radius = a_sphere.w;
    float w = (u_projection * eye).w;
    v_rim = mix(u_outline, u_glow, a_marks.y) * 2.0 / (u_viewport.y * u_projection[1][1]) * w;
    // In perspective the outline of a sphere is a little larger than its radius.
    float distance_ = length(eye.xyz);
    float grow = u_perspective > 0.5
        ? distance_ / sqrt(max(distance_ * distance_ - radius * radius, 0.04 * distance_ * distance_)) : 1.0;
    v_color = vec4(mix(a_color.rgb, u_highlight, 0.55 * a_marks.y), 1.0);
    v_marks = a_marks;
    v_center = eye.xyz;
    v_radius = radius;
    v_eye = eye.xyz + vec3(a_corner * (radius + v_rim) * grow, 0.0);
    gl_Position = u_projection * vec4(v_eye, 1.0);
}
"""

_FRAGMENT = (
    """
uniform mat4 u_projection;
uniform float u_opacity;
uniform float u_perspective;
uniform vec3 u_outline_color;
uniform vec4 u_tint;           // a colour and how much of it replaces the own one
uniform vec3 u_highlight;
uniform float u_stripe;        // one over the width of the stripes of a hatching, in pixels
varying vec4 v_color;
varying vec2 v_marks;
varying vec3 v_center;
varying float v_radius;
varying float v_rim;
varying vec3 v_eye;
"""
    + DEPTH_CUE
    + SHADING
    + """
void main() {
    vec3 origin = u_perspective > 0.5 ? vec3(0.0) : v_eye;
    vec3 direction = u_perspective > 0.5 ? normalize(v_eye) : vec3(0.0, 0.0, -1.0);
    vec3 offset = origin - v_center;
    float along = dot(offset, direction);
    vec3 closest = offset - along * direction;
    float miss = dot(closest, closest);
    float inside = v_radius * v_radius - miss;
    vec3 point;
    vec3 color;
    if (inside >= 0.0) {
        point = origin + (-along - sqrt(inside)) * direction;
        color = mix(v_color.rgb, u_tint.rgb, u_tint.a);
        if (v_marks.x > 0.5 && fract((gl_FragCoord.x + gl_FragCoord.y) * u_stripe) > 0.62) {
            color = mix(color, vec3(0.10, 0.11, 0.13), 0.62);
        }
        color = shaded(color, (point - v_center) / v_radius);
    } else {
        float outer = v_radius + v_rim;
        if (miss > outer * outer) discard;
        point = origin - along * direction;
        color = mix(u_outline_color, u_highlight, v_marks.y);
    }
    vec4 clip = u_projection * vec4(point, 1.0);
    gl_FragDepth = clamp(clip.z / clip.w * 0.5 + 0.5, 0.0, 1.0);
    gl_FragColor = vec4(mix(color, u_background, depth_cue(-point.z)), u_opacity);
#ifdef DISTANCE
    gl_FragColor = packed_distance(gl_FragDepth);
#endif
}
"""
)

_CORNERS = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=np.float32)
_TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.uint32)


class Spheres:
    """Spheres that were uploaded once; afterwards only their colours and their pose change.

    Parameters
    ----------
    centers : ndarray, shape=(spheres, 3)
    radii : ndarray, shape=(spheres,)
        In Å.
    owner : ndarray, shape=(spheres,), dtype=int
        Row of `colors` for each sphere.
    colors : ndarray, shape=(owners, 4)
    openness : ndarray, shape=(spheres,), optional
        How bright each is; 1 by default.
    """

    def __init__(
        self,
        centers: NDArray[np.float64],
        radii: NDArray[np.float64],
        owner: NDArray[np.int64],
        colors: NDArray[np.float32],
        *,
        openness: NDArray[np.float32] | None = None,
    ) -> None:
        count = len(centers)
        self._openness = np.repeat(np.ones(count, dtype=np.float32) if openness is None else openness, 4)
        self._owner = np.repeat(owner, 4)
        table = np.concatenate([np.asarray(centers), np.asarray(radii)[:, None]], axis=1)
        self.spheres = gloo.VertexBuffer(np.repeat(table, 4, axis=0).astype(np.float32))
        self.corners = gloo.VertexBuffer(np.tile(_CORNERS, (count, 1)))
        self.colors = gloo.VertexBuffer(self._spread(colors))
        self._marks = np.zeros((4 * count, 2), dtype=np.float32)
        self.marks = gloo.VertexBuffer(self._marks)
        self.highlighted = False
        faces = 4 * np.arange(count, dtype=np.uint32)[:, None, None] + _TRIANGLES
        self.faces = gloo.IndexBuffer(faces.reshape(-1, 3).astype(np.uint32))
        self.count = count

    def _spread(self, colors: NDArray[np.float32]) -> NDArray[np.float32]:
        spread = np.array(colors[self._owner], dtype=np.float32)
        spread[:, :3] *= self._openness[:, None]
        return spread

    def set_colors(self, colors: NDArray[np.float32]) -> None:
        """Upload new colours of the owners, shape (owners, 4); nothing else is sent."""
        self.colors.set_data(self._spread(colors))

    def set_marks(self, hatched: NDArray[np.bool_] | None, highlighted: NDArray[np.bool_] | None) -> None:
        """Upload which owners are hatched and which stand out, shape (owners,) each; nothing else is sent."""
        self._marks[:, 0] = 0.0 if hatched is None else hatched[self._owner]
        self._marks[:, 1] = 0.0 if highlighted is None else highlighted[self._owner]
        self.highlighted = bool(self._marks[:, 1].any())
        self.marks.set_data(self._marks)


class SphereProgram(SceneProgram):
    """The shaders of all spheres of one context; `distance` as in `SurfaceProgram`."""

    shared = (*SceneProgram.shared, "u_perspective", "u_light", "u_halfway", "u_material", "u_highlight", "u_stripe")

    def __init__(self, *, distance: bool = False) -> None:
        super().__init__(_VERTEX, f"#define DISTANCE\n{PACKED_DISTANCE}{_FRAGMENT}" if distance else _FRAGMENT)

    def draw(
        self,
        spheres: Spheres,
        matrix: NDArray[np.float64],
        kind: Pass,
        *,
        opacity: float,
        outline: float,
        outline_color: tuple[float, float, float],
        tint: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0),
        glow: float = 0.0,
    ) -> None:
        """Draw one pass of spheres at a pose, shape (4, 4); their outline is part of the colour pass."""
        if kind == "outline":
            return
        program = self._program
        program["u_to_eye"] = column_major(self.view @ matrix)
        program["u_opacity"] = opacity
        program["u_outline"] = outline if kind == "color" else 0.0
        program["u_glow"] = max(outline, glow) if kind == "color" else 0.0
        program["u_outline_color"] = outline_color
        program["u_tint"] = tint
        program["a_sphere"] = spheres.spheres
        program["a_corner"] = spheres.corners
        program["a_color"] = spheres.colors
        program["a_marks"] = spheres.marks
        program.draw("triangles", spheres.faces)
