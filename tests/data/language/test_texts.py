"""Every text of a picture and every message that can reach a page has a translation, and no translation is for nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from data.language import in_language, say, translated
from data.language.messages import messages
from data.language.pictures import picture_texts
from probes.groups.wording import SUBJECTS
from probes.models.heads import LONG_NAMES
from tests.commands import ROOT
from viz.drawing.bands import MEASURES
from viz.drawing.legend import DOUBT, DOUBT_SHORT
from viz.explanations import EXPLANATIONS
from viz.figures.head_score_figure import NAMES, SCORES, score_title
from viz.figures.poster_figure import SAME_SCALE
from viz.films.embedding_film import SHRUNK
from viz.films.film import INTERPOLATED
from viz.projection.controls import CONTROL_DESCRIPTIONS

PACKAGES = ("data", "trainer", "probes", "viz", "dashboards")
RAISING = {"InputError", "NotApplicableError", "notify", "warn"}
NEVER_ON_A_PAGE = {
    "data/__main__.py": "a command that no page starts",
    "data/commands.py": "what is wrong with the options of a command; a page writes them itself",
    "data/documents/": "fine-tuning, which no page starts",
    "data/files/remote_files.py": "addresses, which the dashboard refuses",
    "data/tasks/examples.py": "supervised fine-tuning, which no page starts",
    "data/tasks/play_tasks.py": "supervised fine-tuning",
    "data/tasks/task_files.py": "supervised fine-tuning",
    "data/tokens/vocabularies.py": "tokenizers that are learned or read from files, for commands only",
    "data/upkeep/": "verify, repair and prune, which are commands",
    "dashboards/__main__.py": "the command that starts the pages",
    "probes/__main__.py": "a command that no page starts",
    "probes/export.py": "exports, which no page offers",
    "probes/parallel.py": "Dask, which no page uses",
    "probes/registry.py": "the options of the command for probes",
    "probes/tables/vectors.py": "vectors are made into runs by a command",
    "trainer/finetune/": "no page starts it",
    "trainer/generate.py": "a command that no page starts",
    "trainer/loggers/": "what a training logs to, which a command chooses",
    "trainer/machine.py": "devices and processes of a training that a command starts",
    "trainer/parallel/": "several processes, which torchrun starts",
    "trainer/pretrained/": "imports and exports, which no page starts",
    "trainer/supervised/": "no page starts it",
}
"""Files whose messages are read in a terminal only, and why."""
SAID_BY_NAME = {
    *EXPLANATIONS,
    *EXPLANATIONS.values(),
    *(name for names in MEASURES.values() for name in names),
    *LONG_NAMES.values(),
    *NAMES.values(),
    *(score_title(name) for name in SCORES),
    *SUBJECTS.values(),
    *(text.format(items=items) for text in CONTROL_DESCRIPTIONS.values() for items in ("tokens", "positions")),
    *(DOUBT, DOUBT_SHORT, SAME_SCALE, SHRUNK, INTERPOLATED, "effective rank", "stable rank"),
    *("one snapshot, trained", "step unknown", "one snapshot", "trained", "unknown", "positions"),
}
"""Texts that are said from a table rather than where they stand."""


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """Find the calls of functions by their names, with the files."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and _name(node.func) in names and node.args:
                    yield path.relative_to(ROOT).as_posix(), node


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def template(node: ast.expr) -> str | None:
    """Write a text or f-string with an empty pair of braces for each blank; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def nameless(text: str) -> str:
    return re.sub(r"\{\w+\}", "{}", text)


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_message_that_can_reach_a_page_has_a_translation() -> None:
    known, lacking = {nameless(text) for text in messages()}, []
    for path, call in calls(*RAISING):
        found = template(call.args[0])
        if not found or any(path.startswith(part) for part in NEVER_ON_A_PAGE):
            continue
        filled = found.replace("{}", "§")
        if found not in known and translated(filled, "pt") == filled:
            lacking.append(f"{path}:{call.lineno}: {found}")
    assert not lacking, "\n".join(lacking)


def test_the_files_whose_messages_stay_english_are_there() -> None:
    assert all((ROOT / path).exists() for path in NEVER_ON_A_PAGE)


@pytest.mark.parametrize("texts", [messages(), picture_texts()], ids=["messages", "pictures"])
def test_a_translation_fills_no_blank_that_is_not_there(texts: dict[str, str]) -> None:
    more = {"n", "several"}  # given beyond the English text
    assert {english for english, text in texts.items() if blanks(text) - blanks(english) - more} == set()
    assert {english for english, text in texts.items() if not text.strip()} == set()


def test_every_text_of_a_picture_has_a_translation() -> None:
    said = set(SAID_BY_NAME)
    for _, call in calls("say"):
        if isinstance(call.func, ast.Name):
            first = call.args[0]
            for part in (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,):
                if isinstance(part, ast.Constant) and " " in str(part.value):
                    said.add(str(part.value))
    texts = {text for text in said if not re.fullmatch(r"\w+\.[\w-]+", text)}  # keys of the pages' catalogue
    assert texts - set(picture_texts()) == set()


def test_no_translation_of_a_picture_is_for_nothing() -> None:
    written = set(SAID_BY_NAME)
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            written |= {str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert set(picture_texts()) - written == set()


def test_a_message_is_translated_with_what_fills_it() -> None:
    assert translated("run 'a' has no whole snapshot: train it again, or choose another with `run`", "pt") == (
        "o treino 'a' não tem nenhum instantâneo íntegro: treine de novo ou escolha outro em `run`"
    )
    nested = "snapshot of step 20 of run 'a' has 1,000 bytes instead of 35,704: it is left out"
    assert translated(nested, "pt") == (
        "o instantâneo do passo 20 do treino 'a' tem 1.000 bytes em vez de 35.704 e fica de fora"
    )
    assert translated("Hello, world", "pt") == "Hello, world"
    assert translated(nested, "en") == nested


def test_what_a_command_writes_is_translated_into_marks() -> None:
    line = "--duration and --seconds-per-snapshot both set the pace: leave out one of the two"
    assert translated(line, "pt").startswith("`duration` e `seconds_per_snapshot` definem")


def test_what_the_reader_wrote_is_not_translated() -> None:
    message = "'the layer' is neither a token of this run nor a group; groups are vowels"
    assert translated(message, "pt").startswith("'the layer' não é um token")


def test_a_language_holds_while_it_is_language() -> None:
    with in_language("pt"):
        assert say("layer {layer}", layer=3) == "camada 3"
        assert say("{count} are|too", count="72 em 100") == "72 em 100 também"
        assert say("{n:,} others", n=1200) == "1.200 outros"
    assert say("{count} are|too", count="72 in 100") == "72 in 100 are"


def test_files_of_texts_are_not_empty() -> None:
    folder = Path(ROOT / "data" / "language")
    assert {path.name for path in folder.glob("*.toml")} == {"messages.toml", "names.toml", "pictures.toml"}
