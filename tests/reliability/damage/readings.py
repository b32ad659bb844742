"""Everything that the toolkit reads of a run, called once, with what it said.

A reading runs in a forked process with a limit on memory and time: what is damaged may not hang, and may not ask for much.
"""

from __future__ import annotations

import os
import pickle
import resource
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dashboards.compute.run_records import curves, records
from dashboards.state import run_list
from data.errors import InputError
from data.notices import collect_notices
from data.runs import Run, list_runs, open_run
from data.runs.labels import read_label
from data.runs.traces import list_traces, read_trace
from data.upkeep.sizes import part_sizes
from data.upkeep.verification import verify
from probes.tables.embeddings import token_embeddings
from trainer.loading import each_model, load_model
from viz.projection.projection_cache import cached_projection

MOST_SECONDS = 20
"""Of the processor, for one reading by all readers."""
MOST_EXTRA_BYTES = 3 << 29
KNOWN = {
    "step",
    "file",
    "bytes",
    "sha256",
    "prompt",
    "text",
    "temperature",
    "seed",
    "train_loss",
    "val_loss",
    "lr",
    "tokens",
}


@dataclass
class Reading:
    """What was read, by the name of the reader; what was said: notices, refusals and findings; ``crash`` is a traceback."""

    values: dict[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    crash: str = ""


def read_everything(folder: Path, name: str) -> Reading:
    """Read a run in a folder of runs by all readers; whatever is no `InputError` is raised."""
    reading = Reading()
    readers: dict[str, Callable[[Run], Any]] = {
        "info": lambda run: run.info,
        "manifest": lambda run: list(map(_known, run.manifest())),
        "metrics": lambda run: list(map(_known, run.metrics())),
        "samples": lambda run: list(map(_known, run.samples())),
        "tokenizer": lambda run: run.tokenizer.vocab_size,
        "sound": lambda run: [(snapshot.step, snapshot.sha256) for snapshot in run.sound_snapshots()],
        "model": _logits,
        "models": lambda run: [snapshot.step for snapshot, _ in each_model(run)],
        "table": lambda run: float(np.abs(token_embeddings(run).values).sum()),
        "layout": lambda run: float(
            np.abs(cached_projection(run, token_embeddings(run), "pca")["layout"].values).sum()
        ),
        "label": read_label,
        "traces": lambda run: [len(read_trace(run, trace).steps) for trace in list_traces(run)],
        "card": lambda run: len(run._repr_html_()),
        "record": lambda run: records([run])[0].val_loss,
        "curves": lambda run: sorted(curves(run)),
        "sizes": lambda run: len(part_sizes(run)),
    }
    with collect_notices() as notices:
        reading.values["listed"] = [run.name for run in list_runs(folder)]
        run_list.runs()
        try:
            open_run(name, folder)
        except InputError as error:
            reading.said.append(str(error))
        for reader, read in readers.items():
            try:
                reading.values[reader] = read(Run(folder / name))
            except InputError as error:
                reading.said.append(f"{reader}: {error}")
        reading.said += [str(finding) for finding in verify(Run(folder / name)).findings]
    reading.said += notices
    return reading


def _known(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name in KNOWN}


def _logits(run: Run) -> float:
    model = load_model(run, run.manifest()[-1]["step"] if run.manifest() else 0)
    with torch.no_grad():
        return float(model(torch.zeros(1, 2, dtype=torch.long))[0].abs().sum())


def each_in_child(work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
    """Do work on each item in a forked process with limits on memory and time; yield the results.

    The result is a `Reading` with a traceback for one that fails, and for one at which the process ends; another then does the rest.
    """
    rest = list(items)
    while rest:
        reader, writer = os.pipe()
        process = os.fork()
        if not process:
            os.close(reader)
            _work_and_leave(work, rest, writer)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            while True:
                try:
                    result = pickle.load(pipe)
                except EOFError:
                    break
                rest.pop(0)
                yield result
        status = os.waitpid(process, 0)[1]
        if rest:
            yield Reading(crash=f"ended by signal {os.WTERMSIG(status)} (14 and 27: it took too long)")
            rest.pop(0)


def _work_and_leave(work: Callable[[Any], Any], items: Sequence[Any], writer: int) -> None:
    """Write the results into a pipe, and end the process without the cleaning up of the one that it was forked from."""
    try:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MOST_EXTRA_BYTES, resource.RLIM_INFINITY))
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        torch.set_num_threads(1)
        with os.fdopen(writer, "wb") as pipe:
            for item in items:
                signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
                signal.alarm(10 * MOST_SECONDS)  # a wait takes no time of the processor
                pipe.write(pickle.dumps(_done(work, item)))
                pipe.flush()
    finally:
        os._exit(0)


def _done(work: Callable[[Any], Any], item: Any) -> Any:
    try:
        return work(item)
    except Exception:
        return Reading(crash=traceback.format_exc())
