"""Fixtures of every test: where the real data lie, one torch thread, examples without time limits."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

PROJECT = Path(__file__).resolve().parent.parent
REQUIRED = frozenset(filter(None, os.environ.get("LIEAPP_REQUIRE", "").split(",")))

# One thread for small problems: two were 4 to 60 times slower on two busy cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long one example takes says how busy the machine is, not whether the example is right.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")


def shared_data() -> Path | None:
    """Return the folder of real data, or None where there is none."""
    named = os.environ.get("LIEAPP_SHARED_DATA")
    folder = Path(named) if named else PROJECT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if shared_data() is not None:
        return
    if "shared_data" in REQUIRED:
        raise pytest.UsageError("LIEAPP_REQUIRE names shared_data, but its folder is absent")
    absent = pytest.mark.skip(reason="shared_data: no LIEAPP_SHARED_DATA and no ../shared/data")
    for item in items:
        if item.get_closest_marker("shared_data"):
            item.add_marker(absent)


@pytest.fixture(scope="session")
def structures_dir() -> Path:
    """Folder of the real structures; tests that use it carry the marker ``shared_data``."""
    folder = shared_data()
    assert folder is not None, "a test that uses structures_dir must be marked shared_data"
    return folder / "structures"


@pytest.fixture(autouse=True)
def isolated_user_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep settings, caches and recent files of a test out of the user's home."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
