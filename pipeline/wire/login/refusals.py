"""Refusals of the login service, in words that say what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pipeline.errors import LoginFailed, Refusal
from pipeline.wire.login.settings import AuthSettings, hide_unusual
from pipeline.wire.redact import redact_secrets

_NO_TENANT: Final = "knows no tenant '{tenant}'. Check auth.tenant."
_SENTENCES: Final[Mapping[str, str]] = {
    "90002": _NO_TENANT,
    "900021": _NO_TENANT,
    "900023": _NO_TENANT,
    "90013": _NO_TENANT,
    "7000215": (
        "refuses the client secret. The variable {secret} must hold the secret's value, not its id."
    ),
    "7000222": (
        "refuses the client secret: it has expired. Make a new one and put it into the variable "
        "{secret}."
    ),
    "700016": (
        "finds no app registration '{client}' in tenant '{tenant}'. Check auth.client_id and "
        "auth.tenant."
    ),
    "700027": (
        "does not know this certificate. Upload its public part to the app registration '{client}'."
    ),
    "500011": "knows no system at this url in tenant '{tenant}'. Check url and auth.tenant.",
    "50034": "does not know this user in tenant '{tenant}'. Check auth.tenant.",
    "53003": (
        "refuses because of a conditional access policy. Ask the administrator of tenant "
        "'{tenant}'."
    ),
}
"""AADSTS code → what it means and what to do."""

_CODE: Final = re.compile(r"AADSTS(\d+)")


def translate_login_refusal(text: str, settings: AuthSettings, system: str) -> LoginFailed:
    """A refusal as a sentence.

    Args:
        text: what the login service said.
        settings: of the login; they hold no secrets.
        system: the name for messages.
    """
    found = _CODE.search(text)
    code = found[1] if found else ""
    sentence = _SENTENCES.get(code)
    if sentence is None and "get authority config" in text:
        code, sentence = "90002", _NO_TENANT
    clean = redact_secrets(text)
    said = Refusal(code=f"AADSTS{code}" if code else "", text=clean, cause=clean)
    if sentence is None:
        reason = f": {clean.rstrip('. ')}" if clean else ""
        return LoginFailed(f"refuses the login{reason}.", where=system, refusal=said)
    words = {
        "tenant": redact_secrets(settings.tenant or ""),
        "client": redact_secrets(settings.client_id or ""),
        "secret": hide_unusual(settings.secret_env or ""),
    }
    return LoginFailed(f"{sentence.format(**words)} ({said.code})", where=system, refusal=said)
