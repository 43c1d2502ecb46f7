"""Multipart uploads: objects that are sent while they are made, so they need not fit into memory."""

from __future__ import annotations

from typing import IO, Any

from chalicelib.aws import objects

_PIECE = 1 << 20


class Growing:
    """An object to which bytes are added. It exists from ``close`` on; after a crash before it, it does not.

    ``size``: its bytes so far. At most about ``part_bytes`` (5 MB or more) of them are in memory. A rule of the bucket
    deletes the parts that a crash leaves behind.
    """

    def __init__(self, key: str, content_type: str, part_bytes: int) -> None:
        self.key, self.size, self._body, self._part_bytes = key, 0, bytearray(), part_bytes
        self._where = objects.bucket(Key=key)
        self._content_type, self._upload = content_type, ""
        self._parts: list[dict[str, Any]] = []

    def add(self, data: bytes) -> None:
        """Append bytes; sends a part if there are enough."""
        # Checked before the bytes are added, so an object of exactly one part is one request.
        if len(self._body) >= self._part_bytes:
            self._send()
        self._body += data
        self.size += len(data)

    def close(self) -> None:
        """Complete the object; in one request if no part was sent."""
        if not self._upload:
            objects.write(self.key, bytes(self._body), self._content_type)
            return
        self._send()
        objects.writer().complete_multipart_upload(
            **self._where, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
        )

    def _send(self) -> None:
        """Send the bytes in memory as a part; an object has at most 10,000."""
        if not self._upload:
            begun = objects.writer().create_multipart_upload(**self._where, ContentType=self._content_type)
            self._upload = begun["UploadId"]
        number = len(self._parts) + 1
        sent = objects.writer().upload_part(
            **self._where, UploadId=self._upload, PartNumber=number, Body=bytes(self._body)
        )
        self._parts.append({"ETag": sent["ETag"], "PartNumber": number})
        self._body.clear()


def upload(key: str, file: IO[bytes], content_type: str) -> None:
    """Upload a file of any size, from its start; the object is complete or does not exist."""
    file.seek(0)
    growing = Growing(key, content_type, objects.PART_BYTES)
    while data := file.read(_PIECE):
        growing.add(data)
    growing.close()
