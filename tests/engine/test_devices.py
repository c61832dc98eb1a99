"""Devices: what "auto" means, and that impossible choices are refused."""

import pytest
import torch

from lieapp.engine.devices import resolve_device, single_thread, synchronize
from lieapp.engine.errors import EngineError


@pytest.fixture
def hardware(monkeypatch: pytest.MonkeyPatch):
    def have(*, cuda: int = 0, mps: bool = False) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return have


def test_auto(hardware) -> None:
    hardware(cuda=2, mps=True)
    assert resolve_device("auto") == torch.device("cpu")
    assert resolve_device("auto", prefers="cuda") == torch.device("cuda", 0)
    hardware(mps=True)
    assert resolve_device("auto", prefers="cuda") == torch.device("cpu")  # float64 does not exist there
    assert resolve_device("auto", prefers="cuda", dtype=torch.float32) == torch.device("mps")
    assert resolve_device("auto", dtype="float32") == torch.device("cpu")
    hardware()
    assert resolve_device("auto", prefers="cuda", dtype="float32") == torch.device("cpu")


def test_named_devices(hardware) -> None:
    hardware(cuda=2, mps=True)
    assert resolve_device("cpu", prefers="cuda") == torch.device("cpu")
    assert resolve_device("cuda") == torch.device("cuda", 0)
    assert resolve_device("cuda:1") == torch.device("cuda", 1)
    assert resolve_device("mps", dtype="float32") == torch.device("mps")


@pytest.mark.parametrize("device", ["cuda", "cuda:3", "mps", "abacus", "meta", ""])
def test_impossible_choices_are_errors(hardware, device: str) -> None:
    hardware()
    with pytest.raises(EngineError):
        resolve_device(device)


def test_devices_that_lack_something(hardware) -> None:
    hardware(cuda=1, mps=True)
    with pytest.raises(EngineError, match="1 GPU"):
        resolve_device("cuda:1")
    with pytest.raises(EngineError, match="float32"):
        resolve_device("mps", dtype=torch.float64)


def test_one_thread_as_context_and_as_call() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with single_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        single_thread()
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_synchronizing_the_cpu_is_nothing() -> None:
    synchronize(torch.device("cpu"))
