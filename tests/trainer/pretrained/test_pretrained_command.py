"""The command that imports and exports: what it prints, and every mistake in one line with no run left behind."""

from __future__ import annotations

import json
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import InputError
from data.runs import Run, list_runs
from data.tokens.vocabularies import learn_bpe
from tests.commands import assert_mistake, command
from tests.trainer.pretrained.readers.plain_gpts import ROWS, gptlab_state, nanogpt_state
from tests.trainer.pretrained.test_importing import SYMBOLS, checkpoint, gptlab, made
from trainer.pretrained.__main__ import Export, Import, format_report, main
from trainer.pretrained.imported_run import write_run
from trainer.pretrained.readers.nanogpt import NANOGPT
from trainer.pretrained.revisions import locate_revisions
from trainer.pretrained.source import open_source

Make = Callable[[Path], Path]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path / "runs"))
    return tmp_path


@pytest.mark.slow
def test_the_use_of_each_tensor_is_printed(folder: Path) -> None:
    gptlab(folder / "model")
    result = command("trainer.pretrained", "import", str(folder / "model"), "--name", "lab", "--verbose")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].startswith("run lab: ")
    assert lines[lines.index("") + 1].split() == ["their", "tensor", "shape", "ours", "note"]
    assert [line for line in lines if line.startswith("transformer.h.1.attn.k_linear.weight")] == [
        "transformer.h.1.attn.k_linear.weight  16 x 16          h.1.attn.c_attn.weight  joined: the key's third"
    ]
    for part in (
        "our GPT with norm pre, bias qkv, gelu tanh, weights in float32",
        "snapshots: 1, of step 5,000",
        "tensors left out: 2, for the reasons in the table",
        "tokens: 13 characters",
    ):
        assert part in result.stdout
    assert command("trainer.pretrained", "export", str(folder / "out"), "--run", "lab").stdout == (
        f"wrote step 5,000 of run lab as a GPT2LMHeadModel to {folder / 'out'}: "
        "README.md, config.json, generation_config.json, model.safetensors, tokenizer.json, tokenizer_config.json\n"
    )


def test_the_tensors_of_all_blocks_are_one_row_with_their_number(folder: Path) -> None:
    gptlab(folder / "model")
    main(Import(model=str(folder / "model"), name="lab"))
    run = Run(folder / "runs" / "lab")
    brief, full = (format_report(run, verbose=verbose).split("\n\n") for verbose in (False, True))
    assert brief[0] == full[0]
    rows = brief[1].splitlines()[1:]
    assert (
        "2 x transformer.h.#.attn.k_linear.weight  16 x 16          h.#.attn.c_attn.weight  joined: the key's third"
        in rows
    )
    counts = [int(found[1]) if (found := re.match(r"(\d+) x ", row)) else 1 for row in rows]
    assert sum(counts) == len(full[1].splitlines()) - 1 == len(run.info["source"]["tensors"])


@pytest.mark.slow
def test_an_imported_model_of_sub_words_generates_text(folder: Path) -> None:
    tokenizer = learn_bpe("to be or not to be " * 9, 262)
    shape = {"vocab_size": tokenizer.vocab_size, "n_positions": 16, "n_embd": 16, "n_layer": 1, "n_head": 2}
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    transformers.GPT2LMHeadModel(transformers.GPT2Config(**shape, **ends)).save_pretrained(folder / "model")
    (folder / "model" / "tokenizer.json").write_text(tokenizer.definition)
    main(Import(model=str(folder / "model")))
    result = command("trainer.generate", "--prompt", "to be", "--tokens", "5")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("to be")


