"""The documents are what their names say."""

from __future__ import annotations

import json

import pytest

from bench.upstream import DOCUMENTS, build_document


@pytest.mark.parametrize(("name", "size"), [("1k", 1024), ("100k", 102_400)])
def test_a_document_is_json_of_exactly_its_size(name: str, size: int) -> None:
    document = build_document(DOCUMENTS[name])
    assert len(document) == size
    assert json.loads(document)["content"][0]["voucherType"] == "invoice"
