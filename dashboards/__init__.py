"""The dashboard: Streamlit pages over runs, probes and pictures. It holds no numerics.

`app` draws the page that the address names, one of `screens`. `forms` ask for requests, `views` build the panels of the player, `compute`
asks the probes and caches their results, and `state` holds the address, the language and the list of runs.
"""
