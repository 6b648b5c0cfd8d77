"""How the head of an answer frames its body: in one way that everybody reads alike, or not at all."""

from __future__ import annotations

import pytest

from gateway.proxy.answer_framing import MAX_FIELDS, UnacceptableAnswer, parse_framing

TYPE = (b"content-type", b"application/json")
LENGTH = (b"content-length", b"12")


def test_a_length_frames_a_body_and_is_told() -> None:
    assert parse_framing([TYPE, LENGTH]) == (True, 12)


@pytest.mark.parametrize("coding", [b"chunked", b"Chunked"])
def test_chunks_frame_a_body_of_untold_length(coding: bytes) -> None:
    assert parse_framing([TYPE, (b"transfer-encoding", coding)]) == (True, None)


def test_a_body_without_framing_ends_with_its_connection() -> None:
    """RFC 9112 §6.3."""
    assert parse_framing([TYPE]) == (False, None)


@pytest.mark.parametrize(
    "framing",
    [
        (LENGTH, LENGTH),
        (LENGTH, (b"content-length", b"13")),
        (LENGTH, (b"transfer-encoding", b"chunked")),
        ((b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")),
    ],
)
def test_a_body_that_is_framed_twice_is_not_believed(framing: tuple[tuple[bytes, bytes], ...]) -> None:
    with pytest.raises(UnacceptableAnswer, match="framed twice"):
        parse_framing([TYPE, *framing])


@pytest.mark.parametrize("coding", [b"gzip", b"gzip, chunked", b"identity", b""])
def test_no_other_coding_than_chunked_is_believed(coding: bytes) -> None:
    """RFC 9112 §6.1."""
    with pytest.raises(UnacceptableAnswer, match="transfer coding"):
        parse_framing([(b"transfer-encoding", coding)])


def test_fields_without_end_are_not_believed() -> None:
    assert parse_framing([TYPE] * MAX_FIELDS) == (False, None)
    with pytest.raises(UnacceptableAnswer, match="too many"):
        parse_framing([TYPE] * (MAX_FIELDS + 1))
