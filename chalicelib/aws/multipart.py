"""Objects of the bucket that are sent while they are being made, because they need not fit into memory."""

from __future__ import annotations

from typing import IO, Any

from chalicelib.aws import objects
from chalicelib.config import settings

_PIECE = 1 << 20


class Growing:
    """One object, ``add``-ed to and then ``close``-d: it appears whole at that moment, or (after a crash) not at all.

    ``size`` is how many bytes it has so far, of which up to ``part_bytes`` (5 MB or more) are in memory. What a crash
    has left of it is deleted by a rule of the bucket.
    """

    def __init__(self, key: str, content_type: str, part_bytes: int) -> None:
        self.key, self.size, self._body, self._part_bytes = key, 0, bytearray(), part_bytes
        self._where = {"Bucket": settings.bucket, "Key": key}
        self._content_type, self._upload = content_type, ""
        self._parts: list[dict[str, Any]] = []

    def add(self, data: bytes) -> None:
        # Before and not after: what has just the size of a part is one request in the end.
        if len(self._body) >= self._part_bytes:
            self._send()
        self._body += data
        self.size += len(data)

    def close(self) -> None:
        """Have the object: in one request if none of it was sent yet."""
        if not self._upload:
            objects.write(self.key, bytes(self._body), self._content_type)
            return
        self._send()
        objects.s3().complete_multipart_upload(
            **self._where, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
        )

    def _send(self) -> None:
        """What is waiting, as one part of up to 10,000."""
        if not self._upload:
            begun = objects.s3().create_multipart_upload(**self._where, ContentType=self._content_type)
            self._upload = begun["UploadId"]
        number = len(self._parts) + 1
        sent = objects.s3().upload_part(**self._where, UploadId=self._upload, PartNumber=number, Body=bytes(self._body))
        self._parts.append({"ETag": sent["ETag"], "PartNumber": number})
        self._body.clear()


def upload(key: str, file: IO[bytes], content_type: str) -> None:
    """A file of any size, from its start; it appears as what is ``Growing`` does."""
    file.seek(0)
    whole = Growing(key, content_type, objects.PART_BYTES)
    while data := file.read(_PIECE):
        whole.add(data)
    whole.close()
