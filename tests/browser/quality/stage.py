"""The stage for views: a signed-in person for each language, and strangers for what disturbs a session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import PATIENCE_MS, Complaints, sign_in

if TYPE_CHECKING:
    from tests.browser.quality.views import View
    from tests.support.running import Running

LOCALES = {"de": "de-DE", "en": "en-GB"}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
MEASURES = Path(__file__).with_name("measures.js")
TELL_VIOLATIONS = """addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));"""


class Stage:
    """Shows views, and hears what they complain of."""

    def __init__(self, browser: Browser, running: Running) -> None:
        self.running = running
        self.complaints = Complaints()
        self._browser = browser
        self._pages: dict[str, Page] = {}

    def new_page(self, language: str) -> Page:
        """Open a page of somebody who is not signed in."""
        context = self._browser.new_context(
            base_url=self.running.public_url,
            viewport={"width": 1280, "height": 900},
            locale=LOCALES[language],
            timezone_id="Europe/Berlin",
            color_scheme="light",
        )
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(TELL_VIOLATIONS)
        context.add_init_script(path=MEASURES)
        page = context.new_page()
        self.complaints.watch(page)
        return page

    def signed_in(self, language: str) -> Page:
        """Return the page of the person who stays signed in."""
        if language not in self._pages:
            self._pages[language] = self.new_page(language)
            sign_in(self._pages[language])
        return self._pages[language]

    def show(self, view: View, language: str) -> Page:
        """Show a view as it is when all is there; what it changed is to be put back by `leave`."""
        self.complaints.messages.clear()
        self.complaints.expected[:] = view.provokes
        page = self.new_page(language) if view.alone else self.signed_in(language)
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme="light")
        if view.alone and view.signed_in:
            sign_in(page, path="/nowhere")
        view.show(page, self.running)
        settle(page, busy=view.busy)
        return page

    def leave(self, page: Page) -> None:
        """Put back what a view changed outside its page."""
        self.running.clock.now = 0
        self.running.sandbox.faults.clear()
        if page in self._pages.values():
            page.unroute_all(behavior="ignoreErrors")
        else:
            close(page.context)

    def close(self) -> None:
        """Close what is still open."""
        for page in self._pages.values():
            close(page.context)


def settle(page: Page, *, busy: bool = False) -> None:
    """Wait until all is loaded, and nothing moves; `busy`, only until nothing moves."""
    if not busy:
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.evaluate(
        """() => Promise.all(document.getAnimations()
          .filter((animation) => animation.effect?.getComputedTiming().endTime < 1500)
          .map((animation) => animation.finished.catch(() => {})))"""
    )


def close(context: BrowserContext) -> None:
    """Close a context, whatever its pages wait for."""
    for page in context.pages:
        page.unroute_all(behavior="ignoreErrors")
    context.close()
