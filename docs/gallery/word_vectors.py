"""Word vectors from a text file in word2vec's format, laid out by PCA: here the run's own, but any others can be read in the same way."""

from pathlib import Path
from tempfile import TemporaryDirectory

import gptlab as gl
import probes

with TemporaryDirectory() as folder:
    (path,) = probes.export_files(gl.tokens(gl.open_run()), Path(folder), "vectors", ["word2vec"])
    run = gl.import_vectors(path, folder=Path(folder))
    gl.figure(run, "tokens", method="pca").save("word_vectors.png")
