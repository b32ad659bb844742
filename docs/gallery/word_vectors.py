"""Word vectors from a text file in word2vec's format, laid out by PCA: here the run's own, but any others can be read so."""

from pathlib import Path
from tempfile import TemporaryDirectory

from data.runs import open_run
from probes.export import write_word2vec
from probes.groups.naming import classes
from probes.tables.embeddings import token_embeddings
from probes.tables.vectors import read_word2vec
from viz.drawing.text import Caption
from viz.figures.map_figure import draw_maps
from viz.grouped_table import GroupedTable
from viz.output import save
from viz.projection.projector import project

with TemporaryDirectory() as folder:
    vectors = read_word2vec(write_word2vec(token_embeddings(open_run()), Path(folder) / "vectors.txt"))
tokens = [str(token) for token in vectors["token"].values]
subject = GroupedTable("tokens", vectors, (), tuple(classes(tokens)))
words = Caption("Vectors from a file", f"{len(tokens)} tokens, drawn by PCA", "")
save(draw_maps(subject, project(vectors, "pca"), words), Path("word_vectors.png"))
