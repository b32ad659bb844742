"""The token that each layer would predict if it were the last: near the embeddings the one just read, in higher layers the next one."""

import gptlab as gl

gl.figure(gl.open_run(), "lens").save("logit_lens.png")
