"""Names of runs, and the folder that holds the runs."""

from __future__ import annotations

import os
import re
from pathlib import Path

from data.errors import InputError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


def runs_folder() -> Path:
    """Locate the folder of the runs: ``$GPTLAB_RUNS``, or ``runs`` in the current folder."""
    return Path(os.environ.get("GPTLAB_RUNS") or "runs")


def check_run_name(name: str) -> str:
    """Check that a name can be that of a run, and return it.

    It consists of letters, digits, ``.``, ``_`` and ``-``, and starts with none of ``.`` and ``-``.

    Raises
    ------
    InputError
        If it cannot.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} cannot be the name of a run: use letters, digits, '.', '_' and '-', and start with a letter or digit"
        )
    return name


def check_free(
    name: str,
    folder: Path | None = None,
    *,
    advice: str = "pass `resume=True` to resume it, or another name with `run`",
) -> str:
    """Check that a new run can have this name, and return it.

    Parameters
    ----------
    name : of the new run.
    folder : of the runs; `runs_folder` if None.
    advice : what to do if the name is taken, for the message.

    Raises
    ------
    InputError
        If there is a run of this name, or no run can have it.
    """
    if ((folder or runs_folder()) / check_run_name(name) / "run.json").exists():
        raise InputError(f"run {name!r} exists already: {advice}")
    return name
