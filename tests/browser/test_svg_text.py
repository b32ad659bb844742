"""The text of an SVG stands in a browser as it was measured, spaces included."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from data.runs import Run
from viz.drawing.text import text_width
from viz.figures.figure import make_figure
from viz.request import FigureRequest

MEASURE = """async () => {
  await document.fonts.ready;
  return {
    loaded: [...document.fonts].map(font => font.status),
    texts: [...document.querySelectorAll('text')].map(text => {
      const style = getComputedStyle(text);
      return [text.textContent, parseFloat(style.fontSize), Number(style.fontWeight) > 500, text.getComputedTextLength()];
    }),
  };
}"""


def test_an_svg_is_set_as_it_was_measured(browser: Browser, run: Run) -> None:
    svg = make_figure(run, FigureRequest(only=("positions",), method="pca")).encode("svg").decode()
    with browser.new_context() as context:
        page = context.new_page()
        page.set_content(svg[svg.index("<svg") :])
        found = page.evaluate(MEASURE)
    assert set(found["loaded"]) == {"loaded"}
    assert any("   " in text for text, *_ in found["texts"])
    for text, size, bold, width in found["texts"]:
        assert width == pytest.approx(text_width(text, size, bold=bold), rel=0.01, abs=0.5), text
