"""What is loaded before the first page is asked for is what that page needs, and no more than that."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

LATER = """
import json, sys
from pages.ui import start
start.load(PORT)
before = set(sys.modules)
from streamlit.testing.v1 import AppTest
at = AppTest.from_file("app.py", default_timeout=60).run()
new = set(sys.modules) - before
print(json.dumps({"heavy": sorted(m for m in before if m in ("torch", "sklearn", "babel", "jinja2.environment")), "title": at.title[0].value,
                  "missed": sorted(m for m in new if m.split(".")[0] in ("pandas", "scipy", "plotly", "sqlalchemy") and m.count(".") == 0)}))
"""


def test_the_first_page_finds_its_libraries_loaded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        done = subprocess.run([sys.executable, "-c", LATER.replace("PORT", str(port))], capture_output=True, text=True, check=True, timeout=120)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {"heavy": [], "title": "How much accuracy does privacy cost here?", "missed": []}
