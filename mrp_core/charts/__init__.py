"""Charts: each is a pure ``*_frame`` (numbers on screen, tested exactly, exported as CSV) and a thin ``*_figure`` (plotly)."""
