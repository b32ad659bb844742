"""The page of films plays what there is, says what is wrong with the rest, and renders what is asked for."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.compute.computation import Computation
from dashboards.compute.jobs import JobKey
from dashboards.forms import film_form
from dashboards.state import film_list
from dashboards.state.language import Translation
from data.errors import InputError
from data.runs import Run
from tests.dashboards.stages import open_screen
from viz.request import FilmRequest


def page(**address: object) -> AppTest:
    return open_screen("films", **address)


def put_film(run: Run, stem: str, said: object = None, seconds_old: float = 0.0, suffix: str = ".mp4") -> Path:
    """Put something that has the name of a film beside the run; nothing on the page looks into it."""
    path = run.path / "films" / f"{stem}{suffix}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"\0\0\0\x18ftypmp42")
    if said is not None:
        path.with_name(f"{path.name}.json").write_text(said if isinstance(said, str) else json.dumps(said))
    at = time.time() - seconds_old
    os.utime(path, (at, at))
    return path


def options(**more: object) -> dict[str, object]:
    return {"what": "tokens", "method": "tsne", "highlight": ["vowels"], "theme": "dark", "size": "1920x1080", **more}


def test_without_a_film_the_page_says_so_and_offers_the_form(run: Run) -> None:
    at = page()
    assert not at.exception
    assert "No film has been rendered" in at.markdown[0].value
    assert at.button(key="film_render").label == "Render"
    assert "Ainda não há filmes" in page(lang="pt").markdown[0].value


def test_films_stand_newest_first_with_what_their_sidecars_say(run: Run) -> None:
    put_film(run, "old", {"options": options(), "alt_text": "Old *stars* $x$."}, seconds_old=100)
    put_film(run, "new", {"options": options(what="attention", highlight=[], prompt="a_b [x](y)"), "alt_text": "New."})
    at = page()
    assert not at.exception
    assert at.radio(key="film_choice").options == ["Attention · “a\\_b \\[x\\]\\(y\\)”", "Tokens · t\\-SNE · vowels"]
    assert at.radio(key="film_choice").value == "new"
    at.radio(key="film_choice").set_value("old").run()
    assert at.caption[0].value == "Old \\*stars\\* \\$x\\$."
    assert at.query_params["film"] == "old"
    assert page(film="old").radio(key="film_choice").value == "old"


def test_every_film_has_a_title_also_of_an_earlier_sidecar(run: Run) -> None:
    for what, title in (("temperature", "Temperature"), ("gram", "Similarity of positions"), ("scores", "Head scores")):
        put_film(run, what, {"options": {"what": what, "theme": "light", "size": "1920x1080"}, "alt_text": "x"})
        (film,) = [film for film in film_list.films(run) if film.stem == what]
        assert film_list.title(film, Translation("en")) == title


def test_a_film_that_the_address_names_wrongly_is_reported(run: Run) -> None:
    put_film(run, "new", {"options": options(), "alt_text": "New."})
    for name in ("../../secret", "nothing", "<b>x</b>"):
        at = page(film=name)
        assert not at.exception
        assert "There is no film" in at.warning[0].value
        assert "<b>" not in at.warning[0].value
        assert at.radio(key="film_choice").value == "new"


@pytest.mark.parametrize("said", ["{", "[1, 2]", '{"options": 3, "alt_text": {}}', "[" * 100_000, None])
def test_a_damaged_sidecar_costs_only_its_words(run: Run, said: str | None) -> None:
    put_film(run, "tokens-tsne", said)
    at = page()
    assert not at.exception
    assert at.radio(key="film_choice").options == ["tokens\\-tsne"]
    assert "missing or damaged" in at.caption[0].value


def test_links_that_lead_out_of_the_run_are_passed_over(run: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"secret")
    (tmp_path / "secret.json").write_text('{"alt_text": "secret"}')
    put_film(run, "own").with_name("own.mp4.json").symlink_to(tmp_path / "secret.json")
    (run.path / "films" / "led.mp4").symlink_to(secret)
    assert [(film.stem, film.sidecar, film.alt_text) for film in film_list.films(run)] == [("own", None, "")]


def test_a_film_of_the_form_is_rendered_and_chosen(
    run: Run, monkeypatch: pytest.MonkeyPatch, computation: Computation
) -> None:
    monkeypatch.setattr(film_form, "SIZES", {"640x360": "360p", "1920x1080": "1080p"})
    put_film(run, "other", {"options": options()})
    at = page()
    at.button_group(key="film_what").set_value("position-similarity").run()
    at.button_group(key="film_size").set_value("640x360").run()
    at.select_slider(key="film_pace").set_value(0.1).run()
    at.button(key="film_render").click().run()
    assert not at.exception
    (job,) = computation.jobs.of_run(run.name)
    stem = FilmRequest("position-similarity", size="640x360", seconds_per_snapshot=0.1).file_name
    # Another tab asks for the same: there is still one job.
    other = page()
    assert other.button(key=f"cancel {run.name} films/{stem}")
    other.button_group(key="film_what").set_value("position-similarity").run()
    other.button_group(key="film_size").set_value("640x360").run()
    other.select_slider(key="film_pace").set_value(0.1).run()
    other.button(key="film_render").click().run()
    assert "being made already" in other.toast[0].value
    assert computation.jobs.of_run(run.name) == [job]
    assert job.wait(60).state == "done"
    at.run()
    assert not at.exception
    assert at.radio(key="film_choice").value == stem
    assert at.query_params.get("film", stem) == stem
    assert "Cosine similarity of the 16 positions" in at.caption[0].value


def test_cancelling_leaves_the_page_as_it_was(run: Run, computation: Computation) -> None:
    at = page()
    at.button_group(key="film_what").set_value("position-similarity").run()
    at.select_slider(key="film_pace").set_value(2.0).run()
    at.button(key="film_render").click().run()
    stem = FilmRequest("position-similarity", seconds_per_snapshot=2.0).file_name
    at.button(key=f"cancel {run.name} films/{stem}").click().run()
    assert not at.exception
    assert computation.jobs.of_run(run.name)[0].status.state == "cancelled"
    assert list((run.path / "films").glob("*")) == []
    assert "No film has been rendered" in at.markdown[0].value


def test_what_cannot_be_filmed_is_reported_before_anything_is_computed(run: Run, computation: Computation) -> None:
    at = page()
    at.text_input(key="film_groups").set_value("no*such*group").run()
    assert "is neither a token of this run nor a group" in at.info[0].value
    assert "no\\*such" in at.info[0].value
    at.button_group(key="film_what").set_value("attention").run()
    at.text_input(key="film_prompt").set_value("\u2603").run()
    assert "\u2603" in at.info[0].value
    assert not [button for button in at.button if button.key == "film_render"]
    assert not computation.jobs.of_run(run.name)


def test_the_commands_own_checks_hold(run: Run) -> None:
    with pytest.raises(InputError, match="`prompt` does not concern a film of heads"):
        film_form.check(run, FilmRequest(what="scores", prompt="a"))
    with pytest.raises(InputError, match="there is no position '99'"):
        film_form.check(run, FilmRequest(what="positions", highlight=("99",)))
    film_form.check(run, FilmRequest(what="tokens", highlight=("vowels",)))


@pytest.mark.slow
def test_a_job_that_failed_says_why_until_it_is_dismissed(run: Run, computation: Computation) -> None:
    key = JobKey(run.name, "films/x")
    computation.jobs.start(key, ["viz.video", f"--run={run.name}", "--what=attention", "--prompt=\u2603"])[0].wait(60)
    at = page()
    assert at.error[0].value.startswith("x could not be made\\:")
    assert "\u2603" in at.error[0].value
    at.button(key=f"dismiss {run.name} films/x").click().run()
    assert not at.error


def test_a_run_deleted_while_the_page_is_open(run: Run) -> None:
    put_film(run, "own", {"options": options()})
    at = page()
    shutil.rmtree(run.path)
    at.run()
    assert not at.exception
    assert at.info or at.warning


def test_titles_are_in_the_readers_language() -> None:
    film = film_list.FilmFiles("x", {}, None, FilmRequest.from_record(options(control="init", layer=1)), "")
    assert film_list.details(film, Translation("en")) == "layer 1 · beside untrained vectors · dark · 1920 × 1080"
    assert (
        film_list.details(film, Translation("pt"))
        == "camada 1 · ao lado de vetores não treinados · escuro · 1920 × 1080"
    )
    grouped = dataclasses.replace(film, request=FilmRequest("tokens", highlight=("vowels,x", "digits")))
    assert film_list.title(grouped, Translation("pt")).endswith(" · vogais,x · algarismos")


def test_the_command_line_reads_what_the_form_says(run: Run) -> None:
    from data.commands import parse

    request = FilmRequest(
        what="attention", run="r", prompt="--x 'y'\n", layer=0, theme="dark", size="1280x720", highlight=(), trust=False
    )
    assert parse(FilmRequest, prog="x", args=request.arguments()) == request
    assert request.file_name.startswith("attention-")
