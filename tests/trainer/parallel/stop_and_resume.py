"""Train in all processes of torchrun: once without a break, and once stopped by a signal to the last process alone, and resumed."""

from __future__ import annotations

import os
import shutil
import signal
import sys

import trainer
from data.runs import runs_folder
from trainer.loop.stopping import Stopped
from trainer.parallel import processes
from trainer.parallel.torchrun import joined

STOPPED_AT = 27


def main(corpus: str) -> None:
    fields = {"preset": "tiny", "corpus": corpus, "threads": 1, "dropout": 0.0}
    with joined():
        trainer.train(run="whole", progress=lambda step, note: None, **fields)

        def interrupt(step: int, note: str | None) -> None:
            if step == STOPPED_AT and processes.rank() == processes.count() - 1:
                os.kill(os.getpid(), signal.SIGINT)

        try:
            trainer.train(run="parted", progress=interrupt, **fields)
        except Stopped as stopped:
            print(f"rank {processes.rank()} stopped at step {stopped.step}", flush=True)
        processes.in_first(shutil.copytree, runs_folder() / "parted", runs_folder() / "stopped")
        trainer.train(run="parted", resume=True, progress=lambda step, note: None)


if __name__ == "__main__":
    main(*sys.argv[1:])
