// @ts-check
/** Asks lexoffice for the rows that the overview is computed from: what is seen first, first, and no page twice. */

import { figuresOf, lastMonths } from "./figures.js";
import { isoDay, today } from "./format.js";
import { readAllVouchers, voucherPages } from "./lexoffice.js";
import { BESIDE, REST, SEEN } from "./pace.js";
import { REVENUE_TYPES, SETTLED_STATES } from "./vouchers.js";

/** @typedef {import("./shapes.js").VoucherRow} VoucherRow */
/** @typedef {import("./lexoffice.js").Asked} Asked */
/** @typedef {import("./figures.js").Settled & {at: number, pages: number, capped: boolean}} Read `at`: when, by the page's clock */
/**
 * @typedef {object} Books
 * @property {import("./figures.js").Figures} figures
 * @property {number} count of all rows
 * @property {boolean} isWhole nothing more is to come
 * @property {boolean} capped there are more rows than were read
 * @property {string[]} foreign currencies, whose vouchers are in no sum
 */

const MONTHS = 24;
const MOST_PAGES = 16;
const KEPT_MS = 600_000;

/**
 * Two calls for most firms: all that is open, told first, and what was settled in two years. Who has more than a page
 * of that sees the last twelve months as soon as they are there; and when something changes, the year before is not
 * read again, unless what changed belongs to it.
 */
export function booksReader() {
  /** @type {VoucherRow[]} */
  let openBefore = [];
  /** @type {Read | undefined} */
  let known;
  /**
   * @param {Asked} asked
   * @param {(books: Books) => void} showPart
   * @returns {Promise<Books>}
   */
  return async (asked, showPart) => {
    const asking = readAllVouchers({ type: REVENUE_TYPES, status: "open" }, { ...asked, urgency: SEEN });
    const isLong = asked.isFresh && known !== undefined && known.pages > 1;
    /** @type {Awaited<typeof asking> | undefined} */
    let open = isLong ? await asking : undefined;
    const older = isLong && open && known && !isStale(known, openBefore, open.rows) ? known : undefined;
    let part = known;
    const settling = readSettled(asked, older, (first) => {
      part = first;
      if (open) showPart(booksOf(open, part, false));
    });
    settling.catch(() => {}); // told below, unless the first question fails before
    open = await asking;
    openBefore = open.rows;
    if (part || open.rows.length > 0) showPart(booksOf(open, part, false));
    known = await settling;
    return booksOf(open, known, true);
  };
}

/**
 * @param {Read} known
 * @param {VoucherRow[]} before what was open
 * @param {VoucherRow[]} open what is open now
 */
function isStale(known, before, open) {
  const ids = new Set(open.map((row) => row.id));
  return performance.now() - known.at > KEPT_MS || before.some((row) => !ids.has(row.id) && monthOf(row) < firstMonth());
}

/**
 * @param {Asked} asked
 * @param {Read | undefined} older from which the year before is taken
 * @param {(part: Read) => void} showPart called with the last twelve months, if there is more to come
 * @returns {Promise<Read>}
 */
async function readSettled(asked, older, showPart) {
  const kept = older?.rows.filter((row) => monthOf(row) < firstMonth()) ?? [];
  const [from] = older ? [firstMonth()] : lastMonths(today(), MONTHS);
  const query = { type: REVENUE_TYPES, status: SETTLED_STATES, from: `${from}-01` };
  /** @type {VoucherRow[]} */
  const rows = [];
  let since = "9999";
  let pages = 0;
  const read = () => ({ rows: [...rows, ...kept], since: older && since <= firstMonth() ? older.since : since,
    pages: pages + (older ? 1 : 0), capped: older?.capped ?? false, at: older?.at ?? performance.now() });
  for await (const { content, last } of voucherPages(query, urgent, MOST_PAGES)) {
    rows.push(...content);
    pages += 1;
    since = last ? "" : monthAfter(rows[rows.length - 1]);
    if (last) return read();
    if (since <= firstMonth()) showPart(read());
  }
  return { ...read(), capped: true };

  function urgent() {
    return { ...asked, urgency: since <= firstMonth() ? REST : BESIDE };
  }
}

/** @param {VoucherRow} row */
const monthOf = (row) => isoDay(row.voucherDate).slice(0, 7);

const firstMonth = () => lastMonths(today())[0] ?? "";

/** @param {VoucherRow | undefined} row the oldest of a page: of its month there may be more */
function monthAfter(row) {
  const [year = 0, month = 1] = row ? monthOf(row).split("-").map(Number) : [];
  return new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 7);
}

/**
 * @param {{rows: VoucherRow[], capped: boolean}} open
 * @param {Read | undefined} settled undefined while they are not there
 * @param {boolean} isWhole
 * @returns {Books}
 */
function booksOf(open, settled, isWhole) {
  const all = new Map([...settled?.rows ?? [], ...open.rows].map((row) => [row.id, row])); // open at last, if it is in both
  const isOpen = new Set(open.rows.map((row) => row.id));
  const rows = [...all.values()].filter((row) => row.currency === "EUR");
  return {
    figures: figuresOf(rows.filter((row) => isOpen.has(row.id)),
      settled && { rows: rows.filter((row) => !isOpen.has(row.id)), since: settled.since }, today()),
    count: rows.length,
    isWhole,
    capped: open.capped || Boolean(settled?.capped),
    foreign: [...new Set([...all.values()].map((row) => row.currency))].filter((currency) => currency !== "EUR"),
  };
}
