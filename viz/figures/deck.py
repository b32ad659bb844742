"""PowerPoint decks of a run's figures and films: a title slide, then a slide for each picture, with alt texts and speaker notes."""

from __future__ import annotations

import importlib.util
import io
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import InputError
from data.printing import visible
from data.runs import Run
from data.runs.atomic_files import write_bytes
from data.runs.names import architecture
from viz.drawing.theme import Theme, theme
from viz.films.encode import write_last_frame
from viz.request import FigureRequest
from viz.sidecar import read_sidecar, sidecar_path

if TYPE_CHECKING:
    from pptx.presentation import Presentation
    from pptx.slide import Slide

    from viz.figures.figure import Figure

EMU_PER_INCH = 914400
# Width and height in EMU, the unit of the format. PowerPoint's own wide slide is 13 1/3 inches.
SIZES = {
    "16:9": (12192000, 6858000),
    "4:3": (9144000, 6858000),
    "square": (6858000, 6858000),
    "large": (18288000, 13716000),
    "a3": (15120000, 10692000),
}

_TITLE_SLIDE, _TITLE_ONLY = 0, 5  # layouts of python-pptx's template
_TEMPLATE_WIDTH = 9144000
_UNDATED = datetime(2000, 1, 1)
_PACKED = (".png", ".mp4")  # no use compressing them again


@dataclass(frozen=True)
class DeckPage:
    """A picture for a slide, or a film with the picture that stands in for it until it plays."""

    title: str
    """For the outline and for screen readers; the picture shows its own title."""
    picture: Path
    """A PNG."""
    alt_text: str
    notes: str = ""
    """For the speaker."""
    film: Path | None = None
    """An MP4 in the proportions of the picture."""


def write_run_deck(run: Run, pages: Sequence[tuple[Figure, Path]], folder: Path, request: FigureRequest) -> Path:
    """Write ``<run>.pptx`` of figures, and of the films that the run's folder holds.

    Parameters
    ----------
    pages : each figure with its PNG.
    request : of the figures. Films of the other theme are left out where there are any of this one.

    Returns
    -------
    The path of the deck.
    """
    stills = [DeckPage(figure.title, picture, figure.alt_text, _notes(picture)) for figure, picture in pages]
    path, title = folder / f"{deck_name(run, request)}.pptx", _title(run)
    with tempfile.TemporaryDirectory() as scratch:
        films = [_film_page(film, Path(scratch)) for film in _films(run, request.theme)]
        return write_deck([*stills, *films], path, title, theme(request.theme), request.size)


def _title(run: Run) -> str:
    """Write the title of a run's deck; the snapshot of a finished model and word vectors do not learn."""
    name = architecture(run.info) or "word vectors"
    name = "a GPT" if name == "GPT" else name
    return f"{run.name}: {name}{'' if run.step_attrs and len(run.manifest()) == 1 else ' learns'}"


def deck_name(run: Run, request: FigureRequest) -> str:
    """Name the deck of a run: the run, and the theme and the shape of the slides where they are not the usual ones."""
    return "-".join([run.name, *request.name_words("theme", "size")])


def _films(run: Run, theme_name: str) -> list[Path]:
    """List the run's films that have a sidecar: those in this theme, or all where there are none."""
    films = [path for path in sorted((run.path / "films").glob("*.mp4")) if sidecar_path(path).is_file()]
    return [path for path in films if read_sidecar(path)["options"].get("theme") == theme_name] or films


def _film_page(film: Path, scratch: Path) -> DeckPage:
    """Make a page that shows the film's last frame until it plays."""
    poster = write_last_frame(film, scratch / f"{film.stem}.png")
    title, alt_text = f"Film: {film.stem.replace('-', ' ')}", read_sidecar(film)["alt_text"]
    return DeckPage(title, poster, alt_text, _notes(film), film)


def _notes(path: Path) -> str:
    """Write the speaker's notes: the alt text, and how the picture was made."""
    about = read_sidecar(path)
    return f"{about['alt_text']}\n\nMade by {about['command']} from run {about['run']}."


