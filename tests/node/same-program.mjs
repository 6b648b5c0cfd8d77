// Says whether modules are the same programs: reads {name: [one, other], ...} from standard input, and prints where two differ first.
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const { parseAst } = await import(pathToFileURL(process.argv[2]).href);
const PLACES = new Set(["start", "end", "range", "loc", "comments", "hashbang"]);

const treeOf = (source) => {
  try {
    return JSON.stringify(parseAst(source), (key, value) => (PLACES.has(key) ? undefined : typeof value === "bigint" ? `${value}n` : value));
  } catch (error) {
    return `is no module: ${error.message}`;
  }
};

for (const [name, [one, other]] of Object.entries(JSON.parse(await text(process.stdin)))) {
  const [before, after] = [treeOf(one), treeOf(other)];
  if (before === after) continue;
  const at = [...before].findIndex((letter, index) => letter !== after[index]);
  const near = (tree) => tree.slice(Math.max(0, at - 200), at + 200);
  console.log(`${name}: ${near(before)}\n--- became ---\n${near(after)}`);
}
