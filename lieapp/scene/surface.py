"""Triangle meshes on the graphics card."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vispy import gloo

from lieapp.scene.frame import Pass, SceneProgram, column_major
from lieapp.scene.headlight import DEPTH_CUE, SHADING
from lieapp.scene.sheets import PACKED_DISTANCE
from lieapp.scene.sweep import Mesh

__all__ = ["Surface", "SurfaceProgram"]

_VERTEX = (
    """
uniform mat4 u_to_eye;         // pose, then view
uniform mat4 u_projection;
uniform vec2 u_viewport;
uniform float u_outline;
uniform vec3 u_outline_color;
uniform float u_glow;          // outline of what is highlighted
uniform vec3 u_highlight;
uniform vec4 u_tint;           // a colour and how much of it replaces the own one
attribute vec3 a_position;
attribute vec3 a_normal;
attribute vec4 a_color;
attribute vec3 a_marks;        // how open it lies; 1 if hatched; 1 if highlighted
varying vec4 v_color;          // and how far the depth cue goes
varying vec4 v_normal;         // and whether it is hatched
"""
    + DEPTH_CUE
    + """
void main() {
    vec4 eye = u_to_eye * vec4(a_position, 1.0);
    vec3 normal = mat3(u_to_eye) * a_normal;
    gl_Position = u_projection * eye;
    vec3 color = mix(mix(a_color.rgb, u_highlight, 0.55 * a_marks.z), u_tint.rgb, u_tint.a) * a_marks.x;
    float cue = depth_cue(-eye.z);
    if (u_glow > 0.0) {
        // Pushed sideways on the screen by as many pixels: the same width near and far.
        float across = length(normal.xy);
        if (across > 1e-6) {
            float width = mix(u_outline, u_glow, a_marks.z);
            gl_Position.xy += normal.xy / across * 2.0 * width / u_viewport * gl_Position.w;
        }
        color = mix(u_outline_color, u_highlight, a_marks.z);
        cue *= 1.0 - a_marks.z;
    }
    v_color = vec4(color, cue);
    v_normal = vec4(normal, a_marks.y);
}
"""
)

_FRAGMENT = (
    """
uniform float u_opacity;
uniform float u_flat;          // 1: the plain colour, as for outlines
uniform float u_stripe;        // one over the width of the stripes of a hatching, in pixels
varying vec4 v_color;
varying vec4 v_normal;
"""
    + SHADING
    + """
uniform vec3 u_background;

void main() {
    vec3 own = v_color.rgb;
    if (v_normal.w > 0.5 && fract((gl_FragCoord.x + gl_FragCoord.y) * u_stripe) > 0.62) {
        own = mix(own, vec3(0.10, 0.11, 0.13), 0.62);
    }
    vec3 color = u_flat > 0.5 ? v_color.rgb : shaded(own, normalize(v_normal.xyz));
    gl_FragColor = vec4(mix(color, u_background, v_color.a), u_opacity);
#ifdef DISTANCE
    gl_FragColor = packed_distance(gl_FragCoord.z);
#endif
}
"""
)


class Surface:
    """A mesh that was uploaded once; afterwards only its colours, its marks and its pose change.

    Parameters
    ----------
    mesh : Mesh
    colors : ndarray, shape=(owners, 4)
        Colour of each owner that the mesh names.
    openness : ndarray, shape=(vertices,), optional
        What `sky_visibility` says of the vertices; 1 by default.

    Attributes
    ----------
    highlighted : bool
        Whether any of it is.
    """

    def __init__(self, mesh: Mesh, colors: NDArray[np.float32], openness: NDArray[np.float32] | None = None) -> None:
        self._owner = mesh.owner
        self.positions = gloo.VertexBuffer(mesh.vertices)
        self.normals = gloo.VertexBuffer(mesh.normals)
        self.colors = gloo.VertexBuffer(self._spread(colors))
        self._marks = np.zeros((len(mesh.vertices), 3), dtype=np.float32)
        self._marks[:, 0] = 1.0 if openness is None else openness
        self.marks = gloo.VertexBuffer(self._marks)
        self.faces = gloo.IndexBuffer(mesh.faces)
        self.triangles = len(mesh.faces)
        self.highlighted = False

    def _spread(self, colors: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.ascontiguousarray(colors[self._owner], dtype=np.float32)

    def set_colors(self, colors: NDArray[np.float32]) -> None:
        """Upload new colours of the owners, shape (owners, 4); nothing else is sent."""
        self.colors.set_data(self._spread(colors))

    def set_marks(self, hatched: NDArray[np.bool_] | None, highlighted: NDArray[np.bool_] | None) -> None:
        """Upload which owners are hatched and which stand out, shape (owners,) each; nothing else is sent."""
        self._marks[:, 1] = 0.0 if hatched is None else hatched[self._owner]
        self._marks[:, 2] = 0.0 if highlighted is None else highlighted[self._owner]
        self.highlighted = bool(self._marks[:, 2].any())
        self.marks.set_data(self._marks)


class SurfaceProgram(SceneProgram):
    """The shaders of all meshes of one context; with `distance` how far each pixel is takes the place of colours."""

    shared = (*SceneProgram.shared, "u_light", "u_halfway", "u_material", "u_highlight", "u_stripe")

    def __init__(self, *, distance: bool = False) -> None:
        super().__init__(_VERTEX, f"#define DISTANCE\n{PACKED_DISTANCE}{_FRAGMENT}" if distance else _FRAGMENT)

    def draw(
        self,
        surface: Surface,
        matrix: NDArray[np.float64],
        kind: Pass,
        *,
        opacity: float,
        outline: float,
        outline_color: tuple[float, float, float],
        tint: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0),
        glow: float = 0.0,
        lines: gloo.IndexBuffer | None = None,
    ) -> None:
        """Draw one pass of a mesh at a pose, shape (4, 4); the state of OpenGL is set by `enter_pass`.

        `outline` and `glow` are the widths in physical pixels of the outlines of all and of what is highlighted.
        With `lines` these pairs of vertices are joined instead of drawing triangles.
        """
        program = self._program
        program["u_to_eye"] = column_major(self.view @ matrix)
        program["u_opacity"] = opacity
        program["u_flat"] = 0.0 if kind == "color" and lines is None else 1.0
        program["u_outline"] = outline if kind == "outline" else 0.0
        program["u_glow"] = max(outline, glow) if kind == "outline" else 0.0
        program["u_outline_color"] = outline_color
        program["u_tint"] = tint
        program["a_position"] = surface.positions
        program["a_normal"] = surface.normals
        program["a_color"] = surface.colors
        program["a_marks"] = surface.marks
        program.draw("triangles" if lines is None else "lines", surface.faces if lines is None else lines)
