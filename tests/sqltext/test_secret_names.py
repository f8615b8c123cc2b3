"""Which names make a value a secret: tested on both sides, for a log that hides everything is of no use."""

from __future__ import annotations

import pytest

from tusk_jupyter.sqltext.redaction import redact
from tusk_jupyter.sqltext.secret_names import is_meant_as_secret, is_secret_key, is_secret_parameter

SECRET_PARAMETERS = """
pass pw pwd passwd new_pass access_key secret token jwt dsn conn credential api_key private_key newPass accessKey dbPassword
PGPASSWORD sslpassword user_pass client_secret pw1 pass2 authToken refresh_token the_password password_hash JWT_SECRET conninfo
kennwort Kennwörter neues_kennwort passwort dbPasswort mot_de_passe motDePasse contrasena contraseña senha wachtwoord
haslo hasło pgpass dbpass user_contrasena пароль 密码
passwords my_secret_value pin aws_secret_access_key awsAccessKeyId connection_string old_password passphrase creds otp
""".split()  # noqa: SIM905 - one word a line would hide the list
OPEN_PARAMETERS = """
passenger passengers tokens_used token_count pass_rate passed key keys id compass monkey secretary authors author pinned concert
connection_id password_changed_at bypass tokenized pint option max_tokens password_length dns primary_key sort_key
kennwert clave session_id pem heslo contrast contrasts senhor compasses mot de_passe passe boardingpass skipass
name a x größe has_password is_secret secret_count passport_number
""".split()  # noqa: SIM905 - one word a line would hide the list
MEANT = "clave session_id user_session_id sessionId pem cvv pasword kennwort parola".split()  # noqa: SIM905 - as above
NOT_MEANT = """
session session_count max_session_id clavel pem_file pem_path enclave kennwert kennzahl contrast
""".split()  # noqa: SIM905 - as above
OPEN_KEYS = [
    "token",
    "secret",
    "key",
    "primary_key",
    "foreign_key",
    "token_type",
    "next_token",
    "password_set",
    "conn",
    "author",
]


@pytest.mark.parametrize("name", SECRET_PARAMETERS)
def test_a_bound_value_of_that_name_is_hidden(name):
    assert is_secret_parameter(name)


@pytest.mark.parametrize("name", OPEN_PARAMETERS)
def test_a_bound_value_of_that_name_is_shown(name):
    assert not is_secret_parameter(name)


@pytest.mark.parametrize("name", OPEN_KEYS)
def test_a_column_of_that_name_is_data(name):
    assert not is_secret_key(name)


@pytest.mark.parametrize(
    "name", ["password", "db_pass", "api_key", "clientSecret", "refresh_token", "jwt", "sslpassword"]
)
def test_a_column_of_that_name_is_a_secret(name):
    assert is_secret_key(name)


@pytest.mark.parametrize("name", MEANT)
def test_a_value_that_somebody_binds_under_it_is_a_secret(name):
    assert is_meant_as_secret(name)


@pytest.mark.parametrize("name", NOT_MEANT)
def test_a_value_that_somebody_binds_under_it_is_none(name):
    assert not is_meant_as_secret(name)


@pytest.mark.parametrize("name", ["kennwort", "contraseña", "mot_de_passe", "senha", "wachtwoord"])
def test_a_column_of_another_language_is_hidden(name):
    assert (
        redact(f"UPDATE u SET {name} = 'Geheim17' WHERE {name} = 'Geheim18' -- {name}='Geheim19'", "ansi").count(
            "Geheim"
        )
        == 0
    )
