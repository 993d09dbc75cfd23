"""Ed25519 keys: a ring with private halves outside the store, every public key for ever, and the pinned keys verifiers go by."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import overload

import msgspec

from thunderlab import files
from thunderlab.canonical import digest
from thunderlab.clock import Clock, parse_rfc3339, rfc3339
from thunderlab.errors import EnvironmentBlockedError, InputError
from thunderlab.locks import held

_ID = re.compile(r"[0-9a-f]{16}")
_KEY = re.compile(r"[0-9a-f]{64}")
_NO_KEY = "there is no key yet; make one with: thunderlab keys new"


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

    def raw(self) -> bytes:
        """Return the key's 32 bytes (RFC 8032 section 5.1.5)."""
        return bytes.fromhex(self.key)


class PinnedKeys(Sequence[PublicKey]):
    """The public keys a verifier trusts, each checked when it is registered; whatever is verified is verified with these alone.

    Args:
        keys: what to trust; there may be none, and then nothing verifies.
        where: the file they came from, for messages.

    Raises:
        InputError: for a key that is no point of Ed25519's main subgroup in its canonical form (a small-order one would verify
            signatures that nobody made), an id that is not the key's own, and anything given twice.

    >>> pins = PinnedKeys([public_key(bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), at_us=0)])
    >>> pins[0].id, pins.find("0000000000000000")
    ('21fe31dfa154a261', None)
    """

    def __init__(self, keys: Iterable[PublicKey], *, where: object = None) -> None:
        self._keys = tuple(keys)
        self._by_id: dict[str, PublicKey] = {}
        for number, key in enumerate(self._keys):
            wrong = _flaw(key) or (("id", "is there twice") if key.id in self._by_id else None)
            if wrong is not None:
                raise InputError(wrong[1], where=where, field=f"[{number}].{wrong[0]}")
            self._by_id[key.id] = key

    @classmethod
    def read(cls, path: Path) -> PinnedKeys:
        """Return the keys of a JSON file as `thunderlab keys export` writes it: a list of {"id", "key", "made_at"}.

        Raises:
            InputError: naming file and field; also when the list is empty, since nothing could ever verify.
        """
        pins = _read_pins(path)
        if not pins:
            raise InputError("holds no key; at least one is needed to verify anything", where=path)
        return pins

    @overload
    def __getitem__(self, index: int) -> PublicKey: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[PublicKey]: ...
    def __getitem__(self, index: int | slice) -> PublicKey | Sequence[PublicKey]:
        return self._keys[index]

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, key_id: str) -> PublicKey | None:
        """Return the key of that id, None when it is not pinned."""
        return self._by_id.get(key_id)

    def verify(self, key_id: str, message: bytes, signature: bytes) -> bool:
        """Return whether `signature` (64 bytes) is that key's Ed25519 signature of `message`; keys not pinned verify nothing."""
        from nacl.exceptions import BadSignatureError
        from nacl.signing import VerifyKey

        key = self.find(key_id)
        if key is None or len(signature) != 64:
            return False
        try:
            VerifyKey(key.raw()).verify(message, signature)
        except BadSignatureError:
            return False
        return True


