"""What the benchmarks share: a table on the terminal, and the machine it was measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table with a title and a line about the machine."""
    table = Table(
        title=title, caption=f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    )
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, str) else f"{cell:,.3g}" for cell in row))
    Console(width=140).print(table)
