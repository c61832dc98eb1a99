"""Every benchmark runs at its quick size, so that none rots; no figure is judged here."""

from __future__ import annotations

import math

import pytest

from tests.benchmarks.__main__ import collect, modules


@pytest.mark.shared_data
@pytest.mark.parametrize("name", modules())
def test_benchmark_runs(name: str) -> None:
    rows = collect([name], quick=True)
    assert rows
    for row in rows:
        assert {"name", "value", "unit"} <= row.keys()
        assert math.isfinite(row["value"])
