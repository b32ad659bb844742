"""The position table at six snapshots: noise at first, then waves along the positions."""

import gptlab as gl

gl.figure(gl.open_run(), "position-table", theme="dark").save("position_table.png")
