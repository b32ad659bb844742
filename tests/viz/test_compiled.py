"""Compiled loops where nothing can be kept on disk, as in a read-only installation."""

from __future__ import annotations

from types import SimpleNamespace

import numba
import numpy as np
import pytest

from viz.compiled import compiled


@pytest.mark.parametrize("fastmath", [False, True])
def test_loops_are_compiled_where_there_is_no_folder_to_keep_them_in(
    monkeypatch: pytest.MonkeyPatch, fastmath: bool
) -> None:
    def total(values: np.ndarray) -> float:
        found = 0.0
        for value in values:
            found += value
        return found

    asked = list[bool]()

    def without_a_folder(**options: object) -> object:
        asked.append("cache" in options)
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return numba.njit(**options)

    monkeypatch.setattr("viz.compiled.import_module", lambda _: SimpleNamespace(njit=without_a_folder))
    assert compiled(total, fastmath=fastmath)(np.arange(4.0)) == 6
    assert asked == [True, False]