def write_deck(slides: Sequence[DeckPage], path: Path, title: str, theme: Theme, size: str = "16:9") -> Path:
    """Write a deck, whole or not at all. The same input gives the same bytes.

    The first slide has the title and a line below it, both as text that can be edited. Each further slide shows its picture as large as
    it fits without distortion. The colours go into the deck's own theme, so that slides added later look alike.

    Each slide has a title placeholder, which PowerPoint's accessibility checker and outline need. On slides with a picture, which has
    its title in it, the placeholder lies above the slide's edge, where PowerPoint's command "Add Hidden Slide Title" puts it too.

    Parameters
    ----------
    slides : the pictures and films, in order.
    path : the file to write, ``.pptx``.
    title : of the deck.
    theme : the colours.
    size : ``16:9`` (13.333 x 7.5 inches), ``4:3`` (10 x 7.5) or ``square`` (7.5 x 7.5).

    Returns
    -------
    ``path``.

    Raises
    ------
    InputError
        If python-pptx is not installed, there is no slide, the size is unknown, or a picture or film cannot be read.
    """
    if size not in SIZES:
        raise InputError(f"slides are {', '.join(SIZES)}; got {size!r}: choose one of these")
    if not slides:
        raise InputError("a deck needs at least one slide, and there is none: draw a figure or a film first")
    deck = _empty_deck(SIZES[size], theme)
    _name(deck, title)
    _add_title_slide(deck, title, _contents(slides))
    for slide in slides:
        _add_slide(deck, slide)
    buffer = io.BytesIO()
    deck.save(buffer)
    write_bytes(path, _without_times(buffer.getvalue()))
    return path


def fit(picture: tuple[int, int], frame: tuple[int, int]) -> tuple[int, int, int, int]:
    """Fit the largest box of a picture's proportions into the middle of a frame: left, top, width and height.

    Examples
    --------
    >>> fit((200, 100), (1000, 1000))
    (0, 250, 1000, 500)
    """
    scale = min(frame[0] / picture[0], frame[1] / picture[1])
    width, height = round(picture[0] * scale), round(picture[1] * scale)
    return (frame[0] - width) // 2, (frame[1] - height) // 2, width, height


def require_pptx() -> None:
    """Raise an `InputError` that says what to install, if python-pptx is missing."""
    if importlib.util.find_spec("pptx") is None:
        raise InputError(
            'a PowerPoint deck needs python-pptx: pip install "gptlab[slides]", that is  '
            'python -m pip install -c constraints.txt -e ".[slides]"'
        )


def _empty_deck(size: tuple[int, int], theme: Theme) -> Presentation:
    require_pptx()
    import pptx
    from pptx.util import Emu

    deck = pptx.Presentation()
    deck.slide_width, deck.slide_height = Emu(size[0]), Emu(size[1])
    deck.element.sldSz.attrib.pop("type", None)  # the template says 4:3
    for layout in (*deck.slide_layouts, deck.slide_master):  # the layouts first: they inherit the rest from the master
        for shape in layout.placeholders:
            x, width = (round(value * size[0] / _TEMPLATE_WIDTH) for value in (shape.left, shape.width))
            _place(shape, (x, shape.top, width, shape.height))
    _color(deck, theme)
    return deck


def _color(deck: Presentation, theme: Theme) -> None:
    """Set the colours in the theme of the deck, from which master, layouts and slides take them."""
    from pptx.opc.constants import RELATIONSHIP_TYPE
    from pptx.opc.oxml import serialize_part_xml
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import qn

    part = deck.slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    tree = parse_xml(part.blob)
    # "Dark 1" is the text and "light 1" the ground, whichever of them is dark.
    colors = {"dk1": theme.text, "lt1": theme.background, "dk2": theme.muted, "lt2": theme.panel}
    colors |= {f"accent{number}": color for number, color in enumerate(theme.palette[:6], 1)}
    colors |= {"hlink": theme.palette[1], "folHlink": theme.palette[3]}
    for name, color in colors.items():
        place = tree.find(f".//{qn('a:clrScheme')}/{qn('a:' + name)}")
        place[:] = [tree.makeelement(qn("a:srgbClr"), {"val": color.removeprefix("#")})]
    part.blob = serialize_part_xml(tree)


