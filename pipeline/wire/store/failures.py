"""What obstore raises → our errors. A message names the address, never a query, a key or a body."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from obstore.exceptions import (
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

from pipeline.errors import (
    AccessDenied,
    ConfigurationError,
    LoginFailed,
    P2cError,
    Refusal,
    RequestRefused,
    ServerFailed,
    SourceError,
    Stopped,
    Throttled,
    Unreachable,
)
from pipeline.wire.failures import CONTINUE, distrust
from pipeline.wire.store.location import Provider, StoreLocation
from pipeline.wire.store.login import StoreLogin
from pipeline.wire.store.remote import CHANGED

_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>([A-Za-z]{3,60})</Code>")
_MACHINE_LOGIN: Final = ("169.254.169.254", "metadata.google.internal", "169.254.170")
_NO_CONTAINER: Final = frozenset({"NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted"})
_BAD_LOGIN: Final = frozenset(
    {
        "AuthenticationFailed",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidAuthenticationInfo",
        "InvalidToken",
        "NoAuthenticationInformation",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)
_BUSY: Final = frozenset({429, 503})
_LOGINS: Final = {
    Provider.AZURE: "Check [source.auth], or the account key or SAS token in the environment",
    Provider.S3: "Check AWS_ACCESS_KEY_ID and its fellows, or AWS_PROFILE",
    Provider.GOOGLE: "Check GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth "
    "application-default login",
}
_ROLES: Final = {
    Provider.AZURE: "Give the caller the role Storage Blob Data Reader (a SAS token needs Read and "
    "List), or in OneLake Viewer of the workspace with ReadAll of the lakehouse, and check the "
    "firewall of the account",
    Provider.S3: "Give the caller s3:ListBucket and s3:GetObject",
    Provider.GOOGLE: "Give the caller the role Storage Object Viewer",
}


@contextmanager
def translate_failures(
    location: StoreLocation, place: str, login: StoreLogin | None
) -> Iterator[None]:
    """Make every failure of the store one of ours.

    Args:
        location: the folder that is read.
        place: the address of what is asked for, which messages name.
        login: knows why it could not log in.

    Raises:
        SourceError: there is no such container or file.
        Stopped: the file changed, or the store did not do what it was asked.
    """
    try:
        yield
    except P2cError:
        raise
    except (BaseError, OSError, ValueError) as error:
        if login is not None and login.failure is not None:
            raise login.failure from error
        raise _translate(error, location, place) from error


def _translate(error: Exception, location: StoreLocation, place: str) -> P2cError:
    text = str(error)
    status, code = _STATUS.search(text), _CODE.search(text)
    said = Refusal(status=int(status[1]) if status else None, code=code[1] if code else "")
    match error:
        case PreconditionError():
            return Stopped(CHANGED, where=place)
        case FileNotFoundError() if said.code not in _NO_CONTAINER:
            return SourceError("cannot be read: there is no such file or folder.", where=place)
        case PermissionDeniedError() if said.code not in _BAD_LOGIN:
            return _explain_right(location, place, said)
    if isinstance(error, UnauthenticatedError) or any(one in text for one in _MACHINE_LOGIN):
        return _explain_login(location, said)
    if said.status is not None:
        return _translate_status(said, location, place)
    return _translate_silence(text, location, place)


def _translate_status(said: Refusal, location: StoreLocation, place: str) -> P2cError:
    match said.status or 0:
        case _ if said.code in _BAD_LOGIN:
            return _explain_login(location, said)
        case HTTPStatus.NOT_FOUND:
            return _explain_container(location)
        case HTTPStatus.UNAUTHORIZED:
            return _explain_login(location, said)
        case HTTPStatus.FORBIDDEN:
            return _explain_right(location, place, said)
        case HTTPStatus.MOVED_PERMANENTLY | HTTPStatus.TEMPORARY_REDIRECT:
            return _explain_region(location)
        case status:
            return _translate_failure(said, status, place)


def _translate_failure(said: Refusal, status: int, place: str) -> P2cError:
    """An answer that says nothing of login, rights and address."""
    if status in _BUSY:
        return Throttled(
            f"asks us to wait, longer than we do{_cite(said)}. {CONTINUE}",
            where=place,
            again=True,
            refusal=said,
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerFailed(
            f"failed{_cite(said)}. {CONTINUE}", where=place, again=True, refusal=said
        )
    return RequestRefused(f"refused{_cite(said)}.", where=place, refusal=said)


def _translate_silence(text: str, location: StoreLocation, place: str) -> P2cError:
    """What went wrong without an answer."""
    if "edirect" in text:
        return _explain_region(location)
    if "certificate" in text.lower():
        return distrust(location.root)
    if "error sending request" in text or "HTTP error" in text or "timed out" in text.lower():
        return Unreachable(
            f"cannot be reached. Check the address and the network. {CONTINUE}",
            where=place,
            again=True,
        )
    return Unreachable(
        f"cannot be read. Check the address, the network and the login. {CONTINUE}", where=place
    )


def _cite(said: Refusal) -> str:
    """The status and the store's own word."""
    if said.status is None:
        return ""
    return f" (HTTP {said.status}{f', {said.code}' if said.code else ''})"


def _explain_login(location: StoreLocation, said: Refusal) -> LoginFailed:
    return LoginFailed(
        f"does not accept our login{_cite(said)}. {_LOGINS[location.provider]}.",
        where=location.root,
        refusal=said,
    )


def _explain_right(location: StoreLocation, place: str, said: Refusal) -> AccessDenied:
    return AccessDenied(
        f"does not allow this{_cite(said)}. {_ROLES[location.provider]}.",
        where=place,
        refusal=said,
    )


def _explain_container(location: StoreLocation) -> SourceError:
    what = "container" if location.provider is Provider.AZURE else "bucket"
    return SourceError(
        f"there is no such {what}, or nothing that the login may see. Check the address.",
        where=location.root,
    )


def _explain_region(location: StoreLocation) -> ConfigurationError:
    return ConfigurationError(
        "is in another region than the one that was asked. Set the environment variable AWS_REGION "
        "to the region of the bucket.",
        where=location.root,
    )
