"""The process that draws one picture: a figure as JSON comes in, PNG or SVG goes out. The page's process is not held up, and whatever a browser does ends with it."""

from __future__ import annotations

import json
import sys


def main() -> int:
    """Read ``{"figure", "format", "browser"}`` from standard input and write the picture to standard output."""
    import kaleido

    asked = json.load(sys.stdin.buffer)
    layout = asked["figure"]["layout"]
    options = {"format": asked["format"], "width": layout["width"], "height": layout["height"], "scale": 2 if asked["format"] == "png" else 1}
    # without MathJax, which would be fetched from another host
    sys.stdout.buffer.write(kaleido.calc_fig_sync(asked["figure"], opts=options, kopts={"path": asked["browser"], "mathjax": False}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