def test_the_report_on_a_gpt1_and_on_widened_numbers_is_true(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made("gpt1").bfloat16().save_pretrained(folder / "model")
    main(Import(model=str(folder / "model"), tokenizer="ids"))
    result = capsys.readouterr().out
    assert "weights in bfloat16, kept as float32" in result
    assert "spaCy" not in result, "nothing cuts a text whose tokens are ids"


def test_a_pickle_that_would_run_code_is_refused_in_one_line(folder: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(folder / "touched"),)

    torch.save({"model": Evil(), "model_args": {}}, folder / "ckpt.pt")
    result = command("trainer.pretrained", "import", str(folder / "ckpt.pt"))
    assert_mistake(
        result,
        "ckpt.pt is a pickle that asks for posix.mkdir, which may run code: it is refused, and nothing of it ran",
    )
    assert not (folder / "touched").exists()
    assert not (folder / "runs").exists()


@pytest.mark.slow
def test_a_hub_that_cannot_be_reached_says_how_to_use_a_folder(folder: Path) -> None:
    away = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(folder / "cache")}
    result = command("trainer.pretrained", "import", "EleutherAI/pythia-70m", "--revisions", "step0,step1", **away)
    assert_mistake(
        result,
        "EleutherAI/pythia-70m cannot be fetched from the hub",
        "give a local folder instead, with config.json and model.safetensors",
        "pythia-70m/step0",
    )
    assert not (folder / "runs").exists()


def evil_bin(folder: Path) -> Path:
    class Evil:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(folder / "touched"),)

    gptlab(folder / "model")
    (folder / "model" / "pytorch_model.bin").write_bytes(pickle.dumps(Evil()))
    return folder / "model"


def evil_meta(folder: Path) -> Path:
    class Evil:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(folder / "touched"),)

    path = checkpoint(nanogpt_state(True), folder / "out", True)
    (folder / "out" / "meta.pkl").write_bytes(pickle.dumps({"stoi": Evil()}))
    return path


def with_state(change: Callable[[dict[str, Any]], Any], **config: Any) -> Make:
    def make(folder: Path) -> Path:
        path = gptlab(folder / "model")
        state = gptlab_state()
        change(state)
        torch.save(state, path / "pytorch_model.bin")
        settings = json.loads((path / "config.json").read_text()) | config
        (path / "config.json").write_text(json.dumps(settings))
        return path

    return make


def text(name: str, content: str, to: str = "model") -> Make:
    def make(folder: Path) -> Path:
        path = gptlab(folder / "model")
        (path / name).write_text(content)
        return folder / to

    return make


