"""The scores of each attention head over training, beside the loss: a line that climbs is a head that specialises."""

import gptlab as gl

gl.figure(gl.open_run(), "heads").save("head_scores.png")
