"""The installation's root key, and the keys derived from it for each purpose."""

import os
import secrets
from pathlib import Path

from models.settings import Settings
from racine.errors import InvalidInput

_FILE = "secret.key"
_MIN_LENGTH = 32


def root_key(settings: Settings) -> bytes:
    """Return the root key: from the settings, else from `data_dir`, where the first start makes it.

    Raises InvalidInput for a key that is too short to be one.
    """
    if settings.secret_key is not None:
        return _checked(settings.secret_key.get_secret_value().encode(), "RACINE_SECRET_KEY")
    path = settings.data_dir / _FILE
    return _checked(read_or_make(path, secrets.token_hex(32)).encode(), str(path))


def derive(root: bytes, purpose: str) -> bytes:
    """Return 32 bytes for one purpose (HKDF-SHA256, RFC 5869); purposes never share a key."""
    # Here, like all of cryptography: 8 MB that nothing needs before somebody signs in.
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(root)


def read_or_make(path: Path, content: str) -> str:
    """Return the file's text; write the content first, readable by its owner alone, if it is new.

    Whole or not at all: of two processes that make it at once, both read what one wrote.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    if not path.exists():
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()


def _checked(key: bytes, where: str) -> bytes:
    if len(key) < _MIN_LENGTH:
        raise InvalidInput(
            f"The key in {where} has {len(key)} characters, fewer than {_MIN_LENGTH}.",
            next_step="Make one with: python -c 'import secrets; print(secrets.token_hex(32))'",
        )
    return key