def lone(name: str, content: bytes) -> Make:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def empty(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def no_weights(folder: Path) -> Path:
    path = gptlab(folder / "model")
    (path / "pytorch_model.bin").unlink()
    return path


def changed_nanogpt(folder: Path) -> Path:
    return checkpoint(nanogpt_state(True), folder / "out", True, use_rmsnorm=True)


def of_no_family(folder: Path) -> Path:
    torch.save(nanogpt_state(True), folder / "weights.pt")
    return folder / "weights.pt"


def without_vocabulary(folder: Path) -> Path:
    return gptlab(folder / "model", vocabulary=None)


H1 = "transformer.h.1"
MISTAKES: dict[str, tuple[Make, str]] = {
    "evil weights": (evil_bin, r"pytorch_model.bin is a pickle that (asks for|torch did not write)"),
    "evil vocabulary": (
        evil_meta,
        r"meta.pkl is no pickle of plain values \(it asks for (posix|nt)\.mkdir\): nothing of it ran",
    ),
    "a missing tensor": (
        with_state(lambda state: state.pop(f"{H1}.attn.k_linear.weight")),
        r"lacks the tensor 'h.1.attn.k_linear.weight' \(ours: 'h.1.attn.c_attn.weight', \(48, 16\)\)",
    ),
    "an extra tensor": (
        with_state(lambda state: state.update({f"{H1}.adapter.weight": torch.zeros(2, 3)})),
        r"has a tensor that the model has no place for: 'transformer.h.1.adapter.weight' with the shape \(2, 3\)",
    ),
    "a bias too many": (
        with_state(lambda state: state.update({f"{H1}.mlp.c_fc.bias": torch.zeros(64)})),
        r"no place for: 'transformer.h.1.mlp.c_fc.bias' with the shape \(64,\)",
    ),
    "a block too many": (
        with_state(lambda state: None, n_layer=1),
        r"no place for: 'transformer.h.1.attn.c_proj.weight'",
    ),
    "another shape": (
        with_state(lambda state: state.update({f"{H1}.mlp.c_fc.weight": torch.zeros(64, 15)})),
        r"'transformer.h.1.mlp.c_fc.weight' has the shape \(64, 15\), and the model's is \(64, 16\)",
    ),
    "a head of its own": (
        with_state(lambda state: state.update({"lm_head.weight": torch.zeros(ROWS, 16)})),
        "cannot become our GPT: its output head 'lm_head.weight' is not the token table",
    ),
    "a short vocabulary": (
        text("vocab.txt", SYMBOLS[:-1]),
        "vocabulary of 12 symbols does not fit the weights, whose token table has 13 rows",
    ),
    "a long vocabulary": (text("vocab.txt", SYMBOLS + "k"), "vocabulary of 14 symbols does not fit the weights"),
    "no vocabulary": (
        without_vocabulary,
        "says nothing of its 13 tokens: pass `tokenizer` with its tokenizer.json, meta.pkl or vocab.txt",
    ),
    "a config that is none": (text("config.json", "{"), "config.json cannot be read as JSON"),
    "a config without numbers": (
        text("config.json", '{"max_len": 10}'),
        "must give vocab_size as a whole number of 1 or more; it has None",
    ),
    "a list for a config": (text("config.json", "[]"), "config.json holds no configuration"),
    "no weights": (no_weights, "has a config.json and no weights: it needs model.safetensors or pytorch_model.bin"),
    "damaged safetensors": (text("model.safetensors", "junk"), "model.safetensors cannot be read as safetensors"),
    "a damaged index": (
        text("model.safetensors.index.json", "{}"),
        "model.safetensors.index.json is no index of weights",
    ),
    "a damaged checkpoint": (lone("ckpt.pt", b"hello world"), "ckpt.pt cannot be read as weights"),
    "an empty checkpoint": (lone("ckpt.pt", b""), "ckpt.pt cannot be read as weights"),
    "an unknown file": (lone("model.onnx", b"junk"), "model.onnx is no model that is known here"),
    "an empty folder": (empty, "empty is no model that is known here: give a folder with config.json"),
    "weights of no family": (of_no_family, "weights.pt is of no known form: neither a model of Hugging Face"),
    "a nanoGPT that was changed": (
        changed_nanogpt,
        "of a nanoGPT that was changed: its model_args has use_rmsnorm=True",
    ),
    "a kind that is no name": (text("config.json", '{"model_type": ["gpt2"]}'), "gives no name as model_type; it has"),
    "a dropout of none": (
        with_state(lambda state: None, dropout=None),
        "must give dropout as a number of 0 or more; it has None",
    ),
    "a step in words": (with_state(lambda state: None, max_iters="x"), "max_iters must be a whole number .* it is 'x'"),
    "a width that is none": (
        with_state(lambda state: None, n_embd=16 * 10**8),
        "no model can be as large as the configuration says",
    ),
    "complex numbers": (
        with_state(lambda state: state.update({"transformer.ln_f.b_2": torch.zeros(16, dtype=torch.complex64)})),
        "'transformer.ln_f.b_2' has numbers of the type complex64: weights are read in bfloat16, float16, float32, float64",
    ),
    "a number for a name": (
        with_state(lambda state: state.update({3: torch.zeros(1)})),
        "it has 3 where tensors belong",
    ),
    "an index without names": (
        text("model.safetensors.index.json", '{"weight_map": ["a"]}'),
        "is no index of weights: its weight_map must name the file of each tensor",
    ),
    "an index of numbers": (
        text("model.safetensors.index.json", '{"weight_map": {"a": 3}}'),
        "is no index of weights: its weight_map must name the file of each tensor",
    ),
    "a vocabulary that is a number": (text("tokenizer.json", "5"), "tokenizer.json cannot be used"),
    "a vocabulary that is nothing": (text("tokenizer.json", "null"), "tokenizer.json cannot be used"),
    "a vocabulary that is a text": (text("tokenizer.json", '"x"'), "tokenizer.json cannot be used"),
    "a folder that is not there": (
        lambda folder: folder / "none",
        "there is no .*none: give a folder or file that is there",
    ),
}


@pytest.mark.parametrize("what", list(MISTAKES))
def test_a_mistake_is_refused_in_one_line_and_leaves_no_run(what: str, folder: Path) -> None:
    make, message = MISTAKES[what]
    with pytest.raises(InputError, match=message) as mistake:
        main(Import(model=str(make(folder)), name="made"))
    assert "\n" not in str(mistake.value)
    assert not (folder / "touched").exists()
    assert not (folder / "runs" / "made").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "a/b"}, "cannot be the name of a run"),
        ({"tokenizer": "nowhere"}, "there is no tokenizer 'nowhere': give gpt2, ids, or a file or folder"),
        ({"tokenizer": "ids", "symbols_of": "shakespeare"}, "both say what the tokens are: give one of them"),
        ({"gelu": "relu"}, "gelu must be one of tanh, exact; got 'relu'"),
        ({"revisions": "main"}, "the revision 'main' names no step: write it as main=1000"),
        ({"revisions": "step1,main=1"}, "`revisions` names step 1 twice"),
        ({"revisions": ","}, "`revisions` names no revision"),
        ({"revisions": "step1"}, "there is no model at .*step1"),
        ({"context": 11}, "the context must be from 1 to the model's own 10; got 11"),
    ],
)
def test_an_invalid_option_is_refused(options: dict[str, Any], message: str, folder: Path) -> None:
    path = gptlab(folder / "model")
    with pytest.raises(InputError, match=message) as mistake:
        main(Import(model=str(path), **{"name": "made", **options}))
    assert "\n" not in str(mistake.value)
    assert not (folder / "runs" / "made").exists()


