"""Settings of the machine: they do no harm where they do not exist, and threads are chosen by measurement."""

from __future__ import annotations

import time

import pytest
import torch

from trainer import machine


def test_a_c_library_without_the_setting_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> str:
        raise ValueError(f"unrecognized configuration name {name}")

    monkeypatch.setattr(machine.os, "confstr", unknown, raising=False)
    assert machine.reuse_freed_memory() is False
    monkeypatch.delattr(machine.os, "confstr", raising=False)
    assert machine.reuse_freed_memory() is False


def test_the_number_of_threads_that_is_fastest_is_found_and_set() -> None:
    before = torch.get_num_threads()
    try:
        slow_with_two = lambda: time.sleep(0.002 * torch.get_num_threads())  # noqa: E731
        assert machine.fastest_threads(slow_with_two, [2, 1], rounds=3) == 1
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
