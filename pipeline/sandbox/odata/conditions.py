"""``$filter`` and ``$orderby``.

Text → tree, by recursive descent, one method for each rank of operators.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from pipeline.sandbox.odata.constants import read_constant
from pipeline.sandbox.odata.tokens import FilterToken, syntax_error, tokenize
from pipeline.sandbox.odata.tree import (
    Calculating,
    Calculation,
    Comparing,
    Comparison,
    Constant,
    FunctionCall,
    Junction,
    Membership,
    Negation,
    Node,
    OrderTerm,
    Path,
    Quantifier,
    QueryFunction,
    Scalar,
    ValueKind,
)

_COMPARING: Final = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_ADDING: Final = frozenset({"add", "sub"})
_MULTIPLYING: Final = frozenset({"mul", "div", "mod"})
_WORDS: Final = {
    "null": (None, ValueKind.NULL),
    "true": (True, ValueKind.BOOLEAN),
    "false": (False, ValueKind.BOOLEAN),
}
_CONSTANTS: Final = frozenset({"enum", "text", "quoted", "guid", "timestamp", "date", "number"})


def parse_filter(text: str, aliases: Mapping[str, str] | None = None) -> Node:
    """The condition that the text means.

    ``aliases`` are the values of ``@name`` parameters, as written.
    """
    return _Reader(text, aliases or {}).whole()


def parse_orderby(text: str) -> tuple[OrderTerm, ...]:
    """The terms that the text means."""
    return _Reader(text, {}).terms()


def parse_constant(text: str) -> Constant:
    """The one constant that the text is, as in a key's brackets."""
    reader = _Reader(text, {})
    node = reader.whole()
    if not isinstance(node, Constant):
        raise syntax_error(text, 0)
    return node


@dataclass
class _Reader:
    text: str
    aliases: Mapping[str, str]
    at: int = 0
    left: tuple[FilterToken, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.left = tokenize(self.text)

    @property
    def token(self) -> FilterToken:
        return self.left[self.at]

    def error(self) -> Exception:
        return syntax_error(self.text, self.token.at)

    def next(self) -> FilterToken:
        token = self.token
        self.at = min(self.at + 1, len(self.left) - 1)
        return token

    def accept(self, sign: str) -> bool:
        if self.token.kind != "sign" or self.token.text != sign:
            return False
        self.next()
        return True

    def word(self, words: frozenset[str]) -> str:
        """The next token if it is one of these words, which operators are, else empty."""
        return self.next().text if self.token.kind == "name" and self.token.text in words else ""

    def need(self, sign: str) -> None:
        if not self.accept(sign):
            raise self.error()

    def whole(self) -> Node:
        node = self.either()
        if self.token.kind != "end":
            raise self.error()
        return node

    def terms(self) -> tuple[OrderTerm, ...]:
        found = []
        while True:
            path = self.path()
            direction = self.word(frozenset({"asc", "desc"}))
            found.append(OrderTerm(path=path, descending=direction == "desc"))
            if not self.accept(","):
                break
        if self.token.kind != "end":
            raise self.error()
        return tuple(found)

    def either(self) -> Node:
        node = self.both()
        while self.word(frozenset({"or"})):
            node = Junction(operator="or", left=node, right=self.both())
        return node

    def both(self) -> Node:
        node = self.compared()
        while self.word(frozenset({"and"})):
            node = Junction(operator="and", left=node, right=self.compared())
        return node

    def compared(self) -> Node:
        node = self.added()
        if self.word(frozenset({"in"})):
            return Membership(left=node, items=self.constants("(", ")"))
        if operator := self.word(_COMPARING):
            return Comparison(operator=cast("Comparing", operator), left=node, right=self.added())
        return node

    def added(self) -> Node:
        node = self.multiplied()
        while operator := self.word(_ADDING):
            node = Calculation(
                operator=cast("Calculating", operator), left=node, right=self.multiplied()
            )
        return node

    def multiplied(self) -> Node:
        node = self.single()
        while operator := self.word(_MULTIPLYING):
            node = Calculation(
                operator=cast("Calculating", operator), left=node, right=self.single()
            )
        return node

    def single(self) -> Node:
        if self.word(frozenset({"not"})):
            return Negation(operand=self.single())
        if self.accept("-"):
            return Calculation(
                operator="sub", left=Constant(value=0, kind=ValueKind.INTEGER), right=self.single()
            )
        if self.accept("("):
            node = self.either()
            self.need(")")
            return node
        if self.token.kind == "alias":
            return self.alias()
        if self.token.kind in _CONSTANTS:
            return read_constant(self.next())
        return self.named()

    def alias(self) -> Node:
        name = self.next().text
        if name not in self.aliases:
            return Constant(value=None, kind=ValueKind.NULL)
        return parse_filter(
            self.aliases[name], {key: value for key, value in self.aliases.items() if key != name}
        )

    def named(self) -> Node:
        if self.token.kind != "name":
            raise self.error()
        if self.token.text in _WORDS:
            value, kind = _WORDS[self.next().text]
            return Constant(value=value, kind=kind)
        following = self.left[self.at + 1]
        if following.kind == "sign" and following.text == "(":
            return self.call()
        return self.reached()

    def path(self) -> Path:
        node = self.reached()
        if not isinstance(node, Path):
            raise self.error()
        return node

    def reached(self) -> Node:
        """A path, or a quantifier at its end."""
        names = [self.name()]
        while self.accept("/"):
            name = self.name()
            if name in {"any", "all"} and self.accept("("):
                return self.quantifier(tuple(names), name)
            names.append(name)
        return Path(names=tuple(names))

    def name(self) -> str:
        if self.token.kind != "name":
            raise self.error()
        return self.next().text

    def quantifier(self, names: tuple[str, ...], kind: str) -> Quantifier:
        path = Path(names=names)
        if kind == "any" and self.accept(")"):
            return Quantifier(path=path, kind="any")
        variable = self.name()
        self.need(":")
        body = self.either()
        self.need(")")
        return Quantifier(
            path=path, kind="any" if kind == "any" else "all", variable=variable, body=body
        )

    def call(self) -> Node:
        name = self.name()
        self.need("(")
        if "." in name:
            return QueryFunction(name=name, parameters=self.parameters())
        arguments: list[Node] = []
        while not self.accept(")"):
            arguments.append(self.either())
            if not self.accept(",") and self.token.text != ")":
                raise self.error()
        return FunctionCall(name=name, arguments=tuple(arguments))

    def parameters(self) -> dict[str, Scalar | tuple[Scalar, ...]]:
        found: dict[str, Scalar | tuple[Scalar, ...]] = {}
        while not self.accept(")"):
            name = self.name()
            self.need("=")
            found[name] = self.parameter()
            if not self.accept(",") and self.token.text != ")":
                raise self.error()
        return found

    def parameter(self) -> Scalar | tuple[Scalar, ...]:
        if self.token.kind == "alias":
            return _Reader(self.aliases.get(self.next().text, "null"), {}).parameter()
        if self.token.text == "[":
            return tuple(item.value for item in self.constants("[", "]"))
        node = self.single()
        if not isinstance(node, Constant):
            raise self.error()
        return node.value

    def constants(self, opening: str, closing: str) -> tuple[Constant, ...]:
        self.need(opening)
        found: list[Constant] = []
        while not self.accept(closing):
            node = self.single()
            if not isinstance(node, Constant):
                raise self.error()
            found.append(node)
            if not self.accept(",") and self.token.text != closing:
                raise self.error()
        return tuple(found)
