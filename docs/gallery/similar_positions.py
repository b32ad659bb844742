"""The similarity of all pairs of positions, before, midway and after training: a broad diagonal band means that near ones are alike."""

import gptlab as gl

gl.figure(gl.open_run(), "position-similarity").save("similar_positions.png")
