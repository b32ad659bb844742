"""PowerPoint files: a title slide, then a slide for each picture or film, with alt texts and speaker notes."""

from __future__ import annotations

import importlib.util
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import InputError
from data.files.atomic_files import write_bytes
from data.language import say
from data.printing import visible
from viz.drawing.slide import SIZES as INCHES
from viz.drawing.theme import Theme

if TYPE_CHECKING:
    from pptx.presentation import Presentation
    from pptx.slide import Slide

EMU_PER_INCH = 914400
SIZES = {
    shape: (round(width * EMU_PER_INCH), round(height * EMU_PER_INCH)) for shape, (width, height) in INCHES.items()
}
"""Width and height of a slide in EMU, the unit of the format, by shape."""

_TITLE_SLIDE, _TITLE_ONLY = 0, 5  # layouts of python-pptx's template
_TEMPLATE_WIDTH = 9144000
_UNDATED = datetime(2000, 1, 1)
_PACKED = (".png", ".mp4")  # no use compressing them again

# What PowerPoint writes for a video that starts by itself: the effect "play" after the slide's entry, and the video itself.
_AUTOPLAY = """<p:timing xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"><p:tnLst><p:par>
<p:cTn id="1" dur="indefinite" restart="never" nodeType="tmRoot"><p:childTnLst><p:seq concurrent="1" nextAc="seek">
<p:cTn id="2" dur="indefinite" nodeType="mainSeq"><p:childTnLst><p:par><p:cTn id="3" fill="hold"><p:stCondLst><p:cond delay="indefinite"/>
<p:cond evt="onBegin" delay="0"><p:tn val="2"/></p:cond></p:stCondLst><p:childTnLst><p:par><p:cTn id="4" fill="hold"><p:stCondLst>
<p:cond delay="0"/></p:stCondLst><p:childTnLst><p:par><p:cTn id="5" presetID="1" presetClass="mediacall" presetSubtype="0" fill="hold"
nodeType="afterEffect"><p:stCondLst><p:cond delay="0"/></p:stCondLst><p:childTnLst><p:cmd type="call" cmd="playFrom(0.0)"><p:cBhvr>
<p:cTn id="6" dur="{length_ms}" fill="hold"/><p:tgtEl><p:spTgt spid="{shape}"/></p:tgtEl></p:cBhvr></p:cmd></p:childTnLst></p:cTn></p:par>
</p:childTnLst></p:cTn></p:par></p:childTnLst></p:cTn></p:par></p:childTnLst></p:cTn><p:prevCondLst><p:cond evt="onPrev" delay="0">
<p:tgtEl><p:sldTgt/></p:tgtEl></p:cond></p:prevCondLst><p:nextCondLst><p:cond evt="onNext" delay="0"><p:tgtEl><p:sldTgt/></p:tgtEl></p:cond>
</p:nextCondLst></p:seq><p:video><p:cMediaNode vol="80000"><p:cTn id="7" fill="hold" display="0"><p:stCondLst><p:cond delay="indefinite"/>
</p:stCondLst></p:cTn><p:tgtEl><p:spTgt spid="{shape}"/></p:tgtEl></p:cMediaNode></p:video></p:childTnLst></p:cTn></p:par></p:tnLst>
</p:timing>"""


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
    """An MP4 in the proportions of the picture; it plays when the slide is entered."""
    seconds: float = 0.0
    """The length of the film."""
    mark: str = ""
    """A line below the picture."""


def write_deck(
    slides: Sequence[DeckPage], path: Path, title: str, theme: Theme, size: str = "16:9", *, subtitle: str = ""
) -> Path:
    """Write a deck, whole or not at all. The same input gives the same bytes.

    The first slide has its text as text that can be edited. Each further slide shows its picture as large as it fits without
    distortion. The colours go into the deck's own theme, so that slides added later look alike.

    Each slide has a title placeholder, which PowerPoint's accessibility checker and outline need. On slides with a picture, which has
    its title in it, the placeholder lies above the slide's edge, where PowerPoint's command "Add Hidden Slide Title" puts it too.

    Parameters
    ----------
    slides : the pictures and films, in order.
    path : the file to write, ``.pptx``.
    title : of the deck.
    theme : the colours.
    size : one of the shapes of `viz.drawing.slide.SIZES`.
    subtitle : of the deck.

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
    _add_title_slide(deck, title, "\n".join(filter(None, (subtitle, _contents(slides)))))
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
            _place_shape(shape, (x, shape.top, width, shape.height))
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
    n_pictures = len(slides) - n_films
    counts = [say("1 picture" if n_pictures == 1 else "{n} pictures", n=n_pictures)] if n_pictures else []
    counts += [say("1 film" if n_films == 1 else "{n} films", n=n_films)] if n_films else []
    contents = counts[0] if len(counts) == 1 else say("{first} and {second}", first=counts[0], second=counts[1])
    return say("{contents}, made with GPTLab", contents=contents)


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
        _place_shape(shape, (margin, top, width - 2 * margin, tall))
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
    _place_shape(heading, (0, -EMU_PER_INCH * 5 // 4, width, EMU_PER_INCH))
    foot = height * 6 // 100 if slide.mark else 0
    picture = _add_picture(page, slide, (width, height - foot))
    picture._element.nvPicPr.cNvPr.set("descr", visible(slide.alt_text))
    if slide.mark:
        _add_mark(page, slide.mark, (0, height - foot, width, foot))
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
    movie = page.shapes.add_movie(film, x, y, width, height, poster_frame_image=poster, mime_type="video/mp4")
    _play_on_entry(page, movie.shape_id, slide.seconds)
    return movie


def _play_on_entry(page: Slide, shape: int, seconds: float) -> None:
    """Start the film of a slide when the slide is entered; python-pptx lets it wait for a click."""
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import qn

    slide = page._element
    slide.replace(slide.find(qn("p:timing")), parse_xml(_AUTOPLAY.format(shape=shape, length_ms=round(1000 * seconds))))


def _add_mark(page: Slide, text: str, box: Iterable[int]) -> None:
    from pptx.enum.dml import MSO_THEME_COLOR
    from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
    from pptx.util import Pt

    shape = page.shapes.add_textbox(*_emu(box))
    shape.text_frame.vertical_anchor = MSO_ANCHOR.MIDDLE
    shape.text_frame.text = visible(text)
    [paragraph] = shape.text_frame.paragraphs
    paragraph.alignment = PP_ALIGN.CENTER
    font = paragraph.runs[0].font
    font.size, font.bold, font.color.theme_color = Pt(16), True, MSO_THEME_COLOR.TEXT_1


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


def _place_shape(shape: Any, box: Iterable[int]) -> None:
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
