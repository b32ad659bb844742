"""``python -m trainer.finetune`` as a user runs it: jokes, tables, stopping, mistakes in one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data.errors import InputError
from data.runs import Run, open_run
from data.tokens.vocabularies import END_OF_TEXT
from tests.commands import ROOT, assert_mistake, command
from tests.conftest import command_environment
from trainer.finetune.__main__ import main
from trainer.finetune.finetune_config import LanguageConfig
from trainer.finetune.language_model import start

QUICK = ["--epochs", "1", "--micro-batch", "8", "--accumulate", "1", "--threads", "1", "--sample-tokens", "8"]


def test_jokes_are_learned_from_a_run_of_ones_own(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--model", "tiny", "--too-long", "cut", *QUICK]) == 0
    tuned, said = open_run("tiny-jokes"), capsys.readouterr()
    counts, metrics = tuned.info["corpus"]["documents"], tuned.metrics()
    assert "from step 60 of tiny" in said.out
    assert f"{counts['learned']:,} documents of jokes for training, {counts['held_out']} held out" in said.out
    assert f"dropped {sum(counts['dropped_symbols'].values()):,} characters that the model does not know" in said.out
    assert f"validation loss {metrics[0]['val_loss']:.4f} before, {metrics[-1]['val_loss']:.4f} after" in said.out
    assert f"before: {tuned.samples()[0]['prompt']}" in said.out
    assert "lr " in said.err
    assert END_OF_TEXT in tuned.tokenizer.special_tokens


def test_a_column_can_be_named_and_skipped_documents_are_reported(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "short.csv"
    path.write_text("ID,Punchline\n1,moco\n2,bafi\n3,mocobafimocobafimoco\n4,\n5,moco\n", encoding="utf-8")
    assert main(["--model", "tiny", "--corpus", str(path), "--text-column", "Punchline", *QUICK]) == 0
    said = capsys.readouterr().out
    assert "skipped 1 documents longer than 16 tokens" in said
    assert "left out 1 empty documents and 1 that are there twice" in said


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--model", "nobody"], "there is no run 'nobody' in .*; there is tiny"),
        (["--model", "tiny@59"], "no snapshot of step 59"),
        (["--micro-batch", "0"], "micro_batch must be 1 or more"),
        (["--corpus", "hf:jokes"], "datasets"),
        (["--run", "tiny", "--too-long", "cut"], "run 'tiny' exists already: .* another name with `run`"),
        (["--run", "../x", "--too-long", "cut"], "cannot be the name of a run"),
        (["--learning-rate", "fast"], "--help"),
        (["--resume", "--run", "tiny"], "was not fine-tuned on documents"),
        (["--language", "de", "--corpus", "machado"], "`language` is for jokes, and the corpus is 'machado'"),
        (["--text-column", "Joke"], "`text_column` is for a table or a data set, and the corpus is 'jokes'"),
        (
            ["--split", "test", "--corpus", "x.csv"],
            "`split` is for a data set of Hugging Face, and the corpus is 'x.csv'",
        ),
        ([], "documents of pyjokes .* longer than the 16 tokens of a row; .* pass `too_long=cut`"),
    ],
)
def test_a_mistake_is_reported_and_nothing_is_written(
    run: Run, args: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    before = sorted(run.path.parent.rglob("*"))
    with pytest.raises(InputError, match=said):
        main(args)
    assert sorted(run.path.parent.rglob("*")) == before


@pytest.fixture
def semicolons(tmp_path: Path) -> Path:
    path = tmp_path / "semi.csv"
    path.write_text("sep=;\nid;text\n" + "".join(f"{n};moco bafi {'mo' * n}\n" for n in range(9)), encoding="utf-8")
    return path


def test_what_was_read_is_said_and_recorded(run: Run, semicolons: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--model", "tiny", "--corpus", str(semicolons), "--too-long", "cut", *QUICK]) == 0
    reading = "9 documents, column 'text', separator ';'"
    assert f"semi: {reading}\n" in capsys.readouterr().out
    assert open_run("tiny-semi").info["corpus"]["reading"] == reading


def test_a_training_at_rate_0_is_refused_before_anything_is_written(run: Run, semicolons: Path) -> None:
    options = ["--model", "tiny", "--corpus", str(semicolons), "--too-long", "cut", "--accumulate", "999"]
    before = sorted(run.path.parent.rglob("*"))
    with pytest.raises(
        InputError, match=r"stays at 0, .* takes 5,000 steps and the training has 1: pass `warmup_steps=0`"
    ):
        main([*options, "--epochs", "1", "--warmup-steps", "5000"])
    assert sorted(run.path.parent.rglob("*")) == before
    assert main([*options, "--epochs", "1", "--warmup-steps", "0", "--sample-tokens", "4"]) == 0


def test_a_rate_far_below_its_peak_is_warned_of_and_the_announced_one_is_that_which_occurs(
    run: Run, semicolons: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--model", "tiny", "--corpus", str(semicolons), "--too-long", "cut", *QUICK, "--epochs", "6"]
    with pytest.warns(UserWarning, match=r"reaches \d\.\de-\d+, 0\.\d+ of its peak 1\.0e-03: .* pass `warmup_steps="):
        assert main([*options, "--learning-rate", "1e-3", "--warmup-steps", "500", "--eval-every", "1"]) == 0
    highest = max(line["lr"] for line in open_run("tiny-semi").metrics())
    assert 0 < highest < 5e-4
    assert f"learning rate up to {highest:.1e}, warm-up 500 steps" in capsys.readouterr().out


def test_without_a_change_of_the_weights_the_two_samples_are_the_same(
    run: Run, semicolons: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--model", "tiny", "--corpus", str(semicolons), "--too-long", "cut", *QUICK, "--sample-tokens", "40"]
    assert main([*options, "--learning-rate", "1e-25", "--epochs", "2"]) == 0
    said = capsys.readouterr().out
    before, after = (
        next(line for line in said.splitlines() if line.startswith(when)) for when in ("before:", " after:")
    )
    assert before.removeprefix("before:") == after.removeprefix(" after:")
    assert "nothing moved: the weights of step" in said
    assert main([*options, "--learning-rate", "1e-2", "--epochs", "2"]) == 0
    assert "nothing moved" not in capsys.readouterr().out


def test_a_resumed_run_has_no_other_base(run: Run) -> None:
    start(LanguageConfig(too_long="cut", threads=1), "tiny", name="tiny-jokes")
    with pytest.raises(InputError, match="continues from its own weights, not from tiny: leave `model` out"):
        main(["--resume", "--run", "tiny-jokes", "--model", "tiny"])


def test_a_table_without_the_column_ends_in_one_line_with_the_columns_it_has(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("ID,Punchline\n1,moco\n2,bafi\n", encoding="utf-8")
    result = command("trainer.finetune", "--corpus", str(path))
    assert_mistake(result, "no column called Joke or text", "ID, Punchline", "--text-column")


@pytest.mark.slow
def test_ctrl_c_leaves_a_sound_run_that_resumes_to_the_same_end(run: Run) -> None:
    options = ["--model", "tiny", "--too-long", "cut", *QUICK, "--epochs", "6"]
    assert command("trainer.finetune", *options, "--run", "whole").returncode == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "trainer.finetune", *options, "--run", "parts"],
        cwd=ROOT,
        env=command_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    deadline = time.monotonic() + 120
    while len(Run(run.path.parent / "parts").snapshots()) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "resume with  python -m trainer.finetune --resume --run parts" in said
    parts, whole = open_run("parts"), open_run("whole")
    assert all(snapshot.defect() is None for snapshot in parts.snapshots())
    assert len(parts.snapshots()) < len(whole.snapshots())
    resumed = command("trainer.finetune", "--resume", "--run", "parts")
    assert resumed.returncode == 0, resumed.stderr
    assert [s.sha256 for s in parts.snapshots()] == [s.sha256 for s in whole.snapshots()]
    assert parts.samples() == whole.samples()
    assert os.listdir(parts.path / "resume")
