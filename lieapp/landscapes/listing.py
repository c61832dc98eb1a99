"""The catalogue as a table for people and as plain values for JSON. No torch."""

from __future__ import annotations

from typing import Any

from lieapp.engine.reporting import finite_values
from lieapp.landscapes.catalog import LANDSCAPES, SURFACES

__all__ = ["landscape_records", "landscape_table"]


def landscape_records() -> list[dict[str, Any]]:
    """Return every landscape with what is known about it."""
    records: list[dict[str, Any]] = []
    for entry in LANDSCAPES.values():
        record: dict[str, Any] = {
            "name": entry.name,
            "title": entry.title,
            "dimension": entry.dimension,
            "teaches": entry.teaches,
        }
        shape = SURFACES.get(entry.name)
        if shape is not None:
            record["formula"] = shape.formula
            record["domain"] = shape.domain
            record["start"] = shape.start
            record["stationary_points"] = [
                {
                    "kind": point.kind,
                    "index": point.index,
                    "position": point.position,
                    "value": point.value,
                    "eigenvalues": point.eigenvalues,
                }
                for point in shape.stationary_points
            ]
        records.append(finite_values(record))
    return records


def landscape_table() -> str:
    """Return one line a landscape, and one more on what it teaches."""
    lines = []
    for entry in LANDSCAPES.values():
        shape = SURFACES.get(entry.name)
        if shape is not None:
            counts = [
                (kind, sum(point.kind == kind for point in shape.stationary_points))
                for kind in ("minimum", "saddle", "maximum", "degenerate")
            ]
            known = ", ".join(f"{_plural(kind)} {count}" for kind, count in counts if count)
            lines.append(f"{entry.name:22}{shape.formula}  [{known}]")
        else:
            size = "" if entry.dimension is None else f", {entry.dimension} parameters"
            lines.append(f"{entry.name:22}{entry.title}{size}")
        lines.append(f"{'':22}{entry.teaches}")
    return "\n".join(lines) + "\n"


def _plural(kind: str) -> str:
    return {"minimum": "minima", "saddle": "saddles", "maximum": "maxima"}.get(kind, kind)
