"""The job as data, out of p2c's own templates: what the scripts beside it read instead of them.

Nobody who writes such a script by hand parses templates; so they get the mapping as a dictionary.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.mapping.countries import load_country_codes
from pipeline.project.resolve import load_project


def write_rules(project: Path, target: Path) -> None:
    """Write what the scripts need as JSON.

    Args:
        project: a ``p2c.toml``; its value maps count.
        target: the file. For each task it has ``columns``: destination column → [source column,
            greatest length or null], ``constants``: destination column → value, and ``maps``:
            destination column → value map; besides, ``spellings``: a country as it is written, in
            lower case → ISO-2, ``organizations``: business unit → legal entity, and ``currency``.
    """
    loaded = load_project(project, source=None, assignments=())
    rules: dict[str, Any] = {
        "spellings": dict(load_country_codes()),
        "organizations": dict(loaded.settings.organizations),
        "currency": loaded.settings.destination.currency,
    }
    for task, mapping in loaded.mappings().items():
        columns: dict[str, tuple[str, int | None]] = {}
        maps, constants = {}, {}
        for one in mapping.targets:
            row = one.row.row
            if row.source is None:
                constants[one.name] = one.default
            elif row.value_map:
                maps[one.name] = dict(row.value_map) | ({"": one.default} if one.default else {})
            elif one.direct_source and "." not in row.source and row.source != "creditlimit":
                columns[one.name] = (row.source, one.limit)
        rules[task] = {"columns": columns, "maps": maps, "constants": constants}
    target.write_text(json.dumps(rules, indent=1), encoding="utf-8")
