"""Files: which may be attached to a record, and the links by which their bytes go.

No message carries a file: an answer has a link that works once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bottlecrm_mcp.catalogue.model import Action, Entity, Included
from bottlecrm_mcp.tools.errors import ToolError

BINARY = "application/octet-stream"
OFFICE = "application/vnd.openxmlformats-officedocument"
OPEN_DOCUMENT = "application/vnd.oasis.opendocument"
# By extension. None of these runs anything where a browser shows it.
TYPES: Mapping[str, str] = {
    "bmp": "image/bmp",
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": f"{OFFICE}.wordprocessingml.document",
    "eml": "message/rfc822",
    "gif": "image/gif",
    "heic": "image/heic",
    "ics": "text/calendar",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "m4a": "audio/mp4",
    "md": "text/markdown",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "msg": "application/vnd.ms-outlook",
    "odp": f"{OPEN_DOCUMENT}.presentation",
    "ods": f"{OPEN_DOCUMENT}.spreadsheet",
    "odt": f"{OPEN_DOCUMENT}.text",
    "pdf": "application/pdf",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": f"{OFFICE}.presentationml.presentation",
    "rtf": "application/rtf",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "txt": "text/plain",
    "vcf": "text/vcard",
    "wav": "audio/wav",
    "webp": "image/webp",
    "xls": "application/vnd.ms-excel",
    "xlsx": f"{OFFICE}.spreadsheetml.sheet",
    "zip": "application/zip",
}
FORBIDDEN_IN_NAMES = frozenset('/\\:*?"<>|')
# Devices of Windows, which saves no file under these names, whatever their extension.
PORTS = (f"{port}{number}" for port in ("com", "lpt") for number in "0123456789\u00b9\u00b2\u00b3")
DEVICES = frozenset(("con", "prn", "aux", "nul", "conin$", "conout$", *PORTS))


class FileLinks(Protocol):
    """Links to files of a record, for the caller alone."""

    def add_to(
        self, entity: Entity, record_id: str, part: Included, rows: Sequence[Mapping[str, Any]]
    ) -> tuple[list[dict[str, Any]], str]:
        """The rows with type, size and link of each file, and what is to be said of the links."""

    def upload(
        self, entity: Entity, record_id: str, action: Action, file_name: str
    ) -> dict[str, Any]:
        """How a new file of this name is sent."""


def type_of(file_name: str) -> str:
    """The content type by the name's extension; one that nothing is done with for all others."""
    _, dot, extension = file_name.rpartition(".")
    return TYPES.get(extension.lower(), BINARY) if dot else BINARY


def is_device(file_name: str) -> bool:
    """Whether Windows takes the name for a device's."""
    return file_name.partition(".")[0].strip().lower() in DEVICES


def size_in_words(count: int) -> str:
    """A number of bytes for people: 10 MB, 1.5 kB, 100 bytes."""
    for unit, name in ((1_000_000, "MB"), (1_000, "kB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count} bytes"


def require_attachable(file_name: str) -> None:
    """Raises `ToolError` for a name that no file can have, and for a type that is not taken."""
    if (
        not file_name.isprintable()
        or file_name.startswith((".", " "))
        or FORBIDDEN_IN_NAMES.intersection(file_name)
        or is_device(file_name)
    ):
        raise ToolError(
            "invalid_value",
            "file_name has to be the file's name alone: no folder, none of "
            '/ \\ : * ? " < > |, nothing invisible, no dot in front, no name that Windows keeps.',
            fields={"file_name": "for example offer.pdf"},
        )
    if "." not in file_name:
        raise ToolError(
            "invalid_value",
            f"{file_name!r} has no extension, which tells what kind of file it is.",
            fields={"file_name": "for example offer.pdf"},
        )
    if type_of(file_name) == BINARY:
        raise ToolError(
            "invalid_value",
            f"Files like {file_name!r} can't be attached. Taken are {', '.join(TYPES)}.",
            fields={"file_name": "the extension is not one of these"},
        )
