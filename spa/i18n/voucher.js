// @ts-check
/** Texts of one view, in both languages, loaded with it. */

export const de = {
  preview: "Vorschau zeigen",
  hidePreview: "Vorschau schließen",
  previewOf: (/** @type {string} */ name) => `Vorschau: ${name}`,
  notPdf: "Was lexoffice geschickt hat, ist kein PDF.",
  related: "Verknüpft mit",
  contact: "Kontakt ansehen",
  collective: "Sammelkontakt",
};

/** @type {typeof de} */
export const en = {
  preview: "Show preview",
  hidePreview: "Close preview",
  previewOf: (name) => `Preview: ${name}`,
  notPdf: "What lexoffice sent is no PDF.",
  related: "Related to",
  contact: "Show the contact",
  collective: "Collective contact",
};
