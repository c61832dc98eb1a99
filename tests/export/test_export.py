"""Other programs, and the formats' own readers, read what LieApp wrote and find the same superposition."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import warnings
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest

import lieapp
from lieapp.alignment.scores import deviations_at, rmsd_at
from lieapp.engine.recording import Recording
from lieapp.export.alignment_bundle import export_alignment
from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.errors import ExportError
from lieapp.structures.reading import read_structure
from tests.conftest import PROJECT

pytestmark = pytest.mark.shared_data

KABSCH_RMSD = 7.130700
EXPECTED = {
    *("4AKE_A_onto_1AKE_A.pdb", "4AKE_A_onto_1AKE_A_deviation.pdb", "transform.json", "transform.txt", "pymol.pml"),
    *("chimerax.cxc", "deviation.defattr", "residues.csv", "trajectory.csv", "recording.npz", "report.json"),
    *(f"figures/{name}.{kind}" for name in ("progress", "deviation") for kind in ("svg", "pdf", "png")),
}


def ca_of_chain(structure: gemmi.Structure, chain: str) -> np.ndarray:
    atoms = [residue["CA"][0] for residue in structure[0][chain].get_polymer()]
    return np.array([atom.pos.tolist() for atom in atoms])


def test_every_file_is_there(exported: Path) -> None:
    found = {path.relative_to(exported).as_posix() for path in exported.rglob("*") if path.is_file()}
    assert found == EXPECTED


def test_transform_json_reproduces_the_rmsd(exported: Path, adk: AlignmentResult) -> None:
    record = json.loads((exported / "transform.json").read_text(encoding="utf-8"))
    matrix = np.array(record["matrix"])
    rmsd = rmsd_at(adk.inputs.mobile_points, adk.inputs.target_points, matrix[:3, :3], matrix[:3, 3])
    assert rmsd == pytest.approx(record["rmsd"], abs=1e-9)
    assert rmsd == pytest.approx(KABSCH_RMSD, abs=1e-4)
    np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.array_equal(matrix, adk.matrix)


def test_moved_file_read_by_gemmi_and_biopython(exported: Path, structures_dir: Path) -> None:
    from Bio.PDB.PDBParser import PDBParser

    target = ca_of_chain(gemmi.read_structure(str(structures_dir / "adk" / "1AKE.pdb")), "A")
    moved = exported / "4AKE_A_onto_1AKE_A.pdb"
    by_gemmi = ca_of_chain(gemmi.read_structure(str(moved)), "A")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chain = PDBParser(QUIET=True).get_structure("moved", str(moved))[0]["A"]
    by_biopython = np.array([residue["CA"].coord for residue in chain if residue.id[0] == " "], dtype=float)
    for points in (by_gemmi, by_biopython):
        rmsd = np.sqrt(((points - target) ** 2).sum(axis=1).mean())
        assert rmsd == pytest.approx(KABSCH_RMSD, abs=1e-3)


def test_everything_moves_and_nothing_else_changes(exported: Path, structures_dir: Path) -> None:
    before = (structures_dir / "adk" / "4AKE.pdb").read_text().splitlines()
    after = (exported / "4AKE_A_onto_1AKE_A.pdb").read_text().splitlines()
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        if old.startswith(("ATOM", "HETATM")):
            assert (old[:30], old[54:]) == (new[:30], new[54:])
            assert old[30:54] != new[30:54]
        elif not old.startswith("ANISOU"):
            assert old == new


def test_deviation_file_holds_deviations(exported: Path, adk: AlignmentResult) -> None:
    moved = read_structure(exported / "4AKE_A_onto_1AKE_A_deviation.pdb")
    residues, deviations = adk.residue_deviations
    guides = moved.residues.guide_atom[residues]
    np.testing.assert_allclose(moved.atoms.b_factor[guides], deviations, atol=0.0051)
    unpaired = np.ones(len(moved.residues), dtype=bool)
    unpaired[residues] = False
    assert np.all(moved.atoms.b_factor[unpaired[moved.atoms.residue]] == -1.0)


def test_residue_table(exported: Path, adk: AlignmentResult) -> None:
    with (exported / "residues.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 214
    values = np.array([float(row["deviation_angstrom"]) for row in rows])
    pose = adk.matrix
    expected = deviations_at(adk.inputs.mobile_points, adk.inputs.target_points, pose[:3, :3], pose[:3, 3])
    assert np.array_equal(values, expected)
    assert sum(int(row["in_core"]) for row in rows) == 112
    assert (rows[0]["mobile_residue"], rows[0]["mobile_number"], rows[0]["target_chain"]) == ("MET", "1", "A")


def test_trajectory_table_equals_the_recording(exported: Path, adk: AlignmentResult) -> None:
    with (exported / "trajectory.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(adk.recording)
    for name in adk.recording.columns:
        written = np.array([float(row[name]) for row in rows])
        np.testing.assert_array_equal(written, adk.recording.column(name))
    best = rows[adk.frame]
    assert [float(best[key]) for key in ("tx", "ty", "tz")] == adk.matrix[:3, 3].tolist()


def test_recording_reads_back(exported: Path, adk: AlignmentResult) -> None:
    again = Recording.load(exported / "recording.npz")
    assert again.columns == adk.recording.columns
    for name in again.columns:
        np.testing.assert_array_equal(again.column(name), adk.recording.column(name))


def test_report_names_versions_and_job(exported: Path) -> None:
    report = json.loads((exported / "report.json").read_text(encoding="utf-8"))
    assert report["schema"] == 1
    assert report["pairs"] == 214
    assert {"lieapp", "python", "numpy", "torch"} <= report["versions"].keys()
    assert report["job"]["mobile"]["path"].endswith("4AKE.pdb")


def test_matrix_in_the_text_reads_back(exported: Path, adk: AlignmentResult) -> None:
    text = (exported / "transform.txt").read_text(encoding="utf-8")
    block = text.split("Matrix (4x4, row-major)\n")[1].split("\n\n")[0]
    np.testing.assert_allclose(np.fromstring(block, sep=" ").reshape(4, 4), adk.matrix, atol=1e-15, rtol=0)
    biomt = np.array([[float(word) for word in line.split()[4:]] for line in re.findall(r"REMARK 350 .*", text)])
    np.testing.assert_allclose(biomt, adk.matrix[:3], atol=1e-5)


def test_figures_open(exported: Path) -> None:
    from PIL import Image

    for name in ("progress", "deviation"):
        root = ET.parse(exported / "figures" / f"{name}.svg").getroot()
        assert root.tag.endswith("svg")
        texts = "".join("".join(node.itertext()) for node in root.iter() if node.tag.endswith("text"))
        assert "Å" in texts
        with Image.open(exported / "figures" / f"{name}.png") as picture:
            assert picture.size[0] == 1050 and 700 < picture.size[1] < 900
            assert len(set(picture.convert("L").resize((60, 40)).tobytes())) > 5
        pdf = (exported / "figures" / f"{name}.pdf").read_bytes()
        assert pdf.startswith(b"%PDF") and b"/FontFile2" in pdf


def _said_by_pymol(folder: Path, *lines: str) -> str:
    """Return what PyMOL, started elsewhere, prints when it runs lines."""
    python = "/usr/bin/python3"
    if not Path(python).exists() or subprocess.run([python, "-c", "import pymol"], capture_output=True).returncode:
        pytest.skip("peer: PyMOL is not installed")
    check = folder / "check.pml"
    check.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run(
        [python, "-m", "pymol", "-cq", str(check)],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        timeout=120,
        check=False,
    )
    output = done.stdout + done.stderr
    assert "Traceback" not in output and "Error" not in output, output
    return output


@pytest.mark.peer("pymol")
def test_pymol_runs_the_script(exported: Path, tmp_path: Path) -> None:
    """PyMOL, started elsewhere, opens both files, and its own RMSD without fitting is ours."""
    output = _said_by_pymol(
        tmp_path,
        f"@{exported / 'pymol.pml'}",
        "python",
        'print("ATOMS", cmd.count_atoms("mobile"), cmd.count_atoms("target"), sorted(cmd.get_names()))',
        'a, b = "mobile and chain A and name CA and polymer", "target and chain A and name CA and polymer"',
        'print("RMSD", cmd.rms_cur(a, b, matchmaker=4))',
        "lieapp_b = []",
        'cmd.iterate("mobile and chain A and resi 150 and name CA", "found.append(b)", space={"found": lieapp_b})',
        'print("B", lieapp_b[0])',
        "python end",
    )
    assert re.search(r"^ATOMS 3459 3816 \['deviation', 'mobile', 'target'\]", output, re.MULTILINE), output
    rmsd = float(re.findall(r"^RMSD ([\d.]+)", output, re.MULTILINE)[0])
    assert rmsd == pytest.approx(KABSCH_RMSD, abs=1e-3)
    rows = (exported / "residues.csv").read_text(encoding="utf-8").splitlines()
    deviation = float(rows[150].split(",")[11])
    assert float(re.findall(r"^B ([\d.]+)", output, re.MULTILINE)[0]) == pytest.approx(deviation, abs=1e-3)


@pytest.fixture(scope="module")
def other_model(structures_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is written of model 7 of an NMR ensemble on its model 3."""
    file = structures_dir / "diverse/1l2y.pdb.gz"
    done = lieapp.align(file, file, mobile_model=7, target_model=3)
    folder = tmp_path_factory.mktemp("models")
    export_alignment(folder, done.job, done.inputs, done.recording, done.report)
    return folder


