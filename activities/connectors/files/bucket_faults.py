"""Says what an S3-compatible store's errors mean, and whether trying again may help."""

import urllib3
from minio.error import InvalidResponseError, S3Error, ServerError

from racine.errors import SourceFault, Unavailable
from racine.governance.data_sources.locations import Location

_EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken"}
)
_REFUSED = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthorizationHeaderMalformed"}
)
_BUSY = frozenset({"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout"})
_KNOWN = {
    "AccessDenied": ("the key may not read this", "Allow it s3:GetObject and s3:ListBucket."),
    "NoSuchBucket": ("there is no such bucket", "Check the bucket and the endpoint."),
    "NoSuchKey": ("it is gone", "Discover the source again."),
    "PreconditionFailed": ("it changed while it was read", "Discover the source again."),
    "RequestTimeTooSkewed": ("the clocks differ", "Set the worker's clock right."),
    "PermanentRedirect": ("the bucket is in another region", "Give its region in the location."),
    "InvalidObjectState": ("it is archived", "Restore it from the archive first."),
}


def as_fault(fault: Exception, at: Location, what: str, reading: bool) -> SourceFault | Unavailable:
    """Map an error; credentials that are refused while `reading` have run out or were changed.

    Those are Unavailable: another attempt takes the credential anew and goes on.
    """
    code = _code(fault)
    if code in _EXPIRED or (reading and code in _REFUSED):
        return Unavailable(
            f"{at}: the credentials have expired or were withdrawn ({code}).",
            next_step="Put new ones where the source's credential refers to; the scan goes on.",
            details={"credential": code},
        )
    if code in _REFUSED:
        return SourceFault(
            f"{at}: the key or its secret is wrong ({code}).",
            next_step="Check the key id in the location and the source's credential.",
        )
    if code in _BUSY or (not code and isinstance(fault, (urllib3.exceptions.HTTPError, OSError))):
        return Unavailable(
            f"{at}: the store does not answer ({code or type(fault).__name__}).",
            next_step="Check the endpoint and the network; then scan again.",
        )
    if isinstance(fault, ValueError):  # the client's own check of a name
        return SourceFault(f"{at}: {fault}.", next_step="Check the bucket and the prefix.")
    words, hint = _KNOWN.get(code, (f"the store answers {code or 'nothing that S3 would'}", ""))
    place = f"{at}: {what}" if what else f"{at}"
    return SourceFault(f"{place}: {words}.", next_step=hint or "Check the endpoint.")


def _code(fault: Exception) -> str:
    if isinstance(fault, S3Error):
        return str(fault.code or "")
    if isinstance(fault, ServerError) and fault.status_code >= 500:
        return "ServiceUnavailable"
    if isinstance(fault, InvalidResponseError):
        return {401: "AccessDenied", 403: "AccessDenied", 412: "PreconditionFailed"}.get(
            fault._code, ""
        )
    return ""
