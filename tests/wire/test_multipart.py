"""The answers of a ``$batch``: whose each one is, also when some are missing, doubled or cut."""

from __future__ import annotations

import pytest

from pipeline.wire.multipart import parse_answers

TYPE = "multipart/mixed; boundary=b"
NO_ID = ""


def part(mark: str, status: int = 204, body: str = "") -> bytes:
    named = f"Content-ID: {mark}\r\n" if mark else ""
    text = f"Content-Type: application/http\r\n{named}\r\nHTTP/1.1 {status} X\r\n\r\n{body}\r\n"
    return text.encode()


def whole(*parts: bytes) -> bytes:
    return b"".join(b"--b\r\n" + one for one in parts) + b"--b--\r\n"


def statuses(content: bytes, count: int) -> dict[int, int]:
    return {number: one.status for number, one in parse_answers(TYPE, content, count).items()}


def test_answers_in_another_order_are_placed_by_their_id() -> None:
    assert statuses(whole(part("2", 400), part("1")), 2) == {2: 400, 1: 204}


def test_a_refusal_without_an_id_is_placed_by_order_if_nothing_is_missing() -> None:
    assert statuses(whole(part("1"), part(NO_ID, 400), part("3")), 3) == {1: 204, 2: 400, 3: 204}


def test_of_a_refusal_without_an_id_nobody_knows_whose_it_is_if_an_answer_is_missing() -> None:
    assert statuses(whole(part("1"), part(NO_ID, 400)), 3) == {1: 204}


def test_an_id_that_comes_twice_says_nothing_about_its_row() -> None:
    assert statuses(whole(part("1"), part("1", 400), part("3")), 3) == {3: 204}


@pytest.mark.parametrize("mark", ["0", "4", "x", "²", "1" * 5000])
def test_an_id_that_was_never_given_is_left_out(mark: str) -> None:
    assert statuses(whole(part("1"), part(mark), part("2")), 3) == {1: 204, 2: 204}


@pytest.mark.parametrize(
    "status",
    [100, 199, 202, 203, 205, 206, 207, 301, 304, 401, 402, 405, 407, 451, 501, 502, 504, 600],
)
def test_a_status_that_does_not_say_what_became_of_a_row_says_nothing(status: int) -> None:
    assert statuses(whole(part(NO_ID), part(NO_ID, status), part(NO_ID, 409)), 3) == {
        1: 204,
        3: 409,
    }


@pytest.mark.parametrize("status", [200, 201, 204])
@pytest.mark.parametrize("body", ["<html>Sign in</html>", '{"error":{"code":"x"}}', "[1]", "ok"])
def test_a_body_that_is_no_record_is_no_success(status: int, body: str) -> None:
    assert statuses(whole(part("1", 201, '{"a":1}'), part("2", status, body)), 2) == {1: 201}


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_web_page_in_the_place_of_a_refusal_says_nothing(status: int) -> None:
    page = "<!DOCTYPE html><html><body>Sign in</body></html>"
    assert statuses(whole(part("1"), part("2", status, page)), 2) == {1: 204}


@pytest.mark.parametrize("status", [408, 429, 503])
def test_a_web_page_of_a_system_that_is_busy_says_so(status: int) -> None:
    assert statuses(whole(part("1"), part("2", status, "<html>")), 2) == {1: 204, 2: status}


def test_a_status_of_four_digits_is_none() -> None:
    assert statuses(whole(part("1", 2010), part("2")), 2) == {2: 204}


def test_what_a_row_was_refused_for_is_read_with_any_line_ends() -> None:
    body = '{"error":{"message":"The record already exists"}}'
    content = whole(part("1", 400, body)).replace(b"\r\n", b"\n")
    (found,) = parse_answers(TYPE, content, 1).values()
    assert found.refusal.cause == "The record already exists"


def test_what_is_cut_is_missing_and_never_a_refusal_of_half_a_message() -> None:
    body = '{"error":{"message":"The record already exists"}}'
    content = whole(part("1"), part("2", 400, body), part("3"))
    end = content.index(b"--b\r\n", content.index(b"already"))
    for length in range(1, end):
        try:
            found = statuses(content[:length], 3)
        except ValueError:
            continue
        assert 2 not in found
        assert 3 not in found


@pytest.mark.parametrize(
    ("given", "placed"),
    [
        ([204, 204], {}),
        ([204, 400, 204, 204], {}),
        ([400, 204], {}),
        ([], {}),
        ([204, 400], {1: 204, 2: 400}),
        ([400], {1: 400}),
        ([204, 400, 204], {1: 204, 2: 400, 3: 204}),
    ],
)
def test_without_ids_order_says_whose_an_answer_is_only_if_none_can_be_missing(
    given: list[int], placed: dict[int, int]
) -> None:
    """Two answers to three rows may leave out any; a server may also stop at the first failure."""
    parts = [part(NO_ID, one) for one in given] or [b"\r\n"]
    assert statuses(whole(*parts), 3) == placed
