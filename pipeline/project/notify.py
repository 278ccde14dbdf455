"""Where a run's summary is sent: found also where the rest of the settings is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from pipeline.errors import ConfigurationError, P2cError
from pipeline.project.layers import ENVIRONMENT, Layers, read_assignments, read_environment
from pipeline.project.settings import NotifySettings, check_webhook
from pipeline.wire.login.settings import hide_unusual


def find_webhook(
    file: Path | None, assignments: Sequence[str], environment: Mapping[str, str]
) -> str | None:
    """The address that summaries are sent to; null where none is set.

    Nothing but ``notify.webhook`` is read, so it is found when anything else is wrong.

    Args:
        file: the project file.
        assignments: ``--set`` values.
        environment: variables; the setting may name one that holds the address.

    Raises:
        ConfigurationError: the setting is wrong, or the variable that it names is not set.
    """
    layers = _read_layers(file)
    layers.add(read_environment(environment), ENVIRONMENT)
    try:
        layers.add(read_assignments(assignments), "--set")
    except P2cError:  # The command itself says so.
        return None
    given = layers.raw.get("notify", {})
    try:
        webhook = NotifySettings.model_validate(given).webhook
    except ValidationError:
        raise ConfigurationError("the setting is wrong", where="notify.webhook") from None
    return None if webhook is None else _resolve(webhook, environment)


def _read_layers(file: Path | None) -> Layers:
    try:
        return Layers(file if file is not None and file.is_file() else None)
    except P2cError:  # The command itself says so.
        return Layers(None)


def _resolve(webhook: str, environment: Mapping[str, str]) -> str:
    if "://" in webhook:
        return webhook
    value, name = environment.get(webhook, "").strip(), hide_unusual(webhook)
    if not value:
        raise ConfigurationError(f"the variable {name} is not set", where="notify.webhook")
    try:
        if "://" in value:
            return check_webhook(value)
    except ValueError:
        pass
    raise ConfigurationError(
        f"the variable {name} does not hold an address that begins with https://",
        where="notify.webhook",
    )
