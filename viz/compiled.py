"""Loops over arrays, compiled by Numba."""

from __future__ import annotations

import functools
from importlib import import_module
from typing import Any


@functools.cache
def compiled(loops: Any, *, fastmath: bool = False) -> Any:
    """Compile a function of loops, or load what was compiled before; it lets other threads run.

    Where there is no folder in which to keep it, it is compiled in every process.
    """
    njit = import_module("numba").njit
    try:
        return njit(nogil=True, cache=True, fastmath=fastmath)(loops)
    except RuntimeError:  # there is no folder to keep it in
        return njit(nogil=True, fastmath=fastmath)(loops)
