"""The loss by position in the context: at first context does not help, later the first few tokens help most."""

import gptlab as gl

gl.figure(gl.open_run(), "context").save("context_loss.png")
