"""Properties of the readers on any bytes, and a state machine that writes, damages, repairs, prunes and reads a run in any order."""

from __future__ import annotations

import contextlib
import json
import shutil
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from safetensors import SafetensorError
from safetensors.numpy import load

from data.files.atomic_files import append_line, encode_line
from data.files.json_files import DamagedError, parse_line
from data.files.safetensors_files import decode_tensors
from data.notices import collect_notices
from data.runs import Run, create_run, list_runs, write_snapshot
from data.tokens.tokenizers import CharTokenizer
from data.upkeep.pruning import prune
from data.upkeep.repair import repair
from data.upkeep.verification import verify

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=20)
RECORDS = st.dictionaries(st.text(max_size=8).filter(lambda key: key != "crc32"), SCALARS, min_size=1, max_size=6)
ENTRY = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "F16", "I64", "F31", "BOOL"]),
        "shape": st.lists(st.integers(-1, 4), max_size=3),
        "data_offsets": st.tuples(st.integers(0, 40), st.integers(0, 40)).map(list),
    }
)


@given(RECORDS)
def test_a_line_is_read_as_it_was_written(record: dict[str, Any]) -> None:
    found = parse_line(encode_line(record)[:-1])
    assert found is not None
    assert {name: value for name, value in found.items() if name != "crc32"} == record


@given(RECORDS, st.integers(0, 10**6), st.integers(0, 7))
def test_a_flipped_bit_of_a_line_is_found_or_in_the_name_of_its_checksum(
    record: dict[str, Any], place: int, bit: int
) -> None:
    line = bytearray(encode_line(record)[:-1])
    line[place % len(line)] ^= 1 << bit
    found = parse_line(bytes(line))
    assert found is None or {name: found.get(name) for name in record} == record


@given(st.dictionaries(st.sampled_from("abc"), ENTRY, max_size=3), st.integers(0, 40))
def test_what_the_library_refuses_is_refused(header: dict[str, Any], n_bytes: int) -> None:
    described = json.dumps(header).encode()
    content = struct.pack("<Q", len(described)) + described + bytes(n_bytes)
    try:
        expected = load(content)
    except (SafetensorError, KeyError):
        with pytest.raises(DamagedError):
            decode_tensors(content)
        return
    found = decode_tensors(content)
    assert {name: array.shape for name, array in found.items()} == {
        name: array.shape for name, array in expected.items()
    }


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(content: bytes) -> None:
    with contextlib.suppress(DamagedError):
        assert isinstance(decode_tensors(content), dict)


@given(st.text(min_size=1), st.data())
def test_a_tokenizer_returns_the_text(text: str, data: st.DataObject) -> None:
    tokenizer = CharTokenizer.from_text(text)
    part = data.draw(st.text(alphabet=sorted(set(text)), max_size=30))
    assert tokenizer.decode(tokenizer.encode(part)) == part
    assert all(0 <= token < tokenizer.vocab_size for token in tokenizer.encode(part))


class RunMachine(RuleBasedStateMachine):
    """A run that is written, damaged, repaired, pruned and read; ``whole`` are the steps whose files nobody has touched."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.run = create_run("made", {"created": "2026-01-01"}, self.folder)
        self.whole: dict[int, float] = {}
        self.write(0)

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @rule(step=st.integers(0, 30))
    def write(self, step: int) -> None:
        value = float(len(self.whole))
        with collect_notices():
            write_snapshot(self.run, step, {"wte.weight": np.full((2, 3), value, dtype=np.float32)})
        append_line(self.run.path / "metrics.jsonl", {"step": step, "val_loss": value})
        self.whole[step] = value

    @precondition(lambda self: self.whole)
    @rule(data=st.data(), kind=st.sampled_from(["flip", "cut", "remove"]))
    def damage(self, data: st.DataObject, kind: str) -> None:
        step = data.draw(st.sampled_from(sorted(self.whole)))
        with collect_notices():
            path = self.run.snapshot(step).path
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        if kind == "remove":
            path.unlink()
        else:
            path.write_bytes(bytes(content) if kind == "flip" else bytes(content[:-3]))
        del self.whole[step]

    @rule(part=st.binary(min_size=1, max_size=20).filter(lambda part: b"\n" not in part and b"}" not in part))
    def cut_a_line(self, part: bytes) -> None:
        with (self.run.path / "manifest.jsonl").open("ab") as file:
            file.write(b'{"step' + part)
        append_line(
            self.run.path / "manifest.jsonl",
            {"step": 99, "file": "snapshots/none.safetensors", "bytes": 1, "sha256": "0" * 64},
        )

    @rule()
    def repair(self) -> None:
        with collect_notices():
            repair(self.run)
            assert not verify(Run(self.run.path)).findings

    @rule(last=st.integers(1, 5))
    def prune(self, last: int) -> None:
        with collect_notices():
            prune(self.run, f"last:{last}")
            left = {snapshot.step for snapshot in self.run.snapshots()}
        self.whole = {step: value for step, value in self.whole.items() if step in left}

    @invariant()
    def what_is_whole_is_read(self) -> None:
        with collect_notices():
            assert [run.name for run in list_runs(self.folder)] == ["made"]
            sound = {s.step: float(s.tensor("wte.weight")[0, 0]) for s in self.run.snapshots() if s.defect() is None}
        assert sound == self.whole


TestRunMachine = RunMachine.TestCase
TestRunMachine.settings = settings(
    max_examples=settings.default.max_examples // 10,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
