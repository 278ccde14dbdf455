"""The variables by which stores are reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError
from pipeline.wire.store.variables import list_azure_variables, list_s3_variables


def test_azure_has_several_names_for_a_thing_and_the_first_counts() -> None:
    assert list_azure_variables(
        {
            "AZURE_STORAGE_ACCOUNT": "contoso",
            "AZURE_STORAGE_ACCESS_KEY": "second",
            "AZURE_STORAGE_ACCOUNT_KEY": "first",
            "AZURE_STORAGE_SAS_TOKEN": "",
            "HOME": "/home",
        }
    ) == {"account_name": "contoso", "account_key": "first"}


def test_a_connection_string_ranks_below_single_variables() -> None:
    text = (
        "DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey=a2V5==;"
        "BlobEndpoint=https://contoso.example;SharedAccessSignature=sv=1&sig=x"
    )
    assert list_azure_variables(
        {"AZURE_STORAGE_CONNECTION_STRING": text, "AZURE_STORAGE_ACCOUNT_NAME": "other"}
    ) == {
        "account_name": "other",
        "account_key": "a2V5==",
        "endpoint": "https://contoso.example",
        "sas_key": "sv=1&sig=x",
    }


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text(
        "[default]\naws_access_key_id = id\naws_secret_access_key = key%\n[job]\n"
        "aws_access_key_id = job-id\naws_secret_access_key = job-key\naws_session_token = session\n"
    )
    (folder / "config").write_text(
        "[default]\nregion = eu-north-1\n[profile job]\nregion = eu-west-1\noutput = json\n"
        "[profile sso]\nsso_session = x\nregion = eu-west-2\n"
    )
    return tmp_path


def test_a_profile_is_read_when_no_keys_are_set(home: Path) -> None:
    place = {"HOME": str(home)}
    assert list_s3_variables(place) == {
        "access_key_id": "id",
        "secret_access_key": "key%",
        "region": "eu-north-1",
    }
    assert list_s3_variables({**place, "AWS_PROFILE": "job", "AWS_REGION": "us-east-2"}) == {
        "access_key_id": "job-id",
        "secret_access_key": "job-key",
        "session_token": "session",
        "region": "us-east-2",
    }


def test_keys_of_the_environment_rank_before_profiles(home: Path) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "too"}
    assert list_s3_variables({**keys, "HOME": str(home), "AWS_PROFILE": "job"}) == {
        "access_key_id": "mine",
        "secret_access_key": "too",
    }
    role = {"HOME": str(home), "AWS_WEB_IDENTITY_TOKEN_FILE": "/token"}
    assert list_s3_variables(role) == {}


def test_files_of_profiles_may_lie_elsewhere(home: Path) -> None:
    place = {
        "AWS_SHARED_CREDENTIALS_FILE": str(home / ".aws" / "credentials"),
        "AWS_CONFIG_FILE": str(home / "none"),
        "HOME": str(home / "nowhere"),
    }
    assert list_s3_variables(place)["access_key_id"] == "id"


@pytest.mark.parametrize("profile", ["sso", "unknown"])
def test_a_profile_without_keys_is_refused_with_the_way_to_get_them(
    home: Path, profile: str
) -> None:
    with pytest.raises(
        ConfigurationError,
        match=f"^AWS_PROFILE: the profile {profile} holds no keys.*aws configure export-cred",
    ):
        list_s3_variables({"HOME": str(home), "AWS_PROFILE": profile})


def test_a_file_of_profiles_that_is_none_is_refused_by_its_name(home: Path) -> None:
    (home / ".aws" / "credentials").write_text("aws_secret_access_key = hidden\n")
    with pytest.raises(ConfigurationError, match=r"credentials: cannot be read") as refused:
        list_s3_variables({"HOME": str(home)})
    assert "hidden" not in str(refused.value)
