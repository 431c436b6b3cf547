"""Which error codes mean that the caller was not allowed to."""

# Parts of error codes that mean "you may not": compared without case, since services spell them differently.
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
    """Say whether an error code means that the caller was not allowed to, rather than that the call was wrong."""
    squeezed = error_code.lower()
    return any(part in squeezed for part in DENIALS)
