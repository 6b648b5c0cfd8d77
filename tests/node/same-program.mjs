// Says whether two modules are the same program: reads {"one", "other"} from standard input, prints what differs first, or nothing.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { parseAst } = await import(pathToFileURL(process.argv[2]).href);
const PLACES = new Set(["start", "end", "range", "loc", "comments", "hashbang"]);
const { one, other } = JSON.parse(readFileSync(0, "utf-8"));

const treeOf = (source) =>
  JSON.stringify(parseAst(source), (key, value) => (PLACES.has(key) ? undefined : typeof value === "bigint" ? `${value}n` : value));

const [before, after] = [treeOf(one), treeOf(other)];
if (before !== after) {
  const at = [...before].findIndex((letter, index) => letter !== after[index]);
  console.log(`${before.slice(Math.max(0, at - 200), at + 200)}\n--- became ---\n${after.slice(Math.max(0, at - 200), at + 200)}`);
}
