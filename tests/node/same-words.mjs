// Says whether modules have the same words: names of properties, texts, patterns, all that a minifier must leave alone; names of its
// own it may change. Reads {name: [one, other], ...} from standard input, and prints what only one of the two has.
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const { parseAst } = await import(pathToFileURL(process.argv[2]).href);

const wordsOf = (source) => {
  const words = new Set();
  const visit = (node) => {
    if (node.type === "Literal") words.add(node.regex ? `/${node.regex.pattern}/${node.regex.flags}` : typeof node.value === "string" && `"${node.value}"`);
    if (node.type === "TemplateElement") words.add(`"${node.value.cooked}"`);
    const key = node.type === "MemberExpression" ? node.property : node.key;
    if (key?.type === "Identifier" && !node.computed) words.add(`"${key.name}"`);
    for (const child of Object.values(node)) for (const one of [child].flat()) if (typeof one?.type === "string") visit(one);
  };
  visit(parseAst(source));
  words.delete(false);
  words.delete('""');
  return words;
};

for (const [name, [one, other]] of Object.entries(JSON.parse(await text(process.stdin)))) {
  try {
    const [before, after] = [wordsOf(one), wordsOf(other)];
    const lost = [...before].filter((word) => !after.has(word));
    const added = [...after].filter((word) => !before.has(word));
    if (lost.length || added.length) console.log(`${name} lost ${lost.join(" ") || "nothing"}, and has anew ${added.join(" ") || "nothing"}`);
  } catch (error) {
    console.log(`${name} is no module: ${error.message}`);
  }
}
