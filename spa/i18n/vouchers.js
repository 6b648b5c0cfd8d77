// @ts-check
/** Texts of the lists of vouchers, in both languages, loaded with them. */

import { inLanguage } from "../app/preferences.js";

/** @param {string} locale */
const counting = (locale) => {
  const numbers = new Intl.NumberFormat(locale);
  return {
    number: (/** @type {number} */ n) => numbers.format(n),
    count: (/** @type {number} */ n, /** @type {string} */ one, /** @type {string} */ many) => `${numbers.format(n)} ${n === 1 ? one : many}`,
  };
};

const german = counting("de-DE");
const english = counting("en-GB");

export const de = {
  filters: "Belege filtern",
  type: "Art",
  status: "Status",
  due: "Fälligkeit",
  period: "Belegdatum",
  sort: "Sortieren nach",
  search: "Nummer oder Kontakt",
  searchHint: "Sucht in allen Belegen, die zu den Filtern passen.",
  anyType: "Alle Arten",
  typeGroups: { revenue: "Alle Einnahmen", expenses: "Alle Ausgaben" },
  anyStatus: "Jeder Status",
  openStatus: "Offen (auch überfällig)",
  settledStatus: "Bezahlt oder ausgeglichen",
  anyDue: "Beliebig",
  anyPeriod: "Beliebig",
  periods: {
    "this-month": "Dieser Monat", "last-month": "Letzter Monat", "this-quarter": "Dieses Quartal",
    "last-quarter": "Letztes Quartal", "this-year": "Dieses Jahr", "last-year": "Letztes Jahr",
  },
  reset: "Filter löschen",
  table: "Belege",
  number: "Nummer",
  contact: "Kontakt",
  date: "Datum",
  dueDate: "Fällig",
  amount: "Betrag",
  open: "Offen",
  ascending: "aufsteigend",
  descending: "absteigend",
  found: (/** @type {number} */ n) => german.count(n, "Beleg", "Belege"),
  atLeast: (/** @type {number} */ n) => `mindestens ${german.count(n, "Beleg", "Belege")}`,
  reading: (/** @type {number} */ n, /** @type {number} */ of) => `Belege werden gelesen: ${german.number(n)} von ${german.number(of)} …`,
  capped: (/** @type {number} */ n) =>
    `Nur die neuesten ${german.number(n)} Belege wurden durchsucht. Wählen Sie Art, Status oder Belegdatum, um weiter zu suchen.`,
  ofContact: "Kontakt:",
  clearContact: "Belege aller Kontakte zeigen",
  empty: "Kein Beleg passt",
  emptyText: "Versuchen Sie andere Filter oder ein anderes Wort.",
  none: "Noch keine Belege",
  noneText: "Sobald Sie in lexoffice eine Rechnung schreiben, erscheint sie hier.",
  archived: "archiviert",
  saved: {
    label: "Gespeicherte Filter",
    builtIn: { all: "Alle", overdue: "Überfällig", open: "Offene Rechnungen", drafts: "Entwürfe", toPay: "Zu zahlen", month: "Letzter Monat" },
    save: "Filter speichern",
    edit: "Bearbeiten",
    done: "Fertig",
    name: "Name des Filters",
    keep: "Speichern",
    cancel: "Abbrechen",
    rename: (/** @type {string} */ name) => `Name von „${name}“`,
    remove: (/** @type {string} */ name) => `„${name}“ löschen`,
    kept: (/** @type {string} */ name) => `„${name}“ ist in diesem Browser gespeichert.`,
    renamed: (/** @type {string} */ name) => `Der Filter heißt jetzt „${name}“.`,
    removed: (/** @type {string} */ name) => `„${name}“ ist gelöscht.`,
    unnamed: "Geben Sie dem Filter einen Namen.",
    taken: (/** @type {string} */ name) => `Es gibt schon einen Filter namens „${name}“.`,
    full: (/** @type {number} */ n) => `Mehr als ${n} Filter werden nicht gespeichert. Löschen Sie zuerst einen.`,
    unkept: "Dieser Browser speichert nichts; der Filter gilt, bis Sie die Seite verlassen.",
  },
  csv: {
    button: "Als CSV herunterladen",
    cancel: "Abbrechen",
    file: "belege",
    head: ["Belegart", "Nummer", "Datum", "Fällig", "Kontakt", "Betrag", "Offen", "Währung", "Status"],
    done: (/** @type {number} */ n) => `${german.count(n, "Beleg", "Belege")} heruntergeladen.`,
    capped: (/** @type {number} */ n) =>
      `Nur die neuesten ${german.number(n)} Belege wurden gelesen und heruntergeladen; es gibt weitere. Grenzen Sie das Belegdatum ein.`,
    none: "Kein Beleg passt; es gibt nichts herunterzuladen.",
    cancelled: "Abgebrochen.",
  },
};