@pytest.mark.parametrize(("model", "name"), [("my-model-1.5", "my-model-1.5"), ("ckpt.pt", "ckpt")])
def test_a_run_has_the_name_of_its_model_with_its_dots(model: str, name: str, folder: Path) -> None:
    path = checkpoint(nanogpt_state(True), folder, True, name=model) if "pt" in model else gptlab(folder / model)
    main(Import(model=str(path), tokenizer="ids"))
    assert [run.name for run in list_runs(folder / "runs")] == [name]


def test_a_form_of_gelu_other_than_that_of_the_configuration_is_refused(folder: Path) -> None:
    made("gpt2").save_pretrained(folder / "model")
    with pytest.raises(
        InputError, match=r"says that its GELU is tanh \(activation_function gelu_new\): leave `gelu` out"
    ):
        main(Import(model=str(folder / "model"), name="made", tokenizer="ids", gelu="exact"))
    main(Import(model=str(folder / "model"), name="made", tokenizer="ids", gelu="tanh"))


def test_the_name_of_an_existing_run_is_refused_and_that_run_unchanged(folder: Path) -> None:
    path = str(gptlab(folder / "model"))
    main(Import(model=path, name="made"))
    before = (folder / "runs" / "made" / "run.json").read_bytes()
    with pytest.raises(InputError, match="run 'made' exists already: pass another name with `name`"):
        main(Import(model=path, name="made"))
    assert (folder / "runs" / "made" / "run.json").read_bytes() == before


def test_a_folder_with_other_files_is_not_taken_for_a_run(folder: Path) -> None:
    """It would be deleted with a run that cannot be written whole."""
    (folder / "runs" / "made").mkdir(parents=True)
    main(Import(model=str(gptlab(folder / "model")), name="made"))  # an empty one may be taken
    (folder / "runs" / "mine").mkdir()
    (folder / "runs" / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="mine is there already and is not empty: pass another name with `name`"):
        main(Import(model=str(folder / "model"), name="mine"))
    with pytest.raises(InputError, match="is not empty"):
        write_run("mine", {}, read=lambda path: pytest.fail("a model was read"), tokenizer=lambda rows: {})
    assert [path.name for path in (folder / "runs" / "mine").iterdir()] == ["notes.txt"]


