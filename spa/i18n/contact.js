// @ts-check
/** Texts of one contact, in both languages, loaded with it. */

export const de = {
  vouchers: "Belege",
  allVouchers: "Alle Belege",
  newInvoice: "Neue Rechnung",
  noVouchers: "Mit diesem Kontakt gibt es noch keine Belege.",
  newest: (/** @type {number} */ n) => `Die neuesten ${n}`,
  owed: "Offen",
  overdue: "Überfällig",
  toPay: "Von uns zu zahlen",
  toPayLate: "Davon überfällig",
  otherCurrencies: (/** @type {string} */ list) => `Die Summen sind in Euro; Belege in ${list} zählen nicht mit.`,
  addresses: "Anschriften", billing: "Rechnungsanschrift", shipping: "Lieferanschrift", reach: "Erreichbar",
  persons: "Ansprechpartner",
  primary: "Hauptansprechpartner",
  numbers: "Nummern",
  customerNumber: "Kundennummer", vendorNumber: "Lieferantennummer", taxNumber: "Steuernummer", vatId: "USt-IdNr.",
  note: "Notiz", nothing: "Nichts hinterlegt.", email: "E-Mail", phone: "Telefon",
  kinds: { business: "geschäftlich", office: "Büro", mobile: "mobil", private: "privat", fax: "Fax", other: "sonstige" },
};

/** @type {typeof de} */
export const en = {
  vouchers: "Vouchers",
  allVouchers: "All vouchers",
  newInvoice: "New invoice",
  noVouchers: "There are no vouchers with this contact yet.",
  newest: (n) => `The newest ${n}`,
  owed: "Open",
  overdue: "Overdue",
  toPay: "To be paid by us",
  toPayLate: "Of that overdue",
  otherCurrencies: (list) => `Sums are in euros; vouchers in ${list} are left out.`,
  addresses: "Addresses", billing: "Billing address", shipping: "Delivery address", reach: "Reach them",
  persons: "People",
  primary: "first contact",
  numbers: "Numbers",
  customerNumber: "Customer number", vendorNumber: "Supplier number", taxNumber: "Tax number", vatId: "VAT ID",
  note: "Note", nothing: "None on file.", email: "E-mail", phone: "Phone",
  kinds: { business: "business", office: "office", mobile: "mobile", private: "private", fax: "fax", other: "other" },
};
