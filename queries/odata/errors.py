"""What a request for OData cannot have."""


class ODataError(Exception):
    """A request that is wrong (400), or that asks for what is not supported (501). `target`: the option or variable."""

    def __init__(self, message: str, target: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.target = target
        self.status = status


def unsupported(target: str, message: str) -> ODataError:
    """Returns the error for a part of OData that is not supported."""
    return ODataError(message, target, 501)
