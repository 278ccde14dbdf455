"""Refusals of the login service, in words that say what to do; and logins that do not end.

A service that sends a byte now and then is never silent, and never done.
"""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Callable, Mapping
from typing import Final

from pipeline.errors import LoginAway, LoginFailed, Refusal, SystemStopped
from pipeline.wire.failures import CONTINUE
from pipeline.wire.login.auth import AccessToken
from pipeline.wire.login.settings import AuthSettings, hide_unusual
from pipeline.wire.redact import redact_secrets

_CODE: Final = re.compile(r"AADSTS(\d+)")
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


_PASSING: Final = frozenset(
    {"90033", "90006", "90012", "90055", "90090", "40010", "80002", "50196"}
)
"""AADSTS codes of the service's own troubles: it says to try again."""
_PASSING_WORDS: Final = ("temporarily_unavailable", "server_error")
"""The error codes of OAuth for them."""
_ASKED: Final = 429
_PASSING_STATUS: Final = frozenset({408, 425, _ASKED})
_SERVER: Final = 500
_BUSY: Final = 30.0
"""Seconds to wait when the service throttles and does not say how long."""


def is_passing(status: int | None, text: str = "") -> bool:
    """Whether a refusal of the login service says nothing about the caller.

    Args:
        status: of its answer; null where there was none.
        text: what it said.
    """
    if status is not None and (status in _PASSING_STATUS or status >= _SERVER):
        return True
    found = _CODE.search(text)
    return (found is not None and found[1] in _PASSING) or any(
        word in text for word in _PASSING_WORDS
    )


def describe_passing(
    status: int | None, text: str, wait: float | None, system: str
) -> SystemStopped:
    """A failure of the login service that passes, as a sentence; ``wait`` is in seconds."""
    clean = redact_secrets(text).rstrip(". ") if _CODE.search(text) else ""
    reason = f": {clean}" if clean else ""
    number = f" (HTTP {status})" if status is not None else ""
    asks = status == _ASKED
    verb = "asks us to wait" if asks else "fails for now"
    return LoginAway(
        f"{verb}{reason}{number}. {CONTINUE}",
        where=system,
        again=True,
        wait=_BUSY if wait is None and asks else wait,
        refusal=Refusal(status=status, text=clean, cause=clean),
    )


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


def login_within(seconds: float, login: Callable[[], AccessToken], system: str) -> AccessToken:
    """The token of a login, if it comes in time.

    Otherwise its thread is left behind, which ends with the process at the latest.

    Raises:
        LoginAway: it did not come in time.
    """
    answers = queue.SimpleQueue[AccessToken | BaseException]()

    def work() -> None:
        try:
            answers.put(login())
        except BaseException as error:  # noqa: BLE001 - it is raised where the token is waited for
            answers.put(error)

    threading.Thread(target=work, name="p2c-login", daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except queue.Empty:
        message = f"did not give a token within {seconds:g} s. {CONTINUE}"
        raise LoginAway(message, where=system, again=True) from None
    if isinstance(found, BaseException):
        raise found
    return found
