// @ts-check
/** What is not needed at once: styles that come with what they style, and work for when the browser has nothing to do. */

/** Something of the app itself could not be loaded: offline, an outage, or a new version of it meanwhile. */
export class LoadError extends Error {
  /** @type {"LoadError"} */
  name = "LoadError";

  /** @param {unknown} cause */
  constructor(cause) {
    super("A part of the app could not be loaded", { cause });
  }
}

/** @type {Map<string, Promise<void>>} */
const styles = new Map();

/**
 * @param {string} name of a style sheet, there before what it styles, so that nothing moves
 * @returns {Promise<void>}
 */
export function styled(name) {
  const known = styles.get(name) ?? new Promise((resolve, reject) => {
    const { href } = new URL(`../styles/${name}.css`, import.meta.url);
    /** @type {HTMLLinkElement | null} on its way since before-paint.js */
    const begun = document.head.querySelector(`link[rel="stylesheet"][href="${href}"]`);
    const link = begun ?? Object.assign(document.createElement("link"), { rel: "stylesheet", href });
    if (link.sheet) resolve();
    link.onload = () => resolve();
    link.onerror = () => {
      link.remove();
      styles.delete(name);
      reject(new LoadError(undefined));
    };
    if (!begun) document.head.append(link);
  });
  styles.set(name, known);
  return known;
}

/**
 * @template T
 * @param {() => Promise<T>} load
 * @param {string | undefined} style one or more, with spaces between
 * @returns {Promise<T>}
 * @throws LoadError
 */
export async function loaded(load, style) {
  try {
    const [part] = await Promise.all([load(), ...(style?.split(" ") ?? []).map(styled)]);
    return part;
  } catch (error) {
    throw error instanceof LoadError ? error : new LoadError(error);
  }
}

const LATEST_MS = 3000;

/** @param {() => void} work */
export function whenIdle(work) {
  if ("requestIdleCallback" in globalThis) requestIdleCallback(work, { timeout: LATEST_MS });
  else setTimeout(work, LATEST_MS); // Safari
}
