"""Ed25519 keys: one active private key outside the store, and every public key for ever."""

from __future__ import annotations

from pathlib import Path

import msgspec

from thunderlab import files
from thunderlab.canonical import digest
from thunderlab.clock import Clock, rfc3339
from thunderlab.errors import EnvironmentBlockedError, InputError
from thunderlab.locks import held


class PublicKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key signatures are checked with.

    Attributes:
        id: the first 16 hexadecimal digits of the SHA-256 of the key's 32 bytes.
        key: those bytes, hexadecimal.
        made_at: RFC 3339 UTC.
    """

    id: str
    key: str
    made_at: str


class KeyRing:
    """The keys of one workspace.

    Private keys are files of mode 0600 in a folder of mode 0700, one per key id; they are never shown, logged or stored elsewhere.
    The list of public keys only grows: a signature made long ago can always be checked.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._list = folder / "public.json"

    def public_keys(self) -> list[PublicKey]:
        """Return every public key, oldest first; the last one is active."""
        if not self._list.exists():
            return []
        return files.read_as(self._list, list[PublicKey])

    def new(self) -> PublicKey:
        """Make a key pair, keep it and make it the active one; the private half is written before the public one is listed."""
        from nacl.signing import SigningKey

        private = SigningKey.generate()
        made = PublicKey(
            id=digest(bytes(private.verify_key))[:16], key=bytes(private.verify_key).hex(), made_at=rfc3339(self._clock.now_us())
        )
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise EnvironmentBlockedError(f"cannot be made: {error.strerror}", where=self._folder) from error
        with held(self._folder / "ring.lock"):
            files.write_whole(self._folder / f"{made.id}.private", bytes(private).hex() + "\n", mode=0o600)
            self._write_list([*self.public_keys(), made], self._list)
        return made

    def export(self, path: Path) -> list[PublicKey]:
        """Write all public keys to `path`, for whoever checks our signatures, and return them.

        Raises:
            InputError: when there is no key yet.
        """
        keys = self.public_keys()
        if not keys:
            raise InputError("there is no key yet; make one with: thunderlab keys new", where=self._folder)
        self._write_list(keys, path)
        return keys

    def sign(self, message: bytes) -> tuple[str, bytes]:
        """Return the active key's id and its 64-byte Ed25519 signature of `message` (RFC 8032).

        Raises:
            InputError: when there is no key yet.
            EnvironmentBlockedError: when the private key is gone or open to others.
        """
        from nacl.signing import SigningKey

        keys = self.public_keys()
        if not keys:
            raise InputError("there is no key yet; make one with: thunderlab keys new", where=self._folder)
        path = self._folder / f"{keys[-1].id}.private"
        try:
            if path.stat().st_mode & 0o077:
                raise EnvironmentBlockedError("may be read by others; set its mode to 0600", where=path)
            private = SigningKey(bytes.fromhex(path.read_text().strip()))
        except (OSError, ValueError) as error:
            raise EnvironmentBlockedError("the active private key cannot be read", where=path) from error
        return keys[-1].id, private.sign(message).signature

    def verify(self, key_id: str, message: bytes, signature: bytes) -> bool:
        """Return whether `signature` is the one that key made of `message`; unknown keys verify nothing."""
        from nacl.exceptions import BadSignatureError
        from nacl.signing import VerifyKey

        for key in self.public_keys():
            if key.id == key_id:
                try:
                    VerifyKey(bytes.fromhex(key.key)).verify(message, signature)
                except (BadSignatureError, ValueError):
                    return False
                return True
        return False

    @staticmethod
    def _write_list(keys: list[PublicKey], path: Path) -> None:
        files.write_whole(path, msgspec.json.format(msgspec.json.encode(keys), indent=2) + b"\n")
