"""The position embeddings before and after training: random at first, then a line along which neighbours follow each other."""

import gptlab as gl

gl.figure(gl.open_run(), "positions", theme="dark").save("position_line.png")
