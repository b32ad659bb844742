"""Runs on disk: the format (`data.runs.run`), files that are whole or absent, safetensors, and decoding traces."""

from data.runs.run import (
    FORMAT,
    TOKENIZER_FILE,
    Run,
    check_free,
    check_run_name,
    create_run,
    list_runs,
    open_run,
    rewind,
    runs_folder,
    write_snapshot,
)
from data.runs.snapshot import Snapshot

__all__ = [
    "FORMAT",
    "TOKENIZER_FILE",
    "Run",
    "Snapshot",
    "check_free",
    "check_run_name",
    "create_run",
    "list_runs",
    "open_run",
    "rewind",
    "runs_folder",
    "write_snapshot",
]
