"""The page shows a run, follows its slider, and says what to do where there is nothing to show."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboards.document import APP
from data.runs import Run


def address_of(at: AppTest) -> dict[str, str]:
    """Return the fields that the browser puts into the address of a visit that began without any."""
    return dict(parse_qsl(at.session_state["first_address"]))


def page() -> AppTest:
    return AppTest.from_file(str(APP), default_timeout=120)


def test_without_a_run_the_page_says_how_to_train_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path / "none"))
    at = page().run()
    assert not at.exception
    assert "python -m trainer --preset cpu" in at.code[0].value


def test_the_first_page_is_about_the_newest_run(run: Run) -> None:
    at = page().run()
    assert not at.exception
    assert at.selectbox(key="run_choice").value == run.name
    assert at.metric[0].value == f"{run.info['parameters']:,}"


def test_the_first_run_leads_to_no_other_page(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A page that changes under a fragment at work is cleared by the browser: each must stay, by its hash, what it was.
    navigation, seen = st.navigation, []

    def hear(pages: list[st.Page], **how: object) -> st.Page:
        seen.append([page._script_hash for page in pages])
        return navigation(pages, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(st, "navigation", hear)
    page().run()
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path / "none"))
    page().run()
    with_a_run, without = seen
    assert with_a_run == without
    assert len(set(without)) == 9


def test_the_address_names_the_run_though_there_is_nothing_to_show(run: Run) -> None:
    (run.path / "manifest.jsonl").write_text("")
    at = page().run()
    assert not at.exception
    assert address_of(at)["run"] == run.name


def test_invalid_fields_of_an_address_are_reported_in_the_readers_language(run: Run) -> None:
    at = page()
    at.query_params.update(lang="pt", step="x")
    at.run()
    assert [toast.value for toast in at.toast] == [
        "O endereço diz step=x, que não é um número inteiro\\: mostra\\-se o usual."
    ]
