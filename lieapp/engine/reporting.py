"""What the reports of all jobs share: plain values and text for JSON. No torch."""

from __future__ import annotations

import json
import math
from typing import Any

__all__ = ["finite_values", "json_text"]


def finite_values(value: Any) -> Any:
    """Return nested plain values in which numbers that are not finite are None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite_values(item) for item in value]
    return value


def json_text(record: dict[str, Any], indent: int | None = None) -> str:
    """Return JSON in which every number reads back to the same bits."""
    return json.dumps(record, indent=indent, ensure_ascii=False, allow_nan=False)
