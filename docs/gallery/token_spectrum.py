"""The singular values of the token table through training: the further the first stand out, the fewer the directions that count."""

from pathlib import Path

from data.runs import open_run
from probes.tables.geometry import token_geometry
from viz.figures.spectrum_figure import draw_spectra
from viz.output import save

run = open_run()
words = f"{run.name}: singular values of the centred table, and the ranks that sum them up"
figure = draw_spectra(token_geometry(run), "tokens", title="Spectrum of the token table", subtitle=words)
save(figure, Path("token_spectrum.png"))
