"""The similarity of all pairs of positions at the first, a middle and the last snapshot: a broad diagonal band means that near positions are alike."""

import gptlab as gl

gl.figure(gl.open_run(), "position-similarity").save("similar_positions.png")
