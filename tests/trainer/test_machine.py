"""Settings of the machine: they do no harm where they do not exist."""

from __future__ import annotations

import pytest

from trainer import machine


def test_a_c_library_without_the_setting_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> str:
        raise ValueError(f"unrecognized configuration name {name}")

    monkeypatch.setattr(machine.os, "confstr", unknown, raising=False)
    assert machine.reuse_freed_memory() is False
    monkeypatch.delattr(machine.os, "confstr", raising=False)
    assert machine.reuse_freed_memory() is False
