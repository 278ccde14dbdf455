"""The one factory of clients: what it sets for good, it sets when the first client is made."""

from __future__ import annotations

import logging

import httpcore
import httpx
import pytest

from pipeline.wire.client import make_client


def test_a_client_silences_libraries_that_log_urls_and_reads_large_pieces(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("httpx", "httpcore", "azure", "msal"):
        caplog.set_level(logging.DEBUG, logger=name)
    monkeypatch.setattr(httpcore.HTTP11Connection, "READ_NUM_BYTES", 65_536)
    answer = httpx.MockTransport(lambda _: httpx.Response(200))
    with make_client("https://contoso.example", transport=answer) as made:
        made.get("/p.zip?sig=abcdef123")
    assert httpcore.HTTP11Connection.READ_NUM_BYTES == 1_048_576
    assert not caplog.records
    assert not logging.getLogger("azure.identity").isEnabledFor(logging.WARNING)
