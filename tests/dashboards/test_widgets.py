"""Notes of a part of a page are shown together, once each, over the corner of the window."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def notes_of_a_part() -> None:
    import streamlit as st

    from dashboards.state.language import Translation
    from dashboards.widgets import guarded, show_notes

    say = Translation("en")

    def draw() -> None:
        show_notes(["first"], say)
        st.write("picture")
        show_notes(["second", "first"], say)

    guarded(draw, say)
    guarded(lambda: show_notes(["of the table"], say), say, "notes_of_table")


def notes_of_a_part_that_fails() -> None:
    from dashboards.state.language import Translation
    from dashboards.widgets import guarded, show_notes
    from data.errors import InputError

    say = Translation("en")

    def draw() -> None:
        show_notes(["first"], say)
        raise InputError("it cannot be drawn: pass `fps=30`")

    guarded(draw, say)


def notes_outside() -> None:
    from dashboards.state.language import Translation
    from dashboards.widgets import show_notes

    show_notes([], Translation("en"))
    show_notes(["alone"], Translation("en"))


def test_the_notes_of_a_part_stand_in_one_box_once_each() -> None:
    at = AppTest.from_function(notes_of_a_part).run()
    assert not at.exception
    assert [box.value for box in at.warning] == ["first\n\nsecond", "of the table"]
    assert [box.label for box in at.expander] == ["Notes", "Notes"]


def test_the_notes_of_a_part_that_cannot_be_drawn_are_shown_with_the_reason() -> None:
    at = AppTest.from_function(notes_of_a_part_that_fails).run()
    assert not at.exception
    assert [box.value for box in at.warning] == ["first"]
    assert "30" in at.info[0].value


def test_a_note_outside_of_a_part_is_shown_at_once() -> None:
    at = AppTest.from_function(notes_outside).run()
    assert [box.value for box in at.warning] == ["alone"]
