from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.documents.records import read_rows
from data.errors import InputError
from data.tasks.examples import Classification, Entailment, MultipleChoice, Similarity, Task
from data.tasks.task_files import Columns, read_task

Written = Callable[[str, str], Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(name: str, content: str) -> Path:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return path

    return write


def lines(*records: dict[str, object]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def test_a_table_with_the_usual_columns_becomes_a_task_of_its_kind(written: Written) -> None:
    cola = written("cola.csv", 'sentence,label\n"Yes, it is.",1\nIs not it yes.,0\n"He said ""go"".",1\n')
    task = read_task(cola, cola, "classification")
    assert task.labels == ("0", "1")
    assert task.train[0] == Classification("Yes, it is.", 1)
    assert task.train[2] == Classification('He said "go".', 1)
    rte = written("rte.tsv", 'index\tsentence1\tsentence2\tlabel\n0\tA "dog.\tAn animal.\tentailment\n1\tA\tB\tnot\n')
    task = read_task(rte, rte, "entailment")
    assert (task.labels, task.train[0]) == (("entailment", "not"), Entailment('A "dog.', "An animal.", 0))
    sts = written("sts.jsonl", lines({"sentence1": "a", "sentence2": "b", "score": 3.5}))
    task = read_task(sts, sts, "similarity")
    assert task.is_regression
    assert task.train == (Similarity("a", "b", 3.5),)
    qqp = written("qqp.jsonl", lines(*({"question1": "a", "question2": "b", "is_duplicate": n == 1} for n in (1, 0))))
    task = read_task(qqp, qqp, "similarity")
    assert (task.labels, task.targets("train")) == (("0", "1"), [1, 0])


@pytest.mark.parametrize(
    ("column", "values", "labels", "expected"),
    [
        ("label", [0.0, 3.25, 5.0], None, ()),  # STS-B
        ("label", [0.0, 3.0, 5.0], None, ("0.0", "3.0", "5.0")),
        ("label", [0, 3, 5], (), ()),
        ("Quality", [0, 1, 1], None, ("0", "1")),  # MRPC
        ("Quality", [0.5, 1, 2], None, ()),
        ("Quality", ["0.5", "same", "nan"], None, ("0.5", "nan", "same")),
        ("score", [1, 2, 3], None, ()),
    ],
)
def test_a_similarity_has_scores_where_its_values_are_numbers_and_not_all_whole(
    written: Written, column: str, values: list[object], labels: tuple[str, ...] | None, expected: tuple[str, ...]
) -> None:
    path = written("pairs.jsonl", lines(*({"sentence1": "a", "sentence2": "b", column: value} for value in values)))
    task = read_task(path, path, "similarity", Columns(label=column, labels=labels))
    assert task.labels == expected
    assert expected or task.targets() == [float(str(value)) for value in values]


def test_classes_stand_in_the_order_of_their_numbers_and_then_of_their_words(written: Written) -> None:
    path = written("words.csv", "sentence,label\n" + "".join(f"x,{word}\n" for word in ("nan", "10", "b", "2", "-inf")))
    assert read_task(path, path, "classification").labels == ("2", "10", "-inf", "b", "nan")


@pytest.mark.parametrize("right", [1, "1", "B", "b", "two"])
def test_the_right_answer_is_a_number_a_letter_or_the_answer_itself(written: Written, right: object) -> None:
    swag = written("swag.jsonl", lines({"ctx": "Count:", "endings": ["one", "two", "three"], "label": right}))
    task = read_task(swag, swag, "choice")
    assert task.train == (MultipleChoice("Count:", ("one", "two", "three"), 1),)


def test_answers_may_stand_in_numbered_columns_and_be_counted_from_one(written: Written) -> None:
    cloze = written("cloze.csv", "context,answer2,answer1,right,id\nOnce,then,there,2,7\n")
    task = read_task(cloze, cloze, "choice", Columns(first_label=1))
    assert task.train == (MultipleChoice("Once", ("there", "then"), 1),)


@pytest.mark.parametrize(
    ("record", "context", "answers"),
    [
        # CosmosQA, RACE, COPA, SWAG, HellaSwag
        (
            {"context": "It rained.", "question": "Why?", "answer0": "a", "answer1": "b", "label": 1},
            "It rained. Why?",
            ("a", "b"),
        ),
        (
            {"article": "It rained.", "question": "Why?", "options": ["a", "b"], "answer": "B"},
            "It rained. Why?",
            ("a", "b"),
        ),
        (
            {"premise": "It rained.", "choice1": "a", "choice2": "b", "question": "cause", "label": 1},
            "It rained. cause",
            ("a", "b"),
        ),
        (
            {
                "startphrase": "It rains. He",
                "sent1": "It rains.",
                "sent2": "He",
                "ending0": "a",
                "ending1": "b",
                "label": 1,
            },
            "It rains. He",
            ("a", "b"),
        ),
        ({"ctx_a": "x", "ctx": "It rains. He", "endings": ["a", "b"], "label": "1"}, "It rains. He", ("a", "b")),
    ],
)
def test_the_context_of_a_usual_set_of_choices_is_whole(
    written: Written, record: dict[str, object], context: str, answers: tuple[str, ...]
) -> None:
    path = written("usual.jsonl", lines(record))
    assert read_task(path, path, "choice").train == (MultipleChoice(context, answers, 1),)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (("one", "two", "end1", "end2"), MultipleChoice("A B", ("c", "d"), 1)),
        (("two", "end2", "end1"), MultipleChoice("B", ("d", "c"), 1)),
        (("end1", "end2", "two"), MultipleChoice("c", ("d", "B"), 1)),
        (("one", "empty", "two", "list"), MultipleChoice("A B", ("e", "f"), 1)),
        (("s1", "s2", "end1", "end2"), MultipleChoice("g h", ("c", "d"), 1)),
        (("end1", "end2", "end3"), MultipleChoice("c", ("d", "i"), 1)),
    ],
)
def test_the_answers_are_the_last_of_the_columns_of_a_choice(
    written: Written, columns: tuple[str, ...], expected: MultipleChoice
) -> None:
    texts = {"one": "A", "two": "B", "empty": " ", "end1": "c", "end2": "d", "end3": "i", "s1": "g", "s2": "h"}
    record = {**texts, "list": ["e", "f"], "right": 1}
    path = written("own.jsonl", lines(record))
    assert read_task(path, path, "choice", Columns(columns)).train == (expected,)


