// @ts-check
/** What lexoffice accepts as a receipt, told by a file's content before anything is sent. */

/** @typedef {"empty" | "heic" | "type" | "size" | "unreadable" | "folder" | "duplicate"} Problem */
/** @typedef {{extension: string, names: RegExp, isPicture: boolean}} Kind */
/** @typedef {{kind?: Kind, problem?: Problem, digest: string}} Judgement */

/** Bytes of one file. */
export const LARGEST = 5 * 1024 * 1024;
/** For the file dialog; what is chosen all the same is judged by its content. */
export const ACCEPT = ".pdf,.jpg,.jpeg,.png,.xml,application/pdf,image/jpeg,image/png,application/xml,text/xml";

const BEGINNING = 1024;
/** More than any photo has: such a file is not read as a whole. */
const READ_MOST = 128 * 1024 * 1024;

/** @type {Record<"pdf" | "jpg" | "png" | "xml", Kind>} */
const KINDS = {
  pdf: { extension: "pdf", names: /\.pdf$/i, isPicture: false },
  jpg: { extension: "jpg", names: /\.jpe?g$/i, isPicture: true },
  png: { extension: "png", names: /\.png$/i, isPicture: true },
  xml: { extension: "xml", names: /\.xml$/i, isPicture: false },
};

/**
 * @param {Blob} file
 * @returns {Promise<Judgement>} the kind also of what is too large, since a picture can be made smaller
 */
export async function judge(file) {
  if (file.size === 0) return { problem: "empty", digest: "" };
  try {
    const beginning = new Uint8Array(await file.slice(0, BEGINNING).arrayBuffer());
    const kind = kindOf(beginning);
    if (!kind) return { problem: isHeic(beginning) ? "heic" : "type", digest: "" };
    const isReadable = file.size <= (kind.isPicture ? READ_MOST : LARGEST);
    const digest = isReadable ? await digestOf(file) : "";
    return { kind, digest, ...(file.size > LARGEST ? { problem: "size" } : {}) };
  } catch {
    return { problem: "unreadable", digest: "" }; // a folder, or gone since it was chosen
  }
}

/**
 * @param {string} name
 * @param {Kind} kind
 * @returns {string} with the ending by which lexoffice tells the type
 */
export function fittingName(name, kind) {
  if (kind.names.test(name)) return name;
  const stem = name.replace(/\.(pdf|jpe?g|jfif|png|xml|heic|webp)$/i, "") || name;
  return `${stem}.${kind.extension}`;
}

/** @param {Uint8Array} bytes */
function kindOf(bytes) {
  if (begins(bytes, "\xff\xd8\xff")) return KINDS.jpg;
  if (begins(bytes, "\x89PNG\r\n\x1a\n")) return KINDS.png;
  const text = textOf(bytes);
  if (text.includes("%PDF-")) return KINDS.pdf; // readers of PDFs allow for something before it
  return isXml(text) ? KINDS.xml : undefined;
}

/** @param {string} text HTML is none, and an XML file without a declaration has to begin with an element */
const isXml = (text) => /^\s*<(\?xml\s|[A-Za-z_][\w.-]*(:[A-Za-z_][\w.-]*)?[\s>])/.test(text) && !/^\s*<html[\s>]/i.test(text);

/** @param {Uint8Array} bytes of a container whose brand is one of the High Efficiency Image File Format's */
const isHeic = (bytes) => /^ftyp(hei[cxms]|hev[cxms]|mif1|msf1)/.test(textOf(bytes.subarray(4)));

/** @param {Uint8Array} bytes @param {string} signature */
const begins = (bytes, signature) => [...signature].every((letter, index) => bytes[index] === letter.charCodeAt(0));

/** @param {Uint8Array} bytes */
function textOf(bytes) {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

/** @param {Blob} file */
async function digestOf(file) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