def test_a_revision_of_another_shape_ends_the_import_and_leaves_nothing(folder: Path) -> None:
    made("gpt2").save_pretrained(folder / "both" / "step0")
    made("gpt2", layer_norm_epsilon=1e-3).save_pretrained(folder / "both" / "step5")
    with pytest.raises(InputError, match=r"step 5 is another model than the first: norm_eps is 0.001 and was 1e-05"):
        main(Import(model=str(folder / "both"), name="made", tokenizer="ids"))
    assert list_runs(folder / "runs") == []


def vocabularies(folder: Path) -> list[Path]:
    """Write the same characters in every form that is read."""
    numbered = dict(enumerate(SYMBOLS))
    meta = {"vocab_size": ROWS, "itos": numbered, "stoi": {symbol: i for i, symbol in numbered.items()}}
    (folder / "meta.pkl").write_bytes(pickle.dumps(meta))
    (folder / "old.pkl").write_bytes(pickle.dumps(meta, protocol=2))
    (folder / "itos.pkl").write_bytes(pickle.dumps({"itos": list(SYMBOLS)}))
    (folder / "meta.json").write_text(json.dumps(meta))
    (folder / "list.json").write_text(json.dumps(list(SYMBOLS)))
    (folder / "stoi.json").write_text(json.dumps(meta["stoi"]))
    (folder / "symbols.txt").write_text(SYMBOLS)
    return sorted(path for path in folder.iterdir() if path.is_file())


def test_characters_are_read_in_every_form(folder: Path) -> None:
    path = checkpoint(nanogpt_state(True), folder / "out", True)
    for file in vocabularies(folder):
        main(Import(model=str(path), name=f"by-{file.stem}{file.suffix[1:]}", tokenizer=str(file)))
        assert Run(folder / "runs" / f"by-{file.stem}{file.suffix[1:]}").tokenizer.labels == list(SYMBOLS), file
    (folder / "text.md").write_text(SYMBOLS[::-1] * 3)
    main(Import(model=str(path), name="by-text", symbols_of=str(folder / "text.md")))
    assert Run(folder / "runs" / "by-text").tokenizer.labels == list(SYMBOLS)
    (folder / "meta.pkl").rename(folder / "out" / "meta.pkl")
    main(Import(model=str(folder / "out"), name="beside"))
    assert Run(folder / "runs" / "beside").tokenizer.labels == list(SYMBOLS)


