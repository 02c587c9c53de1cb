"""``python -m mrp_core`` is ``mrp``."""

import sys

from mrp_core.cli import main

sys.exit(main())
