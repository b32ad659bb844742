"""Runs on disk: the format (`data.runs.run`), its schema, listing, writing and locking, and decoding traces."""

from data.runs.listing import check_free, check_run_name, list_runs, open_run, runs_folder
from data.runs.run import FORMAT, TOKENIZER_FILE, Run
from data.runs.snapshot import Snapshot
from data.runs.writing import create_run, write_info, write_snapshot

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
    "runs_folder",
    "write_info",
    "write_snapshot",
]
