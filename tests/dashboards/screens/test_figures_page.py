"""The page of figures draws what is asked for, lets it be taken, and names what the run has nothing for."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboards.compute.computation import Computation
from dashboards.compute.jobs import Job, JobKey
from dashboards.forms import figure_form
from dashboards.page import Page
from dashboards.screens import figures_page
from data.language import LANGUAGES
from data.progress import Progress
from data.runs import Run
from tests.dashboards.stages import open_screen
from viz.registry import FIGURES
from viz.request import FigureRequest


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for every figure, however busy the machine is."""
    monkeypatch.setattr(figures_page, "PATIENCE_S", 600.0)


def page(**address: object) -> AppTest:
    return open_screen("figures", **address)


def shown(run: Run, computation: Computation) -> figures_page.Still:
    """Return the figure that was drawn last of this run."""
    found = [kept.value for (path, *_), kept in computation.figures._results.items() if path == run.path]
    assert isinstance(found[-1], figures_page.Still)
    return found[-1]


def test_the_first_figure_is_drawn_and_described(run: Run, computation: Computation) -> None:
    at = page()
    assert not at.exception
    assert at.selectbox(key="figure_choice").value == "loss"
    assert Image.open(io.BytesIO(shown(run, computation).png)).size == (1920, 1080)
    assert f"of run {run.name} over 60 steps" in at.caption[0].value
    assert [button.label for button in at.get("download_button")] == ["PNG", "SVG", "PDF"]
    assert not list((run.path / "figures").glob("*")), "a preview writes nothing"


