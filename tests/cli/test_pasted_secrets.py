"""A secret that was pasted in place of a variable's name is refused, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.wire.login.settings import hide_unusual
from tests.scenes.command_line import P2c

PROJECT = """[source]
kind = "dataverse"
url = "https://contoso.crm4.dynamics.com"
[source.auth]
kind = "{kind}"
{setting} = "{secret}"
{more}
"""
KINDS = {
    "secret_env": ("client_secret", 'tenant = "t"\nclient_id = "c"'),
    "token_env": ("token", ""),
    "password_env": ("certificate", 'tenant = "t"\nclient_id = "c"\ncertificate = "c.pem"'),
}
SECRETS = {
    "of Entra": "abC8Q~0123456789.abcdefghijklmnop~qrst",
    "a token": "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.",
    "with a space": "correct horse battery",
    "letters and digits": "hunter2secret",
    "of capitals": "ABCDEF0123456789",
    "hexadecimal": "d41d8cd98f00b204e9800998ecf8427e",
}


@pytest.mark.parametrize("command", ["check", "plan"])
@pytest.mark.parametrize("setting", KINDS)
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_pasted_secret_is_not_shown(p2c: P2c, command: str, setting: str, secret: str) -> None:
    kind, more = KINDS[setting]
    text = PROJECT.format(kind=kind, setting=setting, secret=secret, more=more)
    Path("p2c.toml").write_text(text)
    Path("c.pem").touch()
    answer = p2c(command)
    assert answer.code == 2
    assert f"source.auth.{setting}" in answer.err
    assert secret not in answer.out + answer.err


@pytest.mark.parametrize("word", ["source.auth.secret_env", "hunter2secret", 'x = "hunter2secret'])
def test_a_secret_on_the_command_line_is_not_shown(p2c: P2c, word: str) -> None:
    Path("p2c.toml").touch()
    answer = p2c("plan", "--set", word, "--set", "destination.url=[hunter2")
    assert answer.code == 2
    assert "hunter2" not in answer.out + answer.err


@pytest.mark.parametrize("name", ["P2C_CLIENT_SECRET", "SECRET", "CRM_SECRET_2", "_SALES_TOKEN"])
def test_names_as_people_write_them_are_shown(name: str) -> None:
    assert hide_unusual(name) == name


@pytest.mark.parametrize("name", [*SECRETS.values(), "client_secret", "", "A" * 30])
def test_others_are_not(name: str) -> None:
    assert hide_unusual(name) == "…"


def test_the_sentence_says_what_to_do(p2c: P2c) -> None:
    text = PROJECT.format(kind="token", setting="token_env", secret=SECRETS["a token"], more="")
    Path("p2c.toml").write_text(text)
    assert p2c("plan").err == (
        "p2c: p2c.toml, source.auth.token_env: must be the name of an environment variable, as in "
        "P2C_CLIENT_SECRET: letters, digits and underscores. Put the secret itself into that "
        "variable.\n"
    )
