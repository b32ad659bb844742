"""Supervised fine-tuning of a tiny run: what can be learned is, what cannot is not, and the run it leaves can be read."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.errors import InputError
from data.runs import Run, open_run
from data.tasks.examples import KINDS, Classification, Example, MultipleChoice, Task
from tests.commands import assert_mistake, command
from trainer.finetune.base_snapshot import Base, open_base
from trainer.loading import load_model
from trainer.loop import Training
from trainer.supervised.input_transforms import SPECIAL_TOKENS
from trainer.supervised.task_config import TaskConfig, with_warm_up
from trainer.supervised.task_objective import TaskObjective, load_task_model, prepare, start_task, tune_without_run
from trainer.supervised.task_report import format_score, measure, show, summarise
from trainer.supervised.task_scores import headline

CPU = torch.device("cpu")
CONFIG = TaskConfig(learning_rate=1e-2, epochs=4, dropout=0.0, seed=5, threads=1)
QUIET = lambda step, note: None  # noqa: E731


def tune(objective: TaskObjective, base: Base, name: str) -> tuple[Training[TaskObjective], dict[str, float]]:
    """Fine-tune and write a run; return the training and the scores of the test set."""
    tuning = start_task(objective, base, name, {})
    tuning.go(QUIET)
    return tuning, objective.scores()


def example(kind: str, draw: random.Random) -> Example:
    """Draw a pair of words with a label that follows from them: whether the first has a doubled vowel, or the second one does."""
    target = draw.randint(0, 1)
    plain, marked = (draw.choice(["ba", "co", "gu"]) + end for end in ("mo", "xixi"))
    words = [plain, marked] if target else [plain, plain]
    if kind == "classification":
        return KINDS[kind](words[1], target)  # type: ignore[no-any-return]
    if kind == "choice":
        return MultipleChoice("ba", (plain, marked) if target else (marked, plain), target)
    if kind == "similarity":
        draw.shuffle(words)
    return KINDS[kind](*words, float(target) if kind == "similarity" else target)  # type: ignore[no-any-return]


def toy(kind: str, *, shuffled: bool = False, n: int = 480) -> Task:
    draw = random.Random(11)
    some = [example(kind, draw) for _ in range(n)]
    if shuffled:
        targets = [e.target for e in some]
        draw.shuffle(targets)
        some = [type(e)(**{**vars(e), "target": target}) for e, target in zip(some, targets, strict=True)]
    cut = 3 * n // 4
    return Task("toy", kind, () if kind == "similarity" else ("no", "yes"), tuple(some[:cut]), tuple(some[cut:]))


@pytest.fixture
def base(run: Run) -> Base:
    return open_base("tiny")


@pytest.mark.parametrize("kind", KINDS)
def test_a_learnable_task_is_learned_and_shuffled_labels_are_not(base: Base, kind: str) -> None:
    task, noise = toy(kind), toy(kind, shuffled=True)
    found = [tune_without_run(prepare(base, each, CONFIG, CPU))[headline(each)] for each in (task, noise)]
    assert found[0] > (0.8 if kind == "similarity" else 0.9)  # the ranks of two values leave Spearman below 1
    assert abs(found[1] - (0.0 if kind == "similarity" else 0.5)) < 0.25


def test_the_run_has_the_base_as_its_first_snapshot_and_new_rows_for_new_tokens(base: Base) -> None:
    objective = prepare(base, toy("entailment"), CONFIG, CPU)
    tuning, scores = tune(objective, base, "toy")
    run = open_run("toy")
    assert run.tokenizer.special_tokens == {
        name: base.run.tokenizer.vocab_size + i for i, name in enumerate(SPECIAL_TOKENS)
    }
    before, first, last = (
        each.tensors() for each in (base.run.snapshot(base.step), run.snapshot(0), run.snapshot(tuning.objective.steps))
    )
    rows = base.run.tokenizer.vocab_size
    for name, tensor in before.items():
        np.testing.assert_array_equal(first[name][:rows] if name == "wte.weight" else first[name], tensor)
    new = first["wte.weight"][rows:]
    assert new.shape[0] == 3
    assert 0.01 < new.std() < 0.03
    assert not np.array_equal(last["wte.weight"][rows:], new)
    assert last.keys() - before.keys() == {"task_head.weight", "task_head.bias"}
    described = {"name": "toy", "kind": "entailment", "labels": ["no", "yes"], "origin": ""}
    assert run.info["task"] == {**described, "request": {}}
    assert run.info["base"]["step"] == base.step
    record = run.metrics()[-1]
    assert record["accuracy"] == scores["accuracy"] > 0.9
    assert {"train_loss", "val_loss", "train_task_loss", "val_task_loss", "lr", "tokens", "seconds"} <= record.keys()
    assert record["val_task_loss"] < 0.3 < run.metrics()[0]["val_task_loss"]


def test_model_and_head_come_back_from_a_snapshot_and_say_the_same(base: Base) -> None:
    objective = prepare(base, toy("choice"), CONFIG, CPU)
    tuning, _ = tune(objective, base, "toy")
    read = load_task_model(open_run("toy"), tuning.objective.steps)
    batch = objective.test.batch(range(8))
    with torch.no_grad():
        torch.testing.assert_close(read.losses(batch, 0.5).scores, objective.module.eval().losses(batch, 0.5).scores)


def test_probes_and_films_read_the_run_as_any_other(base: Base) -> None:
    from probes.registry import ProbeRequest
    from probes.registry import measure as probe

    tune(prepare(base, toy("classification", n=80), CONFIG, CPU), base, "toy")
    run = open_run("toy")
    tokens = probe(run, "tokens")
    assert list(tokens["token"].values[-3:]) == list(SPECIAL_TOKENS)
    assert probe(run, "next-token", ProbeRequest(prompt="ba")).sizes["token"] == run.tokenizer.vocab_size
    assert load_model(run, 0).config.vocab_size == run.tokenizer.vocab_size
    first = probe(run, "context").isel(step=0)["loss"]  # on the text of the base, whose weights these still are
    np.testing.assert_allclose(first, probe(base.run, "context").sel(step=base.step)["loss"], rtol=0.05)


@pytest.mark.parametrize("family", ["gpt2", "neox"])
def test_a_model_of_another_class_is_tuned_too(tmp_path: Path, family: str) -> None:
    from tests.probes.models.test_hf_models import imported

    base = Base(imported(tmp_path, family, steps=(0,)), 0)
    task = toy("classification")
    config = TaskConfig(learning_rate=1e-2, epochs=2, seed=5, threads=1)
    objective = prepare(base, task, config, CPU)
    assert tune_without_run(objective)["accuracy"] > 0.9
    fresh = prepare(base, task, config, CPU, pre_trained=False)
    same = [
        torch.equal(one, other)
        for one, other in zip(*map(_matrices, (fresh, prepare(base, task, config, CPU))), strict=True)
    ]
    assert not any(same)


def _matrices(objective: TaskObjective) -> list[torch.Tensor]:
    return [p for p in objective.model.parameters() if p.dim() == 2]


def test_the_same_seed_gives_the_same_run_and_measuring_changes_nothing(base: Base) -> None:
    task = toy("classification", n=80)
    config = TaskConfig(learning_rate=1e-2, epochs=1, dropout=0.2, seed=5, threads=1)
    tune(prepare(base, task, config, CPU), base, "one")
    silent = prepare(base, task, config, CPU)
    tune_without_run(silent)
    last = open_run("one").snapshots()[-1].tensors()
    np.testing.assert_array_equal(last["wte.weight"], silent.model.wte.weight.detach().numpy())  # type: ignore[union-attr]
    other = prepare(base, task, TaskConfig(learning_rate=1e-2, epochs=1, dropout=0.2, seed=6, threads=1), CPU)
    tune_without_run(other)
    assert not np.array_equal(last["wte.weight"], other.model.wte.weight.detach().numpy())  # type: ignore[union-attr]


def test_without_pre_training_all_weights_are_drawn_anew(base: Base) -> None:
    task = toy("classification", n=80)
    known, blank, other = (
        prepare(base, task, TaskConfig(seed=seed), CPU, pre_trained=trained)
        for seed, trained in ((5, True), (5, False), (6, False))
    )
    for name, tensor in known.model.named_parameters():
        drawn, again = (dict(each.model.named_parameters())[name] for each in (blank, other))
        assert drawn.shape == tensor.shape
        if tensor.dim() == 2 and not name.endswith("c_proj.weight"):  # those start at zero
            assert not torch.equal(drawn, again)
            assert not torch.allclose(drawn, tensor, atol=1e-3)


def test_every_epoch_has_every_example_once(base: Base) -> None:
    task = toy("similarity", n=80)
    whole = prepare(base, task, TaskConfig(micro_batch=16, seed=5, dropout=0.0), CPU)
    seen = np.concatenate([whole.numbers(step) for step in range(whole.steps_an_epoch)])
    assert sorted(seen) == list(range(len(whole.train)))
    assert not np.array_equal(whole.numbers(0), whole.numbers(whole.steps_an_epoch))


@pytest.mark.parametrize("lm_weight", [0.0, 0.5])
def test_gathered_gradients_and_losses_are_those_of_one_batch(
    base: Base, lm_weight: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(1)
    words = (" ".join(["ba", "co", "gu"] * draw.randint(1, 5)) for _ in range(40))
    some = tuple(Classification(text, draw.randint(0, 1)) for text in words)
    task = Task("lengths", "classification", ("no", "yes"), some, some)
    gradients, judged = [], []
    for micro_batch, accumulate in ((4, 4), (16, 1)):
        monkeypatch.setattr("trainer.supervised.task_objective.ROWS_AT_ONCE", micro_batch)
        config = TaskConfig(micro_batch=micro_batch, accumulate=accumulate, seed=5, dropout=0.0, lm_weight=lm_weight)
        objective = prepare(base, task, config, CPU)
        for loss in objective.losses(0):
            torch.autograd.backward(loss)
        gradients.append(objective.module.get_parameter("body.wte.weight").grad)
        judged.append(objective.evaluate(0))
    torch.testing.assert_close(gradients[0], gradients[1])
    assert judged[0] == pytest.approx(judged[1], rel=1e-5)


@pytest.mark.parametrize("kind", ["classification", "similarity"])
def test_what_a_model_says_that_is_no_number_is_no_score(base: Base, kind: str) -> None:
    objective = prepare(base, toy(kind, n=8), TaskConfig(learning_rate=1e38, epochs=1, threads=1), CPU)
    with pytest.raises(InputError, match="no longer a number at step 1: tune again with a lower `learning_rate`"):
        tune_without_run(objective)


def test_texts_of_which_the_model_knows_no_symbol_are_refused(base: Base) -> None:
    some = tuple(Classification("☃☃" * n, n % 2) for n in range(8))
    with pytest.raises(InputError, match="knows no symbol of the texts of task snow"):
        prepare(base, Task("snow", "classification", ("a", "b"), some, some), CONFIG, CPU)


def test_the_warm_up_is_a_five_hundredth_of_the_steps_unless_it_is_set() -> None:
    assert with_warm_up(TaskConfig(), 2000).warmup_steps == 4
    assert with_warm_up(TaskConfig(warmup_steps=9), 2000).warmup_steps == 9
    config = TaskConfig()
    assert (config.learning_rate, config.epochs, config.micro_batch * config.accumulate) == (6.25e-5, 3, 32)
    assert (config.dropout, config.clip, config.lm_weight, config.weight_decay) == (0.1, 1.0, 0.5, 0.01)


def test_a_report_has_the_mean_and_range_of_the_seeds(base: Base) -> None:
    from data.progress import progress_bar

    config = TaskConfig(learning_rate=1e-2, epochs=1, dropout=0.0, seed=5, threads=1)
    run, report = measure(
        base,
        toy("choice", n=80),
        config,
        lambda objective: start_task(objective, base, "toy", {}),
        seeds=2,
        compare=True,
        bar=progress_bar,
    )
    assert list(report["scores"]) == ["chance", "majority", "bag_of_words", "from_scratch", "pre_trained"]
    found = report["scores"]["pre_trained"]["accuracy"]
    assert len(found["values"]) == 2
    assert found["mean"] == pytest.approx(sum(found["values"]) / 2)
    assert (found["least"], found["greatest"]) == (min(found["values"]), max(found["values"]))
    assert found["values"][0] == run.metrics()[-1]["accuracy"]
    assert report["seeds"] == [5, 6]
    assert report["scores"]["chance"]["accuracy"]["mean"] == 0.5
    assert report["whole"]
    assert report == json.loads(json.dumps(report))


def test_a_stop_after_the_first_seed_leaves_a_report_of_what_was_measured(
    runs: Path, table: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from trainer.supervised.__main__ import main

    def stopped(*_: Any) -> Any:
        if seeds.pop() == "stop":
            raise KeyboardInterrupt
        return {"accuracy": 1.0, "f1": 1.0, "matthews": 1.0}

    seeds = ["stop", "done"]
    monkeypatch.setattr("trainer.supervised.task_report.tune_without_run", stopped)
    path = table("some.csv", "sentence,label\n" + "".join(f"ba {n},a\nco {n},b\n" for n in range(10)))
    args = ["--data", str(path), "--kind", "classification", "--model", "tiny", "--epochs", "1", "--threads", "1"]
    assert main([*args, "--run", "some"]) == 130
    report = json.loads((runs / "some" / "report.json").read_text(encoding="utf-8"))
    assert list(report["scores"]) == ["chance", "majority", "bag_of_words", "pre_trained"]
    assert len(report["scores"]["pre_trained"]["accuracy"]["values"]) == 2
    assert not report["whole"]
    assert "stopped: the report holds the seeds that were finished" in capsys.readouterr().out


def test_a_resumed_run_and_its_report_equal_those_of_one_that_was_not_stopped(
    runs: Path, table: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from trainer.supervised.__main__ import main

    path = table("some.csv", "sentence,label\n" + "".join(f"ba {n},a\nco {n},b\n" for n in range(20)))
    args = ["--data", str(path), "--kind", "classification", "--model", "tiny", "--epochs", "4", "--micro-batch", "8"]
    args += ["--threads", "1", "--seeds", "2", "--learning-rate", "1e-2"]
    assert main([*args, "--run", "whole"]) == 0

    @contextlib.contextmanager
    def stopping(*_: Any) -> Iterator[Any]:
        yield lambda step, note=None: os.kill(os.getpid(), signal.SIGTERM) if step == 7 else None

    with monkeypatch.context() as patch:
        patch.setattr("trainer.supervised.__main__.progress_bar", stopping)
        assert main([*args, "--run", "parted"]) == 128 + signal.SIGTERM
    assert "--resume --run parted" in capsys.readouterr().out
    assert main(["--resume", "--run", "parted"]) == 0
    reports = [json.loads((runs / name / "report.json").read_text(encoding="utf-8")) for name in ("whole", "parted")]
    assert reports[0] == reports[1]
    whole, parted = (Run(runs / name) for name in ("whole", "parted"))
    assert [s.sha256 for s in whole.snapshots()] == [s.sha256 for s in parted.snapshots()]
    with pytest.raises(InputError, match="a resumed run keeps its seeds"):
        main(["--resume", "--run", "parted", "--seeds", "5"])


def test_a_table_of_three_scores_fits_a_terminal_and_keeps_its_title(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    found = summarise([{"accuracy": n / 3, "f1": -n / 3, "matthews": n / 3} for n in range(3)])
    task = {"name": "[red]x"}
    show({"task": task, "examples": {"test": 9}, "scores": {"pre_trained": found}, "cut": {}})
    said = capsys.readouterr().out
    assert "[red]x: 9 test examples" in said
    assert max(map(len, said.split("\n"))) <= 80
    assert said.count("(0.000 to 0.667)") == 2
    assert said.count("(-0.667 to 0.000)") == 1


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, content: str) -> Path:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return path

    return write


def test_the_command_tunes_on_a_file_and_prints_a_table(runs: Path, table: Callable[[str, str], Path]) -> None:
    some = (f"bamo {n},plain\nbaxixi {n},marked\ncomo {n},plain\nguxi€ {n},marked\n" for n in range(20))
    words = table("words.csv", "sentence,label\n" + "".join(some))
    options = ["--model", "tiny@40", "--data", str(words), "--kind", "classification", "--learning-rate", "1e-2"]
    done = command("trainer.supervised", *options, "--seeds", "1", "--epochs", "2", "--threads", "1", "--run", "words")
    assert done.returncode == 0, done.stderr
    assert "64 training and 16 test examples; tiny at step 40" in done.stdout
    for row in ("chance", "always the same", "bag of words", "no pre-training", "pre-trained"):
        assert row in done.stdout
    report = json.loads((runs / "words" / "report.json").read_text(encoding="utf-8"))
    assert report["task"]["labels"] == ["marked", "plain"]
    assert Run(runs / "words").snapshots()[0].step == 0


@pytest.mark.parametrize("kept", [True, False])
def test_a_taken_name_is_refused_before_anything_is_made(
    runs: Path, table: Callable[[str, str], Path], kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.supervised.__main__ import main

    asked: list[str] = []

    def started(objective: TaskObjective, base: Base, name: str, request: Any) -> Any:
        asked.append(name)
        raise InputError("enough")

    monkeypatch.setattr("trainer.supervised.task_objective.start_task", started)
    path = table("my reviews (1).csv", "sentence,label\n" + "".join(f"ba {n},a\nco {n},b\n" for n in range(10)))
    named = ["--run", "tiny"] if kept else []
    with pytest.raises(InputError, match="exists already: give another name with `run`" if kept else "enough"):
        main(["--data", str(path), "--kind", "classification", "--model", "tiny", *named])
    assert asked == ([] if kept else ["tiny-my-reviews-1"])


@pytest.mark.parametrize("content", ["ba,a\n" * 40 + "co,b\n" * 40, "ba,a\nco,b\n" * 40])
def test_fewer_examples_of_a_file_have_all_its_labels_whatever_their_order(
    table: Callable[[str, str], Path], content: str
) -> None:
    from trainer.supervised.__main__ import SupervisedArguments, read

    path = table("some.csv", f"sentence,label\n{content}")
    asked = SupervisedArguments(data=path, test=path, kind="classification", n_train=20, n_test=10)
    task = read(asked)
    assert (len(task.train), len(task.test)) == (20, 10)
    assert 5 <= task.targets("train").count(1) <= 15
    assert 2 <= task.targets("test").count(1) <= 8
    assert task == read(asked) != read(dataclasses.replace(asked, seed=1))
    whole = read(dataclasses.replace(asked, n_train=None, n_test=999))
    assert (len(whole.train), whole.test) == (80, whole.train)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "one task at a time: pass --task genre, or --data"),
        (["--task", "genre", "--data", "x.csv"], "one task at a time"),
        (["--task", "rhyme"], "no task 'rhyme' from the plays"),
        (["--task", "genre", "--kind", "choice"], "--kind concerns files"),
        (["--task", "genre", "--first-label", "0"], "--first-label concerns files"),
        (["--data", "{table}"], "pass --kind classification"),
        (["--data", "{table}", "--kind", "classification", "--first-label", "1"], "--first-label counts the answers"),
        (["--data", "{table}", "--kind", "choice", "--labels", "a", "b"], "--labels names classes"),
        (["--data", "{table}", "--kind", "classification", "--label", "mark"], "columns are sentence, label"),
        (["--data", "{table}", "--kind", "classification", "--model", "tiny@7"], "no snapshot of step 7"),
        (["--data", "{table}", "--kind", "classification", "--seeds", "0"], "seeds must be 1 or more"),
        (["--data", "{table}", "--kind", "classification", "--lm-weight", "-1"], "lm_weight must be 0 or more"),
        (
            ["--data", "{table}", "--kind", "classification", "--run", "tiny"],
            "run 'tiny' exists already: give another name",
        ),
        (["--data", "{table}", "--kind", "classification", "--labels", "a"], "'b', which is none of a"),
    ],
)
def test_a_mistake_ends_in_one_line_and_writes_nothing(
    runs: Path, table: Callable[[str, str], Path], options: list[str], told: str, capsys: Any
) -> None:
    from data.commands import one_line_mistakes
    from trainer.supervised.__main__ import PROG, SupervisedArguments, main

    path = table("some.csv", "sentence,label\n" + "".join(f"ba {n},a\nco {n},b\n" for n in range(10)))
    before = sorted(runs.rglob("*"))
    with pytest.raises(SystemExit) as stop, one_line_mistakes(PROG, SupervisedArguments):
        main([option.format(table=path) for option in options])
    assert stop.value.code == 2
    said = capsys.readouterr().err.strip().split("\n")
    assert len(said) == 1
    assert told in said[0]
    assert sorted(runs.rglob("*")) == before


def test_the_command_tells_a_mistake_in_one_line(runs: Path) -> None:
    assert_mistake(
        command("trainer.supervised", "--data", "nowhere.csv", "--kind", "choice"), "there is no file nowhere.csv"
    )


def test_a_table_shows_the_mean_and_the_range_of_several_seeds() -> None:
    found = summarise([{"accuracy": 0.5}, {"accuracy": 0.75}])
    assert found == {"accuracy": {"mean": 0.625, "least": 0.5, "greatest": 0.75, "values": [0.5, 0.75]}}
    assert format_score(found["accuracy"]) == "0.625 (0.500 to 0.750)"
    assert format_score(summarise([{"accuracy": 0.5}])["accuracy"]) == "0.500"


def test_a_warm_up_that_is_never_left_is_refused_and_the_columns_are_said(
    runs: Path, table: Callable[[str, str], Path], capsys: Any
) -> None:
    from trainer.supervised.__main__ import main

    path = table("some.csv", "sep=;\nsentence;label\n" + "".join(f"ba, {n};a\nco {n};b\n" for n in range(10)))
    options = ["--data", str(path), "--kind", "classification", "--model", "tiny", "--threads", "1", "--seeds", "1"]
    before = sorted(runs.rglob("*"))
    with pytest.raises(InputError, match=r"stays at 0, so nothing would be learned: .* pass `warmup_steps=0`"):
        main([*options, "--epochs", "1", "--warmup-steps", "9", "--no-compare"])
    assert sorted(runs.rglob("*")) == before
    said = capsys.readouterr().out
    assert "texts 'sentence', label 'label', separator ';'" in said
    assert "1 step of 32 examples; learning rate up to 0.0e+00" in said
