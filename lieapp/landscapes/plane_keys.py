"""Which landscapes are drawn on a plane through their many dimensions, and what that plane depends on. No torch."""

from __future__ import annotations

from typing import Any

from lieapp.landscapes.spec import LandscapeJob

__all__ = ["has_plane", "plane_key"]


def has_plane(job: LandscapeJob) -> bool:
    """Whether a plane stands for the landscape: it has too many dimensions to be drawn, but not those of a network."""
    return not job.description.is_planar and job.description.dimension is not None


def plane_key(job: LandscapeJob) -> tuple[Any, ...]:
    """Return what the plane of a job depends on."""
    return job.landscape, job.seed, job.offset, job.start
