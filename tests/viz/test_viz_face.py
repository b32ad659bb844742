"""``import viz`` is quick, and ``help(viz)`` names what there is."""

from __future__ import annotations

import subprocess
import sys

import viz
from tests.conftest import command_environment


def test_every_name_is_there_and_in_the_table_of_contents() -> None:
    for name in viz.__all__:
        assert getattr(viz, name) is not None
        assert f"`{name}`" in (viz.__doc__ or ""), name


def test_importing_loads_nothing_heavy() -> None:
    script = "import sys, viz; print(*(set(sys.modules) & {'matplotlib', 'xarray', 'pandas', 'torch', 'tyro'}))"
    result = subprocess.run([sys.executable, "-c", script], env=command_environment(), capture_output=True, text=True)
    assert result.stdout.split() == []
