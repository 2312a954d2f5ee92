"""Settings fail loudly: an unknown name or an unfit value never changes behaviour silently."""

from pathlib import Path

import pytest

from textwave.settings import SettingInvalid, load_settings


def test_an_unknown_setting_is_an_error_that_names_it() -> None:
    with pytest.raises(SettingInvalid, match="TEXTWAVE_WORKRES: There is no such setting"):
        load_settings({"TEXTWAVE_WORKRES": "2"})


def test_an_unfit_value_is_an_error_that_names_the_setting() -> None:
    with pytest.raises(SettingInvalid, match="TEXTWAVE_WORKERS: "):
        load_settings({"TEXTWAVE_WORKERS": "many"})


def test_a_secret_can_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://somewhere/textwave\n")
    settings = load_settings({"TEXTWAVE_DATABASE_URL_FILE": str(file)})
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://somewhere/textwave"
    assert "somewhere" not in repr(settings)


def test_a_secret_file_that_is_missing_is_said() -> None:
    with pytest.raises(SettingInvalid, match="cannot be read"):
        load_settings({"TEXTWAVE_DATABASE_URL_FILE": "/nowhere"})


def test_what_the_command_line_reads_is_no_setting() -> None:
    assert load_settings({"TEXTWAVE_URL": "http://x", "TEXTWAVE_API_KEY": "k", "PATH": "/"})


def test_carrier_ranges_that_cannot_be_read_are_refused_when_a_process_starts() -> None:
    with pytest.raises(SettingInvalid, match="“1x=mobile” is no number range"):
        load_settings({"TEXTWAVE_CARRIER_RANGES": "1x=mobile"})