class KeyRing:
    """The keys of one workspace, or of a witness.

    Private keys are files of mode 0600 in a folder of mode 0700, one per key id; they are read for one signature at a time and
    never shown, logged or kept in memory. The list of public keys only grows: a signature made long ago can always be checked.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._list = folder / "public.json"
        self._read: tuple[tuple[int, ...], PinnedKeys] | None = None

    def pins(self) -> PinnedKeys:
        """Return every public key, oldest first, as a verifier's list; it is empty as long as there is no key."""
        try:
            found = self._list.stat()
        except OSError:
            return PinnedKeys(())
        # Checking a key costs more than a signature, so a list is checked again only when it is another file.
        version = (found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)
        if self._read is None or self._read[0] != version:
            self._read = (version, _read_pins(self._list))
        return self._read[1]

    def public_keys(self) -> list[PublicKey]:
        """Return every public key, oldest first; the last one is active."""
        return list(self.pins())

    def active(self) -> PublicKey | None:
        """Return the key that signs, None when there is none yet."""
        pins = self.pins()
        return pins[-1] if pins else None

    def new(self) -> PublicKey:
        """Make a key pair, keep it and make it the active one.

        The private half is durable before the public one is listed: a process killed in between leaves a file nobody uses.
        """
        from nacl.signing import SigningKey

        private = SigningKey.generate()
        made = public_key(bytes(private.verify_key), at_us=self._clock.now_us())
        self._make_folder()
        with held(self._folder / "ring.lock"):
            trouble = _keep_private(self._private(made.id), private)
            if trouble is not None:
                raise EnvironmentBlockedError(trouble, where=self._private(made.id))
            _write_list([*self.pins(), made], self._list)
        return made

    def export(self, path: Path) -> list[PublicKey]:
        """Write all public keys to `path`, for whoever checks our signatures, and return them.

        Raises:
            InputError: when there is no key yet.
        """
        keys = self.public_keys()
        if not keys:
            raise InputError(_NO_KEY, where=self._folder)
        _write_list(keys, path)
        return keys

    def sign(self, message: bytes) -> tuple[PublicKey, bytes]:
        """Return the active key and its 64-byte Ed25519 signature of `message` (RFC 8032).

        Raises:
            InputError: when there is no key yet.
            EnvironmentBlockedError: when the private key is gone, is another key's, or it or its folder is open to others.
        """
        key = self.active()
        if key is None:
            raise InputError(_NO_KEY, where=self._folder)
        return key, self.sign_with(key.id, message)

    def sign_with(self, key_id: str, message: bytes) -> bytes:
        """Return the signature one of our keys makes of `message`, active or not.

        Raises:
            InputError: when no key of ours has this id.
            EnvironmentBlockedError: as `sign`.
        """
        key = self.pins().find(key_id)
        if key is None:
            raise InputError("no key of this ring has this id", where=self._folder, field=key_id)
        self._refuse_open_folder()
        made = _signature(self._private(key.id), key, message)
        if isinstance(made, str):
            raise EnvironmentBlockedError(made, where=self._private(key.id))
        return made

    def has_private(self, key_id: str) -> bool:
        """Return whether the private half of that key is still kept."""
        return _ID.fullmatch(key_id) is not None and self._private(key_id).exists()

    def retire(self, key_id: str) -> bool:
        """Remove the private half of a key that is no longer active, and return whether there was one; its public half stays.

        The file is overwritten before it is unlinked; on a disk that writes elsewhere each time, or in a backup, a copy may live on.

        Raises:
            InputError: for the active key, and for an id this ring knows nothing of.
            EnvironmentBlockedError: when the file cannot be removed.
        """
        if not self.has_private(key_id) and self.pins().find(key_id) is None:
            raise InputError("no key of this ring has this id", where=self._folder, field=key_id)
        with held(self._folder / "ring.lock"):
            active = self.active()
            if active is not None and active.id == key_id:
                raise InputError("is the active key; make a new one first with: thunderlab keys rotate", where=self._folder, field=key_id)
            path = self._private(key_id)
            try:
                _erase(path)
            except FileNotFoundError:
                return False
            except OSError as error:
                raise EnvironmentBlockedError(f"cannot be removed: {error.strerror}", where=path) from error
        return True

    def _private(self, key_id: str) -> Path:
        return self._folder / f"{key_id}.private"

    def _make_folder(self) -> None:
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                self._folder.mkdir(mode=0o700)
                files.sync_folder(self._folder.parent)
        except OSError as error:
            raise EnvironmentBlockedError(f"cannot be made: {error.strerror}", where=self._folder) from error
        self._refuse_open_folder()

    def _refuse_open_folder(self) -> None:
        try:
            mode = self._folder.stat().st_mode
        except OSError as error:
            raise EnvironmentBlockedError(f"cannot be read: {error.strerror}", where=self._folder) from error
        if mode & 0o077:
            raise EnvironmentBlockedError("holds private keys and is open to others; set its mode to 0700", where=self._folder)


def public_key(raw: bytes, *, at_us: int) -> PublicKey:
    """Return the listed form of a key's 32 bytes, made at `at_us` (microseconds since the epoch)."""
    return PublicKey(id=digest(raw)[:16], key=raw.hex(), made_at=rfc3339(at_us))


def _flaw(key: PublicKey) -> tuple[str, str] | None:
    """Return the field of a public key that cannot be accepted and why, None when all is well."""
    from nacl.bindings import crypto_core_ed25519_is_valid_point

    if not _KEY.fullmatch(key.key):
        return "key", "is not 32 bytes in 64 lower-case hexadecimal digits"
    if not crypto_core_ed25519_is_valid_point(key.raw()):
        return "key", "is no Ed25519 public key: a point of small order, off the curve or its main subgroup, or not in canonical form"
    if key.id != digest(key.raw())[:16]:
        return "id", "is not the first 16 hexadecimal digits of the SHA-256 of the key"
    try:
        parse_rfc3339(key.made_at)
    except ValueError:
        return "made_at", "is not an RFC 3339 time like 2026-01-31T12:00:00.000000Z"
    return None


def _read_pins(path: Path) -> PinnedKeys:
    return PinnedKeys(files.parse_json(files.read_bytes(path), path).convert(list[PublicKey]), where=path)


def _write_list(keys: list[PublicKey], path: Path) -> None:
    files.write_whole(path, msgspec.json.format(msgspec.json.encode(keys), indent=2) + b"\n")


# What handles private bytes returns what is in its way instead of raising it: a traceback may show the locals of every frame.


def _keep_private(path: Path, private: object) -> str | None:
    """Write a private key's file; return what went wrong, None when it is durable."""
    try:
        files.write_whole(path, bytes(private).hex() + "\n", mode=0o600)  # type: ignore[call-overload]
    except EnvironmentBlockedError as error:
        return error.what
    return None


def _signature(path: Path, key: PublicKey, message: bytes) -> bytes | str:
    """Return the signature that the private key in a file makes, or what is in the way."""
    from nacl.bindings import crypto_sign, crypto_sign_seed_keypair

    message = bytes(message)  # whatever is no message fails here, before there is anything to show
    try:
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_mode & 0o077:
                return "may be read by others; set its mode to 0600"
            seed = bytes.fromhex(stream.read(66).decode("ascii").removesuffix("\n"))
        public, private = crypto_sign_seed_keypair(seed)
        if public != key.raw():
            return f"is not the private half of key {key.id}"
        return bytes(crypto_sign(message, private)[:64])
    except OSError as error:
        return f"the private key cannot be read: {error.strerror}"
    except Exception:  # noqa: BLE001 - its text or its frames could hold the key
        return "does not hold a private key"


def _erase(path: Path) -> None:
    """Overwrite a file, unlink it, and make both durable."""
    with path.open("r+b") as stream:
        stream.write(bytes(os.fstat(stream.fileno()).st_size))
        stream.flush()
        os.fsync(stream.fileno())
    path.unlink()
    files.sync_folder(path.parent)
