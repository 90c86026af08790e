"""Tell of an exception without its words, which may quote an owner."""

from __future__ import annotations


def name_of(error: BaseException) -> str:
    """Return the exception's type, with its cause's in brackets."""
    cause = error.__cause__
    return f"{type(error).__name__}({type(cause).__name__})" if cause else type(error).__name__


def place_of(error: BaseException) -> str:
    """Return file and line where the exception, or its cause, was raised."""
    place = (error.__cause__ or error).__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "unknown place"
