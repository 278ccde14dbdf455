"""p2c: contacts from Dynamics 365 Sales to Dynamics 365 Supply Chain Management, with proof."""

from __future__ import annotations

from typing import Final

__version__: Final = "0.1.0"