def test_scripts_show_the_model_that_was_aligned(other_model: Path, exported: Path) -> None:
    pymol = (other_model / "pymol.pml").read_text(encoding="utf-8")
    assert 'cmd.set("state", 7, "mobile")' in pymol and 'cmd.set("state", 3, "target")' in pymol
    chimerax = (other_model / "chimerax.cxc").read_text(encoding="utf-8").splitlines()
    for line in ("hide #1.1-38 models", "show #1.7 models", "hide #2.1-38 models", "show #2.3 models"):
        assert line in chimerax
    assert any(line.startswith("color byattribute r:deviation #1.7 ") for line in chimerax)
    # The transform places all models of the file.
    assert any(line.startswith("view matrix models #1,") for line in chimerax)
    for name in ("pymol.pml", "chimerax.cxc"):
        assert "state" not in re.sub("state=0", "", (exported / name).read_text(encoding="utf-8"))


@pytest.mark.peer("pymol")
def test_pymol_shows_the_model_that_was_aligned(other_model: Path, tmp_path: Path) -> None:
    output = _said_by_pymol(
        tmp_path,
        f"@{other_model / 'pymol.pml'}",
        "python",
        'print("STATES", [cmd.get("state", name) for name in ("mobile", "target")])',
        'print("RMSD", cmd.rms_cur("mobile and name CA", "target and name CA", 7, 3, matchmaker=4))',
        "python end",
    )
    assert "STATES ['7', '3']" in output, output
    rmsd = float(re.findall(r"^RMSD ([\d.]+)", output, re.MULTILINE)[0])
    report = json.loads((other_model / "report.json").read_text(encoding="utf-8"))
    assert rmsd == pytest.approx(report["rmsd"], abs=1e-3)


