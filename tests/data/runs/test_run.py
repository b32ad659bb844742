"""What is written can be read; what is damaged is named and left out."""

from __future__ import annotations

import hashlib
import json
import os
from io import BufferedReader
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from data.errors import InputError
from data.files.atomic_files import append_line, write_bytes
from data.files.json_files import read_lines
from data.runs import Run, check_run_name, create_run, list_runs, open_run, write_snapshot
from data.runs import snapshot as snapshot_module
from data.runs.earlier_records import drop_earlier, earlier_records
from data.runs.training_lock import lock_run
from data.tokens.tokenizers import CharTokenizer
from data.tokens.vocabularies import learn_bpe

TENSORS = {"wte.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "ln.bias": np.ones(4, dtype=np.float32)}


@pytest.fixture
def made(tmp_path: Path) -> Run:
    run = create_run("made", {"created": "2026-01-01", "tensors": {}}, tmp_path)
    for step in (0, 10, 20):
        write_snapshot(run, step, {name: tensor + step for name, tensor in TENSORS.items()})
    return run


def test_a_tensor_is_read_back_as_it_was_written_and_as_the_library_reads_it(made: Run) -> None:
    snapshot = made.snapshot(10)
    by_library = load_file(snapshot.path)
    for name, tensor in TENSORS.items():
        np.testing.assert_array_equal(snapshot.tensor(name), tensor + 10)
        np.testing.assert_array_equal(snapshot.tensors()[name], by_library[name])


def test_the_manifest_holds_what_is_on_the_disk(made: Run) -> None:
    for record in made.manifest():
        content = (made.path / record["file"]).read_bytes()
        assert (record["bytes"], record["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_format_1_is_what_its_specification_says(made: Run) -> None:
    """The golden bytes of a snapshot: readers written elsewhere rely on them."""
    content = made.snapshot(0).path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    assert header["wte.weight"]["dtype"] == "F32"
    assert header["wte.weight"]["shape"] == [2, 3]
    begin, end = header["wte.weight"]["data_offsets"]
    assert content[8 + length + begin : 8 + length + end] == np.arange(6, dtype="<f4").tobytes()
    assert made.snapshot(0).path.name == "00000000.safetensors"
    assert json.loads((made.path / "run.json").read_text())["format"] == 1


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:-5]), "bytes instead of"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\x7f"), "is damaged"),
    ],
)
def test_a_damaged_snapshot_is_named_and_the_others_serve(made: Run, damage: object, complaint: str) -> None:
    damage(made.snapshot(10).path)  # type: ignore[operator]
    with pytest.warns(UserWarning, match=f"snapshot of step 10 of run 'made' .*{complaint}"):
        assert [snapshot.step for snapshot in made.sound_snapshots()] == [0, 20]

    with pytest.warns(UserWarning, match=f"snapshot of step 10 of run 'made' .*{complaint}"):
        assert [snapshot.step for snapshot, _ in made.sound_tensors()] == [0, 20]


