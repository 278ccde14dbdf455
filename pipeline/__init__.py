"""p2c: contacts from Dynamics 365 Sales to Dynamics 365 Supply Chain Management, with proof."""

from __future__ import annotations

import os
from typing import Final

__version__: Final = "0.1.0"

# Polars' allocator gives memory back after every morsel and asks for it again: a seventh of a
# plan's time; so it waits a second. One arena for all threads: what one of them freed serves the
# others, and a plan needs a seventh less memory. It reads this once, when Polars is first loaded;
# whoever sets the variable keeps their own value.
os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0")

# NumPy's library for matrices would start a thread a core, which wait busily for work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
