"""Secrets by their own form are cut out of text, and what people need to read stays."""

from __future__ import annotations

import base64
import json

import pytest

from pipeline.wire.redact import redact_secrets


def encode(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


HEAD = encode({"typ": "JWT", "alg": "RS256", "kid": "abc"})
TOKEN = f"{HEAD}.{encode({'aud': 'https://a', 'iss': 'x'})}.{'Ab9_-' * 20}"
KEY = base64.b64encode(bytes(range(64))).decode()


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"token {TOKEN} expired", "token … expired"),
        (f"IDX10223: '{TOKEN}'.", "IDX10223: '…'."),
        (f"({TOKEN[:300]}", "(…"),
        (f"got {HEAD}, wanted none", "got …, wanted none"),
        (f"got {HEAD}.{HEAD}.a.b.c", "got …"),
        ("secret is abC8Q~0123456789.abcdefghijklmnop~qrst here", "secret is … here"),
        (f"grant 0.A{'x1_-' * 30}.AgAB failed", "grant … failed"),
        (f"AccountKey={KEY};EndpointSuffix=x", "AccountKey=…;EndpointSuffix=x"),
        (f"signed with {KEY} today", "signed with … today"),
        (f"signed with {base64.b64encode(bytes(range(32))).decode()}", "signed with …"),
        ("id_token: 'abcdef123456'", "id_token: '…'"),
        ("Authorization: SharedKey a/b+c123456=", "Authorization: SharedKey …"),
    ],
)
def test_a_secret_is_known_by_its_form(text: str, clean: str) -> None:
    assert redact_secrets(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "error code: 0x80040217, key: US-00123456",
        "the record 216b4b57-76e7-62fb-dda6-b7a859658ec0 is not there",
        "AADSTS7000215: Invalid client secret provided.",
        "field PrimaryContactEmail of CustomersV3Entity/CustomersV3Entity.DefaultDimension",
        "Basic authentication is switched off; 1.ABCDEF is a version; eyJ is short",
        "a" * 200,
    ],
)
def test_what_people_need_stays(text: str) -> None:
    assert redact_secrets(text) == text
