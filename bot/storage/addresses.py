"""Addresses (phone numbers, chat ids, web sessions): a keyed hash to find, an encrypted value to answer."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.fernet import Fernet


class AddressBook:
    """Hash and encrypt addresses; neither the database nor a log ever sees one in clear."""

    def __init__(self, hash_key: bytes, fernet_key: bytes) -> None:
        """Take two keys derived from SECRET_KEY for these two purposes."""
        self._hash_key = hash_key
        self._fernet = Fernet(fernet_key)

    def find_key(self, channel: str, address: str) -> str:
        """Return the 64 hexadecimal digits under which a conversation is found."""
        return hmac.new(self._hash_key, f"{channel}\0{address}".encode(), hashlib.sha256).hexdigest()

    def encrypt(self, address: str) -> bytes:
        """Return the encrypted address."""
        return self._fernet.encrypt(address.encode())

    def decrypt(self, token: bytes) -> str:
        """Return the address; raise cryptography.fernet.InvalidToken when the key is another one."""
        return self._fernet.decrypt(token).decode()
