"""Number sequences of SCM, and what they may have against numbers that come from outside."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.errors import AccessDenied
from pipeline.scm.literals import quote_text
from pipeline.scm.metadata import Model
from pipeline.wire.once import Declined
from pipeline.wire.scm import Scm, ScmRow

_REFERENCES: Final = "NumberSequencesV2References"
_SEQUENCES: Final = "SequenceV2Tables"
_USES: Final = {"CustAccount": "customer accounts", "DirPartyNumber": "party numbers"}
"""Data types that a contact's number becomes, and what people call them."""
_PLACES: Final = re.compile(r"#+|&+|[^#&]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberSequence:
    """One number sequence in use. ``legal_entity`` is blank where all of them share it."""

    name: str
    what: str
    legal_entity: str
    is_manual: bool
    is_stopped: bool
    form: str
    smallest: int | None = None
    largest: int | None = None
    is_strict: bool = True
    """Whether numbers below and above those bounds are refused."""

    @property
    def place(self) -> str:
        """The sequence as a sentence names it."""
        owner = f" of {self.legal_entity}" if self.legal_entity else ""
        return f"number sequence '{self.name}' for {self.what}{owner}"


def read_sequences(
    scm: Scm, model: Model, legal_entities: Sequence[str]
) -> list[NumberSequence] | None:
    """The number sequences of customer accounts and parties; null where SCM does not show them.

    Raises:
        Stopped: SCM cannot be reached.
    """
    needed = ("DataTypeName", "NumberSequenceCode", "ScopeValue")
    if not (model.has(_REFERENCES, *needed) and model.has(_SEQUENCES, *needed[1:], "Manual")):
        return None
    types = " or ".join(f"DataTypeName eq {quote_text(one)}" for one in _USES)
    bound = _read(scm, _REFERENCES, types)
    if bound is None:
        return None
    ours = {"", *(one.lower() for one in legal_entities)}
    wanted = {
        (_text(row, "NumberSequenceCode").lower(), _text(row, "ScopeValue").lower()): row
        for row in bound
        if _text(row, "ScopeValue").lower() in ours
    }
    codes = sorted({_text(row, "NumberSequenceCode") for row in wanted.values()})
    rows = [] if not codes else _read(
        scm, _SEQUENCES, " or ".join(f"NumberSequenceCode eq {quote_text(one)}" for one in codes)
    )  # fmt: skip
    if rows is None:
        return None
    found = []
    for row in rows:
        key = _text(row, "NumberSequenceCode").lower(), _text(row, "ScopeValue").lower()
        if key in wanted:
            found.append(_make_sequence(row, _USES[_text(wanted[key], "DataTypeName")]))
    return found


def find_objections(sequence: NumberSequence, example: str | None) -> Iterator[str]:
    """What a sequence has against numbers from outside, a sentence each.

    Args:
        sequence: the sequence.
        example: a number as contacts have them; null if their form is not known.
    """
    if not sequence.is_manual:
        yield f"{sequence.place} does not allow manual numbers: set Manual to Yes in SCM"
    if sequence.is_stopped:
        yield f"{sequence.place} is stopped: set Stopped to No in SCM"
    if example is None or not sequence.form:
        return
    match = _compile_form(sequence.form).fullmatch(example)
    if match is None:
        yield (
            f"{sequence.place} has the form {sequence.form}, which numbers like {example} do not "
            "have: change it in SCM if SCM refuses them"
        )
        return
    if not sequence.is_strict:
        return
    number = int("".join(match.groups()) or 0)
    if sequence.smallest is not None and number < sequence.smallest:
        yield f"{sequence.place} begins at {sequence.smallest}, above numbers like {example}"
    if sequence.largest is not None and number > sequence.largest:
        yield f"{sequence.place} ends at {sequence.largest}, below numbers like {example}"


def _compile_form(form: str) -> re.Pattern[str]:
    """A form: ``#`` stands for a digit, ``&`` for a letter or digit, all else for itself."""
    parts = []
    for place in _PLACES.findall(form):
        match place[0]:
            case "#":
                parts.append(rf"(\d{{{len(place)}}})")
            case "&":
                parts.append(rf"\w{{{len(place)}}}")
            case _:
                parts.append(re.escape(place))
    return re.compile("".join(parts), re.IGNORECASE)


def _read(scm: Scm, entity_set: str, condition: str) -> list[ScmRow] | None:
    """Rows that the plan can do without; null if SCM does not give them to us."""
    try:
        return [row for page in scm.pages(entity_set, filter=condition) for row in page]
    except (Declined, AccessDenied):
        return None


def _make_sequence(row: ScmRow, what: str) -> NumberSequence:
    return NumberSequence(
        name=_text(row, "NumberSequenceCode"),
        what=what,
        legal_entity=_text(row, "ScopeValue"),
        is_manual=_text(row, "Manual") == "Yes",
        is_stopped=_text(row, "Stopped") == "Yes",
        form=_text(row, "Format"),
        smallest=_number(row, "Smallest"),
        largest=_number(row, "Largest"),
        is_strict="Yes" not in {_text(row, "ToALowerNumber"), _text(row, "ToAHigherNumber")},
    )


def _text(row: ScmRow, name: str) -> str:
    return str(row.get(name) or "")


def _number(row: ScmRow, name: str) -> int | None:
    value = row.get(name)
    return value if isinstance(value, int) and value else None
