"""The head with the highest previous-token score, and its attention: the weight lies just below the diagonal."""

import gptlab as gl

run = gl.open_run()
best = gl.heads(run)["previous_token"].isel(step=-1).argmax(["layer", "head"])
gl.figure(run, "head", layer=int(best["layer"]), head=int(best["head"])).save("previous_token_head.png")
