"""Parts one after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.engine.protocol import Made, Work


class Here:
    """An engine that needs nothing but this process."""

    threads: int | None = None

    def map(self, work: Work[Made], parts: Sequence[int]) -> Iterator[Made]:
        """What ``work`` makes of each part; work and answers go through JSON as anywhere else."""
        carried = type(work).model_validate_json(work.model_dump_json())
        with carried.open() as run:
            for part in parts:
                yield work.read(run(part).model_dump_json())
