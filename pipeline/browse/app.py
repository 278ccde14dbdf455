"""The application behind the address: a list, a contact, a file of ids."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import IO, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from pipeline.audit.explain import tell_story_of_row
from pipeline.audit.search import ContactSearch
from pipeline.browse.form import read_form, read_number
from pipeline.browse.pages import (
    IDS,
    ROWS,
    Frame,
    Page,
    render_contact,
    render_list,
    render_problem,
)
from pipeline.errors import P2cError
from pipeline.project.resolve import Project
from pipeline.report.environment import read_style
from pipeline.run.folder import RunFolder

_IN_MEMORY: Final = 2**20
_PIECE: Final = 2**16

Answer = Callable[[Request], Response]


@dataclass(kw_only=True, slots=True)
class RunPages:
    """The pages of one run, made when they are asked for."""

    folder: RunFolder
    project: Project
    earlier: Sequence[RunFolder]
    search: ContactSearch
    frame: Frame
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def make_app(self) -> Starlette:
        """The application; a ``AddressGuard`` belongs in front of it."""
        answers: dict[str, Answer] = {
            "/": self._list,
            "/contact": self._contact,
            "/retry.txt": self._ids,
            "/style.css": _style,
        }
        return Starlette(
            routes=[Route(path, _shield(answer)) for path, answer in answers.items()],
            exception_handlers={404: _missing},
        )

    def _list(self, request: Request) -> Response:
        form = read_form(request.query_params)
        contacts, rows = self.search.find(form.wanted, (form.page - 1) * ROWS, ROWS)
        ids = next(iter(self.search.list_ids(form.wanted)), []) if rows <= IDS else []
        return HTMLResponse(
            render_list(self.frame, form, Page(contacts=contacts, rows=rows, ids=ids))
        )

    def _contact(self, request: Request) -> Response:
        file = request.query_params.get("file", "")
        line = read_number(request.query_params.get("line", ""))
        with self._lock:  # One story needs the memory of one.
            story = (
                None
                if line is None
                else tell_story_of_row(self.folder, self.project, file, line, self.earlier)
            )
        if story is None:
            return _missing(request, None)
        return HTMLResponse(render_contact(self.frame, story, self.folder.path))

    def _ids(self, request: Request) -> Response:
        wanted = read_form(request.query_params).wanted
        spool = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed when it is sent
        for ids in self.search.list_ids(wanted):
            spool.write("".join(f"{one}\n" for one in ids).encode())
        spool.seek(0)
        name = f'attachment; filename="retry-{self.folder.run}.txt"'
        return StreamingResponse(
            _read_pieces(spool), media_type="text/plain", headers={"Content-Disposition": name}
        )


def _read_pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


def _style(_: Request) -> Response:
    own = files("pipeline.browse").joinpath("browse.css").read_text(encoding="utf-8")
    return PlainTextResponse(f"{read_style()}{own}", media_type="text/css")


def _missing(_: Request, __: Exception | None) -> Response:
    return HTMLResponse(render_problem("There is no such contact or page in this run."), 404)


def _shield(answer: Answer) -> Answer:
    """Turn errors into pages. Their own texts may hold values, which belong in no log."""

    def shielded(request: Request) -> Response:
        try:
            return answer(request)
        except P2cError as error:
            return HTMLResponse(render_problem(str(error)), 500)
        except Exception as error:  # noqa: BLE001 - the server would log it with its text
            sentence = (
                f"The run folder could not be read ({type(error).__name__}). `p2c verify` says "
                "whether it is as it was written."
            )
            return HTMLResponse(render_problem(sentence), 500)

    return shielded
