// @ts-check
/** Texts of one view, in both languages, loaded with it. */

export const de = {
  preview: "Vorschau zeigen",
  hidePreview: "Vorschau schließen",
  previewOf: (/** @type {string} */ name) => `Vorschau: ${name}`,
  notShown: "Was lexoffice geschickt hat, ist weder ein PDF noch ein Bild.",
  related: "Verknüpft mit",
  contact: "Kontakt ansehen",
  collective: "Sammelkontakt",
  addReceipt: "Beleg hinzufügen",
};

/** @type {typeof de} */
export const en = {
  preview: "Show preview",
  hidePreview: "Close preview",
  previewOf: (name) => `Preview: ${name}`,
  notShown: "What lexoffice sent is neither a PDF nor a picture.",
  related: "Related to",
  contact: "Show the contact",
  collective: "Collective contact",
  addReceipt: "Add a receipt",
};
