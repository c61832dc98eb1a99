"""Check the schedules against their formulas."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lieapp.optimizers.schedules import ScheduleSettings
from tests.optimizers.conftest import PROPERTY


@PROPERTY
@given(
    st.sampled_from(["constant", "cosine", "inverse-time", "warm-up", "warm-up-cosine"]),
    st.integers(1, 10**6),
    st.floats(0, 1),
    st.floats(0, 10),
    st.integers(1, 10**6),
    st.integers(0, 10**7),
)
def test_factors_stay_between_zero_and_one(
    kind: str, steps: int, final: float, decay: float, warmup: int, step: int
) -> None:
    schedule = ScheduleSettings(kind=kind, steps=steps, final=final, decay=decay, warmup_steps=warmup)
    assert 0.0 <= schedule.factor(step) <= 1.0


def test_constant_is_one() -> None:
    assert {ScheduleSettings().factor(k) for k in range(50)} == {1.0}


def test_cosine_agrees_with_torch() -> None:
    p = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([p], lr=1.0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=40, eta_min=0.1)
    schedule = ScheduleSettings(kind="cosine", steps=40, final=0.1)
    for k in range(40):
        assert schedule.factor(k) == pytest.approx(scheduler.get_last_lr()[0], abs=1e-12)
        optimizer.step()
        scheduler.step()
    assert schedule.factor(40) == schedule.factor(10**6) == pytest.approx(0.1)


def test_inverse_time() -> None:
    schedule = ScheduleSettings(kind="inverse-time", decay=0.5)
    assert [schedule.factor(k) for k in (0, 1, 2)] == [1.0, 1 / 1.5, 0.5]


def test_warm_up_rises_linearly_and_stays() -> None:
    schedule = ScheduleSettings(kind="warm-up", warmup_steps=4)
    assert [schedule.factor(k) for k in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_warm_up_cosine_joins_without_a_jump() -> None:
    schedule = ScheduleSettings(kind="warm-up-cosine", warmup_steps=10, steps=110, final=0.0)
    assert schedule.factor(9) == schedule.factor(10) == 1.0
    assert schedule.factor(60) == pytest.approx(0.5)
    assert schedule.factor(110) == pytest.approx(0.0, abs=1e-15)
    short = ScheduleSettings(kind="warm-up-cosine", warmup_steps=10, steps=5, final=0.25)
    assert short.factor(9) == 1.0 and short.factor(10) == 0.25
    assert math.isfinite(short.factor(0))


def test_a_negative_step_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid step"):
        ScheduleSettings().factor(-1)
