"""The singular values of the token table over training: the further the first ones stand out, the fewer directions the table uses."""

import gptlab as gl

gl.figure(gl.open_run(), "token-spectrum").save("token_spectrum.png")
