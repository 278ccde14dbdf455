"""XML from outside as element trees.

Documents that declare types or entities are refused: none of these formats has any.
"""

from __future__ import annotations

from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat


class XmlError(ValueError):
    """The bytes are no XML document that is read here."""


def parse_xml(content: bytes) -> Element:
    """The root of a document in UTF-8, or in UTF-16 with byte order mark. Raises ``XmlError``."""
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: builder.start(
        _qualify(name), {_qualify(key): value for key, value in attributes.items()}
    )
    parser.EndElementHandler = lambda name: builder.end(_qualify(name))
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise XmlError(f"not well-formed: {error}") from error
    return builder.close()


def _qualify(name: str) -> str:
    return f"{{{name}" if "}" in name else name


def _refuse(*_details: object) -> NoReturn:
    raise XmlError("a document type is declared")
