"""``python -m pipeline.manual``: write the reference pages and the schema of ``p2c.toml``."""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline.manual.pages import write_manual

if __name__ == "__main__":
    for one in write_manual(Path(__file__).parents[2]):
        sys.stdout.write(f"Wrote {one}.\n")
