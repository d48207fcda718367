"""What ends a flow in one line: a mistake in how it was asked for, or a machine that does not answer."""


class FlowError(ValueError):
    """A flow cannot be run as asked; its text is one line with a mend."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
