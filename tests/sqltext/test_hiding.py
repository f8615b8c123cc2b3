"""What a message shows of a run's secrets: nothing, in whatever form it repeats them."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote

import pytest

from tusk_jupyter.sqltext.hiding import redact_text, secrets_of

SECRET = 'Tr0ub4dor&3 it\'s "x" \\ ü'


@pytest.mark.parametrize(
    "shown",
    [SECRET, SECRET.upper(), SECRET.lower(), repr(SECRET), json.dumps(SECRET), html.escape(SECRET), quote(SECRET, safe=""),
     SECRET.replace("'", "''"), SECRET.replace('"', '""'), SECRET.replace("\\", "\\\\").replace("'", "\\'"),
     SECRET.encode().hex(), "\\x" + SECRET.encode().hex().upper(), base64.b64encode(SECRET.encode()).decode(),
     f"'{SECRET[:12]}…'", f"'{SECRET[:12]}...", f'"{SECRET[:12]}"', f"LINE 1: ...{SECRET[-10:]}' x"],
)  # fmt: skip
def test_every_form_is_hidden(shown):
    text = redact_text(f"invalid input: {shown} at 1", [SECRET])
    assert "***" in text
    assert not any(SECRET[at : at + 6].casefold() in text.casefold() for at in range(len(SECRET) - 6))


def test_a_message_that_shares_a_beginning_keeps_its_words():
    assert redact_text("host postgres-main is down", ["postgresql://u:p@h"]) == "host postgres-main is down"


def test_one_line_of_a_key_is_hidden():
    key = "-----BEGIN X-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END X-----"
    assert "MIIEvQ" not in redact_text("bad line: MIIEvQIBADANBg", [key])


@pytest.mark.parametrize(
    ("secret", "text"), [("a", "table abc has no column"), ("1", "10 rows, 21 columns"), ("me", "some name")]
)
def test_a_short_value_tears_no_words_apart(secret, text):
    assert redact_text(text, [secret]) == text


def test_a_message_about_thousands_of_secrets_takes_no_time():
    """An INSERT of 100,000 accounts that fails: each secret cost two patterns, 0.2 ms for each part of the error."""
    known = [f"geheim{number:09d}x" for number in range(100_000)]
    said = "Schlüsselwert »geheim000000007x« ist doppelt, auch geheim0000000… und ...00000123x"
    for _ in range(6):
        assert redact_text(said, known) == "Schlüsselwert »***« ist doppelt, auch ***… und ...***"


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("kasse-is-k12", "KAS\u017fE-IS…"),
        ("kasse-is-k12", "\u212aasse-\u0130s… x"),
        ("ab-kasse-i12", "...AS\u017fE-\u013012"),
    ],
)
def test_a_piece_in_another_case_is_hidden_whatever_the_sign(secret: str, said: str):
    assert "***" in redact_text(said, [secret])


def test_secrets_of_a_run_are_found_by_name_and_by_place():
    sql = "CREATE USER u PASSWORD :it; SELECT :plain, :api_key, 'x' WHERE password = 'lit'"
    values = {
        "it": "one1",
        "plain": "open",
        "api_key": ["two2", b"three3"],
        "jwt": {"a": "four4"},
        "pin": 1234,
        "token": None,
    }
    found = set(secrets_of(sql, "postgresql", values))
    assert {"one1", "two2", "three3", "four4", "1234", "lit"} <= found
    assert "open" not in found


def test_a_secret_that_repeats_itself_is_hidden_where_it_is_cut_off():
    secret = "hunter2" * 200
    assert "hunter2" not in redact_text(f"near '{secret[:255]}' and ...{secret[-100:]}", [secret])
    assert "hunter2" not in redact_text(secret[:255], [secret])


@pytest.mark.parametrize(
    "message",
    [
        "Key (password)=(canary9) already exists.",
        "Key (name, lower(password))=(ann, can) ary9) already exists.",
        'Key (password)=(canary9) is not present in table "x".',
        "Key (password)=(canary9) conflicts with existing key (password)=(canary9).",
        "Duplicate entry 'canary9' for key 'password'",
        "Duplicate entry 'can'ary9' for key 'users.password'",
        "Duplicate entry 'ann-canary9' for key 'users.uq_password'",
        "Incorrect integer value: 'canary9' for column `d`.`u`.`password` at row 1",
        'Violates foreign key constraint because key "password: canary9" does not exist in the referenced table',
        'Duplicate key "id: 1, password: can, ary9" violates primary key constraint.',
        'COPY u, line 1, column password: "canary9"',
    ],
)
def test_a_secret_columns_value_is_hidden_in_what_a_server_quotes(message):
    assert "ary9" not in redact_text(message, ())
    assert "password" in redact_text(message, ())


@pytest.mark.parametrize(
    "message",
    [
        "Key (city)=(Ulm) already exists.",
        "Duplicate entry 'Ulm' for key 'places.PRIMARY'",
        "Duplicate entry 'Ulm' for key 'passwords.city'",
        'Duplicate key "id: 1, city: Ulm" violates primary key constraint.',
        'COPY u, line 1, column city: "Ulm"',
        "Data too long for column 'password' at row 1",
        "UNIQUE constraint failed: u.password",
    ],
)
def test_another_columns_value_is_kept(message):
    assert redact_text(message, ()) == message