def test_each_whole_snapshot_is_opened_once_with_the_tensors_that_are_wanted(
    made: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    open_regular = snapshot_module.open_regular

    def watched(path: Path) -> BufferedReader:
        opened.append(path)
        return open_regular(path)

    monkeypatch.setattr(snapshot_module, "open_regular", watched)
    found = {snapshot.step: tensors for snapshot, tensors in made.sound_tensors(["wte.weight"])}
    assert [path for path in opened if path.suffix == ".safetensors"] == [each.path for each in made.snapshots()]
    for step, tensors in found.items():
        assert list(tensors) == ["wte.weight"]
        np.testing.assert_array_equal(tensors["wte.weight"], TENSORS["wte.weight"] + step)
        assert tensors["wte.weight"].base is None  # the bytes of the file are not kept


def test_a_tensor_that_is_not_there_is_named_with_those_that_are(made: Run) -> None:
    message = "snapshot of step 0: it has no tensor 'wpe.weight'; it has .*wte.weight"
    with pytest.raises(InputError, match=message):
        made.snapshot(0).tensor("wpe.weight")
    with pytest.raises(InputError, match=message):
        list(made.sound_tensors(["wpe.weight"]))


def test_a_run_without_a_whole_snapshot_says_so(made: Run) -> None:
    for snapshot in made.snapshots():
        snapshot.path.unlink()
    with pytest.raises(InputError, match="no whole snapshot"), pytest.warns(UserWarning, match="is missing"):
        made.sound_snapshots()
    with pytest.raises(InputError, match="no whole snapshot"), pytest.warns(UserWarning, match="is missing"):
        list(made.sound_tensors())


def test_a_line_that_is_still_being_written_does_not_count(made: Run) -> None:
    with (made.path / "manifest.jsonl").open("ab") as file:
        file.write(b'{"step": 30, "file": "snapsh')
    lock = lock_run(made.path)
    assert [record["step"] for record in made.manifest()] == [0, 10, 20]
    lock.release()
    with pytest.warns(UserWarning, match=r"the last line of manifest.jsonl in run 'made' was cut: it is left out"):
        assert [record["step"] for record in made.manifest()] == [0, 10, 20]


def test_a_last_line_that_lacks_only_its_newline_counts(made: Run) -> None:
    path = made.path / "manifest.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    assert [record["step"] for record in made.manifest()] == [0, 10, 20]
    write_snapshot(made, 30, TENSORS)
    assert [record["step"] for record in made.manifest()] == [0, 10, 20, 30]


def test_earlier_records_go_as_the_resumed_training_passes_them(made: Run) -> None:
    for step in (0, 10, 20):
        append_line(made.path / "metrics.jsonl", {"step": step, "train_loss": 1.0, "val_loss": 1.0})
    earlier = earlier_records(made, 0)
    write_snapshot(made, 10, {name: tensor + 10 for name, tensor in TENSORS.items()})  # as before
    write_snapshot(made, 15, TENSORS)
    assert [record["step"] for record in made.manifest()] == [0, 10, 15, 20]

    earlier = drop_earlier(made, earlier, 15)
    assert [record["step"] for record in made.manifest()] == [0, 10, 15, 20]
    assert [record["step"] for record in made.metrics()] == [0, 20]
    assert len((made.path / "manifest.jsonl").read_bytes().splitlines()) == 4

    drop_earlier(made, earlier, float("inf"))
    assert [record["step"] for record in made.manifest()] == [0, 10, 15]
    assert sorted(path.name for path in (made.path / "snapshots").iterdir()) == [
        f"{step:08d}.safetensors" for step in (0, 10, 15)
    ]
    assert len(made.sound_snapshots()) == 3


def test_a_snapshot_that_was_reported_is_not_touched_by_another_of_its_step(made: Run) -> None:
    before = made.snapshot(20)
    content = before.path.read_bytes()
    other = write_snapshot(made, 20, TENSORS)
    assert other.path != before.path
    assert before.path.read_bytes() == content
    assert made.snapshot(20) == other
    assert write_snapshot(made, 20, TENSORS) == other  # equal weights are not written again


def test_the_newest_run_is_opened_when_none_is_named(tmp_path: Path) -> None:
    create_run("b", {"created": "2026-01-01"}, tmp_path)
    create_run("a", {"created": "2026-01-02"}, tmp_path)
    assert open_run(None, tmp_path).name == "a"
    assert [run.name for run in list_runs(tmp_path)] == ["b", "a"]


def test_a_run_is_not_written_over(made: Run) -> None:
    with pytest.raises(InputError, match="`resume=True`"):
        create_run("made", {}, made.path.parent)


def test_no_run_and_an_unknown_run_are_distinguished(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no run in .*train one"):
        open_run(None, tmp_path)
    create_run("one", {}, tmp_path)
    with pytest.raises(InputError, match=r"there is no run 'two' .*; there is one"):
        open_run("two", tmp_path)


@pytest.mark.parametrize("name", ["", "..", "../x", "/etc", ".hidden", "a/b", "a b", "-x", "a\n"])
def test_a_name_cannot_climb_out_of_the_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be the name of a run"):
        check_run_name(name)
    with pytest.raises(InputError):
        open_run(name, tmp_path)


def test_a_damaged_run_json_is_named(made: Run) -> None:
    (made.path / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"run\.json is missing or damaged"):
        open_run("made", made.path.parent)


def test_a_newer_format_is_refused(made: Run) -> None:
    (made.path / "run.json").write_text('{"format": 2}')
    with pytest.raises(InputError, match="has format 2; this version reads format 1"):
        open_run("made", made.path.parent)


def test_sub_words_get_a_file_of_their_own_that_the_library_reads(tmp_path: Path) -> None:
    """Format 1 of a run of sub-words: run.json stays short, and names the file and its hash."""
    tokenizer = learn_bpe("abab abab", 258)
    run = create_run("sub-words", {"tokenizer": tokenizer.to_json()}, tmp_path)
    content = (run.path / "tokenizer.json").read_bytes()
    assert json.loads((run.path / "run.json").read_text())["tokenizer"] == {
        "kind": "subwords",
        "origin": "byte-level BPE learned from the text",
        "tokens": 258,
        "file": "tokenizer.json",
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    by_library = Tokenizer.from_str(content.decode())
    assert by_library.encode("ab abab").ids == run.tokenizer.encode("ab abab").tolist()
    assert Run(run.path).tokenizer == tokenizer


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda path: path.unlink(), r"has lost its tokenizer.json \(No such file or directory\)"),
        (
            lambda path: path.write_bytes(path.read_bytes().replace(b"a", b"b")),
            "tokenizer.json of run 'made' is damaged",
        ),
    ],
)
def test_a_tokenizer_that_is_lost_or_damaged_is_named(damage: object, complaint: str, tmp_path: Path) -> None:
    run = create_run("made", {"tokenizer": learn_bpe("abab abab", 258).to_json()}, tmp_path)
    damage(run.path / "tokenizer.json")  # type: ignore[operator]
    with pytest.raises(InputError, match=complaint):
        Run(run.path).tokenizer  # noqa: B018


def test_characters_stand_in_run_json_itself(tmp_path: Path) -> None:
    run = create_run("made", {"tokenizer": CharTokenizer("abc").to_json()}, tmp_path)
    assert run.tokenizer == CharTokenizer("abc")
    assert run.info["tokenizer"] == {"kind": "char", "symbols": "abc"}
    assert not (run.path / "tokenizer.json").exists()


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_lines_are_read_as_they_were_appended(tmp_path: Path) -> None:
    records = [{"step": 1, "text": "a\nb — ç"}, {"step": 2, "text": ""}]
    for record in records:
        append_line(tmp_path / "lines.jsonl", record)
    assert read_lines(tmp_path / "lines.jsonl") == records
