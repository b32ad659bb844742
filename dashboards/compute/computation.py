"""What the pages of one server share: the results they have computed, and the jobs that compute more.

A page receives it with the run (`dashboards.page.Page`). A test makes its own.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import TypeVar

from dashboards.compute.background_jobs import BackgroundJobs
from dashboards.compute.jobs import Jobs
from dashboards.compute.live_runs import LiveMeasures
from dashboards.compute.result_cache import ResultCache

Drawn = TypeVar("Drawn")

MOST_TABLE_BYTES = 600e6


@dataclass(frozen=True)
class Computation:
    """Caches and jobs of a server; every cache is bounded.

    A table of 5,000 tokens over 58 snapshots takes 150 MB, its layout 3 MB, the attention of a small model 1 MB, a small model itself
    about 1 MB. Six runs that are compared have twelve tables: their own, and those of what each pair shares. Of the models that fill
    memory (``large_models``) only the last is kept.
    """

    tables: ResultCache = field(default_factory=lambda: ResultCache(most=12, most_bytes=MOST_TABLE_BYTES))
    results: ResultCache = field(default_factory=lambda: ResultCache(most=64))
    prompts: ResultCache = field(default_factory=lambda: ResultCache(most=8))
    figures: ResultCache = field(default_factory=lambda: ResultCache(most=12))
    models: ResultCache = field(default_factory=lambda: ResultCache(most=8))
    large_models: ResultCache = field(default_factory=lambda: ResultCache(most=1))
    live: LiveMeasures = field(default_factory=LiveMeasures)
    background: BackgroundJobs = field(default_factory=BackgroundJobs)
    jobs: Jobs = field(default_factory=Jobs)
    drawing: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "drawing"))

    def draw(self, make: Callable[[], Drawn]) -> Drawn:
        """Draw in the one thread that draws: matplotlib opens its fonts anew for every thread, and holds them when it has ended."""
        return self.drawing.submit(copy_context().run, make).result()


def start_computation() -> Computation:
    """Create the computation of a server, whose jobs end with the process."""
    computation = Computation()
    atexit.register(computation.jobs.end_all)
    return computation
