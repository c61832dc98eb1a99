"""Where the program finds what is installed with it."""

from pathlib import Path

from lieapp.errors import LieAppError

__all__ = ["ResourceError", "resource"]

_PACKAGE = Path(__file__).resolve().parent


class ResourceError(LieAppError):
    """A file that belongs to the installation is missing."""


def resource(name: str) -> Path:
    """Return the path of an installed resource.

    Wheels and bundles carry the resources inside the package; in a checkout they lie beside it.

    Parameters
    ----------
    name : str
        Path below ``resources/``, such as ``"examples/open.pdb"``.

    Raises
    ------
    ResourceError
        If the resource lies in neither place.
    """
    places = [_PACKAGE / "resources" / name]
    project = _PACKAGE.parent / "pyproject.toml"
    if project.is_file() and 'name = "lieapp"' in project.read_text(encoding="utf-8"):
        places.append(_PACKAGE.parent / "resources" / name)
    for place in places:
        if place.exists():
            return place
    looked = " nor ".join(str(place) for place in places)
    raise ResourceError(f"The installation is incomplete: no {name!r} at {looked}. Reinstall lieapp.")
