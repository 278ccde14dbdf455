"""A run made ready to be looked through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pipeline.audit.record_links import make_link_base
from pipeline.audit.search import ContactSearch, open_search
from pipeline.browse.app import RunPages
from pipeline.browse.pages import Frame
from pipeline.errors import UsageError
from pipeline.project.resolve import project_of_run
from pipeline.run.evidence import Evidence, gather_evidence
from pipeline.run.folder import RunFolder


@contextmanager
def open_pages(
    folder: RunFolder, earlier: Sequence[RunFolder], sales_url: str | None = None
) -> Iterator[RunPages]:
    """The pages of a run, until the block ends.

    Args:
        folder: the run, of a load.
        earlier: the runs before it.
        sales_url: where Sales is, for links. Null: the run's own ``source.url``.

    Raises:
        UsageError: the address does not begin with https://, or the run cannot be read.
    """
    base = _check_address(sales_url)
    evidence = gather_evidence(folder)
    with open_search(evidence) as search:
        yield RunPages(
            folder=folder,
            project=project_of_run(folder.facts()),
            earlier=earlier,
            search=search,
            frame=_make_frame(evidence, search, base),
        )


def _check_address(sales_url: str | None) -> str | None:
    base = make_link_base(sales_url)
    if sales_url is not None and base is None:
        raise UsageError(f"--sales-url {sales_url}: does not begin with https://.")
    return base


def _make_frame(evidence: Evidence, search: ContactSearch, base: str | None) -> Frame:
    reasons = {name.partition("/")[2] for name in evidence.summary.reasons}
    return Frame(
        run=str(evidence.folder.run),
        link_base=base or make_link_base(evidence.run.text("source.url")),
        codes=sorted(reasons | set(evidence.summary.findings)),
        entities=search.list_legal_entities(),
        owners=search.list_owners(),
        notes=[one.sentence for one in evidence.troubles],
    )