def test_columns_and_classes_can_be_given(written: Written) -> None:
    path = written("own.csv", "kind,line,other\nsad,Alas!,x\nglad,Hey!,y\n")
    task = read_task(path, path, "classification", Columns(("line",), "kind", ("sad", "glad")))
    assert task.train == (Classification("Alas!", 0), Classification("Hey!", 1))


@pytest.mark.parametrize(
    ("name", "content", "kind", "columns", "message"),
    [
        ("a.csv", "words,label\nx,1\n", "classification", Columns(), "columns are words, label: name those to read"),
        ("a.csv", "sentence,mark\nx,1\n", "classification", Columns(), "columns are sentence, mark"),
        ("a.csv", "sentence,label\nx,1\n", "classification", Columns(("body",)), "lacks the column 'body'"),
        ("a.csv", "sentence,label\nx,1\ny,2\n", "classification", Columns(labels=("0", "1")), "line 3 .* '2'.* 0, 1"),
        ("a.csv", "sentence,label\n", "classification", Columns(), "holds no examples"),
        ("a.csv", "", "classification", Columns(), "holds no examples"),
        ("a.csv", "sentence,label\nx,y,1\n", "classification", Columns(), "line 2 .* has 3 fields and its head has 2"),
        ("a.csv", 'sentence,label\n"x,1\n', "classification", Columns(), "line 2 .* quotation"),
        ("a.csv", "label,label\nx,1\n", "classification", Columns(), "column 'label' twice"),
        (
            "a.tsv",
            "sentence1\tsentence2\tscore\nx\ty\tmuch\n",
            "similarity",
            Columns(),
            "'much', which is not a number",
        ),
        ("a.tsv", "sentence1\tsentence2\tscore\nx\ty\tnan\n", "similarity", Columns(), "'nan', which is not a number"),
        ("a.jsonl", '{"sentence": 3, "label": 1}\n', "classification", Columns(), "'sentence' is 3"),
        ("a.jsonl", '{"sentence": "x", "label": 1}\n[1]\n', "classification", Columns(), "line 2 .* not a JSON object"),
        ("a.jsonl", '{"sentence": "x"}\n{"label": 1}\n', "classification", Columns(), "line 1 .* lacks 'label'"),
        (
            "a.jsonl",
            lines({"ctx": "x", "endings": "y", "label": 0}),
            "choice",
            Columns(),
            "a list of at least two answers",
        ),
        ("a.jsonl", lines({"ctx": "x", "endings": ["y", "z"], "label": 2}), "choice", Columns(), "`first_label=1`"),
        (
            "a.jsonl",
            lines({"ctx": "x", "endings": ["y", "z"], "label": -1}),
            "choice",
            Columns(),
            "gives '-1' as the right answer",
        ),
        ("a.csv", "context,question,answers,label\nx,y,z,0\n", "choice", Columns(), "'answers' must be a list"),
        ("a.csv", "sentence,label\nx,1\ny,1\n", "classification", Columns(), "one label, '1'"),
        ("a.txt", "x", "classification", Columns(), r"ends in \.csv, \.tsv, \.jsonl"),
        ("a.csv", "sentence,label\nx,1\n", "translation", Columns(), "no kind of task 'translation'"),
        ("a.csv", "a,b,label\nx,y,1\n", "choice", Columns(("a",)), "then its answers; got only a: name more"),
        ("a.csv", "a,b,label\nx,y,1\n", "entailment", Columns(("a",)), "entailment reads 2 columns of text; got a"),
        (
            "a.csv",
            "text1,text2,label\n" + "".join(f"x,y,{n}\n" for n in range(300)),
            "similarity",
            Columns(),
            "300 different values in 300 .*, or pass `labels` without any if it holds scores",
        ),
        (
            "a.csv",
            "text,label\n" + "".join(f"x,{n / 7}\n" for n in range(300)),
            "classification",
            Columns(),
            "300 different values in 300",
        ),
    ],
)
def test_what_cannot_be_used_is_reported_in_one_line(
    written: Written, name: str, content: str, kind: str, columns: Columns, message: str
) -> None:
    path = written(name, content)
    with pytest.raises(InputError, match=message) as mistake:
        read_task(path, path, kind, columns)
    assert "\n" not in str(mistake.value)


