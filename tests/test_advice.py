"""The advice of messages can be followed: the options and commands that they name exist, and passing them gets past the message."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

import gptlab
from data.commands import parse, write_options
from data.errors import InputError
from data.runs import Run
from tests.commands import ROOT
from trainer.config import ModelConfig
from trainer.model import GPT

PACKAGES = ("data", "trainer", "probes", "viz", "dashboards")
MODULES = sorted({module[0] for module, _ in gptlab.COMMANDS.values()} - {"demo"})
MARK = re.compile(r"`([a-z]\w*)(?:=([^`]*))?`")


class Command(NamedTuple):
    """What ``python -m`` runs."""

    run: Callable[[list[str]], object]
    config_type: Any


@cache
def command_of(module: str) -> Command:
    """Find what a module runs as a command, and the type of its options."""
    is_folder = ROOT.joinpath(*module.split(".")).is_dir()
    found = import_module(f"{module}.__main__" if is_folder else module)
    tree = ast.parse(Path(str(found.__file__)).read_text(encoding="utf-8"))
    calls = {ast.unparse(node.func).split(".")[-1]: node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    call = calls.get("run_command") or calls["one_line_mistakes"]
    config_type = eval(ast.unparse(call.args[1]), vars(found))
    main: Callable[[Any], object] = vars(found)["main"]
    if "run_command" not in calls:  # it parses its options itself
        return Command(main, config_type)
    return Command(lambda arguments: main(parse(config_type, prog=module, args=arguments)), config_type)


@cache
def options_of(module: str) -> frozenset[str]:
    """Collect the fields of a command's options."""
    probe: set[str] = set()
    names = {mark for _, _, mark in marks()}
    for name in names:
        if "`" not in write_options(InputError(f"`{name}`"), command_of(module).config_type):
            probe.add(name)
    return frozenset(probe)


def texts_of(path: Path) -> Iterator[str]:
    """Yield the strings of a module but for its docstrings, {} for what is filled in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation | parts:
            yield node.value


@cache
def product() -> tuple[tuple[str, Path], ...]:
    """List the modules of the product by name."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return tuple((".".join(path.relative_to(ROOT).with_suffix("").parts), path) for path in paths)


@cache
def marks() -> tuple[tuple[str, str, str], ...]:
    """Collect the marks in messages: module, text and field."""
    return tuple(
        (name, text, mark[1]) for name, path in product() for text in texts_of(path) for mark in MARK.finditer(text)
    )


@cache
def imports() -> dict[str, set[str]]:
    """Collect which modules each module imports, also within functions, or names for a lazy import."""
    names = {name for name, _ in product()}
    found: dict[str, set[str]] = {}
    for name, path in product():
        text = path.read_text(encoding="utf-8")
        dotted = set(re.findall(r"\b(?:data|trainer|probes|viz|dashboards)(?:\.\w+)+", text))
        relative = {f"{name.split('.')[0]}.{part}" for part in re.findall(r'"(\w+(?:\.\w+)*)[:"]', text)}
        reached = {part for part in dotted | relative if part in names}
        reached |= {
            f"{part}.{inner}" for part in dotted for inner in re.findall(r"\w+", text) if f"{part}.{inner}" in names
        }
        found[name] = reached
    return found


@cache
def reached_by(module: str) -> frozenset[str]:
    """Collect the modules that a command may import."""
    names = {name for name, _ in product()}
    start = f"{module}.__main__" if f"{module}.__main__" in names else module
    reached, ahead = set(), [start]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += imports().get(name, ())
    return frozenset(reached)


@pytest.mark.parametrize("module", sorted({name for name, _, _ in marks()}))
def test_every_marked_field_is_an_option_of_a_command_that_may_give_the_message(module: str) -> None:
    reaching = [command for command in MODULES if module in reached_by(command)] or MODULES
    for name, text, field in marks():
        if name == module and "{}" not in field:
            is_for_python = (module, field) == ("viz.fidelity.ranking", "rows")
            assert is_for_python or any(field in options_of(command) for command in reaching), text


def advised_commands() -> Iterator[str]:
    for _, path in product():
        for text in texts_of(path):
            for found in re.findall(r"python -m ((?:data|trainer|probes|viz|dashboards)\b[^`;()]*)", text):
                yield found.strip()


@pytest.mark.parametrize("line", sorted(set(advised_commands())))
def test_every_command_in_a_message_is_one_that_can_be_parsed(line: str) -> None:
    module, *arguments = shlex.split(line.replace("{}", "x"))
    try:
        parse(command_of(module).config_type, prog=module, args=arguments)
        told = ""
    except InputError as wrong:
        told = str(wrong)
    assert re.search("^$|required|Expected one of", told)  # what the sentence leaves to the reader


def checkpoint(folder: Path) -> str:
    """Write a checkpoint of nanoGPT whose step is in words, and whose tokens nothing describes."""
    shape = {"n_layer": 1, "n_head": 2, "n_embd": 8, "block_size": 8, "vocab_size": 5, "bias": False}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        weights = GPT(ModelConfig(**{**shape, "bias": "none"})).state_dict()
    torch.save({"model": weights, "model_args": shape, "iter_num": "many"}, folder / "ckpt.pt")
    return str(folder / "ckpt.pt")


