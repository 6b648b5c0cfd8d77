// @ts-check
/** The filters that a person has named, kept in this browser, each person's own; without storage, until the page is left. */

/** @typedef {{name: string, query: string}} SavedFilter `query`: of the address that shows it */
/** @typedef {"kept" | "unkept" | "unnamed" | "taken" | "full" | "gone"} Outcome `unkept`: holds until the page is left */

export const MOST_FILTERS = 20;
export const LONGEST_NAME = 40;
const LONGEST_QUERY = 500;

/** @type {Map<string, SavedFilter[]>} those that could not be stored, by key */
const unstored = new Map();

/** @param {string} subject whose filters they are */
export const keyOf = (subject) => `lexgate.filters.${subject}`;

/**
 * @param {string} subject
 * @returns {SavedFilter[]} what is kept, without what is no filter
 */
export function savedFilters(subject) {
  const key = keyOf(subject);
  return unstored.get(key) ?? parsed(stored(key));
}

/**
 * @param {string} subject
 * @param {string} text what the person typed
 * @param {string} query
 * @returns {Outcome}
 */
export function saveFilter(subject, text, query) {
  const filters = savedFilters(subject);
  const name = nameOf(text);
  if (!name) return "unnamed";
  if (has(filters, name)) return "taken";
  if (filters.length >= MOST_FILTERS) return "full";
  return store(subject, [...filters, { name, query: query.slice(0, LONGEST_QUERY) }]);
}

/**
 * @param {string} subject
 * @param {string} before
 * @param {string} text
 * @returns {Outcome}
 */
export function renameFilter(subject, before, text) {
  const filters = savedFilters(subject);
  const name = nameOf(text);
  if (!has(filters, before)) return "gone";
  if (!name) return "unnamed";
  if (name !== before && has(filters.filter((filter) => filter.name !== before), name)) return "taken";
  return store(subject, filters.map((filter) => (filter.name === before ? { ...filter, name } : filter)));
}

/**
 * @param {string} subject
 * @param {string} name
 * @returns {Outcome}
 */
export const removeFilter = (subject, name) =>
  store(subject, savedFilters(subject).filter((filter) => filter.name !== name));

/** @param {string} text */
export const nameOf = (text) => text.replace(/\s+/g, " ").trim().slice(0, LONGEST_NAME).trim();

/** @param {SavedFilter[]} filters @param {string} name */
const has = (filters, name) => filters.some((filter) => filter.name.toLowerCase() === name.toLowerCase());

/** @param {string} key */
function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is switched off
  }
}

/**
 * @param {string | null} text anything, for others can write there too
 * @returns {SavedFilter[]}
 */
function parsed(text) {
  /** @type {unknown} */
  let value;
  try {
    value = JSON.parse(text ?? "[]");
  } catch {
    return [];
  }
  /** @type {SavedFilter[]} */
  const filters = [];
  for (const one of Array.isArray(value) ? value : []) {
    if (typeof one?.name !== "string" || typeof one.query !== "string" || one.query.length > LONGEST_QUERY) continue;
    const name = nameOf(one.name);
    if (name && !has(filters, name) && filters.length < MOST_FILTERS) filters.push({ name, query: one.query });
  }
  return filters;
}

/**
 * @param {string} subject
 * @param {SavedFilter[]} filters
 * @returns {Outcome}
 */
function store(subject, filters) {
  const key = keyOf(subject);
  try {
    localStorage.setItem(key, JSON.stringify(filters));
    unstored.delete(key);
    return "kept";
  } catch {
    unstored.set(key, filters); // switched off, or full
    return "unkept";
  }
}
