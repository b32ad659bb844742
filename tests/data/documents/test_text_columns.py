"""Instructions and conversations: their columns are joined by a template, and nothing of a record is lost."""

from __future__ import annotations

import json
import sys
import types
from itertools import permutations
from pathlib import Path

import pytest

from data.documents.sources import read_documents
from data.documents.text_columns import find_text_columns
from data.errors import InputError


def written(folder: Path, *records: object) -> str:
    path = folder / "some.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    return str(path)


def test_an_instruction_its_input_and_its_answer_are_one_document(tmp_path: Path) -> None:
    source = written(
        tmp_path,
        {"instruction": "Add.", "input": "1, 2", "output": 3},
        {"instruction": "Greet.", "input": "", "output": "Hello"},
        {"instruction": "Say nothing.", "input": "", "output": None},
    )
    documents = read_documents(source)
    assert documents.texts == (
        "### Instruction:\nAdd.\n\n### Input:\n1, 2\n\n### Response:\n3",
        "### Instruction:\nGreet.\n\n### Response:\nHello",
    )
    assert documents.empty == 1
    columns = "'instruction', 'input', 'output'"
    assert documents.reading == f"2 documents, columns {columns}, template instruction-input-output, a JSON list"
    assert documents.origin.endswith("template instruction-input-output (instruction, input, output)")
    assert read_documents(source, text_column="instruction").texts == ("Add.", "Greet.", "Say nothing.")


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("instruction-input-output", ("Instruction", "context", "response")),
        ("instruction-input-output", ("system", "instruction", "output")),
        ("context-question-answer", ("context", "question", "answer")),
        ("prompt-response", ("prompt", "completion")),
        ("prompt-response", ("query", "response")),
        ("input-output", ("inputs", "targets")),
    ],
)
def test_a_template_joins_all_its_columns_in_whatever_order_they_are(template: str, names: tuple[str, ...]) -> None:
    for order in permutations(names):
        found = find_text_columns([*order, "id"], None, "a test")
        assert (found.template, set(found.names)) == (template, set(names))
        text = found.text({name: f"<{name}>" for name in order}, "row 1")
        assert [text.index(f"<{name}>") for name in names] == sorted(text.index(f"<{name}>") for name in names)
        assert found.text({names[-1]: "alone"}, "row 1") == ""


def test_a_column_called_text_comes_before_any_template() -> None:
    assert find_text_columns(["instruction", "output", "Text"], None, "a test").names == ("Text",)
    with pytest.raises(InputError, match=r"a test has no column called Joke or text; it has prompt, chosen, rejected"):
        find_text_columns(["prompt", "chosen", "rejected"], None, "a test")
    with pytest.raises(InputError, match=r"it has 1, The cat: name one .*, or put a line of names first"):
        find_text_columns(["1", "The cat"], None, "a test")


@pytest.mark.parametrize(
    ("column", "role", "content", "user", "assistant"),
    [("messages", "role", "content", "user", "assistant"), ("conversations", "from", "value", "human", "gpt")],
)
def test_a_conversation_is_written_turn_by_turn(
    column: str, role: str, content: str, user: str, assistant: str, tmp_path: Path
) -> None:
    parts = [{"type": "text", "text": "A cat."}, {"type": "image"}]
    turns = [("system", "Be brief."), (user, "Who?"), (assistant, None), (assistant, parts)]
    source = written(tmp_path, {"id": 7, column: [{role: who, content: what} for who, what in turns]})
    documents = read_documents(source)
    assert documents.texts == ("### System:\nBe brief.\n\n### User:\nWho?\n\n### Assistant:\nA cat.",)
    assert documents.reading == f"1 document, column {column!r}, template conversation, a JSON list"
    with pytest.raises(InputError, match=r"entry 1 of .* has a turn without a role"):
        read_documents(written(tmp_path, {column: [{"who": "me"}]}))


def test_a_data_set_of_the_hub_is_joined_as_a_file_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Table(dict):  # type: ignore[type-arg]
        column_names = ("prompt", "completion", "id")

    package = types.ModuleType("datasets")
    table = Table(prompt=["a", "b"], completion=["c", "d"], id=[1, 2])
    package.load_dataset = lambda name, split: table  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", package)
    documents = read_documents("someone/pairs")
    assert documents.texts == ("### Prompt:\na\n\n### Response:\nc", "### Prompt:\nb\n\n### Response:\nd")
