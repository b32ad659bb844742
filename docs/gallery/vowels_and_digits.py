"""The token embeddings before and after training: scattered at first, then digits and vowels in groups of their own."""

import gptlab as gl

gl.figure(gl.open_run(), "tokens", highlight=["vowels", "digits"]).save("vowels_and_digits.png")
