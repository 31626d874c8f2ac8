import { Worker } from "node:worker_threads";
import { isScalar, LineCounter, parseDocument, stringify, visit, type ScalarTag, type Tags } from "yaml";

/** How often YAML aliases may be written out. */
const MAXIMUM_ALIASES = 100;
/** Brackets and dashes that may open one after another: more than may ever nest. */
const MAXIMUM_OPEN = 100;
/** How long a body may take. */
const PATIENCE_MS = 30_000;

/** What a YAML text holds, with sentences about keys that are there twice; or why it is none. */
export type ReadYaml = { readonly value: unknown; readonly twice: readonly string[] } | { readonly fault: string };

const OPENS = new RegExp(`[[{]{${MAXIMUM_OPEN + 1}}|(?:-\\s){${MAXIMUM_OPEN + 1}}`);

type Tag = Tags[number];

/** Times and base 60 are only texts to Go. */
const isRead = (tag: Tag): boolean =>
  typeof tag === "string" || (!/timestamp|binary/.test(tag.tag) && tag.format !== "TIME");

const takesDot = (tag: Tag): tag is ScalarTag =>
  typeof tag !== "string" && "test" in tag && tag.test !== undefined && tag.test.test(".");

/** The library takes a dot alone, which is a key of `managedFields`, for a number. */
const betterFloat = (tag: Tag): Tag =>
  takesDot(tag) ? { ...tag, test: /^[-+]?(?:\d[\d_]*\.[\d_]*|\.\d[\d_]*)$/ } : tag;

/** Reads YAML 1.1 as Go's parser does: `yes` is true, dates stay text, `!!binary` is the text it stands for, `12:30` is no number. */
export function readYaml(text: string): ReadYaml {
  // The parser is recursive: what opens more than may ever nest is refused before it starts.
  if (OPENS.test(text) || OPENS.test(text.replaceAll(/\s/g, "")))
    return { fault: `the body is nested deeper than ${MAXIMUM_OPEN} levels` };
  const twice: string[] = [];
  try {
    const lines = new LineCounter();
    const document = parseDocument(text, {
      version: "1.1",
      // The library compares each key with all before it: a minute for a body of the size that is allowed.
      uniqueKeys: false,
      customTags: (tags) => [
        ...tags.filter(isRead).map(betterFloat),
        {
          tag: "tag:yaml.org,2002:binary",
          resolve: (base64: string) => Buffer.from(base64, "base64").toString("utf8"),
        },
      ],
      logLevel: "error",
      lineCounter: lines,
    });
    const [error] = document.errors;
    if (error !== undefined) throw error;
    let aliases = 0;
    visit(document, {
      Map(_, map) {
        const keys = new Set<unknown>();
        for (const { key } of map.items) {
          const name = isScalar(key) ? key.value : key;
          if (keys.has(name) && name !== "<<") {
            const place = isScalar(key) && key.range ? lines.linePos(key.range[0]).line : 0;
            twice.push(`line ${place}: key ${JSON.stringify(name)} already set in map`);
          }
          keys.add(name);
        }
      },
      Alias() {
        aliases += 1;
        if (aliases > MAXIMUM_ALIASES) throw new Error(`it has more than ${MAXIMUM_ALIASES} aliases`);
      },
    });
    return { value: document.toJS({ maxAliasCount: MAXIMUM_ALIASES }), twice };
  } catch (error) {
    return { fault: `yaml: ${error instanceof Error ? error.message.split("\n", 1)[0] : String(error)}` };
  }
}

let waiting: Promise<unknown> = Promise.resolve();

function readInThread(text: string): Promise<ReadYaml> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL("./yaml.worker.ts", import.meta.url), { workerData: text });
    const impatience = setTimeout(() => end({ fault: "yaml: the body takes too long to be read" }), PATIENCE_MS);
    const end = (read: ReadYaml): void => {
      clearTimeout(impatience);
      resolve(read);
      void worker.terminate();
    };
    worker.once("message", end);
    worker.once("error", (error: Error) => end({ fault: `yaml: ${error.message}` }));
  });
}

/** As {@link readYaml}, by a thread of its own, one body after another: other requests are answered meanwhile. */
export function readYamlAside(text: string): Promise<ReadYaml> {
  const read = waiting.then(() => readInThread(text));
  waiting = read;
  return read;
}

/** An object as YAML, keys in order, as Go's library writes it. */
export const toYaml = (value: unknown): string =>
  stringify(value, {
    version: "1.1",
    aliasDuplicateObjects: false,
    indentSeq: false,
    lineWidth: 0,
    sortMapEntries: true,
  });