def test_scripts_open_copies_of_binary_cif(structures_dir: Path, tmp_path: Path) -> None:
    files = [str(structures_dir / f"homologs/{name}.bcif") for name in ("1hml", "2nwd")]
    done = lieapp.align(*files, steps=1)
    export_alignment(tmp_path, done.job, done.inputs, done.recording, done.report)
    for name in ("mobile", "target"):
        file = f"1HML_A_onto_2NWD_X_{name}.cif"
        assert f"'{file}'" in (tmp_path / "pymol.pml").read_text(encoding="utf-8")
        assert f'open "{file}"' in (tmp_path / "chimerax.cxc").read_text(encoding="utf-8")
        copy = read_structure(tmp_path / file)
        np.testing.assert_allclose(copy.coordinates, getattr(done.inputs, name).coordinates, atol=1e-9)


def test_names_with_quotes_in_scripts(structures_dir: Path, tmp_path: Path) -> None:
    mobile = tmp_path / 'my "best" model\'s.pdb'
    shutil.copy(structures_dir / "diverse/1aki.pdb", mobile)
    done = lieapp.align(mobile, mobile)
    export_alignment(tmp_path / "out", done.job, done.inputs, done.recording, done.report)
    script = (tmp_path / "out/chimerax.cxc").read_text(encoding="utf-8")
    assert 'open "../my \\"best\\" model\'s.pdb" id 1' in script
    body = (tmp_path / "out/pymol.pml").read_text(encoding="utf-8").split("\npython\n")[1].split("python end")[0]
    compile(body, "pymol.pml", "exec")


def test_many_chains_make_no_long_name(adk: AlignmentResult) -> None:
    match = adk.inputs.pairing.chains[0]
    chains = tuple(replace(match, mobile_chain=f"A{k}", target_chain=f"{k}") for k in range(100))
    inputs = replace(adk.inputs, pairing=replace(adk.inputs.pairing, chains=chains))
    assert replace(adk, inputs=inputs).stem == "4AKE_A0-and-99-more_onto_1AKE_0-and-99-more"


def test_chimerax_files(exported: Path) -> None:
    script = (exported / "chimerax.cxc").read_text(encoding="utf-8")
    opened = re.findall(r'open "([^"]+)"', script)
    assert len(opened) == 3
    assert all((exported / name).resolve().is_file() for name in opened)
    lines = (exported / "deviation.defattr").read_text(encoding="utf-8").splitlines()
    assert lines[:3] == ["attribute: deviation", "match mode: any", "recipient: residues"]
    assert sum(line.startswith("\t/A:") for line in lines) == 214


def test_folder_that_cannot_be_made(adk: AlignmentResult, tmp_path: Path) -> None:
    obstacle = tmp_path / "file"
    obstacle.write_text("")
    with pytest.raises(ExportError, match="file"):
        export_alignment(obstacle / "inside", adk.job, adk.inputs, adk.recording, adk.report)


def test_an_earlier_frame_says_so(adk: AlignmentResult, tmp_path: Path) -> None:
    from lieapp.alignment.report import report_align

    report = report_align(adk.job, adk.recording, adk.inputs, frame=3)
    export_alignment(tmp_path, adk.job, adk.inputs, adk.recording, report, frame=3)
    record = json.loads((tmp_path / "transform.json").read_text(encoding="utf-8"))
    assert record["pose"] == "pose at step 3"
    assert record["rmsd"] == pytest.approx(float(adk.recording.column("rmsd")[3]), abs=1e-9)
