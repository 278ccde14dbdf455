"""The second pass: who gets a number, whom documents name, and the highest number of a part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.backfill.parts.kit import Candidates, open_candidates, read_backfill_kit
from pipeline.backfill.preparing import find_last_row
from pipeline.engine.protocol import Work
from pipeline.run.handed import PartModel, name_attempt
from sql.query import query


class PartSurvey(PartModel):
    """What was seen of a part.

    ``contacts`` it has, and ``selected`` ones among them; ``highest`` is a number. ``wanted`` and
    ``met`` are files in the folder: contacts that get a number, and customers of documents.
    """

    contacts: int
    selected: int
    highest: int
    wanted: str
    met: str


class SurveyWork(Work[PartSurvey]):
    """Part → what the driver must see of all contacts at once."""

    kit: Path

    @contextmanager
    def open(self) -> Iterator[Callable[[int], PartSurvey]]:
        """What looks at the contacts of a part."""
        with open_candidates(read_backfill_kit(self.kit)) as candidates:
            yield lambda part: _survey(candidates, part)

    def read(self, answer: str) -> PartSurvey:
        """An answer out of its JSON."""
        return PartSurvey.model_validate_json(answer)


def _survey(candidates: Candidates, part: int) -> PartSurvey:
    here, kit = candidates.here, candidates.kit
    candidates.choose(part)
    names = {}
    for table, text in (("wanted", "backfill/wanted"), ("met", "backfill/parts/met")):
        path = name_attempt(kit.source.folder, table, part)
        here.copy(query(text), path)
        names[table] = path.name
    counts = here.frame(query("backfill/parts/counts"), pattern=kit.pattern)
    contacts, selected, highest = (int(value) for value in counts.row(0))
    return PartSurvey(contacts=contacts, selected=selected, highest=highest, **names)


class PartLastRow(PartModel):
    """The last contact row of a part that a limit lets through."""

    row: int


class LastRowWork(Work[PartLastRow]):
    """Part → the last row that ``limit`` lets through; asked of the part that has it."""

    kit: Path
    limit: int

    @contextmanager
    def open(self) -> Iterator[Callable[[int], PartLastRow]]:
        """What counts the contacts of a part."""
        with open_candidates(read_backfill_kit(self.kit)) as candidates:

            def count(part: int) -> PartLastRow:
                candidates.choose(part)
                return PartLastRow(row=find_last_row(candidates.here, self.limit, -1))

            yield count

    def read(self, answer: str) -> PartLastRow:
        """An answer out of its JSON."""
        return PartLastRow.model_validate_json(answer)
