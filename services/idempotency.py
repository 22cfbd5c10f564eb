"""One effect for requests that carry the same `Idempotency-Key`.

The key's row is claimed first, marked in the effect's own transaction, and completed with the
answer. So a crash at any place leaves either no effect and a key that can be claimed again, or an
effect that is never repeated (draft-ietf-httpapi-idempotency-key-header-07).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from models.session import Database
from models.stores import idempotency
from racine.errors import Conflict, Fault, InvalidInput
from services.access import Actor

LIFE = timedelta(hours=24)
LEASE = timedelta(minutes=2)
_NONCE_BYTES = 12


@dataclass(frozen=True)
class Ticket:
    """The right to carry a request out."""

    id: str
    holder: str


@dataclass(frozen=True)
class Answer:
    """What the request was answered with."""

    status: int
    headers: dict[str, str]
    body: bytes


class InFlight(Conflict):
    """The same request is being carried out at this moment."""


class Keeper:
    """Claims keys and keeps answers, encrypted with a key of its own."""

    def __init__(self, db: Database, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._db = db
        self._cipher = AESGCM(key)

    def claim(self, actor: Actor, key: str, method: str, path: str, body: bytes) -> Ticket | Answer:
        """Return the right to carry the request out, or the answer it had.

        Raises InvalidInput when the key was used for another request, InFlight while it is being
        carried out, Conflict when it was carried out and its answer was lost in a crash.
        """
        print_ = hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).hexdigest()
        caller = f"{actor.id}/{actor.workspace_id}"
        with self._db.write() as session:
            found, mine = idempotency.claim(
                session, caller, key, print_, lease=LEASE, life=LIFE
            )  # fmt: skip
            if mine:
                return Ticket(found.id, found.holder)
            if found.fingerprint != print_:
                raise InvalidInput(
                    "This Idempotency-Key was used for another request.",
                    next_step="Use a new key for a new request.",
                    faults=[Fault("/header/Idempotency-Key", "Used for another request.")],
                )
            return self._earlier(found)

    def keep(self, ticket: Ticket, answer: Answer) -> None:
        """Keep what the request was answered with."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, answer.body, ticket.id.encode())
        with self._db.write() as session:
            idempotency.keep_answer(
                session, ticket.id, ticket.holder, answer.status, answer.headers, sealed
            )

    def release(self, ticket: Ticket) -> bool:
        """Let the key be used anew when the request had no effect; False when it had one."""
        with self._db.write() as session:
            return idempotency.release(session, ticket.id, ticket.holder)

    def _earlier(self, found: idempotency.IdempotentRequest) -> Answer:
        if found.state == "answered" and found.body is not None and found.status is not None:
            nonce, sealed = found.body[:_NONCE_BYTES], found.body[_NONCE_BYTES:]
            body = self._cipher.decrypt(nonce, sealed, found.id.encode())
            return Answer(found.status, found.headers or {}, body)
        if found.state == "effected" and found.leased_until < idempotency.now():
            raise Conflict(
                "The request was carried out, but its answer was lost.",
                next_step="Look for what it made; a new key would make it again.",
            )
        raise InFlight(
            "The same request is being carried out.",
            next_step="Send it again with the same key to get its answer.",
            details={"retry_after": 1},
        )


def mark_effected(session: Session, ticket: Ticket) -> None:
    """Tie the key to the effect: both are committed, or neither.

    Raises Conflict when the lease ran out and another try took the request over.
    """
    if not idempotency.mark_effected(session, ticket.id, ticket.holder):
        raise Conflict("Another try of this request took over.", next_step="Send it again.")
