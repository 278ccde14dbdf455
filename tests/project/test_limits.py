"""A setting is checked by what will use it: nothing that passes stops a command later."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from pipeline.project.settings import Settings, parse_age, parse_duration


def refuse(section: str, name: str, value: object) -> str:
    with pytest.raises(ValidationError, match=name) as caught:
        Settings.model_validate({section: {name: value}})
    return str(caught.value)


@pytest.mark.parametrize(
    "pattern", ["(?!TEST)CON-.*", r"(CON)-\1", "(?<=a)b", "a{2000}", "[", r"a\h", "a++"]
)
def test_a_pattern_is_one_that_the_query_engine_runs(pattern: str) -> None:
    assert "is not a regular expression of RE2" in refuse(
        "source", "contact_number_pattern", pattern
    )


@pytest.mark.parametrize("pattern", ["CON-[0-9]{5}", "(?i)con.*", r"\p{Lu}+", "(?P<x>a)"])
def test_patterns_of_the_query_engine_are_taken(pattern: str) -> None:
    given = {"source": {"contact_number_pattern": pattern}}
    assert Settings.model_validate(given).source.contact_number_pattern == pattern


@pytest.mark.parametrize("memory", ["0MB", "1KB", "15.9MB", "999999999999999999GB"])
def test_memory_is_what_the_query_engine_can_begin_with(memory: str) -> None:
    assert "must be between 16MB and 1000000GB" in refuse("run", "memory", memory)


@pytest.mark.parametrize("memory", ["16MB", "2GB", "1.5 GiB", "100000KB"])
def test_usual_sizes_are_taken(memory: str) -> None:
    assert Settings.model_validate({"run": {"memory": memory}}).run.memory == memory


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_plan_age", "99999999999d"), ("wait_import", "9" * 400 + "h"), ("poll", "3651d"),
        ("wait_system", "1e9"),
    ],
)  # fmt: skip
def test_durations_have_an_end(name: str, value: str) -> None:
    assert "must be" in refuse("run", name, value)
    assert parse_duration("3650d").days == 3650


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("12h", 12), ("1 hour", 1), ("30d", 720), ("30 days", 720), ("1 day", 24), ("0.5", 12),
        ("30", 720), ("12 weeks", 2016), ("1w", 168), ("0", 0),
    ],
)  # fmt: skip
def test_an_age_is_read_as_people_write_it(text: str, hours: int) -> None:
    assert parse_age(text) == timedelta(hours=hours)
    if not text[-1].isdecimal():
        assert Settings.model_validate({"run": {"keep_values": text}}).run.keep_values == text


def test_settings_take_the_words_of_units() -> None:
    given = {"max_plan_age": "2 days", "wait_import": "90 minutes", "poll": "10 seconds"}
    run = Settings.model_validate({"run": given}).run
    assert {name: getattr(run, name) for name in given} == given
    assert parse_duration(run.wait_import) == timedelta(hours=1.5)


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("run", "morsel_rows", 2**64), ("source", "row_limit", 2**40),
        ("source", "unpacked_limit", 2**70), ("source", "unpacked_ratio", 10**30),
        ("destination", "auto_rows", 2**64),
    ],
)  # fmt: skip
def test_numbers_fit_what_they_count(section: str, name: str, value: int) -> None:
    assert "less than or equal to" in refuse(section, name, value)


@pytest.mark.parametrize(
    "url",
    [
        "https://x:99999", "https://x:0", "https://x:port", "https://[::1", "https://a b/",
        "https://", "ftp://x", "x", "https://\u200b", "https://x.test:443:443",
    ],
)  # fmt: skip
def test_an_address_is_one_that_the_client_can_be_sent_to(url: str) -> None:
    assert "must be an address" in refuse("destination", "url", url)


@pytest.mark.parametrize("text", ["a\x00b", "\udcff", "x\ud800"])
@pytest.mark.parametrize(
    ("section", "name"), [("source", "path"), ("source", "filter"), ("countries", "x")]
)
def test_bytes_that_are_no_characters_are_refused_wherever_they_stand(
    section: str, name: str, text: str
) -> None:
    with pytest.raises(ValidationError, match="bytes that are no character"):
        Settings.model_validate({section: {name: text}})
    with pytest.raises(ValidationError, match="bytes that are no character"):
        Settings.model_validate({"countries": {text: "DE"}})


@pytest.mark.parametrize(
    "address",
    [
        "sc://host/;token=secret", "sc://host/;use_ssl=true;token=secret", "sc://me:secret@host",
        "spark://host:7077", "local[2]", "sc://",
    ],
)  # fmt: skip
def test_an_address_of_spark_connect_holds_no_secret(address: str) -> None:
    assert "without a token" in refuse("run", "spark", address)


@pytest.mark.parametrize(
    "address", ["sc://host", "sc://spark.contoso.com:15002", "sc://[::1]:1/;use_ssl=true"]
)
def test_usual_addresses_of_spark_connect_are_taken(address: str) -> None:
    assert Settings.model_validate({"run": {"spark": address}}).run.spark == address
