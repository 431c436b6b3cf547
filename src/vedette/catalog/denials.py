"""Recognise the error codes that mean that a call was denied."""

# Parts of error codes that mean a denial; compared without case, because services spell them differently.
DENIALS = (
    "accessdenied",
    "authfailure",
    "expiredtoken",
    "forbidden",
    "invalidaccesskeyid",
    "invalidclienttokenid",
    "notauthorized",
    "signaturedoesnotmatch",
    "unauthorized",
    "unrecognizedclient",
)


def is_denial(error_code: str) -> bool:
    """Tell whether an error code means that the caller lacked permission, rather than that the call was invalid."""
    lowered = error_code.lower()
    return any(part in lowered for part in DENIALS)
