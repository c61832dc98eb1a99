"""Light, depth cue and outline: one shading for everything that is drawn.

The light travels with the viewer, so a molecule never turns its dark side to the user. All of it is worked out in eye
coordinates in the shaders, which therefore need nothing but the camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["DEPTH_CUE", "SHADING", "Headlight"]

_SHALLOW, _DEEP = 60.0, 200.0
"""Depths of a scene in Å from which on the depth cue grows, and where it is strongest."""

DEPTH_CUE = """
uniform vec3 u_background;
uniform vec3 u_fog;          // distance where it begins, one over its length, its strength at the end

float depth_cue(float depth) {
    return clamp((depth - u_fog.x) * u_fog.y, 0.0, 1.0) * u_fog.z;
}
"""

# Written for a processor that draws: no pow, no branch, one square root.
SHADING = """
uniform vec3 u_light;
uniform vec3 u_halfway;      // between the light and the viewer
uniform vec3 u_material;     // ambient, diffuse, specular

vec3 shaded(vec3 color, vec3 normal) {
    // Soft key light from above, weighted with how far the surface faces the viewer: round things look round.
    float key = dot(normal, u_light) * 0.5 + 0.5;
    float diffuse = key * key * (0.55 + 0.45 * normal.z);
    float shine = max(dot(normal, u_halfway), 0.0);
    shine *= shine;
    shine *= shine;
    shine *= shine;
    shine *= shine;
    shine *= shine;
    return color * (u_material.x + u_material.y * diffuse) + vec3(shine * u_material.z);
}
"""


@dataclass(frozen=True)
class Headlight:
    """How surfaces are lit.

    Attributes
    ----------
    direction : tuple of float
        Towards the light, in eye coordinates (right, up, towards the viewer).
    ambient, diffuse, specular : float
    depth_cue : float
        How much of the background colour the farthest point takes, 0 to 1; more where a scene is deep, see
        `depth_cue_over`.
    outline : float
        Width of the silhouette in logical pixels; 0 is none.
    """

    direction: tuple[float, float, float] = (-0.35, 0.55, 1.0)
    ambient: float = 0.46
    diffuse: float = 0.72
    specular: float = 0.16
    depth_cue: float = 0.36
    outline: float = 1.1

    def depth_cue_over(self, depth: float) -> float:
        """Return how much of the background the farthest point of a scene takes that is so deep, in Å.

        Through a domain of 60 Å the eye finds its way by what hides what; in an assembly of 200 Å dozens of layers
        lie over each other, and only the cue parts the near side from the far one.
        """
        part = min(max((depth - _SHALLOW) / (_DEEP - _SHALLOW), 0.0), 1.0)
        return 1.0 - (1.0 - self.depth_cue) ** (1.0 + 1.2 * part)

    def uniforms(self) -> dict[str, Any]:
        """Return the values of the shader's light."""
        direction = np.asarray(self.direction, dtype=np.float32)
        direction = direction / np.linalg.norm(direction)
        halfway = direction + np.array([0.0, 0.0, 1.0], dtype=np.float32)
        return {
            "u_light": direction,
            "u_halfway": halfway / np.linalg.norm(halfway),
            "u_material": (self.ambient, self.diffuse, self.specular),
        }
