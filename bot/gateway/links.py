"""Signed, expiring addresses of pictures and documents."""

from __future__ import annotations

import hashlib
import hmac
import time


class MediaLinks:
    """Sign and check the paths under /media/."""

    def __init__(self, key: bytes) -> None:
        """Take a key derived from SECRET_KEY for this purpose."""
        self._key = key

    def path(self, media_id: str, lifetime_seconds: float = 86400) -> str:
        """Return a path that serves this media until it expires."""
        expires = int(time.time() + lifetime_seconds)
        return f"/media/{media_id}-{expires}-{self._signature(media_id, expires)}"

    def media_id(self, token: str) -> str | None:
        """Return the media's id, or None when the token is forged or out of date."""
        media_id, _, rest = token.partition("-")
        expires, _, signature = rest.partition("-")
        if not expires.isascii() or not expires.isdigit() or len(expires) > 12:
            return None
        if not hmac.compare_digest(signature.encode(), self._signature(media_id, int(expires)).encode()):
            return None
        return media_id if int(expires) >= time.time() else None

    def _signature(self, media_id: str, expires: int) -> str:
        return hmac.new(self._key, f"{media_id}.{expires}".encode(), hashlib.sha256).hexdigest()[:32]
