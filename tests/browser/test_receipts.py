"""Receipts reach lexoffice byte for byte; what it would not take is told before, what failed as it is."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Dialog, FilePayload, Locator, Page, Route, expect

from tests.browser.conftest import axe_violations, look, sign_in
from tests.browser.test_waiting import Held

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sandbox.books.ledger import StoredFile
    from tests.browser.conftest import Complaints
    from tests.support.running import Running

LARGEST = 5 * 1024 * 1024
FILES = re.compile(r"/api/v1/files$")
WIDTHS = (360, 768, 1280)


def pdf(size: int = 2000, *, mark: bytes = b"") -> bytes:
    return b"%PDF-1.4\n%" + mark.ljust(size - 16, b".") + b"%%EOF\n"


def png(red: int = 200) -> bytes:
    """Return a picture of 8 by 8 pixels of one colour."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    rows = (b"\0" + bytes((red, 60, 60)) * 8) * 8
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def payload(name: str, content: bytes, media_type: str = "") -> FilePayload:
    return {"name": name, "mimeType": media_type, "buffer": content}


def stored(running: Running) -> list[StoredFile]:
    return list(running.sandbox.books_of("nordlicht").files.values())


@pytest.fixture(autouse=True)
def _empty(running: Running) -> None:
    running.sandbox.books_of("nordlicht").files.clear()


def open_receipts(page: Page) -> None:
    sign_in(page, path="/receipts")
    expect(page.get_by_test_id("drop")).to_be_visible()


def choose(page: Page, *files: FilePayload) -> None:
    page.get_by_test_id("receipt-files").set_input_files(list(files))


def row(page: Page, name: str) -> Locator:
    return page.get_by_test_id("receipt").filter(has_text=name)


def in_state(page: Page, name: str, state: str) -> None:
    expect(row(page, name)).to_have_attribute("data-state", state)