/** @type {typeof de} */
export const en = {
  filters: "Filter vouchers",
  type: "Type",
  status: "Status",
  due: "Due",
  period: "Voucher date",
  sort: "Sort by",
  search: "Number or contact",
  searchHint: "Searches all vouchers that fit the filters.",
  anyType: "All types",
  typeGroups: { revenue: "All revenue", expenses: "All expenses" },
  anyStatus: "All states",
  openStatus: "Open (also overdue)",
  settledStatus: "Paid or settled",
  anyDue: "Any",
  anyPeriod: "Any",
  periods: {
    "this-month": "This month", "last-month": "Last month", "this-quarter": "This quarter",
    "last-quarter": "Last quarter", "this-year": "This year", "last-year": "Last year",
  },
  reset: "Clear filters",
  table: "Vouchers",
  number: "Number",
  contact: "Contact",
  date: "Date",
  dueDate: "Due",
  amount: "Amount",
  open: "Open",
  ascending: "ascending",
  descending: "descending",
  found: (n) => english.count(n, "voucher", "vouchers"),
  atLeast: (n) => `at least ${english.count(n, "voucher", "vouchers")}`,
  reading: (n, of) => `Reading vouchers: ${english.number(n)} of ${english.number(of)} …`,
  capped: (n) => `Only the newest ${english.number(n)} vouchers were searched. Choose a type, status or voucher date to search further.`,
  ofContact: "Contact:",
  clearContact: "Show vouchers of all contacts",
  empty: "No voucher matches",
  emptyText: "Try other filters or another word.",
  none: "No vouchers yet",
  noneText: "As soon as you write an invoice in lexoffice, it appears here.",
  archived: "archived",
  saved: {
    label: "Saved filters",
    builtIn: { all: "All", overdue: "Overdue", open: "Open invoices", drafts: "Drafts", toPay: "To pay", month: "Last month" },
    save: "Save filter",
    edit: "Edit",
    done: "Done",
    name: "Name of the filter",
    keep: "Save",
    cancel: "Cancel",
    rename: (name) => `Name of “${name}”`,
    remove: (name) => `Delete “${name}”`,
    kept: (name) => `“${name}” is saved in this browser.`,
    renamed: (name) => `The filter is now called “${name}”.`,
    removed: (name) => `“${name}” is deleted.`,
    unnamed: "Give the filter a name.",
    taken: (name) => `There is a filter named “${name}” already.`,
    full: (n) => `No more than ${n} filters are saved. Delete one first.`,
    unkept: "This browser saves nothing; the filter holds until you leave the page.",
  },
  csv: {
    button: "Download as CSV",
    cancel: "Cancel",
    file: "vouchers",
    head: ["Type", "Number", "Date", "Due", "Contact", "Amount", "Open", "Currency", "Status"],
    done: (n) => `${english.count(n, "voucher", "vouchers")} downloaded.`,
    capped: (n) =>
      `Only the newest ${english.number(n)} vouchers were read and downloaded; there are more. Narrow the voucher date.`,
    none: "No voucher matches; there is nothing to download.",
    cancelled: "Cancelled.",
  },
};

/** @returns {typeof de} those of the present language */
export const texts = () => inLanguage({ de, en });
