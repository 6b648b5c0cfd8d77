"""The SPA client in a real Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.proxy.request_body import REPLAYABLE_BYTES
from tests.browser.conftest import sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.conftest import Complaints
    from tests.support.running import Running

UPLOAD = """async ([body, asStream]) => {
  const client = await import("/auth/client.js");
  const init = { method: "POST", headers: { "Content-Type": "application/json" }, body };
  const input = asStream ? new Request("/api/v1/contacts", init) : "/api/v1/contacts";
  try {
    const response = await client.fetch(input, asStream ? undefined : init);
    return String(response.status);
  } catch (error) {
    return error.code;
  }
}"""


@pytest.mark.parametrize(("is_used_up", "told"), [(False, "403"), (True, "resend_required")])
def test_a_large_body_under_which_the_token_died_is_sent_again(
    new_page: Callable[..., Page],
    running: Running,
    complaints: Complaints,
    *,
    is_used_up: bool,
    told: str,
) -> None:
    """Unless it was in a Request, which is used up by then: its owner is told.

    The second time it is judged: by this app's scope nothing may be written.
    """
    page = new_page()
    sign_in(page, path="/nowhere")  # a view without calls: none of them shall meet the dead token first
    running.clock.now += 11  # a token so fresh would not be blamed
    running.sandbox.faults.inject("access_token_death", times=1)
    complaints.expected += ["503", "403"]
    body = '{"version": 0, "roles": {"customer": {}}, "company": {"name": "%s"}}' % (
        "x" * 3 * REPLAYABLE_BYTES
    )
    assert page.evaluate(UPLOAD, [body, is_used_up]) == told
