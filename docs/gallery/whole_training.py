"""A whole training in one picture, for a wall or a page: the positions at six snapshots at the same scale, and the loss."""

import gptlab as gl

gl.figure(gl.open_run(), "poster", size="a3").save("whole_training.png")