@pytest.mark.parametrize("place", ["out/ckpt.pt", "out", "."])
@pytest.mark.parametrize("step", [-1, 2.5, "x", torch.tensor([3, 4]), True, float("nan")], ids=str)
def test_an_invalid_step_is_refused_with_the_way_to_name_it(
    step: Any, place: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint(nanogpt_state(True), folder / "out", True, step)
    model = str(folder / place)
    if place == ".":
        monkeypatch.chdir(folder / "out")
        model = "."
    advice = advice_of(
        lambda: main(Import(model=model, name="made", tokenizer="ids")), "iter_num must be a whole number"
    )
    main(Import(model=model, **{"name": "made", "tokenizer": "ids"} | advice))
    assert [snapshot.step for snapshot in Run(folder / "runs" / "made").snapshots()] == [1000]


def test_the_advice_for_a_step_in_words_works_for_a_folder_of_gptlab(folder: Path) -> None:
    path = str(with_state(lambda state: None, max_iters="many")(folder))
    advice = advice_of(lambda: main(Import(model=path, name="made")), "max_iters must be a whole number")
    main(Import(model=path, name="made", **advice))
    assert [snapshot.step for snapshot in Run(folder / "runs" / "made").snapshots()] == [1000]


def test_another_name_than_that_of_a_file_is_refused_with_its_own(folder: Path) -> None:
    path = str(checkpoint(nanogpt_state(True), folder / "a=b", True, name="my=model.pt"))
    wrong = Import(model=path, name="made", tokenizer="ids", revisions="main=5")
    advice = advice_of(lambda: main(wrong), "is one model and has no revision 'main'")
    main(Import(model=path, name="made", **{"tokenizer": "ids"} | advice))
    assert [snapshot.step for snapshot in Run(folder / "runs" / "made").snapshots()] == [1000]


def advice_of(act: Callable[[], object], message: str) -> dict[str, Any]:
    """Trigger a message, and collect the fields that it advises to pass, with the values."""
    with pytest.raises(InputError, match=message) as mistake:
        act()
    advised: dict[str, Any] = {}
    mistake.value.worded(lambda name, value: advised.update({name: value}) if value else None)
    assert advised
    return advised


NUMBERS = st.integers(0, 10**6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    number=NUMBERS,
    wrap=st.sampled_from(
        [
            torch.tensor,
            lambda n: torch.tensor([[n]], dtype=torch.float64),
            lambda n: torch.tensor(n, dtype=torch.int32),
            np.int64,
            np.uint32,
            np.float64,
            np.dtype(">i4").type,
            lambda n: np.array(n),
            lambda n: np.array([n], dtype=">i8"),
            float,
        ]
    ),
)
def test_numbers_of_a_checkpoint_may_be_those_of_torch_or_numpy(
    number: int, wrap: Callable[[int], Any], folder: Path
) -> None:
    more = {"losses": np.arange(3.0), "best": np.float32(1.5), "host": np.str_("é"), "is_half": np.bool_(True)}
    path = checkpoint(nanogpt_state(True), folder, True, wrap(number))
    content = torch.load(path, weights_only=False)
    for name, wrap_size in (("n_layer", torch.tensor), ("n_embd", np.int32), ("vocab_size", np.array)):
        content["model_args"][name] = wrap_size(content["model_args"][name])
    torch.save(content | more, path)
    source = open_source(path)
    assert NANOGPT.step(source) == number
    assert source.settings["best"] == 1.5
    assert NANOGPT.shape(source).vocab_size == ROWS


@pytest.mark.parametrize("is_array", [False, True])
def test_code_between_the_numbers_of_a_checkpoint_is_still_refused(is_array: bool, folder: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(folder / "touched"),)

    hidden: Any = np.array([Evil()], dtype=object) if is_array else Evil()
    path = checkpoint(nanogpt_state(True), folder, True, hidden)
    with pytest.raises(InputError, match=r"refused.*save it again with tensors and plain values alone"):
        open_source(path)
    assert not (folder / "touched").exists()


def test_checkpoints_in_folders_named_by_steps_are_found(folder: Path) -> None:
    for step in (5, 10):
        checkpoint(nanogpt_state(True, step), folder, True, 0, "ckpt.pt").rename(folder / "ckpt")
        (folder / "out" / f"step{step}").mkdir(parents=True)
        (folder / "ckpt").rename(folder / "out" / f"step{step}" / "ckpt.pt")
    main(Import(model=str(folder / "out"), name="made", tokenizer="ids"))
    assert [snapshot.step for snapshot in Run(folder / "runs" / "made").snapshots()] == [5, 10]
    checkpoint(nanogpt_state(True), folder / "out", True)  # a model by itself, whatever lies below it
    assert locate_revisions(str(folder / "out"), []) == [(None, folder / "out" / "ckpt.pt")]


@pytest.mark.parametrize(
    "content",
    [
        '["ab"]',
        '{"stoi": {"a": [1]}}',
        '{"stoi": {"x": "a"}}',
        '{"itos": 5}',
        '{"a": 0, "b": 0}',
        "[1, 2]",
        '{"a": 1, "b": 2}',
        '{"itos": {"0": "a", "2": "b"}}',
    ],
)
def test_an_invalid_vocabulary_is_refused(content: str, folder: Path) -> None:
    path = checkpoint(nanogpt_state(True), folder / "out", True)
    (folder / "wrong.json").write_text(content)
    with pytest.raises(InputError, match=r"wrong\.json holds no vocabulary of characters"):
        main(Import(model=str(path), name="made", tokenizer=str(folder / "wrong.json")))


def test_mistakes_of_import_and_export_are_one_line(folder: Path) -> None:
    with pytest.raises(InputError, match="there is no run"):
        main(Export(folder=folder / "out"))
    result = command("trainer.pretrained", "import")
    assert_mistake(result, "required")
