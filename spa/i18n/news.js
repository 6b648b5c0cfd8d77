// @ts-check
/** Texts of what is told of live changes, in both languages, loaded with it. */

/** @typedef {"created" | "changed" | "deleted" | "paid" | "payment" | "status"} What */

export const de = {
  title: "Neuigkeiten",
  /** @param {number} n */
  button: (n) => (n === 0 ? "Neuigkeiten" : n === 1 ? "Neuigkeiten, 1 neue" : `Neuigkeiten, ${n} neue`),
  hints: "Hinweise",
  close: "Hinweis schließen",
  empty: "Noch ist nichts geschehen. Was sich in lexoffice ändert, solange diese Seite offen ist, steht dann hier.",
  now: "gerade eben",
  show: "Hinweise am Rand einblenden",
  /** Each with its article, for where no number or name is known. @type {Record<string, [name: string, one: string]>} */
  things: {
    invoice: ["Rechnung", "Eine Rechnung"], downpaymentinvoice: ["Abschlagsrechnung", "Eine Abschlagsrechnung"],
    creditnote: ["Rechnungskorrektur", "Eine Rechnungskorrektur"], quotation: ["Angebot", "Ein Angebot"],
    orderconfirmation: ["Auftragsbestätigung", "Eine Auftragsbestätigung"], deliverynote: ["Lieferschein", "Ein Lieferschein"],
    salesinvoice: ["Einnahmebeleg", "Ein Einnahmebeleg"], salescreditnote: ["Einnahmeminderung", "Eine Einnahmeminderung"],
    purchaseinvoice: ["Ausgabebeleg", "Ein Ausgabebeleg"], purchasecreditnote: ["Ausgabenminderung", "Eine Ausgabenminderung"],
    voucher: ["Beleg", "Ein Beleg"], dunning: ["Mahnung", "Eine Mahnung"], article: ["Artikel", "Ein Artikel"],
    contact: ["Kontakt", "Ein Kontakt"], "recurring-template": ["Serienvorlage", "Eine Serienvorlage"],
  },
  /** @type {Record<What, (thing: string) => string>} */
  one: {
    created: (thing) => `${thing} wurde angelegt`,
    changed: (thing) => `${thing} wurde geändert`,
    deleted: (thing) => `${thing} wurde gelöscht`,
    paid: (thing) => `${thing} wurde bezahlt`,
    payment: (thing) => `${thing}: Zahlungen wurden geändert`,
    status: (thing) => `${thing} hat einen neuen Status`,
  },
  /** @type {Record<"voucher" | "contact" | "other", (n: number) => string>} */
  many: {
    voucher: (n) => `${n} Belege`,
    contact: (n) => `${n} Kontakte`,
    other: (n) => `${n} Einträge`,
  },
  /** @type {Record<What, (things: string) => string>} */
  all: {
    created: (things) => `${things} wurden angelegt`,
    changed: (things) => `${things} wurden geändert`,
    deleted: (things) => `${things} wurden gelöscht`,
    paid: (things) => `${things} wurden bezahlt`,
    payment: (things) => `${things}: Zahlungen wurden geändert`,
    status: (things) => `${things} haben einen neuen Status`,
  },
};

/** @type {typeof de} */
export const en = {
  title: "News",
  button: (n) => (n === 0 ? "News" : `News, ${n} new`),
  hints: "Notices",
  close: "Close notice",
  empty: "Nothing has happened yet. What changes in lexoffice while this page is open is listed here.",
  now: "just now",
  show: "Show notices at the edge",
  things: {
    invoice: ["Invoice", "An invoice"], downpaymentinvoice: ["Down payment invoice", "A down payment invoice"],
    creditnote: ["Credit note", "A credit note"], quotation: ["Quotation", "A quotation"],
    orderconfirmation: ["Order confirmation", "An order confirmation"], deliverynote: ["Delivery note", "A delivery note"],
    salesinvoice: ["Sales receipt", "A sales receipt"], salescreditnote: ["Sales credit receipt", "A sales credit receipt"],
    purchaseinvoice: ["Purchase invoice", "A purchase invoice"],
    purchasecreditnote: ["Purchase credit note", "A purchase credit note"],
    voucher: ["Voucher", "A voucher"], dunning: ["Reminder", "A reminder"], article: ["Article", "An article"],
    contact: ["Contact", "A contact"], "recurring-template": ["Recurring template", "A recurring template"],
  },
  one: {
    created: (thing) => `${thing} was created`,
    changed: (thing) => `${thing} was changed`,
    deleted: (thing) => `${thing} was deleted`,
    paid: (thing) => `${thing} was paid`,
    payment: (thing) => `${thing}: payments changed`,
    status: (thing) => `${thing} has a new status`,
  },
  many: {
    voucher: (n) => `${n} vouchers`,
    contact: (n) => `${n} contacts`,
    other: (n) => `${n} entries`,
  },
  all: {
    created: (things) => `${things} were created`,
    changed: (things) => `${things} were changed`,
    deleted: (things) => `${things} were deleted`,
    paid: (things) => `${things} were paid`,
    payment: (things) => `${things}: payments changed`,
    status: (things) => `${things} have a new status`,
  },
};
