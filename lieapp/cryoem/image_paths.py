"""Where the image files that a particle file names lie, and whether they may be read. No torch.

Names are relative to the folder of the particle file, or to the project folder that it belongs to: RELION keeps its
jobs in ``<project>/<type>/job<number>``, cryoSPARC in ``<project>/J<number>``, and both name images from the project. A
file from elsewhere must not make the program read whatever its author liked, so a name that leads out of these folders,
also by a link, is followed only where the user allows it.
"""

from __future__ import annotations

import re
from pathlib import Path

from lieapp.cryoem.errors import CryoemError, OutsideError

__all__ = ["ImagePaths"]

_RELION_JOB = re.compile(r"job\d{3,}")
_RELION_TYPE = re.compile(
    "AutoPick|BayesPolish|Class2D|Class3D|CtfFind|CtfRefine|DynaMight|External|Extract|Import|InitialModel|JoinStar"
    "|ManualPick|ModelAngelo|MotionCorr|MultiBody|Polish|PostProcess|Reconstruct|Refine3D|Select|Subtract"
)
_CRYOSPARC_JOB = re.compile(r"J\d+")


class ImagePaths:
    """Finds the files that a particle file names.

    Parameters
    ----------
    file : Path
        The particle file.
    allow_outside : bool, optional
        Whether names may lead out of the folder of the file and of its project.
    """

    def __init__(self, file: Path, *, allow_outside: bool = False) -> None:
        self._file = file
        self._allow_outside = allow_outside
        folder = Path(file).resolve().parent
        self._folders = (folder, *_projects(folder))

    def find(self, name: str) -> Path:
        """Return the path of a named file.

        Parameters
        ----------
        name : str

        Raises
        ------
        CryoemError
            If there is none.
        OutsideError
            If it lies outside and that is not allowed.
        """
        if not name or "\0" in name:
            raise CryoemError(f"{self._file}: names an image file {name!r}; expected a path.")
        outside = False
        for folder in self._folders:
            # An absolute name stays itself.
            path = folder / name
            try:
                inside = any(path.resolve().is_relative_to(each) for each in self._folders)
                if not inside and not self._allow_outside:
                    outside = True
                    continue
                if path.exists():
                    return path
            except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
                raise CryoemError(f"{self._file}: {name}: cannot be read: {error}.") from error
        if outside:
            raise OutsideError(
                f"{self._file}: names {name}, which lies outside its folder; allow paths outside it to read it."
            )
        where = " or ".join(str(folder) for folder in self._folders)
        raise CryoemError(f"{self._file}: names {name}, which is not in {where}.")


def _projects(folder: Path) -> tuple[Path, ...]:
    """Return the project folder of the job that a folder is of, if it is of one."""
    # Particle files lie in the folder of the job, or in one below it.
    for job in (folder, folder.parent):
        if _RELION_JOB.fullmatch(job.name) and _RELION_TYPE.fullmatch(job.parent.name):
            project = job.parent.parent
        elif _CRYOSPARC_JOB.fullmatch(job.name):
            project = job.parent
        else:
            continue
        # All files lie below the root: that would allow everything.
        return () if project == project.parent else (project,)
    return ()