def test_receipts_of_every_kind_arrive_byte_for_byte_and_can_be_opened(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page()
    open_receipts(page)
    files = {
        "Tankquittung März.pdf": pdf(LARGEST),
        "foto.JPG": b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40 + b"\r\n--boundary\r\n",
        "scan.png": png(),
        "rechnung.xml": b'<?xml version="1.0"?><rsm:CrossIndustryInvoice/>',
    }
    choose(page, *(payload(name, content) for name, content in files.items()))
    for name in files:
        in_state(page, name, "done")
    expect(page.get_by_test_id("receipts-summary")).to_have_text("All 4 receipts are at lexoffice.")
    assert {file.name: file.content for file in stored(running)} == files
    with page.expect_popup() as popup:
        row(page, "scan.png").get_by_test_id("receipt-open").click()
    expect(popup.value).to_have_url(re.compile("^blob:"))


def test_what_lexoffice_would_not_take_is_told_and_nothing_is_sent(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page()
    open_receipts(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if FILES.search(request.url) else None)
    refused = {
        "leer.pdf": (b"", "empty"),
        "lang.pdf": (pdf(LARGEST + 1), "5.1 MB; 5 MB are allowed"),
        "brief.pdf": (b"PK\x03\x04 a letter in another guise", "neither PDF nor JPG"),
        "seite.xml": (b"<html><body>no receipt</body></html>", "neither PDF nor JPG"),
        "IMG_1.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        "als.jpg": (b"\0\0\0\x18ftypheix\0\0\0\0mif1heic", "HEIC"),
    }
    choose(page, *(payload(name, content) for name, (content, _) in refused.items()))
    for name, (_, told) in refused.items():
        in_state(page, name, "refused")
        expect(row(page, name)).to_contain_text(told)
        expect(row(page, name).get_by_role("button")).to_have_count(1)
    assert asked == []
    assert stored(running) == []


def test_the_same_file_is_sent_twice_only_by_whom_it_is_wanted(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page()
    open_receipts(page)
    choose(page, payload("a.pdf", pdf(mark=b"one")))
    in_state(page, "a.pdf", "done")
    choose(page, payload("b.pdf", pdf(mark=b"one")), payload("c.pdf", pdf(mark=b"two")))
    in_state(page, "b.pdf", "refused")
    expect(row(page, "b.pdf")).to_contain_text("on the list already")
    in_state(page, "c.pdf", "done")
    row(page, "b.pdf").get_by_role("button", name="Send anyway").click()
    in_state(page, "b.pdf", "done")
    assert [file.name for file in stored(running)] == ["a.pdf", "c.pdf", "b.pdf"]


def test_a_name_is_made_to_fit_the_content_by_which_lexoffice_tells_the_type(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page()
    open_receipts(page)
    choose(page, payload("beleg.pdf", png()), payload("quittung", pdf()))
    in_state(page, "beleg.png", "done")
    expect(row(page, "beleg.png")).to_contain_text("beleg.pdf")
    in_state(page, "quittung.pdf", "done")
    assert sorted(file.name for file in stored(running)) == ["beleg.png", "quittung.pdf"]


def slow_down(page: Page, upload: int) -> None:
    """Let the page send so many bytes a second; -1 is as many as go."""
    network = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": upload}
    session = page.context.new_cdp_session(page)
    session.send("Network.emulateNetworkConditions", network)  # pyright: ignore[reportUnknownMemberType]


def test_progress_is_told_and_who_cancels_sends_nothing(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page()
    open_receipts(page)
    slow_down(page, 300_000)
    choose(page, payload("lang.pdf", pdf(LARGEST)))
    bar = row(page, "lang.pdf").get_by_role("progressbar")
    expect(bar).to_have_attribute("value", re.compile(r"^[1-9]\d?$"))
    expect(row(page, "lang.pdf")).to_contain_text(re.compile(r"Being sent: \d+ %"))
    look(page, "receipts-sending")
    row(page, "lang.pdf").get_by_role("button", name="Cancel").click()
    expect(page.get_by_test_id("receipt")).to_have_count(0)
    expect(page.locator("#choose-files")).to_be_focused()
    slow_down(page, -1)
    choose(page, payload("kurz.pdf", pdf()))
    in_state(page, "kurz.pdf", "done")
    assert [file.name for file in stored(running)] == ["kurz.pdf"]


def test_two_files_at_a_time_are_under_way(new_page: Callable[..., Page]) -> None:
    page = new_page()
    open_receipts(page)
    held = Held(page, FILES)
    choose(page, *(payload(f"{n}.pdf", pdf(mark=b"%d" % n)) for n in range(4)))
    held.wait_for(2)
    in_state(page, "2.pdf", "waiting")
    page.evaluate("fetch('/favicon.svg').then((answer) => answer.text())")  # what was sent before has come
    assert len(held.routes) == 2
    held.let_go(2, status=202, json={"id": "one"})
    held.wait_for(2)
    held.let_go(2, status=202, json={"id": "two"})
    in_state(page, "3.pdf", "done")


def test_the_list_goes_on_while_another_view_is_shown(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page()
    open_receipts(page)
    held = Held(page, FILES)
    choose(page, payload("a.pdf", pdf(mark=b"a")), payload("b.pdf", pdf(mark=b"b")))
    held.wait_for(2)
    page.get_by_role("link", name="Contacts").first.click()
    expect(page.get_by_test_id("contacts")).to_be_visible()
    for route in held.routes:
        route.continue_()
    expect(page.get_by_test_id("notice")).to_contain_text("Receipts: 2 of 2 at lexoffice")
    page.get_by_role("link", name="Receipts").first.click()
    in_state(page, "a.pdf", "done")
    in_state(page, "b.pdf", "done")
    assert len(stored(running)) == 2


def test_what_failed_is_sent_again_by_one_button(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected.append("500")
    page = new_page()
    open_receipts(page)
    running.sandbox.faults.inject("api_500", {"path": "/v1/files"})
    choose(page, payload("a.pdf", pdf(mark=b"a")), payload("b.pdf", pdf(mark=b"b")))
    in_state(page, "a.pdf", "failed")
    in_state(page, "b.pdf", "failed")
    expect(row(page, "a.pdf")).to_contain_text("has not taken the file")
    running.sandbox.faults.clear()
    row(page, "b.pdf").get_by_role("button", name="Send again").click()
    in_state(page, "b.pdf", "done")
    in_state(page, "a.pdf", "failed")
    row(page, "a.pdf").get_by_role("button", name="Send again").click()
    in_state(page, "a.pdf", "done")
    assert [file.name for file in stored(running)] == ["b.pdf", "a.pdf"]


@pytest.mark.parametrize("fault", ["api_504", "api_dropped"])
def test_an_upload_of_which_nobody_knows_is_told_as_such_and_not_repeated(
    new_page: Callable[..., Page], running: Running, complaints: Complaints, fault: str
) -> None:
    complaints.expected += ["504", "502"]
    page = new_page()
    open_receipts(page)
    running.sandbox.faults.inject(fault, {"path": "/v1/files", "seconds": 0}, times=1)
    choose(page, payload("a.pdf", pdf()))
    in_state(page, "a.pdf", "unknown")
    expect(row(page, "a.pdf")).to_contain_text("uncertain")
    expect(row(page, "a.pdf").get_by_role("button", name="Send anyway")).to_be_visible()
    choose(page, payload("b.pdf", pdf(mark=b"b")))
    in_state(page, "b.pdf", "done")
    in_state(page, "a.pdf", "unknown")
    assert [file.name for file in stored(running)] == ["a.pdf", "b.pdf"]


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 502, "content_type": "text/html", "body": "<h1>Bad Gateway</h1>"},
        {
            "status": 500,
            "content_type": "application/problem+json",
            "json": {"code": "internal_error", "instance": "urn:request:1"},
        },
        {"status": 504, "content_type": "application/problem+json", "json": {"title": "Late"}},
    ],
)
def test_what_broke_on_the_way_is_not_told_as_refused(
    new_page: Callable[..., Page], complaints: Complaints, answer: dict[str, Any]
) -> None:
    """RFC 9110 §15.6.3: a 502 tells of the answer, not of what was sent on."""
    complaints.expected += ["500", "502", "504"]
    page = new_page()
    open_receipts(page)
    page.route(FILES, lambda route: route.fulfill(**answer), times=1)
    choose(page, payload("a.pdf", pdf()))
    in_state(page, "a.pdf", "unknown")
    expect(row(page, "a.pdf")).to_contain_text("uncertain")


def test_a_problem_of_the_resource_servers_own_does_not_have_the_file_sent_again(
    new_page: Callable[..., Page], complaints: Complaints
) -> None:
    complaints.expected.append("503")
    page = new_page()
    open_receipts(page)
    sent: list[Route] = []

    def answer(route: Route) -> None:
        sent.append(route)
        problem = {"title": "Maintenance", "instance": "/files"}
        route.fulfill(status=503, content_type="application/problem+json", json=problem)

    page.route(FILES, answer)
    choose(page, payload("a.pdf", pdf()))
    in_state(page, "a.pdf", "failed")
    assert len(sent) == 1, "only the gateway's own 503 says that nothing was passed on"


@pytest.mark.parametrize("lost", [0, 1])
def test_a_connection_lost_before_all_was_sent_is_made_good_once_there_is_one_again(
    new_page: Callable[..., Page], running: Running, complaints: Complaints, lost: int
) -> None:
    """Also where the first call after that is lost, too."""
    complaints.expected += ["ERR_INTERNET_DISCONNECTED", "ERR_FAILED"]
    page = new_page()
    open_receipts(page)
    page.context.set_offline(True)
    choose(page, payload("a.pdf", pdf()))
    in_state(page, "a.pdf", "failed")
    assert stored(running) == []
    if lost:
        page.route("**/auth/session", lambda route: route.abort(), times=lost)
    page.context.set_offline(False)
    in_state(page, "a.pdf", "done")
    assert [file.content for file in stored(running)] == [pdf()]


def test_a_file_whose_way_the_browser_told_nothing_of_may_have_arrived(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected += ["ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION_RESET"]
    page = new_page()
    open_receipts(page)

    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    page.route("**/api/v1/files", lose_the_answer)
    choose(page, payload("a.pdf", pdf()))
    in_state(page, "a.pdf", "unknown")
    page.context.set_offline(True)
    expect(page.get_by_test_id("reach")).not_to_be_empty()
    page.context.set_offline(False)
    expect(page.get_by_test_id("reach")).to_be_empty()
    in_state(page, "a.pdf", "unknown")
    assert [file.content for file in stored(running)] == [pdf()]


def test_what_was_not_performed_for_certain_is_sent_again_by_itself(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected += ["429", "503"]
    page = new_page()
    open_receipts(page)
    running.sandbox.faults.inject("api_429", {"path": "/v1/files"}, times=1)
    choose(page, payload("a.pdf", pdf(200_000)))
    in_state(page, "a.pdf", "done")
    running.clock.advance(60)
    running.sandbox.faults.inject("access_token_death")
    choose(page, payload("b.pdf", pdf(200_000, mark=b"b")))
    in_state(page, "b.pdf", "done")
    assert [file.content for file in stored(running)] == [pdf(200_000), pdf(200_000, mark=b"b")]


def refusing(page: Page) -> list[str]:
    """Dismiss every question of the browser's, and return the list of their kinds so far."""
    asked: list[str] = []

    def refuse(question: Dialog) -> None:
        asked.append(question.type)
        question.dismiss()

    page.on("dialog", refuse)
    return asked


def test_a_session_that_ends_in_the_middle_loses_no_file(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected.append("401")
    page = new_page()
    open_receipts(page)
    held = Held(page, FILES)
    choose(page, *(payload(f"{name}.pdf", pdf(LARGEST, mark=name.encode())) for name in "abc"))
    held.wait_for(2)
    running.clock.advance(1801)
    for _ in range(2):
        held.routes.pop(0).continue_()
    page.unroute(FILES)
    dialog = page.get_by_test_id("session-ended")
    expect(dialog).to_be_visible()
    for name in "abc":
        in_state(page, f"{name}.pdf", "held")
    expect(row(page, "a.pdf")).to_contain_text("will be sent once you have signed in again")
    look(page, "receipts-held")
    assert stored(running) == [], "a 401 of the gateway: nothing was sent on"
    with page.expect_popup() as popup:
        dialog.get_by_test_id("sign-in-again").click()
    popup.value.get_by_test_id("allow").click()
    expect(dialog).not_to_be_visible()
    for name in "abc":
        in_state(page, f"{name}.pdf", "done")
    assert sorted(file.name for file in stored(running)) == ["a.pdf", "b.pdf", "c.pdf"]


def hold_one(page: Page) -> Held:
    open_receipts(page)
    held = Held(page, FILES)
    choose(page, payload("a.pdf", pdf()))
    held.wait_for(1)
    return held


def test_a_file_that_is_refused_after_the_sign_in_in_another_tab_goes_on(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected.append("401")
    page = new_page()
    held = hold_one(page)
    page.context.clear_cookies()
    with page.context.expect_page() as opened:
        page.evaluate("void open('/auth/login?return_to=/contacts')")
    other = opened.value
    other.get_by_test_id("user-anna").click()
    other.get_by_test_id("allow").click()
    expect(other.get_by_test_id("contacts")).to_be_visible()
    page.evaluate("import('/auth/client.js').then(({ session }) => session())")
    problem = {"code": "session_required", "login_url": "/auth/login", "instance": "urn:request:1"}
    held.let_go(status=401, content_type="application/problem+json", json=problem)
    page.unroute(FILES)
    in_state(page, "a.pdf", "done")
    assert [file.name for file in stored(running)] == ["a.pdf"]


def test_nobody_sends_what_somebody_else_has_chosen(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected.append("401")
    page = new_page()
    held = hold_one(page)
    running.clock.advance(1801)
    held.routes.pop(0).continue_()
    page.unroute(FILES)
    dialog = page.get_by_test_id("session-ended")
    expect(dialog).to_be_visible()
    asked = refusing(page)
    with page.expect_popup() as popup:
        dialog.get_by_test_id("sign-in-again").click()
    other = popup.value
    other.get_by_test_id("choose").click()
    other.get_by_test_id("user-jonas").click()
    other.get_by_test_id("allow").click()
    expect(page.get_by_test_id("user")).to_contain_text("Jonas")
    page.get_by_role("link", name="Receipts").first.click()
    expect(page.get_by_test_id("drop")).to_be_visible()
    expect(page.get_by_test_id("receipt")).to_have_count(0)
    assert stored(running) == []
    assert asked == [], "whoever comes next is not asked about files of somebody else"


def test_who_leaves_the_page_is_asked_as_long_as_files_would_be_lost(new_page: Callable[..., Page]) -> None:
    page = new_page()
    open_receipts(page)
    held = Held(page, FILES)
    page.get_by_test_id("drop").click()
    choose(page, payload("a.pdf", pdf()))
    held.wait_for(1)
    asked = refusing(page)
    page.evaluate("setTimeout(() => location.reload())")
    expect(row(page, "a.pdf")).to_be_visible()
    held.let_go(1, status=202, json={"id": "x"})
    in_state(page, "a.pdf", "done")
    assert asked == ["beforeunload"]
    page.reload()
    expect(page.get_by_test_id("receipt")).to_have_count(0)
    assert asked == ["beforeunload"]


DROP = """([kind, files]) => {
  const transfer = new DataTransfer();
  for (const [name, bytes] of files) transfer.items.add(new File([new Uint8Array(bytes)], name));
  const init = { bubbles: true, cancelable: true };
  const event = kind === 'paste' ? new ClipboardEvent('paste', { ...init, clipboardData: transfer })
    : new DragEvent(kind, { ...init, dataTransfer: transfer });
  document.querySelector('h1').dispatchEvent(event);
  return event.defaultPrevented;
}"""


def test_files_can_be_dropped_anywhere_on_the_page_and_pasted(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page()
    open_receipts(page)
    assert page.evaluate(DROP, ["dragover", [["a.pdf", list(pdf())]]]) is True
    expect(page.get_by_test_id("drop")).to_have_class(re.compile("drop-over"))
    assert page.evaluate(DROP, ["drop", [["a.pdf", list(pdf())], ["b.png", list(png())]]]) is True
    expect(page.get_by_test_id("drop")).not_to_have_class(re.compile("drop-over"))
    assert page.evaluate(DROP, ["paste", [["image.png", list(png(10))]]]) is True
    expect(page.get_by_test_id("receipts-summary")).to_have_text("All 3 receipts are at lexoffice.")
    assert {file.content for file in stored(running)} == {pdf(), png(), png(10)}
    assert any(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.png", file.name) for file in stored(running))
    page.get_by_role("link", name="Contacts").first.click()
    expect(page.get_by_test_id("contacts")).to_be_visible()
    assert page.evaluate(DROP, ["paste", [["late.pdf", list(pdf())]]]) is False, "only this view takes files"


def test_receipts_need_no_mouse(new_page: Callable[..., Page], running: Running) -> None:
    page = new_page()
    open_receipts(page)
    page.get_by_role("button", name="Choose files").focus()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    assert chooser.value.is_multiple()
    chooser.value.set_files([payload("a.pdf", pdf())])
    in_state(page, "a.pdf", "done")
    page.get_by_role("button", name="Remove: a.pdf").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("receipt")).to_have_count(0)
    expect(page.locator("#choose-files")).to_be_focused()
    assert len(stored(running)) == 1


def test_the_camera_is_offered_where_there_is_a_touch_screen(new_page: Callable[..., Page]) -> None:
    page = new_page(has_touch=True, is_mobile=True)
    open_receipts(page)
    page.set_viewport_size({"width": 360, "height": 800})
    expect(page.get_by_role("button", name="Take a photo")).to_be_visible()
    assert page.get_by_test_id("receipt-camera").get_attribute("capture") == "environment"
    desk = new_page()
    open_receipts(desk)
    expect(desk.get_by_role("button", name="Take a photo")).not_to_be_visible()


NOISE = """async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 2800, height: 2000 });
  const pen = canvas.getContext('2d');
  const noise = pen.createImageData(2800, 2000);
  for (let at = 0; at < noise.data.length; at += 65536) {
    crypto.getRandomValues(noise.data.subarray(at, at + 65536));
  }
  for (let at = 3; at < noise.data.length; at += 4) noise.data[at] = 255;
  pen.putImageData(noise, 0, 0);
  const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', 1));
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (let at = 0; at < bytes.length; at += 32768) {
    text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  }
  return btoa(text);
}"""


def turned(jpeg: bytes) -> bytes:
    """Return a photo of which the camera says that it has to be turned by a quarter (orientation 6)."""
    tiff = b"MM\0\x2a" + struct.pack(">IH", 8, 1) + struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) + bytes(4)
    exif = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


def dimensions(jpeg: bytes) -> tuple[int, int]:
    """Read width and height from the frame header."""
    at = 2
    while jpeg[at + 1] not in {0xC0, 0xC2}:
        at += 2 + struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
    height, width = struct.unpack(">HH", jpeg[at + 5 : at + 9])
    return width, height


def test_a_photo_that_is_too_large_is_made_smaller_if_somebody_wants_that(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page()
    open_receipts(page)
    photo = turned(base64.b64decode(page.evaluate(NOISE)))
    assert len(photo) > LARGEST
    choose(page, payload("IMG_4711.jpg", photo))
    in_state(page, "IMG_4711.jpg", "refused")
    expect(row(page, "IMG_4711.jpg")).to_contain_text("can be made smaller")
    look(page, "receipts-large-photo")
    row(page, "IMG_4711.jpg").get_by_role("button", name="Make smaller and send").click()
    in_state(page, "IMG_4711.jpg", "done")
    expect(row(page, "IMG_4711.jpg")).to_contain_text("Made smaller")
    (sent,) = stored(running)
    width, height = dimensions(sent.content)
    assert len(sent.content) <= LARGEST
    assert width < height, "upright, as the camera meant it"
    assert b"Exif" not in sent.content[:400]


MIXED = (
    payload("Büromaterial Paper & Co.pdf", pdf(mark=b"a")),
    payload("Bewirtung.png", png()),
    payload("leer.pdf", b""),
    payload(
        "Ein sehr langer Name einer Rechnung, die jemand aus einer E-Mail gespeichert hat (2).pdf",
        pdf(LARGEST + 9),
    ),
    payload("IMG_0815.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
)


@pytest.mark.parametrize(("scheme", "locale"), [("light", "de-DE"), ("dark", "en-GB")])
def test_receipts_are_accessible_and_fit_in_every_state(
    new_page: Callable[..., Page], running: Running, complaints: Complaints, scheme: str, locale: str
) -> None:
    complaints.expected += ["500", "504"]
    page = new_page(color_scheme=scheme, locale=locale)
    open_receipts(page)
    look_everywhere(page, f"receipts-none-{scheme}")
    choose(page, *MIXED)
    in_state(page, "Bewirtung.png", "done")
    running.sandbox.faults.inject("api_500", {"path": "/v1/files"}, times=1)
    choose(page, payload("Fehler.pdf", pdf(mark=b"x")))
    in_state(page, "Fehler.pdf", "failed")
    running.sandbox.faults.inject("api_504", {"path": "/v1/files", "seconds": 0}, times=1)
    choose(page, payload("Ungewiss.pdf", pdf(mark=b"y")))
    in_state(page, "Ungewiss.pdf", "unknown")
    held = Held(page, FILES)
    choose(page, *(payload(f"Unterwegs {n}.pdf", pdf(mark=b"%d" % n)) for n in range(3)))
    held.wait_for(2)
    in_state(page, "Unterwegs 2.pdf", "waiting")
    look_everywhere(page, f"receipts-{scheme}")
    held.let_go(2, status=202, json={"id": "x"})
    held.wait_for(1)
    held.let_go(1, status=202, json={"id": "y"})
    in_state(page, "Unterwegs 2.pdf", "done")


def look_everywhere(page: Page, name: str) -> None:
    for width in (320, *WIDTHS):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width}"
        look(page, f"{name}-{width}")
        assert axe_violations(page) == [], f"{name} at {width}"
