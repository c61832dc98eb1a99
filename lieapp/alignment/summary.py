"""A report in the few lines that a person reads first. No torch."""

from __future__ import annotations

from lieapp.alignment.choices import OBJECTIVES
from lieapp.alignment.report import AlignReport
from lieapp.engine.reporting import cost_text, summary_text
from lieapp.engine.stopping import counted

__all__ = ["summarise"]

_SAME_RMSD = 1e-4  # Å; also of the other objectives that are lengths
_SAME_SCORE = 1e-5


def summarise(title: str, report: AlignReport) -> str:
    """Return a report as text.

    Parameters
    ----------
    title : str
        Name of the run.
    report : AlignReport

    Returns
    -------
    str
        Lines without a last line break.

    Notes
    -----
    Kabsch's answer is called the best possible RMSD only where it is: where the pairs that are reported are those that
    drive the fit, all with the same weight. Elsewhere, and for other objectives, one more line says how the objective
    compares with its own reference.
    """
    rows = [("", report.pairing.description)]
    if report.matrix is None:
        return summary_text(title, report, [*rows, ("", "There is no pose.")])
    plain = _fit_is_report(report)
    pairs = counted(report.pairs, "pair")
    rows.append(("RMSD", f"{report.rmsd:.4f} Å over {pairs}, {_against_kabsch(report, plain)}"))
    if not plain or report.objective != "rmsd":
        rows.append(("objective", _objective(report)))
    if report.core_pairs:
        core = f"{report.core_rmsd:.3f} Å over {report.core_pairs} pairs below {report.core_cutoff:g} Å, fitted alone"
    else:
        core = f"none: fewer than three pairs superpose within {report.core_cutoff:g} Å"
    scores = f"{report.tm_score_mobile:.4f} | {report.tm_score_target:.4f}"
    rows += [
        ("core", core),
        ("TM-score", f"{scores} (length of the mobile | of the target)"),
        ("rotation", f"{report.angle_degrees:.2f}°, {cost_text(report)}"),
    ]
    return summary_text(title, report, rows)


def _fit_is_report(report: AlignReport) -> bool:
    pairing = report.pairing
    return pairing.fit == pairing.report and pairing.weights == "equal"


def _fitted(report: AlignReport) -> str:
    weights = "" if report.pairing.weights == "equal" else f" weighted by {report.pairing.weights}"
    return f"{counted(report.pairing.fit_pairs, 'fitted pair')}{weights}"


def _against_kabsch(report: AlignReport, plain: bool) -> str:
    same = abs(report.rmsd - report.kabsch_rmsd) < _SAME_RMSD
    if plain:
        return f"{'equals' if same else 'best possible'} {report.kabsch_rmsd:.4f} Å (Kabsch)"
    pose = f"Kabsch's pose of the {_fitted(report)}"
    return f"as at {pose}" if same else f"{report.kabsch_rmsd:.4f} Å at {pose}"


def _objective(report: AlignReport) -> str:
    title = next(choice.title for choice in OBJECTIVES if choice.value == report.objective)
    # RMSD and Huber are lengths, the others are scores without a unit.
    unit, tolerance = (" Å", _SAME_RMSD) if report.objective in ("rmsd", "huber") else ("", _SAME_SCORE)
    exact = report.objective == "rmsd"
    best = "best possible" if exact else "best known"
    if abs(report.gap) < tolerance:
        against = f"equals the {best}"
    elif report.gap < 0.0:
        against = f"better than the reference {report.reference_value:.4f}{unit}"
    else:
        against = f"{best} {report.reference_value:.4f}{unit}"
    text = f"{title} {report.objective_value:.4f}{unit} over {_fitted(report)}, {against} ({report.reference_method})"
    if report.outcome == "converged" and report.gap >= tolerance and not exact:
        text += "; this is a lesser optimum, try another start"
    return text
