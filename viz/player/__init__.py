"""The player: a scene under one slider, painted in the browser.

A *scene* is what one page shows at every snapshot. Its *panels* are labelled arrays with ``step`` first, and are sent once. From then on
the slider, its keys and the play button work in the browser alone, without a server.

- `viz.player.panels` and `viz.player.scene` hold the types, `viz.player.serialization` the format in which they are sent.
- `viz.player.projection_scene` builds panels and scenes from projections and losses.
- `viz.player.bundle` joins the ES modules of ``js/`` to one script, for three hosts: Streamlit (``dashboards.player``), a
  self-contained HTML page and the frame of a notebook (`viz.player.html`).
"""
