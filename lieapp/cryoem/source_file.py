"""Which file a reconstruction starts from, so that it is known again. No torch."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.phantoms import PHANTOMS
from lieapp.cryoem.spec import CryoemJob

__all__ = ["source_sha256"]


def source_sha256(job: CryoemJob) -> str | None:
    """Return the SHA-256 of the particle file of a job, or of the file that it simulates; None for bundled phantoms.

    Raises
    ------
    CryoemError
        If the job names another one: the file has changed since.

    Notes
    -----
    Stacks, which may be of many gigabytes, are not hashed.
    """
    path = job.particles if job.particles is not None else job.phantom
    if job.particles is None and path in PHANTOMS:
        return None
    try:
        with Path(path).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None  # the reader says what is wrong, in its own words
    if job.source_sha256 not in (None, found):
        raise CryoemError(
            f"{path}: the file has changed since this job was made (SHA-256 {found[:12]}..., not "
            f"{str(job.source_sha256)[:12]}...)."
        )
    return found
