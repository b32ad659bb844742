"""The package lists what it holds, and loads it when it is used."""

from __future__ import annotations

import subprocess
import sys

import data
from tests.commands import ROOT


def test_the_package_lists_its_public_names() -> None:
    assert set(data.__all__) == set(dir(data))
    for name in data.__all__:
        assert getattr(data, name) is not None
        if name != "CORPORA":
            assert f"`{name}`" in (data.__doc__ or ""), name


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "numpy tokenizers pooch pandas tyro rich torch"
    code = f"import sys, data; print(*(set({heavy!r}.split()) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
