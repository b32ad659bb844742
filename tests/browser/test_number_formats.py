"""The player writes numbers by one function, which gives zero no sign."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser

from tests.commands import ROOT

JS = ROOT / "viz" / "player" / "js"


@pytest.mark.parametrize(("language", "zero"), [("en", "0.00"), ("pt-BR", "0,00")])
def test_what_rounds_to_zero_has_no_sign(browser: Browser, language: str, zero: str) -> None:
    module = (JS / "drawing.js").read_text(encoding="utf-8")
    with browser.new_context() as context:
        page = context.new_page()
        page.add_script_tag(
            type="module", content=f"{module}\nwindow.numbers = {{ formatFixed, formatInteger, ticks }};"
        )
        page.wait_for_function("window.numbers")
        fixed = "([value, language]) => numbers.formatFixed(value, 2, language)"
        assert [page.evaluate(fixed, [value, language]) for value in (-0.001, -0.0, 0.001)] == [zero] * 3
        assert page.evaluate(fixed, [-0.01, "en"]) == "-0.01"
        assert page.evaluate("numbers.formatInteger(-0.3, 'en')") == "0"
        assert page.evaluate("numbers.ticks(-0.5, 1, 3).some(tick => Object.is(tick, -0))") is False


def test_no_other_code_of_the_player_formats_numbers() -> None:
    formats = re.compile(r"toLocaleString|Intl\.NumberFormat")
    users = {path.name for path in JS.rglob("*.js") if formats.search(path.read_text(encoding="utf-8"))}
    assert users == {"drawing.js"}
