"""How much of the neighbourhoods and of the motion in a layout is that of the space."""