def _name(deck: Presentation, title: str) -> None:
    """Set title and author, and remove the date and thumbnail of the template."""
    from pptx.opc.constants import RELATIONSHIP_TYPE

    about = deck.core_properties
    about.title, about.author, about.last_modified_by = visible(title)[:255], "GPTLab", "GPTLab"
    about.comments, about.created, about.modified = "", _UNDATED, _UNDATED
    package = deck.part.package
    thumbnail = package.part_related_by(RELATIONSHIP_TYPE.THUMBNAIL)
    package.drop_rel(package.relate_to(thumbnail, RELATIONSHIP_TYPE.THUMBNAIL))


def _contents(slides: Sequence[DeckPage]) -> str:
    n_films = sum(slide.film is not None for slide in slides)
    counts = ((len(slides) - n_films, "picture"), (n_films, "film"))
    return " and ".join(f"{n} {thing}{'s' * (n != 1)}" for n, thing in counts if n) + ", made with GPTLab"


def _add_title_slide(deck: Presentation, title: str, line: str) -> None:
    from pptx.enum.dml import MSO_THEME_COLOR
    from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
    from pptx.util import Pt

    page = deck.slides.add_slide(deck.slide_layouts[_TITLE_SLIDE])
    width, height = _size(deck)
    margin = width * 7 // 100
    heights = ((height * 20 // 100, height * 34 // 100), (height * 56 // 100, height * 16 // 100))
    looks = (
        (title, 40 if len(title) <= 60 else 28, True, MSO_THEME_COLOR.TEXT_1, MSO_ANCHOR.BOTTOM),
        (line, 20, False, MSO_THEME_COLOR.TEXT_2, MSO_ANCHOR.TOP),
    )
    for shape, (top, tall), (text, points, bold, color, anchor) in zip(page.placeholders, heights, looks, strict=True):
        _place(shape, (margin, top, width - 2 * margin, tall))
        shape.text_frame.text = visible(text)
        shape.text_frame.vertical_anchor = anchor
        for paragraph in shape.text_frame.paragraphs:
            paragraph.alignment = PP_ALIGN.LEFT
            for run in paragraph.runs:  # PowerPoint ignores the font of a paragraph
                run.font.size, run.font.bold = Pt(points), bold
                run.font.color.theme_color = color


def _add_slide(deck: Presentation, slide: DeckPage) -> None:
    page = deck.slides.add_slide(deck.slide_layouts[_TITLE_ONLY])
    width, height = _size(deck)
    heading = page.placeholders[0]
    heading.text_frame.text = visible(slide.title)
    _place(heading, (0, -EMU_PER_INCH * 5 // 4, width, EMU_PER_INCH))
    picture = _add_picture(page, slide, (width, height))
    picture._element.nvPicPr.cNvPr.set("descr", visible(slide.alt_text))
    if slide.notes and (notes := page.notes_slide.notes_text_frame) is not None:
        notes.text = visible(slide.notes)


def _add_picture(page: Slide, slide: DeckPage, frame: tuple[int, int]) -> Any:
    """Add the picture, or the film behind it. Both are passed as bytes, since python-pptx would write the names of files into the deck."""
    content = _read(slide.picture)
    x, y, width, height = _emu(fit(_pixels(content, slide.picture), frame))
    if slide.film is None:
        return page.shapes.add_picture(io.BytesIO(content), x, y, width, height)
    film = io.BytesIO(_read(slide.film))
    poster = io.BytesIO(content)
    return page.shapes.add_movie(film, x, y, width, height, poster_frame_image=poster, mime_type="video/mp4")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be put on a slide ({error.strerror}): make it again") from None


def _pixels(content: bytes, path: Path) -> tuple[int, int]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            return picture.size
    except OSError:
        raise InputError(f"{path} cannot be put on a slide (it is no PNG): draw it with `format=png`") from None


def _place(shape: Any, box: Iterable[int]) -> None:
    shape.left, shape.top, shape.width, shape.height = _emu(box)


def _emu(box: Iterable[int]) -> list[Any]:
    from pptx.util import Emu

    return [Emu(value) for value in box]


def _size(deck: Presentation) -> tuple[int, int]:
    return int(deck.slide_width or 0), int(deck.slide_height or 0)


def _without_times(package: bytes) -> bytes:
    """Rewrite a zip file with all times at the format's zero and one kind of system, so that the same deck has the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name)
            entry.create_system = 0
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED) else zipfile.ZIP_DEFLATED
            new.writestr(entry, old.read(name))
    return buffer.getvalue()