def test_while_a_figure_is_drawn_the_one_before_is_faded_and_drawing_can_be_cancelled(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = page(figure="loss")
    before = at.caption[0].value
    may_end = threading.Event()
    draw = figures_page._draw

    def slow(page: Page, request: FigureRequest, progress: Progress) -> figures_page.Still:
        while not may_end.wait(0.02):
            progress(1)
        return draw(page, request, progress)

    monkeypatch.setattr(figures_page, "_draw", slow)
    monkeypatch.setattr(figures_page, "PATIENCE_S", 0.1)
    at.selectbox(key="figure_choice").set_value("position-table").run()
    assert not at.exception
    assert not at.get("download_button"), "the figure before is not the one asked for"
    assert before not in [caption.value for caption in at.caption]
    assert at.button(key="figure_cancel")
    at.button(key="figure_cancel").click().run()
    assert not at.exception
    assert at.button(key="figure_draw")
    may_end.set()
    monkeypatch.setattr(figures_page, "PATIENCE_S", 600.0)
    at.button(key="figure_draw").click().run()
    assert not at.exception
    assert [button.label for button in at.get("download_button")] == ["PNG", "SVG", "PDF"]


def test_shape_colours_and_ground_are_those_asked_for(run: Run, computation: Computation) -> None:
    at = page(figure="position-table")
    at.button_group(key="figure_size").set_value("square").run()
    at.button_group(key="figure_theme").set_value("dark").run()
    picture = Image.open(io.BytesIO(shown(run, computation).png)).convert("RGBA")
    assert picture.size == (1080, 1080)
    assert picture.getpixel((2, 2)) == (14, 19, 25, 255)
    at.toggle(key="figure_transparent").set_value(True).run()
    assert not at.exception
    assert Image.open(io.BytesIO(shown(run, computation).png)).convert("RGBA").getpixel((2, 2))[3] == 0


def test_every_token_is_shown_on_request_also_by_a_link(run: Run, computation: Computation) -> None:
    at = page(figure="next-token")
    at.toggle(key="figure_all_tokens").set_value(True).run()
    assert not at.exception
    assert shown(run, computation).figure.request.all_tokens
    assert at.query_params["bars"] == "all"
    at.button_group(key="figure_size").set_value("large").run()
    assert Image.open(io.BytesIO(shown(run, computation).png)).size == (2880, 2160)
    assert page(figure="next-token", bars="all").toggle(key="figure_all_tokens").value


def test_whatever_is_chosen_stands_in_the_address_and_a_link_brings_it(run: Run) -> None:
    at = page(figure="tokens")
    at.button_group(key="figure_method").set_value("pca").run()
    at.text_input(key="figure_groups").set_value("vowels; a|b").run()
    at.button_group(key="figure_size").set_value("4:3").run()
    at.button_group(key="figure_theme").set_value("dark").run()
    at.toggle(key="figure_transparent").set_value(True).run()
    said = {name: at.query_params[name] for name in at.query_params if name != "run"}
    assert said == {
        "figure": "tokens",
        "method": "pca",
        "group": "vowels;a|b",
        "colors": "dark",
        "shape": "4:3",
        "ground": "transparent",
    }
    other = page(**said)
    assert other.button_group(key="figure_method").value == "pca"
    assert other.text_input(key="figure_groups").value == "vowels; a|b"
    assert other.button_group(key="figure_size").value == "4:3"
    assert other.button_group(key="figure_theme").value == "dark"
    assert other.toggle(key="figure_transparent").value
    at = page(figure="attention")
    at.selectbox(key=f"figure_step {run.name}").set_value(20).run()
    assert at.query_params["step"] == "20"


def test_step_prompt_layer_and_head_are_taken_and_kept_in_the_address(run: Run) -> None:
    at = page(figure="head", step="20", layer="1", head="0")
    assert not at.exception
    assert "layer 1, head 0" in at.caption[0].value.replace("\\", "")
    assert "at step 20" in at.caption[0].value
    assert at.query_params["step"] == "20"
    at.text_input(key="figure_prompt").set_value("ba co").run()
    assert "ba co" in at.caption[0].value
    assert at.query_params["prompt"] == "ba co"


@pytest.mark.parametrize(("suffix", "begins"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_what_is_taken_is_such_a_file(run: Run, suffix: str, begins: bytes, computation: Computation) -> None:
    page(figure="position-similarity")
    assert figures_page._encoded(shown(run, computation).figure, suffix).startswith(begins)


def test_the_same_wish_is_drawn_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    page(figure="token-spectrum")
    monkeypatch.setattr(figures_page, "_draw", lambda *_: pytest.fail("it was drawn again"))
    assert not page(figure="token-spectrum").exception


@pytest.mark.parametrize(
    "said", [{"figure": "no-such"}, {"figure": "head", "layer": "99", "head": "77"}, {"figure": "lens", "step": "13"}]
)
def test_what_the_address_says_wrongly_is_left_aside(run: Run, said: dict[str, str]) -> None:
    at = page(**said)
    assert not at.exception
    assert at.get("download_button")


def test_an_earlier_name_of_a_figure_is_read(run: Run) -> None:
    at = page(figure="similarity")
    assert not at.toast
    assert at.selectbox(key="figure_choice").value == "position-similarity"


def test_a_prompt_that_cannot_be_read_is_told(run: Run) -> None:
    at = page(figure="attention", prompt="\u2603")
    assert not at.exception
    assert "\u2603" in at.info[0].value
    assert "16" in page(figure="attention", prompt="ba " * 30).info[0].value


@pytest.mark.slow
def test_figures_that_do_not_apply_are_named_with_the_reason(run: Run) -> None:
    (run.path / "metrics.jsonl").write_text("")
    at = page(figure="loss")
    assert not at.exception
    assert "Loss" in at.info[0].value
    assert "has no losses to draw" in at.info[0].value.replace("\\", "")
    info = dict(Run(run.path).info)
    info.pop("model")
    info["tensors"].pop("position_table")
    (run.path / "run.json").write_text(json.dumps(info))
    left_out = figure_form.reasons(Run(run.path))
    assert set(left_out) == {name for name in figure_form.OFFERED if FIGURES[name].needs is not None}
    assert {"loss", "attention", "lens", "positions"} <= set(left_out)
    assert not {"tokens", "token-spectrum"} & set(left_out)
    at = page()
    assert at.selectbox(key="figure_choice").value == "tokens"
    assert any("Logit lens" in caption.value for caption in at.caption)


def test_without_the_package_for_slides_the_page_says_what_to_install(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pptx", None)
    at = page()
    assert not at.exception
    assert "pip install" in at.info[0].value.replace("\\", "")
    assert not [button for button in at.button if button.key == "deck_make"]


@pytest.mark.slow
def test_the_deck_is_a_job_and_can_be_taken(
    run: Run, monkeypatch: pytest.MonkeyPatch, computation: Computation
) -> None:
    pytest.importorskip("pptx")
    asked = []

    def start(key: JobKey, arguments: list[str], hidden: tuple[Path, str] | None = None) -> tuple[Job, bool]:
        asked.append(arguments)
        return real(key, [*arguments, "--only=loss", "--only=position-similarity"], hidden)

    real = computation.jobs.start
    monkeypatch.setattr(computation.jobs, "start", start)
    at = page(figure="loss")
    at.button(key="deck_make").click().run()
    assert not at.exception
    assert asked[0][:3] == ["viz.figures", f"--run={run.name}", "--format=png"]
    assert computation.jobs.of_run(run.name)[0].wait(60).state == "done"
    at.run()
    assert not at.exception
    assert at.get("download_button")[-1].label.startswith("tiny.pptx")


def test_every_figure_has_a_name_in_both_languages() -> None:
    for name in figure_form.OFFERED:
        assert set(FIGURES[name].labels) == set(LANGUAGES)
    assert FIGURES["loss"].labels["pt"] == "Perda"
