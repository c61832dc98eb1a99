"""The rules by which a run ends, one property each."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lieapp.engine.limits import Limits
from lieapp.engine.stopping import StoppingRules, Verdict, counted


def judged(
    losses: list[float], norms: list[float] | float = 1.0, *, patience: int = 1, scale: float = 1.0, **limits
) -> tuple[int, Verdict | None]:
    """Return the first verdict and its frame, one evaluation and a second a frame."""
    rules = StoppingRules(Limits(**{"steps": 10**6, **limits}), loss_scale=scale, patience=patience)
    for index, loss in enumerate(losses):
        norm = norms if isinstance(norms, float) else norms[index]
        verdict = rules.judge(index, loss, norm, float(index), float(index))
        if verdict is not None:
            return index, verdict
    return len(losses), None


def test_a_small_gradient_converges_at_once() -> None:
    frame, verdict = judged([5.0, 4.0, 3.9], [1.0, 1e-3, 1e-9])
    assert frame == 2 and verdict.kind == "converged"
    assert judged([5.0], [0.0])[1].reason.startswith("Converged at the start")
    assert judged([5.0, 4.0], [0.0, 0.0], gtol=0.0)[1] is None


def test_patience_lets_an_optimiser_leave_a_ridge() -> None:
    kicked = [0.0] * 10 + [1.0] * 5
    assert judged([1.0] * 15, kicked, patience=20, ftol=0.0)[1] is None
    assert judged([1.0] * 30, [0.0] * 30, patience=20, ftol=0.0)[0] == 19


def test_a_loss_that_stands_still_with_a_small_gradient_converges_after_the_window() -> None:
    frame, verdict = judged([5.0, 4.0] + [3.0] * 50, 1e-5)
    assert frame == 22 and verdict.kind == "converged"
    assert judged([5.0, 4.0] + [3.0] * 50, 1e-5, ftol=0.0)[1] is None
    assert judged([5.0, 4.0] + [3.0] * 50, 1e-5, window=5)[0] == 7


def test_an_overshoot_of_momentum_is_no_convergence() -> None:
    # The best loss is 30 frames old, but the loss moves.
    losses = [10.0, 5.0, 1.0] + [1.0 + 0.5 * math.sin(math.pi * k / 30) for k in range(1, 30)] + [0.9]
    assert judged(losses, 1e-5)[1] is None


def test_a_slow_start_with_a_large_gradient_is_no_convergence() -> None:
    losses = [50.0 - 1e-14 * k for k in range(100)]
    assert judged(losses, 3.0)[1] is None
    frame, verdict = judged(losses, 3.0, steps=60)
    assert (frame, verdict.kind) == (60, "limit") and "stands still although" in verdict.reason


def test_a_loss_that_crosses_zero_is_judged_by_its_size() -> None:
    assert judged([1.0 - 0.02 * k for k in range(100)], 1e-5)[1] is None
    assert judged([-0.5] * 30, 1e-5)[1].kind == "converged"


@pytest.mark.parametrize("start", [50.0, 1.0, 3.7e6])
def test_ten_times_the_start_diverges(start: float) -> None:
    assert judged([start, 9.99 * start])[1] is None
    assert judged([start, 10.01 * start])[1].kind == "diverged"
    assert judged([start, 1e6 * start], divergence=False)[1] is None


@pytest.mark.parametrize("end", [(-1e308, math.inf), (-math.inf, math.inf), (math.nan, math.nan)])
def test_a_loss_that_fell_all_the_way_is_no_fault_of_the_step(end: tuple[float, float]) -> None:
    falling = [0.0, -1.0, -1e3, -1e100, end[0]]
    frame, verdict = judged(falling, [1.0] * 4 + [end[1]])
    assert (frame, verdict.kind, verdict.advised) == (4, "diverged", False)
    assert "unbounded below" in verdict.reason and "step too large" not in verdict.reason


@pytest.mark.parametrize(
    "losses", [[0.0, -1.0, math.nan], [0.0, -1e100, -1e99, math.nan], [0.0, -1e100, math.inf], [1.0, 5.0, math.inf]]
)
def test_a_run_that_did_not_fall_all_the_way_stepped_too_far(losses: list[float]) -> None:
    verdict = judged(losses)[1]
    assert verdict.kind == "diverged" and verdict.advised
    assert "step too large, the loss is no finite number" in verdict.reason


def test_a_start_near_zero_or_below_needs_a_rise_that_matters() -> None:
    assert judged([1e-12, 1.0])[1] is None
    assert judged([1e-12, 9.1])[1].kind == "diverged"
    assert judged([-0.5, 0.9])[1] is None
    assert judged([-146.0, 1000.0])[1] is None
    assert judged([-146.0, 1200.0])[1].kind == "diverged"
    assert judged([1e-12, 0.5], scale=0.01)[1].kind == "diverged"


def test_200_frames_away_from_twice_the_best_diverge() -> None:
    assert judged([10.0, 1.0] + [2.1] * 199)[1] is None
    frame, verdict = judged([10.0, 1.0] + [2.1 + 0.1 * (k % 2) for k in range(300)])
    assert (frame, verdict.kind) == (201, "diverged") and "200 frames" in verdict.reason
    assert judged([10.0, 1.0] + [2.1] * 150 + [1.9] + [2.1] * 150)[1] is None
    assert judged([10.0, 1e-9] + [5e-4 + 1e-5 * (k % 2) for k in range(300)])[1] is None


def test_coming_to_rest_above_the_start_is_no_convergence() -> None:
    # A score that levels off: no gradient far away.
    frame, verdict = judged([0.9, 0.5, 1.0], [1.0, 1.0, 1e-9])
    assert (frame, verdict.kind) == (2, "diverged") and "above its start" in verdict.reason
    assert judged([0.9] + [1.0] * 30, 1e-5)[1].kind == "diverged"
    assert judged([0.9, 0.5, 1.0], [1.0, 1.0, 1e-9], divergence=False)[1].kind == "converged"
    assert judged([0.9, 0.9 + 1e-9], [1.0, 1e-9])[1].kind == "converged"


def test_rest_at_the_ceiling_is_no_convergence() -> None:
    def verdict(loss: float, ceiling: float, **limits) -> Verdict | None:
        return StoppingRules(Limits(**limits), loss_ceiling=ceiling).judge(0, loss, 1e-9, 0.0, 0.0)

    flat = verdict(29.9999, 30.0)
    assert flat.kind == "diverged" and flat.reason.startswith("Diverged at the start: the loss is flat here, 30 of")
    assert verdict(29.9, 30.0).kind == "converged"
    assert verdict(29.9999, math.inf).kind == "converged"
    assert verdict(29.9999, 30.0, divergence=False).kind == "converged"


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_non_finite_values_diverge_even_where_climbing_is_allowed(wrong: float) -> None:
    assert judged([1.0, wrong], divergence=False)[1].kind == "diverged"
    assert "loss" in judged([1.0, wrong])[1].reason
    assert "gradient" in judged([1.0, 1.0], [1.0, abs(wrong)])[1].reason
    assert judged([wrong])[1].reason.startswith("Diverged at the start")


def test_budgets() -> None:
    assert judged([1.0] * 9, steps=3)[0] == 3
    assert judged([1.0], steps=0)[0] == 0
    assert judged([1.0] * 9, evaluations=4.5)[0] == 5
    assert judged([1.0] * 9, seconds=2.0)[0] == 2
    assert "evaluations" in judged([1.0] * 9, evaluations=4, steps=4)[1].reason


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=60), st.floats(1e-6, 1e3))
def test_verdicts_are_sentences_and_never_claim_convergence_with_a_large_gradient(losses, norm) -> None:
    verdict = judged(losses, norm, steps=40)[1]
    if verdict is not None:
        assert verdict.reason[0].isupper() and verdict.reason.endswith(".")
        if verdict.kind == "converged":
            assert norm <= 1e-3 * math.sqrt(abs(min(losses)))


@given(st.lists(st.floats(0.1, 10.0), min_size=30, max_size=60), st.floats(-3, 3))
def test_positive_scaling_changes_no_verdict(losses, exponent) -> None:
    factor = 2.0 ** round(exponent)
    plain = judged(losses, 1e-3, gtol=0.0, scale=1e-9)
    scaled = judged([factor * loss for loss in losses], 1e-3 * math.sqrt(factor), gtol=0.0, scale=1e-9)
    assert plain[0] == scaled[0]
    assert (plain[1] and plain[1].kind) == (scaled[1] and scaled[1].kind)


def test_counted() -> None:
    assert [counted(n, "step") for n in (0, 1, 2, 12.34)] == ["0 steps", "1 step", "2 steps", "12.3 steps"]
