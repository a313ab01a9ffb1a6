"""Attachments at the desk: each is sent as what it is kept as, whatever its bytes are, and a document is only saved."""

from starlette.exceptions import HTTPException
from starlette.responses import Response

from assay.desk.request import Visit
from assay.errors import DataError
from assay.records.attachment import SUFFIXES, Attachment
from assay.storage import attachments

TYPES = {suffix: media_type for media_type, suffix in SUFFIXES.items()}


def one(visit: Visit) -> Response:
    """Send the content of an attachment, named by its hash and the suffix of its type."""
    sha256, _, suffix = visit.key.partition(".")
    try:
        file = Attachment.model_validate({"sha256": sha256, "media_type": TYPES.get(suffix)})
        content = attachments.load(file)
    except (ValueError, DataError) as error:
        raise HTTPException(404, "There is no such attachment.") from error
    kind = "inline" if file.kind in ("image", "audio") else "attachment"
    return Response(content, media_type=file.media_type, headers={"Content-Disposition": kind})
