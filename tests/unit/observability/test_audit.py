"""The audit log's lines."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from gateway.observability.audit import Audit
from gateway.observability.logs import configure_logging

if TYPE_CHECKING:
    from tests.unit.observability.conftest import Lines

WHO = {"session": "9f2c", "subject": "user-1", "address": "192.0.2.7", "request_id": "b7ad6b7169203331"}


def test_a_sign_in_says_who_from_where_and_in_which_request(lines: Lines) -> None:
    Audit().sign_in("success", **WHO)
    line = lines.only()
    assert line.pop("time")
    assert line == {
        "level": "info",
        "logger": "gateway.audit",
        "message": "sign_in",
        "audit": True,
        "outcome": "success",
        **WHO,
    }


def test_a_failure_is_a_warning_with_its_code_and_without_what_is_unknown(lines: Lines) -> None:
    Audit().sign_in("failure", code="state_unknown", address="192.0.2.7")
    line = lines.only()
    assert (line["level"], line["outcome"], line["code"]) == ("warning", "failure", "state_unknown")
    assert "session" not in line
    assert "subject" not in line


def test_no_log_level_silences_the_audit_log(lines: Lines) -> None:
    configure_logging("error", lines.stream)
    Audit().sign_in("success", **WHO)
    assert lines.only()["message"] == "sign_in"


def test_each_event_has_its_name(lines: Lines) -> None:
    audit = Audit(logging.getLogger("gateway.audit"))
    audit.sign_out("success", **WHO)
    audit.refresh_failed("invalid_grant", **WHO)
    audit.session_ended("grant_ended", **WHO)
    assert [(line["message"], line["outcome"], line.get("code")) for line in lines.all()] == [
        ("sign_out", "success", None),
        ("refresh", "failure", "invalid_grant"),
        ("session_ended", "grant_ended", None),
    ]


def test_a_delivery_says_what_it_was_about(lines: Lines) -> None:
    Audit().webhook("success", kind="contact.changed", organization="org-1", address="192.0.2.7")
    line = lines.only()
    assert (line["message"], line["outcome"]) == ("webhook", "success")
    assert (line["type"], line["organization"], line["address"]) == ("contact.changed", "org-1", "192.0.2.7")
    assert "subject" not in line
