"""A case's files as a product of one's own shape is given them, in a request or in the context of a function."""

from collections.abc import Sequence
from typing import Any

from assay.records.attachment import Attachment
from assay.storage import attachments


def listed(given: Sequence[Attachment]) -> list[dict[str, str]]:
    """Return each file with its name, its type, and its content in Base64.

    Raises:
        DataError: The content of one is not there.
    """
    return [{"name": one.label, "type": one.media_type, "data": attachments.encoded(one)} for one in given]


def values(given: Sequence[Attachment]) -> dict[str, Any]:
    """Return what the placeholders of a template stand for; of no file they are an empty list and None.

    Raises:
        DataError: The content of one is not there.
    """
    every = [{**one, "url": f"data:{one['type']};base64,{one['data']}"} for one in listed(given)]
    first = every[0] if every else {}
    return {"attachments": every, "attachment_url": first.get("url"), "attachment_data": first.get("data")}
