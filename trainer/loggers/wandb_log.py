"""Logging to Weights & Biases: to the server if the user is logged in, and otherwise offline, into the run's folder ``wandb``.

``wandb sync`` uploads what was logged offline. WANDB_MODE, WANDB_PROJECT and the library's other variables count as usual.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from data.runs import Run
from trainer.loggers.choice import Log

COLUMNS = ["step", "prompt", "text"]


@contextlib.contextmanager
def open_log(run: Run, step: int) -> Iterator[Log]:
    """Open the log of a run; one that is resumed continues the same run there."""
    import wandb

    opened = wandb.init(
        project=os.environ.get("WANDB_PROJECT", "gptlab"),
        name=run.name,
        id=run_id(run),
        dir=str(run.path),
        config=dict(run.info.get("training", {})),
        resume="allow" if step else None,
        # Without credentials the library would ask for them, and wait.
        mode=None if "WANDB_MODE" in os.environ or wandb.login(prompt=False, verify=False) else "offline",
        settings=wandb.Settings(silent=True),
    )
    # Its own counter must rise with every call, which that of a resumed run does not.
    opened.define_metric("step")
    opened.define_metric("*", step_metric="step")

    def log(step: int, metrics: Mapping[str, Any] | None, sample: Mapping[str, Any] | None) -> None:
        found: dict[str, Any] = {"step": step, **(metrics or {})}
        if sample is not None:
            found["sample"] = wandb.Table(columns=COLUMNS, data=[[step, sample["prompt"], sample["text"]]])
        if metrics or sample:
            opened.log(found)

    try:
        yield log
    finally:
        opened.finish()


def run_id(run: Run) -> str:
    """Build the identifier of a run there: the same whenever it is resumed, and another for a new run of the same name."""
    return hashlib.sha256(f"{run.name} {run.info.get('created')}".encode()).hexdigest()[:12]
