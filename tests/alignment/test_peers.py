"""The same superpositions by other programs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import gemmi
import pytest

import lieapp

pytestmark = pytest.mark.shared_data

PYTHON_OF_PYMOL = "/usr/bin/python3"


def one_chain(path: Path, chain: str, out: Path) -> Path:
    """Write the polymer of one chain, which TM-align cannot choose."""
    structure = gemmi.read_structure(str(path))
    structure.remove_ligands_and_waters()
    for name in [other.name for other in structure[0] if other.name != chain]:
        structure[0].remove_chain(name)
    file = out / f"{path.stem}_{chain}.pdb"
    structure.write_pdb(str(file))
    return file


@pytest.mark.peer("pymol")
@pytest.mark.parametrize(("mobile", "target"), [("A", "A"), ("B", "B"), ("B", "A"), ("A", "B")])
def test_rmsd_of_pymol(structures_dir: Path, tmp_path: Path, mobile: str, target: str) -> None:
    if not Path(PYTHON_OF_PYMOL).exists() or subprocess.run([PYTHON_OF_PYMOL, "-c", "import pymol"]).returncode:
        pytest.skip("peer: PyMOL is not installed")
    adk = structures_dir / "adk"
    script = tmp_path / "fit.pml"
    script.write_text(
        f"load {adk / '4AKE.pdb'}, moves\nload {adk / '1AKE.pdb'}, stays\npython\n"
        f'print("RMSD", cmd.rms("moves and chain {mobile} and name CA", "stays and chain {target} and name CA"'
        ", matchmaker=4))\npython end\n"
    )
    done = subprocess.run(
        [PYTHON_OF_PYMOL, "-m", "pymol", "-cq", str(script)], capture_output=True, text=True, timeout=120, check=True
    )
    theirs = float(re.findall(r"^RMSD ([\d.]+)", done.stdout, re.MULTILINE)[0])
    ours = lieapp.align(adk / "4AKE.pdb", adk / "1AKE.pdb", mobile_chain=mobile, target_chain=target)
    assert ours.report.pairs == 214
    assert ours.report.rmsd == pytest.approx(theirs, abs=2e-4)


@pytest.mark.peer("tm-align")
def test_tm_score_of_tm_align(structures_dir: Path, tmp_path: Path) -> None:
    """TM-align searches the pairs as well, and finds a little less than these pairs allow."""
    program = shutil.which("TMalign")
    if program is None:
        pytest.skip("peer: TM-align is not installed")
    files = [one_chain(structures_dir / "adk" / f"{name}.pdb", "A", tmp_path) for name in ("4AKE", "1AKE")]
    done = subprocess.run([program, *map(str, files)], capture_output=True, text=True, timeout=120, check=True)
    theirs = [float(value) for value in re.findall(r"^TM-score= *([\d.]+)", done.stdout, re.MULTILINE)]
    ours = lieapp.align(*files, objective="tm").report
    assert ours.tm_score_target == pytest.approx(0.684185, abs=1e-5)
    assert theirs[:2] == pytest.approx([ours.tm_score_mobile, ours.tm_score_target], abs=0.005)
