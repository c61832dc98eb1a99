"""What this machine offers: versions, OpenGL, torch devices, folders, missing system libraries."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lieapp import __version__
from lieapp.errors import LieAppError
from lieapp.paths import resource

__all__ = ["PACKAGES", "SYSTEM_LIBRARIES", "examine", "missing_system_libraries", "user_folders"]

PACKAGES = (
    *("numpy", "torch", "PySide6-Essentials", "vispy", "PyOpenGL", "pyqtgraph", "gemmi", "biopython", "msgpack"),
    *("mrcfile", "pydantic", "typer", "rich", "matplotlib", "pooch", "platformdirs", "imageio", "imageio-ffmpeg"),
)

SYSTEM_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libGLX_mesa.so.0": "libglx-mesa0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
}
"""Libraries that Qt's X11 platform and OpenGL load at run time on Linux, and the Debian package of each."""

# OpenGL is asked in a process of its own: a broken driver may crash the one that asks.
_ASK_OPENGL = """
import json
from lieapp.scene.headless import headless_scene
with headless_scene((16, 16)):
    from vispy.gloo import gl
    print(json.dumps({name: gl.glGetParameter(getattr(gl, f"GL_{name.upper()}")) for name in
                      ("vendor", "renderer", "version")}))
"""

_ASK_TORCH = """
import json, torch
devices = {"cpu": f"{torch.get_num_threads()} threads by default"}
for index in range(torch.cuda.device_count()):
    devices[f"cuda:{index}"] = torch.cuda.get_device_name(index)
if torch.backends.mps.is_available():
    devices["mps"] = "Metal"
print(json.dumps({"version": torch.__version__, "devices": devices}))
"""


def missing_system_libraries() -> list[str]:
    """Return the Debian packages of system libraries that cannot be loaded; empty on other systems than Linux."""
    if sys.platform != "linux":
        return []
    missing = []
    for library, package in SYSTEM_LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    return missing


def user_folders() -> dict[str, str]:
    """Return where settings, fetched entries and logs are kept."""
    from platformdirs import user_cache_dir, user_config_dir, user_log_dir

    return {
        "settings": user_config_dir("lieapp", appauthor=False),
        "cache": user_cache_dir("lieapp", appauthor=False),
        "logs": user_log_dir("lieapp", appauthor=False),
    }


def _ask(code: str) -> dict[str, Any]:
    import json

    try:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False, env=os.environ
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"error": str(error)}
    if done.returncode != 0 or not done.stdout.strip():
        lines = done.stderr.strip().splitlines()
        return {"error": lines[-1] if lines else f"the process ended with status {done.returncode}"}
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def examine() -> dict[str, Any]:
    """Return everything that a report of a problem should hold.

    Returns
    -------
    dict
        ``lieapp``, ``python``, ``platform``, ``packages``, ``opengl``, ``torch``, ``display``, ``folders``,
        ``resources``, ``missing_libraries`` and ``problems``: sentences about what will not work.
    """
    packages: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            packages[package] = None
    problems = [f"The Python package {name} is not installed." for name in PACKAGES[:-2] if packages[name] is None]
    try:
        resources = str(resource("examples").resolve())
    except LieAppError as error:
        resources = ""
        problems.append(str(error))
    opengl, torch = _ask(_ASK_OPENGL), _ask(_ASK_TORCH)
    if "error" in opengl:
        problems.append(f"Drawing without a display does not work: {opengl['error']}")
    if "error" in torch:
        problems.append(f"torch does not work: {torch['error']}")
    missing = missing_system_libraries()
    if missing:
        problems.append("System libraries are missing; as root: apt-get install " + " ".join(missing))
    display = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or ""
    if sys.platform == "linux" and not display:
        problems.append("There is no display: the window cannot open, the command line works.")
    return {
        "lieapp": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "platform": platform.platform(),
        "package": str(Path(__file__).parent),
        "packages": packages,
        "opengl": opengl,
        "torch": torch,
        "display": display,
        "folders": user_folders(),
        "resources": resources,
        "missing_libraries": missing,
        "problems": problems,
    }
