"""``python -m pipeline.cli`` does what the console script does."""

from __future__ import annotations

import sys

from pipeline.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