def test_files_that_are_not_there_or_no_text_are_distinguished(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file .*gone\.csv"):
        list(read_rows(tmp_path / "gone.csv"))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        list(read_rows(tmp_path / "folder.csv"))
    (tmp_path / "raw.csv").write_bytes(b"sentence,label\n\xff,1\n")
    with pytest.raises(InputError, match="not UTF-8"):
        list(read_rows(tmp_path / "raw.csv"))


def test_a_label_that_was_never_learned_is_refused_in_the_test_file(written: Written) -> None:
    train = written("train.csv", "sentence,label\nx,a\ny,b\n")
    with pytest.raises(InputError, match=r"line 2 of .*test\.csv has the label '-1', which is none of a, b"):
        read_task(train, written("test.csv", "sentence,label\nz,-1\n"), "classification")


@given(
    records=st.lists(
        st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="\r")), st.integers(0, 1)),
        min_size=10,
    ).filter(lambda records: len({text for text, _ in records}) > 2),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_what_is_held_out_of_one_file_is_a_fifth_and_every_example_is_on_one_side(
    tmp_path_factory: pytest.TempPathFactory, records: list[tuple[str, int]], seed: int
) -> None:
    path = tmp_path_factory.mktemp("held") / "all.jsonl"
    path.write_text(lines(*({"text": text, "label": label} for text, label in records)), encoding="utf-8")
    task = read_task(path, None, "classification", Columns(labels=("0", "1")), seed=seed)
    learned, judged = ({example.texts for example in side} for side in (task.train, task.test))
    assert not learned & judged
    assert len(judged) == round(len(learned | judged) / 5)
    assert sorted((e.text, e.target) for e in task.train + task.test) == sorted(records)  # type: ignore[union-attr]
    assert task == read_task(path, None, "classification", Columns(labels=("0", "1")), seed=seed)


def test_pairs_that_are_there_twice_are_on_one_side_whichever_text_comes_first(written: Written) -> None:
    pairs = [(f"a {n}", f"b {n}") for n in range(20)]
    records = [{"text1": one, "text2": two, "score": 1} for pair in pairs for one, two in (pair, pair[::-1])]
    task = read_task(written("twice.jsonl", lines(*records)), None, "similarity")
    learned, judged = ({frozenset(example.texts) for example in side} for side in (task.train, task.test))
    assert not learned & judged
    assert (len(task.train), len(task.test)) == (32, 8)
    three = written("three.csv", "text,label\n" + "x,0\nx,0\ny,1\n" * 9)
    with pytest.raises(InputError, match=r"holds too few different examples \(2\) to hold some out"):
        read_task(three, None, "classification")


def test_a_field_may_be_as_long_as_a_chapter(written: Written) -> None:
    path = written("long.csv", f"sentence,label\n{'x' * 200_000},0\ny,1\n")
    assert len(read_task(path, path, "classification").train[0].texts[0]) == 200_000


def test_the_right_answer_is_found_whatever_space_is_around_it(written: Written) -> None:
    path = written("space.jsonl", lines({"ctx": "Count:", "endings": [" one", " two "], "label": " two"}))
    assert read_task(path, path, "choice").targets() == [1]


def test_a_task_refuses_examples_that_do_not_fit_it() -> None:
    one, other = Classification("x", 0), Classification("y", 2)
    with pytest.raises(
        InputError, match="example 2 of the test set of task t has the label 2; the 2 labels are 0 to 1"
    ):
        Task("t", "classification", ("a", "b"), (one,), (one, other))
    with pytest.raises(InputError, match="no examples to be judged by"):
        Task("t", "classification", ("a", "b"), (one,), ())
    with pytest.raises(InputError, match="is Classification, and the task is entailment"):
        Task("t", "entailment", ("a", "b"), (one,), (one,))
    with pytest.raises(InputError, match="has 1 answers, and the task has 2"):
        Task("t", "choice", ("0", "1"), (MultipleChoice("x", ("y",), 0),), (MultipleChoice("x", ("y",), 0),))


def test_the_majority_is_the_most_frequent_class_or_the_mean_score() -> None:
    some = tuple(Classification("x", target) for target in (2, 0, 2, 1))
    assert Task("t", "classification", ("a", "b", "c"), some, some).majority == 2
    pairs = tuple(Similarity("x", "y", score) for score in (1.0, 2.0, 6.0))
    assert Task("t", "similarity", (), pairs, pairs).majority == 3.0
