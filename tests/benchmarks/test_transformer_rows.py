"""A comparison made in parts: runs that are kept are not made again, and what is made is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.bench_transformer import results, tasks


def test_runs_are_kept_as_they_end(tmp_path: Path) -> None:
    place = tmp_path / "rows.jsonl"
    first, second = (replace(task, budget=2.0) for task in tasks(quick=True)[:2])
    made = dict(results([first], str(place)))
    assert made[first].steps == 2 and len(place.read_text(encoding="utf-8").splitlines()) == 1
    entry = json.loads(place.read_text(encoding="utf-8"))
    entry["run"]["steps"] = 17  # as no run would end: it must come from the file
    place.write_text(json.dumps(entry) + "\n", encoding="utf-8")
    both = dict(results([second, first], str(place)))
    assert both[first].steps == 17 and both[second].evaluations >= 2.0
    assert len(place.read_text(encoding="utf-8").splitlines()) == 2
