// The app in Firefox, as its person: says line by line, in JSON, what was seen. Arguments: Firefox, the app, the admin listener.

import puppeteer from "puppeteer-core";

const [executablePath, app, admin] = process.argv.slice(2);
const PATIENCE_MS = 60_000;
const VIEWS = ["/", "/vouchers", "/contacts", "/invoices/new", "/receipts", "/sessions"];

const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true });
const complaints = [];

const say = (name, seen) => console.log(JSON.stringify([name, seen]));
const shown = (page, id, what = {}) => page.waitForSelector(`[data-testid=${id}]`, { timeout: PATIENCE_MS, ...what });
const press = (page, id) => shown(page, id).then(() => page.$eval(`[data-testid=${id}]`, (element) => element.click()));
// Firefox paints no page in the background: what is waited for there is looked at by the clock.
const becomes = (page, condition) => page.waitForFunction(condition, { timeout: PATIENCE_MS, polling: 50 });

async function open(path) {
  const page = await browser.newPage();
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("console", (message) => /warn|error/.test(message.type()) && complaints.push(message.text()));
  await page.goto(app + path);
  return page;
}

try {
  const first = await open("/");
  await becomes(first, () => document.querySelector("main button"));
  const second = await open("/");
  await becomes(second, () => document.querySelector("main button"));
  await second.$eval("main button", (button) => button.click());
  await press(second, "user-anna");
  await press(second, "allow");
  await shown(second, "user");
  say("signed in", await second.$eval("[data-testid=user]", (user) => user.textContent));
  await becomes(first, () => document.querySelector("[data-testid=user]"));
  say("told in the other tab", await first.$eval("[data-testid=user]", (user) => user.textContent));

  const third = await open("/vouchers");
  const tabs = [first, second, third];
  for (const tab of tabs) await becomes(tab, () => document.querySelector("#live")?.classList.contains("live-on"));
  const metrics = await (await fetch(`${admin}/metrics`)).text();
  say("streams", Number(/^lexgate_event_streams (\S+)$/m.exec(metrics)?.[1]));

  for (const path of VIEWS) {
    await second.goto(app + path);
    await becomes(second, () => document.querySelector("h1") && !document.querySelector("[aria-busy=true]"));
    const wide = await second.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    say(path, { title: await second.title(), wide, complaints: complaints.splice(0) });
  }

  await third.goto(`${app}/vouchers?type=invoice&status=paid`);
  await becomes(third, () => document.querySelector("[data-testid=vouchers] a"));
  await third.$eval("[data-testid=vouchers] a", (link) => link.click());
  await press(third, "pdf-preview");
  await becomes(third, () => document.querySelector("[data-testid=preview] iframe"));
  const frame = await (await third.$("[data-testid=preview] iframe")).contentFrame();
  await frame.waitForSelector(".page[data-loaded=true]", { timeout: PATIENCE_MS });
  say("pages of the preview", await frame.$$eval(".page", (pages) => pages.length));

  await first.bringToFront();
  await press(first, "user");
  await first.$eval("[data-testid=menu] .button-quiet", (button) => button.click());
  for (const tab of tabs) await becomes(tab, () => document.querySelector("main button") && !document.querySelector("[data-testid=user]"));
  say("signed out in", tabs.length);
} finally {
  await browser.close();
}
