"""Real runs as the window keeps them, for the tests of its widgets."""

from __future__ import annotations

import functools
from typing import Any

import lieapp
from lieapp.gui.align.session import AlignSession
from lieapp.gui.runs.entry import RunEntry
from lieapp.paths import resource


@functools.cache
def results() -> tuple[Any, ...]:
    """Align the bundled pair by Adam, by SGD and badly; once for all tests."""
    pair = [resource(f"examples/hinge_{form}.pdb") for form in ("open", "closed")]
    return (
        lieapp.align(*pair, optimizer="adam"),
        lieapp.align(*pair, optimizer="sgd"),
        lieapp.align(*pair, optimizer="sgd", parametrisation="se3", pivot="origin", steps=60),
    )


def make_entries() -> list[RunEntry]:
    """Return new entries for the runs, as a session lists them."""
    session = AlignSession()
    entries = []
    for result in results():
        entry = session.add_run(result.job, result.recording, result.inputs)
        entry.report = result.report
        entries.append(entry)
    return entries
