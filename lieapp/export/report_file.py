"""The report of any run as a file: what was found, the job, and the versions behind it."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lieapp import __version__
from lieapp.engine.job import Job
from lieapp.engine.reporting import RunReport

__all__ = ["software_versions", "write_report", "write_reports"]


def software_versions() -> dict[str, str]:
    """Return the versions behind a result."""
    versions = {"lieapp": __version__, "python": platform.python_version()}
    for package in ("numpy", "torch", "gemmi", "biopython"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def write_report(report: RunReport, job: Job, path: Path) -> Path:
    """Write report, job and versions as JSON."""
    record: dict[str, Any] = report.to_dict()
    record["job"] = job.model_dump(mode="json")
    record["versions"] = software_versions()
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def write_reports(titles: Sequence[str], reports: Sequence[RunReport], path: Path) -> Path:
    """Write the reports of several runs, each with its title, as JSON."""
    runs = [{"title": title, **report.to_dict()} for title, report in zip(titles, reports, strict=True)]
    path.write_text(json.dumps({"schema": 1, "runs": runs}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
