// @ts-check
/** An address that leads nowhere. */

import { h } from "../dom.js";
import { heading } from "../parts.js";
import { t } from "../preferences.js";

/** @returns {import("../parts.js").View} */
export function notFoundView() {
  const title = t.faults.pageHeading;
  return {
    title,
    node: h("div", { class: "narrow" }, heading(title), h("p", {}, t.faults.pageText),
      h("p", {}, h("a", { class: "button", href: "/" }, t.faults.pageLink))),
  };
}
