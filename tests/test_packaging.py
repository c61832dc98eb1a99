"""The wheel and the source archive hold everything, and what they install runs elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.conftest import PROJECT

EXAMPLES = ("hinge_open.pdb", "hinge_closed.pdb", "hinge_truth.json")


def call(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        list(command),
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(PROJECT), cwd=out)
    return {"wheel": next(out.glob("*.whl")), "sdist": next(out.glob("*.tar.gz"))}


def test_archives_hold_resources_and_no_tests_in_the_wheel(archives: dict[str, Path]) -> None:
    with zipfile.ZipFile(archives["wheel"]) as wheel:
        names = set(wheel.namelist())
    assert {f"lieapp/resources/examples/{name}" for name in EXAMPLES} <= names
    assert not any(name.startswith("tests/") for name in names)
    with tarfile.open(archives["sdist"]) as sdist:
        inside = {name.split("/", 1)[-1] for name in sdist.getnames()}
    assert {f"resources/examples/{name}" for name in EXAMPLES} <= inside
    assert {"LICENSE", "README.md", "packaging/bootstrap.sh", "tests/conftest.py"} <= inside


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_installed_elsewhere_runs_the_demo(archives: dict[str, Path], kind: str, tmp_path: Path) -> None:
    """Only lieapp itself is installed anew: its dependencies come from this environment."""
    place = tmp_path / "site"
    call(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"),
        *("--disable-pip-version-check", "--root-user-action", "ignore"),
        *("--target", str(place), str(archives[kind])),
        cwd=tmp_path,
    )
    where = call(sys.executable, "-c", "import lieapp; print(lieapp.__file__)", cwd=tmp_path, PYTHONPATH=str(place))
    assert Path(where.stdout.strip()).is_relative_to(place)
    done = call(
        *(sys.executable, "-m", "lieapp", "demo", "--headless", "--json", "--out", str(tmp_path / "out")),
        cwd=tmp_path,
        PYTHONPATH=str(place),
    )
    report = json.loads(done.stdout)
    assert report["outcome"] == "converged"
    assert report["gap"] < 1e-4
    assert (tmp_path / "out" / "transform.json").is_file()


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_empty_environment_runs_the_demo(archives: dict[str, Path], kind: str, tmp_path: Path) -> None:
    """Nothing but what the archive itself asks for."""
    environment = tmp_path / "environment"
    call(sys.executable, "-m", "venv", str(environment), cwd=tmp_path)
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    pip = (str(scripts / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    constraints = PROJECT / "packaging" / "constraints.txt"
    subprocess.run([*pip, "-c", str(constraints), str(archives[kind])], cwd=tmp_path, check=True, timeout=1500)
    done = call(str(scripts / "lieapp"), "demo", "--headless", "--json", "--out", str(tmp_path / "out"), cwd=tmp_path)
    assert json.loads(done.stdout)["outcome"] == "converged"
    assert (tmp_path / "out" / "report.json").is_file()
