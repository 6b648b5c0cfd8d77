// @ts-check
/** A question before something is done that cannot be undone. */

import { h } from "./dom.js";
import { styled } from "./late.js";
import { t } from "./preferences.js";

let asked = 0;

/**
 * @param {{title: string, text: string, yes: string, signal?: AbortSignal}} question `yes` is what the button does; `signal` puts it away
 * @returns {Promise<boolean>} false when it was put away; the focus is where it was
 */
export async function confirmed({ title, text, yes, signal }) {
  await styled("dialogs");
  const id = `question-${(asked += 1)}`;
  return new Promise((resolve) => {
    const dialog = h("dialog", { class: "dialog", "aria-labelledby": id, "aria-describedby": `${id}-text`, "data-testid": "question",
      onclose: () => {
        dialog.remove();
        resolve(dialog.returnValue === "yes");
      } },
    h("h2", { id }, title), h("p", { id: `${id}-text` }, text),
    h("form", { method: "dialog", class: "buttons" },
      h("button", { class: "button", value: "yes", "data-testid": "yes" }, yes),
      h("button", { class: "button button-quiet", value: "no", autofocus: true }, t.cancel)));
    document.body.append(dialog);
    dialog.showModal();
    signal?.addEventListener("abort", () => dialog.close(), { once: true });
    // Whoever goes back in the browser meanwhile has left what was asked about.
    for (const left of ["popstate", "lexgate:visit"]) addEventListener(left, () => dialog.close(), { once: true });
    if (signal?.aborted) dialog.close();
  });
}