TRAINING = ["--preset", "tiny", "--steps", "1", "--corpus", "TEXT", "--eval-every", "1"]
FILM = ["--what", "tokens", "--method", "pca", "--size", "320x240", "--fps", "2", "--hold", "0.5"]
TUNING = ["--corpus", "TEXT", "--epochs", "1", "--accumulate", "50", "--too-long", "cut"]
ADVISED = [
    (
        "trainer.pretrained",
        ["import", "CHECKPOINT", "--tokenizer", "ids"],
        "name the step with --revisions ckpt.pt=1000",
    ),
    (
        "trainer.pretrained",
        ["import", "CHECKPOINT", "--revisions", "ckpt.pt=1"],
        "says nothing of its 5 tokens: .* --tokenizer ids",
    ),
    (
        "trainer.pretrained",
        ["import", "CHECKPOINT", "--tokenizer", "ids", "--revisions", "main=5"],
        "pass --revisions ckpt.pt=1000",
    ),
    ("trainer.generate", ["--no-repeat-ngram-size", "1", "--tokens", "60"], "pass --no-repeat-ngram-size 2"),
    ("trainer.generate", ["--device", "cuda", "--tokens", "2"], "pass --device cpu"),
    ("trainer", [*TRAINING, "--n-head", "3"], "pass --n-embd"),
    ("trainer", [*TRAINING, "--seed", "-1"], "pass --seed 1337"),
    ("trainer", [*TRAINING, "--vocab-size", "300"], "pass --tokenizer bpe"),
    ("trainer", [*TRAINING, "--tokenizer", "bpe", "--vocab-size", "3"], "pass --vocab-size 2048"),
    ("trainer.finetune", [*TUNING, "--learning-rate", "0"], "pass --learning-rate 3e-5"),
    ("probes", ["--measure", "position-structure", "--export", "xls"], "pass --export csv"),
    ("viz.figures", ["--only", "tokens", "--seed", "-1"], "pass --seed 0"),
    ("viz.figures", ["--only", "tokens", "--size", "1:1"], "pass --size 16:9"),
    ("viz.figures", ["--highlight", "a"], "pass --only tokens"),
    ("viz.video", [*FILM, "--fps", "0"], "pass --fps 30"),
    ("viz.video", [*FILM, "--hold", "0.5", "--size", "321x240"], "pass --size 322x240"),
    ("viz.video", [*FILM, "--seconds-per-snapshot", "0"], "pass --seconds-per-snapshot 0.5"),
    ("viz.video", [*FILM, "--perplexity", "2"], "or pass --method tsne"),
    ("viz.video", [*FILM, "--method", "tsne", "--perplexity", "999"], "pass --perplexity"),
]


@pytest.mark.sampled(3)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("module", "arguments", "message"), ADVISED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_following_the_advice_gets_past_the_message(
    module: str, arguments: list[str], message: str, run: Run, text_file: Path, tmp_path: Path
) -> None:
    given = {"TEXT": str(text_file), "CHECKPOINT": checkpoint(tmp_path)}
    filled = [given.get(argument, argument) for argument in arguments]
    found = message_of(module, filled)
    assert found is not None
    told = write_options(found, command_of(module).config_type)
    assert re.search(message, told), told
    assert "`" not in told, "it names an option that the command lacks"
    advised = [mark for mark in MARK.finditer(str(found)) if mark[2]][:1]
    options = [f"--{advised[0][1].replace('_', '-')}", advised[0][2]]
    again = message_of(module, filled + options)
    assert again is None or not re.search(message, write_options(again, command_of(module).config_type)), again


def message_of(module: str, arguments: list[str]) -> InputError | None:
    """Run a command in this process, and return the mistake that it reports, if any."""
    try:
        command_of(module).run(arguments)
    except InputError as mistake:
        return mistake
    return None


def test_word_vectors_of_a_taken_name_are_refused_with_an_option_of_the_command(run: Run, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("2 2\na 1 2\nb 3 4\n")
    assert message_of("probes", ["--vectors", str(tmp_path / "words.txt")]) is None
    taken = message_of("probes", ["--vectors", str(tmp_path / "words.txt")])
    assert taken is not None
    told = write_options(taken, command_of("probes").config_type)
    assert told == "run 'words' exists already: give another name with --run"
    assert message_of("probes", ["--vectors", str(tmp_path / "words.txt"), "--run", "others"]) is None


@pytest.mark.parametrize("module", ["trainer.finetune", "trainer.supervised"])
def test_a_base_without_a_model_is_refused_without_naming_the_new_run(module: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("2 2\na 1 2\nb 3 4\n")
    assert message_of("probes", ["--vectors", str(tmp_path / "words.txt")]) is None
    more = ["--corpus", "jokes"] if module == "trainer.finetune" else ["--task", "genre"]
    refused = message_of(module, ["--model", "words", *more])
    assert refused is not None
    assert "holds no model" in str(refused)
    assert "--run" not in write_options(refused, command_of(module).config_type)
