"""Gives values numbers that only the holder of a key can tell from random ones."""

import zlib
from array import array
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from racine.governance.scan_logic.sketches import Coder


def coder(key: bytes) -> Coder:
    """Return what makes the sketches of values under a key of 32 bytes.

    A block of two checksums and the length is encrypted for each value (AES-256), all in one call:
    a third of what a keyed hash of each costs, and as little to be guessed without the key. Two
    values whose checksums and lengths are the same share a number; of a million values, fewer than
    one pair by chance.
    """
    cipher = Cipher(algorithms.AES256(key), modes.ECB())

    def code(data: Sequence[bytes], hashes: Sequence[int]) -> Sequence[int]:
        blocks = array("I", bytes(16 * len(data)))
        blocks[0::4] = array("I", hashes)
        blocks[1::4] = array("I", map(zlib.adler32, data))
        blocks[2::4] = array("I", map(len, data))
        return array("Q", cipher.encryptor().update(blocks.tobytes()))[::2]

    return code
