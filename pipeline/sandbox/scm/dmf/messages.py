"""Recurring integrations: packages that are enqueued, and the state of their messages.

The part of ``/api/connector`` that GetMessageStatus and GetExecutionIdByMessageId speak of: enqueue
and job status. Each activity has a data project of its name.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.sandbox.scm.dmf.execution import Status
from pipeline.sandbox.scm.dmf.importing import ImportOrder, PackageImporter
from pipeline.sandbox.scm.dmf.package import PackageError


class MessageState(StrEnum):
    """Message states that an import gets to."""

    PROCESSING = "Processing"
    PROCESSED = "Processed"
    WITH_ERRORS = "ProcessedWithErrors"
    POST_ERROR = "PostProcessingError"
    PRE_ERROR = "PreProcessingError"


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One enqueued package: its execution, or why there is none."""

    execution: str
    refusal: str = ""


@dataclass(kw_only=True, slots=True)
class Messages:
    """All messages of one SCM."""

    importer: PackageImporter
    known: dict[str, Message] = field(default_factory=dict)

    def enqueue(self, activity: str, company: str, content: bytes) -> str:
        """Import a package in a while; the id of the message.

        What is wrong with it shows in the message's state.
        """
        identity = str(uuid.uuid4())
        order = ImportOrder(
            group=activity,
            execution=f"{activity[:36]}-{identity}",
            execute=True,
            overwrite=True,
            company=company,
            waits=False,
        )
        try:
            self.known[identity] = Message(execution=self.importer.start(order, content))
        except PackageError as error:
            self.known[identity] = Message(execution="", refusal=str(error))
        return identity

    def state(self, identity: str) -> MessageState | None:
        """The state of a message, null when there is none."""
        message = self.known.get(identity)
        if message is None:
            return None
        execution = self.importer.executions.get(message.execution)
        if execution is None:
            return MessageState.PRE_ERROR
        match execution.status(self.importer.clock()):
            case Status.EXECUTING:
                return MessageState.PROCESSING
            case Status.SUCCEEDED:
                return MessageState.PROCESSED
            case Status.PARTIALLY:
                return MessageState.WITH_ERRORS
            case _:
                return MessageState.POST_ERROR
