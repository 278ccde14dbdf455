"""Where packages and files of errors may lie: the hosts that signed URLs may lead to.

SCM hands such a URL out, and what is sent there is a package of contacts. So p2c follows it only to
Azure Blob storage, by https, and to hosts that the project names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from pipeline.errors import AnswerUnreadable
from pipeline.wire.login.settings import LOOPBACK

_HTTPS: Final = 443
_HOST: Final = re.compile(r"[a-z0-9.:_-]+")
_BLOBS: Final = "*.blob.core.windows.net"
_CLOUDS: Final = {
    ".dynamics.cn": "*.blob.core.chinacloudapi.cn",
    ".dynamics.us": "*.blob.core.usgovcloudapi.net",
}
"""Ending of SCM's host → where the Azure of that cloud keeps blobs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BlobHosts:
    """The hosts that one SCM may name.

    ``home`` is SCM's address. ``added`` are hosts of the project, as in ``blobs.contoso.com``,
    ``*.contoso.com`` or ``blobs.contoso.com:8443``.
    """

    home: httpx.URL
    added: Sequence[str] = ()

    def check(self, url: str, what: str) -> str:
        """The URL itself.

        Args:
            url: as SCM handed it out.
            what: is behind it, for the message.

        Raises:
            AnswerUnreadable: it leads elsewhere, or there in the clear. Nothing is sent there.
        """
        try:
            place = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            raise self._refuse(f"names something that is no address for {what}.") from None
        host = place.raw_host.decode("ascii").lower()
        if place.userinfo or _HOST.fullmatch(host) is None:
            raise self._refuse(f"names an address for {what} that p2c does not understand.")
        if self._is_on_this_machine(place):
            return url
        if place.scheme != "https":
            raise self._refuse(
                f"names a place for {what} on {host} that is not behind https; p2c does not go "
                "there."
            )
        port = place.port or _HTTPS
        if not any(_fits(host, port, pattern) for pattern in self._allowed()):
            shown = host if port == _HTTPS else f"{host}:{port}"
            raise self._refuse(
                f"names a place for {what} on another host, {shown}; p2c does not go there. If "
                "this host is yours, add it to destination.blob_hosts."
            )
        return url

    def _allowed(self) -> tuple[str, ...]:
        own = [blobs for ending, blobs in _CLOUDS.items() if self.home.host.endswith(ending)]
        return (_BLOBS, *own, *self.added)

    def _is_on_this_machine(self, place: httpx.URL) -> bool:
        """Whether SCM and the place are both here, as those of the sandbox are."""
        return self.home.host in LOOPBACK and place.host in LOOPBACK

    def _refuse(self, message: str) -> AnswerUnreadable:
        port = f":{self.home.port}" if self.home.port else ""
        return AnswerUnreadable(message, where=f"SCM ({self.home.host}{port})")


def _fits(host: str, port: int, pattern: str) -> bool:
    name, _, number = pattern.lower().partition(":")
    if port != int(number or _HTTPS):
        return False
    return host.endswith(name[1:]) if name.startswith("*.") else host == name
