"""The attention of every head to a prompt: a line beside the diagonal follows the previous token, a stripe is a token that many attend to."""

import gptlab as gl

gl.figure(gl.open_run(), "attention", theme="dark").save("attention_grid.png")
