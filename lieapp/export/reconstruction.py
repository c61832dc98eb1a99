"""One reconstruction as the exporters take it."""

from __future__ import annotations

from dataclasses import dataclass

from lieapp.cryoem.report import CryoemReport
from lieapp.cryoem.spec import CryoemJob
from lieapp.engine.recording import Recording

__all__ = ["Reconstruction"]


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """A run with its name and what it found.

    Attributes
    ----------
    title : str
    job : CryoemJob
    recording : Recording
        With at least one frame.
    report : CryoemReport
    """

    title: str
    job: CryoemJob
    recording: Recording
    report: CryoemReport
