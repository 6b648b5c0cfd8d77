// @ts-check
/** Texts of one view, in both languages, loaded with it. */

export const de = {
  title: "Neue Rechnung",
};

/** @type {typeof de} */
export const en = {
  title: "New invoice",
};
