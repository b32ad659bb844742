"""The most probable next tokens after a prompt, now and at earlier snapshots: nearly uniform at first, then a few that fit."""

import gptlab as gl

gl.figure(gl.open_run(), "next-token").save("next_token.png")
