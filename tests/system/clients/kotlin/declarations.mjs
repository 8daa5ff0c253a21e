// Parses a Kotlin file and prints its classes as JSON: { name: { kind, members, types } }. Fails where it is not Kotlin.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Language, Parser } from "web-tree-sitter";

const require = createRequire(import.meta.url);
await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(require.resolve("@tree-sitter-grammars/tree-sitter-kotlin/tree-sitter-kotlin.wasm")));
const { rootNode } = parser.parse(readFileSync(process.argv[2], "utf8"));

const below = (node, type) => node.descendantsOfType(type);
const [wrong] = rootNode.hasError ? below(rootNode, "ERROR") : [];
if (rootNode.hasError) throw new Error(`not Kotlin, line ${(wrong?.startPosition.row ?? 0) + 1}: ${wrong?.text.slice(0, 200)}`);

const classes = {};
for (const node of rootNode.namedChildren.filter(({ type }) => type === "class_declaration")) {
  const name = node.childForFieldName("name").text;
  if (name in classes) throw new Error(`declared twice: ${name}`);
  const entries = below(node, "enum_entry");
  classes[name] = entries.length
    ? { kind: "enum", members: entries.map((entry) => below(entry, "string_content")[0].text), types: [] }
    : {
        kind: "data",
        members: below(node, "class_parameter").map((parameter) => below(parameter, "identifier")[0].text),
        types: [...new Set(below(node, "class_parameter").flatMap((each) => below(each, "user_type")).map(typeName))],
      };
}
console.log(JSON.stringify(classes));

function typeName(type) {
  return type.text.replace(/<.*/s, "");
}
