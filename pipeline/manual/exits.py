"""The page of exit codes, with the errors that lead to each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipeline.errors import P2cError
from pipeline.show.markdown import mark_code, render_markdown_table

_HEAD: Final = """\
# Exit codes

<!-- Written by `python -m pipeline.manual`. Change pipeline/manual/exits.py and errors.py. -->

All commands end with one of these codes. A scheduler can rely on them:
[what to do on each](../how-to/schedule.md#what-to-do-on-each-exit-code).
"""

MEANINGS: Final = {
    0: (
        "Every contact is customer, contact or skipped, and every planned row arrived.",
        "Nothing.",
    ),
    1: (
        "A person must look: held, rejected, failed or unknown rows, a difference, or no work.",
        "Everything else was done. Read `p2c findings latest`.",
    ),
    2: (
        "Wrong usage or configuration, or a source that cannot be read at all. Nothing was sent.",
        "Do what the message says. The same command would fail again.",
    ),
    3: (
        "Stopped from outside: a system, the network, the disk, another process, or Ctrl-C.",
        "Run the same command again. It continues where it stopped.",
    ),
    4: (
        "An equation does not balance, a run folder was altered, or p2c has a defect.",
        "Stop. Keep the run folder, run `p2c verify latest`, and tell somebody.",
    ),
}
"""Exit code → what it means, and what to do."""

_NOTES: Final = """\
- **1** also stands for a run that has nothing to work on: an export without contacts
  (`no_contacts`), a filter, `--limit` or `--only` that leaves nobody (`nothing_selected`), ids of
  `--only` that the source does not have (`only_not_found`). So it does for columns whose values are
  masked (`text_masked`), hidden (`column_secured`) or signs such as `-` (`sign_for_blank`), for
  numbers of accounts and contacts that are other keys than they look (`key_hidden`,
  `key_rewritten`), and for values that SCM changed as it wrote them (`changed_by_scm`). `p2c check`
  ends with 1 if you should look at something before you plan.
- **2** also stands for a login that is refused, a right that is missing, a token that has expired,
  and an address that is not that of the system. Nothing was sent; repeat the command after the
  change.
- **3** is the code if a login is refused after rows were sent. The next start of the same command
  ends with 2 until the login works again; then it continues.
"""

_ERRORS: Final = """\
## Codes of errors

With `--json`, a command that fails prints `{"command": …, "error": {"code": …, "message": …,
"where": …}}`. `code` is one of these; they are stable.
"""


def render_exits_page() -> str:
    """The page, as Markdown."""
    meanings = render_markdown_table(
        ("code", "means", "what to do"),
        ((mark_code(str(code)), *texts) for code, texts in MEANINGS.items()),
    )
    errors = render_markdown_table(
        ("`error.code`", "exit code", "means"),
        (
            (mark_code(one.code), str(one.exit_code), _first_line(one))
            for one in _list_errors(P2cError)
        ),
    )
    return f"{_HEAD}\n{meanings}\n{_NOTES}\n{_ERRORS}\n{errors}"


def _list_errors(kind: type[P2cError]) -> Iterator[type[P2cError]]:
    """The kinds of errors below this one that have a code of their own, in order."""
    for below in kind.__subclasses__():
        if "code" in vars(below):
            yield below
        yield from _list_errors(below)


def _first_line(one: type[P2cError]) -> str:
    return (one.__doc__ or "").partition("\n")[0].replace("``", "`")
