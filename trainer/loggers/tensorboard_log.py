"""Logging to TensorBoard: event files in the run's folder ``tensorboard``. ``tensorboard --logdir runs`` shows all runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from data.runs import Run
from trainer.loggers.choice import Log


@contextlib.contextmanager
def open_log(run: Run, step: int) -> Iterator[Log]:
    """Open the log of a run that continues from ``step``; what was logged after it, before the run was killed, no longer counts."""
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(run.path / "tensorboard"), purge_step=step + 1 if step else None)

    def log(step: int, metrics: Mapping[str, Any] | None, sample: Mapping[str, Any] | None) -> None:
        for name, value in (metrics or {}).items():
            if name != "step":
                writer.add_scalar(name, value, step)
        if sample is not None:
            writer.add_text("sample", _verbatim(f"{sample['prompt']}{sample['text']}"), step)
        writer.flush()  # a run is watched while it trains

    try:
        yield log
    finally:
        writer.close()


def _verbatim(text: str) -> str:
    """Indent a text, so that Markdown shows it as it is."""
    return "".join(f"    {line}\n" for line in text.splitlines())
