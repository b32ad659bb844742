"""Logging to Trackio: into its folder on this machine, which ``trackio show`` displays, or where its own variables say."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from data.runs import Run
from trainer.loggers.choice import Log


@contextlib.contextmanager
def open_log(run: Run, step: int) -> Iterator[Log]:
    """Open the log of a run; one that is resumed continues the same run there."""
    import trackio

    trackio.init(
        project=os.environ.get("TRACKIO_PROJECT", "gptlab"),
        name=run.name,
        config=dict(run.info.get("training", {})),
        resume="allow" if step else "never",
        embed=False,
        auto_log_cpu=False,
        auto_log_gpu=False,
    )

    def log(step: int, metrics: Mapping[str, Any] | None, sample: Mapping[str, Any] | None) -> None:
        found = {name: value for name, value in (metrics or {}).items() if name != "step"}
        if sample is not None:
            found["sample"] = trackio.Markdown(f"```\n{sample['prompt']}{sample['text']}\n```")
        if found:
            trackio.log(found, step=step)

    try:
        yield log
    finally:
        trackio.finish()
