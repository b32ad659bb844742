"""The attention of every head to a prompt: a line beside the diagonal follows the previous token, a stripe is a token with many readers."""

import gptlab as gl

gl.figure(gl.open_run(), "attention", theme="dark").save("attention_grid.png")
