"""The Python code that repeats a reconstruction. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lieapp.cryoem.spec import CryoemJob

__all__ = ["reconstruction_python"]


def reconstruction_python(job: CryoemJob) -> str:
    """Return Python code that runs a job; the job is written as JSON, so nothing of it is lost."""
    from lieapp.engine.job import job_to_json

    return "\n".join(
        [
            "from lieapp.engine.job import job_from_json, open_job, report_job",
            "",
            f"job = job_from_json({job_to_json(job)!r})",
            "problem, run = open_job(job)",
            "for _ in run:",
            "    pass",
            "print(report_job(job, run.recording).to_json(indent=1))",
            "",
        ]
    )
