from .drawing.slide import blank_slide, evenly
from .drawing.text import short_label
from .drawing.theme import heat_map
from .figures.attention_figure import draw_grid, draw_head, draw_layer
from .figures.curve_figure import draw_compared, draw_loss, draw_zero_shot
from .figures.decoding_figure import draw_temperatures, draw_trace
from .figures.figure import Figure, figure, make_figure
from .figures.head_score_figure import draw_scores
from .figures.map_figure import draw_maps
from .figures.next_token_figure import draw_context_loss, draw_lens, draw_next_token
from .figures.poster_figure import draw_poster
from .figures.spectrum_figure import draw_spectra
from .figures.table_figure import draw_similarity, draw_table
from .films.film import Film, film, make_film
from .grouped_table import GroupedTable, bits_curve, read_grouped_table
from .output import save
from .projection.controls import control
from .projection.projection_cache import cached_projection
from .projection.projector import project
from .registry import FIGURES, FILMS
from .request import FigureRequest, FilmRequest

__all__ = [
    "FIGURES",
    "FILMS",
    "Figure",
    "FigureRequest",
    "Film",
    "FilmRequest",
    "GroupedTable",
    "bits_curve",
    "blank_slide",
    "cached_projection",
    "control",
    "draw_compared",
    "draw_context_loss",
    "draw_grid",
    "draw_head",
    "draw_layer",
    "draw_lens",
    "draw_loss",
    "draw_maps",
    "draw_next_token",
    "draw_poster",
    "draw_scores",
    "draw_similarity",
    "draw_spectra",
    "draw_table",
    "draw_temperatures",
    "draw_trace",
    "draw_zero_shot",
    "evenly",
    "figure",
    "film",
    "heat_map",
    "make_figure",
    "make_film",
    "project",
    "read_grouped_table",
    "save",
    "short_label",
]
