import { substituted, type Environment } from "./environment.ts";
import { faultAt, quoted, type Place } from "./fault.ts";
import { isBrace, tokensOf, type Token } from "./tokens.ts";

/** A word, and where it stands. */
export interface Word extends Place {
  readonly text: string;
}

/** A line in braces: its first word, those after it, and the lines in its own braces if it has any. */
export interface Line extends Place {
  readonly name: string;
  readonly args: readonly Word[];
  readonly body: readonly Line[];
}

/** `KEY… { LINE… }` */
export interface WrittenBlock extends Place {
  readonly keys: readonly Word[];
  readonly directives: readonly Line[];
}

/** What reading looks at beside the text. */
export interface BlockGround {
  readonly environment: Environment;
  /** The text of a file. Throws as readFileSync does. */
  readonly readFile: (path: string) => string;
  /** Files whose paths match a pattern with one `*`, in order; a path without one is itself when it is there. `from`: the file that names it. */
  readonly filesLike: (pattern: string, from: string) => readonly string[];
  readonly warn: (at: Place, sentence: string) => void;
}

const MOST_IMPORTS = 1000;
const MOST_TOKENS = 1_000_000;
const DEEPEST = 8;

/** Reads server blocks. Snippets and imported files are put where they are named. Throws CorefileError. */
export function blocksOf(text: string, file: string, ground: BlockGround): WrittenBlock[] {
  let tokens = tokensOf(text, file);
  let at = 0;
  let imports = 0;
  const snippets = new Map<string, readonly Token[]>();

  const end = (): Place => tokens.at(-1) ?? { file, line: 1 };
  const word = (token: Token): Word => ({
    file: token.file,
    line: token.line,
    text: substituted(token.text, ground.environment, (name) =>
      ground.warn(token, `the environment has no variable ${quoted(name)}: it is read as empty`),
    ),
  });

  /** At the word `import`: what it names stands here instead. */
  const imported = (): void => {
    const named = tokens[at]!;
    const argument = tokens[at + 1];
    if (argument === undefined || argument.startsLine || isBrace(argument, "{") || isBrace(argument, "}"))
      throw faultAt(named, "import: the name of a snippet or of a file should follow");
    const { text: name } = word(argument);
    const after = tokens[at + 2];
    if (after !== undefined && !after.startsLine && !isBrace(after, "}"))
      throw faultAt(named, `import: ${quoted(after.text)} is one word too many; it takes one name`);
    imports += 1;
    if (imports > MOST_IMPORTS)
      throw faultAt(named, `import: more than ${MOST_IMPORTS} imports; does ${quoted(name)} import itself?`);
    const found = snippets.get(name) ?? ofFiles(name, named);
    tokens = [...tokens.slice(0, at), ...found, ...tokens.slice(at + 2)];
    if (tokens.length > MOST_TOKENS) throw faultAt(named, `import: more than ${MOST_TOKENS} words in all`);
  };

  const ofFiles = (name: string, named: Token): Token[] => {
    if (name === "") throw faultAt(named, "import: the name is empty");
    let paths: readonly string[];
    try {
      paths = ground.filesLike(name, named.file);
    } catch (error) {
      throw faultAt(named, `import: looking for ${quoted(name)}: ${(error as Error).message}`);
    }
    if (paths.length === 0) {
      const known = snippets.size === 0 ? "there are none before this line" : [...snippets.keys()].join(", ");
      if (!name.includes("*"))
        throw faultAt(named, `import: ${quoted(name)} is neither a file nor a snippet (snippets: ${known})`);
      ground.warn(named, `import: no file is like ${quoted(name)}`);
    }
    return paths.flatMap((path) => {
      let content: string;
      try {
        content = ground.readFile(path);
      } catch (error) {
        throw faultAt(named, `import: reading ${path}: ${(error as Error).message}`);
      }
      return tokensOf(content, path);
    });
  };

  const isImport = (): boolean => {
    const token = tokens[at];
    return token !== undefined && token.startsLine && !token.isQuoted && token.text === "import";
  };

  /** From behind a `{` to behind its `}`. */
  const linesInBraces = (open: Token, depth: number): Line[] => {
    if (depth > DEEPEST) throw faultAt(open, `braces in braces, more than ${DEEPEST} deep`);
    const lines: Line[] = [];
    for (;;) {
      if (isImport()) {
        imported();
        continue;
      }
      const token = tokens[at];
      if (token === undefined) throw faultAt(open, "a { begins here, and no } ends it");
      if (isBrace(token, "}")) {
        at += 1;
        return lines;
      }
      lines.push(line(depth));
    }
  };

  const line = (depth: number): Line => {
    const first = tokens[at]!;
    if (isBrace(first, "{")) throw faultAt(first, "a { should stand at the end of a line that begins with a word");
    at += 1;
    const args: Word[] = [];
    for (;;) {
      const token = tokens[at];
      if (token === undefined || token.startsLine || isBrace(token, "}") || isBrace(token, "{")) break;
      args.push(word(token));
      at += 1;
    }
    const token = tokens[at];
    let body: Line[] = [];
    if (token !== undefined && !token.startsLine && isBrace(token, "{")) {
      at += 1;
      body = linesInBraces(token, depth + 1);
    }
    return { file: first.file, line: first.line, name: word(first).text, args, body };
  };

  /** Keys up to a `{`, or up to the end of their line; after a comma more may stand on the next. */
  const keysOf = (): Word[] => {
    const keys: Word[] = [];
    for (let isOpen = true; ;) {
      const token = tokens[at];
      if (token === undefined || isBrace(token, "{")) {
        if (isOpen && keys.length > 0 && token === undefined)
          throw faultAt(end(), "another name should follow the comma");
        return keys;
      }
      if (isBrace(token, "}")) throw faultAt(token, "a } stands here, and no { before it");
      if (token.startsLine && keys.length > 0 && !isOpen) return keys;
      const key = word(token);
      isOpen = key.text.endsWith(",");
      for (const part of key.text.split(",")) if (part !== "") keys.push({ ...key, text: part });
      at += 1;
    }
  };

  const blocks: WrittenBlock[] = [];
  while (at < tokens.length) {
    if (isImport()) {
      imported();
      continue;
    }
    const start = tokens[at]!;
    if (isBrace(start, "{")) throw faultAt(start, "a server block begins with its zones, such as .:53");
    const keys = keysOf();
    const open = tokens[at];
    const snippet = keys.length === 1 ? /^\((.*)\)$/.exec(keys[0]!.text)?.[1] : undefined;
    if (snippet !== undefined) {
      if (open === undefined || !isBrace(open, "{"))
        throw faultAt(start, `the snippet ${quoted(snippet)} has no { after its name`);
      if (snippets.has(snippet)) throw faultAt(start, `there is a snippet ${quoted(snippet)} already`);
      at += 1;
      const from = at;
      for (let depth = 1; depth > 0; at += 1) {
        const token = tokens[at];
        if (token === undefined) throw faultAt(open, "a { begins here, and no } ends it");
        if (isBrace(token, "{")) depth += 1;
        if (isBrace(token, "}")) depth -= 1;
      }
      snippets.set(snippet, tokens.slice(from, at - 1));
      continue;
    }
    let directives: Line[];
    if (open !== undefined && isBrace(open, "{")) {
      at += 1;
      directives = linesInBraces(open, 1);
    } else {
      // The only block of a file needs no braces.
      directives = [];
      while (at < tokens.length) {
        if (isImport()) imported();
        else if (isBrace(tokens[at], "}")) throw faultAt(tokens[at]!, "a } stands here, and no { before it");
        else directives.push(line(1));
      }
    }
    blocks.push({ file: start.file, line: start.line, keys, directives });
  }
  return blocks;
}
