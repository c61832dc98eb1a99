"""Preparing a reconstruction can be given up soon, wherever it is."""

from __future__ import annotations

import itertools
import time

import pytest

from lieapp.cryoem.baselines import measure_baselines
from lieapp.cryoem.inputs import load_inputs
from lieapp.cryoem.interruption import Interrupted, interruptible, stop_if_unwanted
from lieapp.cryoem.spec import CryoemJob


def test_outside_nothing_is_given_up() -> None:
    stop_if_unwanted()
    with pytest.raises(Interrupted), interruptible(lambda: True):
        stop_if_unwanted()
    stop_if_unwanted()


def test_no_piece_is_long() -> None:
    job = CryoemJob(box=48, images=1000, ctf=True)
    times: list[float] = []

    def ask() -> bool:
        times.append(time.thread_time())
        return False

    measure_baselines(job.changed(images=10), load_inputs(job.changed(images=10)))  # what is loaded once
    first = time.thread_time()
    with interruptible(ask):
        measure_baselines(job, load_inputs(job))
    times = [first, *times, time.thread_time()]
    longest = max(after - before for before, after in itertools.pairwise(times))
    assert longest < 0.2 * (times[-1] - first), f"{longest:.2f} of {times[-1] - first:.2f} s"


def test_what_was_given_up_is_made_when_it_is_wanted_again() -> None:
    job = CryoemJob(box=16, images=40)
    inputs = load_inputs(job)
    asked = 0

    def late() -> bool:
        nonlocal asked
        asked += 1
        return asked > 30

    with pytest.raises(Interrupted), interruptible(late):
        measure_baselines(job, inputs)
    assert measure_baselines(job, inputs).minimiser is not None
