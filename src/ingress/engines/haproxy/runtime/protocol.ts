/** A command of HAProxy's runtime API, and what its answer must be like. */
export interface Command {
  /** With its payload, if it has one; without the line's end. */
  readonly text: string;
  /** Undefined: it was done. Else why not, in HAProxy's words. */
  readonly complaint: (answer: string) => string | undefined;
}

/** Bytes of a payload in one command; HAProxy reads one into a buffer of `tune.bufsize`. */
const PAYLOAD = 16_384;

/** Answers nothing when all is well. */
const silent = (answer: string): string | undefined => (answer === "" ? undefined : answer);
/** Says in a sentence that it was done. */
const says =
  (...done: readonly RegExp[]) =>
  (answer: string): string | undefined =>
    done.some((pattern) => pattern.test(answer)) ? undefined : answer || "it answered nothing";

/** A word as the commands' reader takes it: it cuts at spaces and `;`, and reads backslashes. */
const word = (text: string): string => text.replaceAll(/[\\\s;]/g, "\\$&");

/** As many entries in a command as a payload holds. `map` may be `@VERSION map`. */
export function addToMap(map: string, entries: readonly (readonly [key: string, value: string])[]): Command[] {
  const commands: Command[] = [];
  let lines: string[] = [];
  let size = 0;
  const end = (): void => {
    if (lines.length > 0) commands.push({ text: `add map ${map} <<\n${lines.join("\n")}\n`, complaint: silent });
    lines = [];
    size = 0;
  };
  for (const [key, value] of entries) {
    const line = `${key} ${value}`;
    const bytes = Buffer.byteLength(line) + 1;
    if (size + bytes > PAYLOAD) end();
    lines.push(line);
    size += bytes;
  }
  end();
  return commands;
}

export const setInMap = (map: string, key: string, value: string): Command => ({
  text: `set map ${map} ${word(key)} ${word(value)}`,
  complaint: silent,
});

export const deleteFromMap = (map: string, key: string): Command => ({
  text: `del map ${map} ${word(key)}`,
  complaint: silent,
});

export const prepareMap = (map: string): Command => ({
  text: `prepare map ${map}`,
  complaint: says(/^New version created: \d+/),
});

/** The number in the answer to {@link prepareMap}. */
export const preparedVersion = (answer: string): string => /\d+/.exec(answer)?.[0] ?? "";

export const commitMap = (map: string, version: string): Command => ({
  text: `commit map @${version} ${map}`,
  complaint: silent,
});

export const addServer = (server: string, words: string): Command => ({
  text: `add server ${server} ${words}`,
  complaint: says(/^New server registered/),
});

export const setState = (server: string, state: "ready" | "maint"): Command => ({
  text: `set server ${server} state ${state}`,
  complaint: silent,
});

export const setWeight = (server: string, weight: number): Command => ({
  text: `set server ${server} weight ${weight}`,
  complaint: silent,
});

export const setAddress = (server: string, address: string, port: number): Command => ({
  text: `set server ${server} addr ${address} port ${port}`,
  complaint: says(/changed from/, /no need to change/),
});

/** Is refused as long as anything is connected to it. */
export const deleteServer = (server: string): Command => ({
  text: `del server ${server}`,
  complaint: says(/^Server deleted/),
});

export const newCertificate = (file: string): Command => ({
  text: `new ssl cert ${file}`,
  complaint: says(/^New empty certificate store/),
});
export const setCertificate = (file: string, text: string): Command => ({
  text: `set ssl cert ${file} <<\n${text}`,
  complaint: says(/^Transaction (created|updated)/),
});
export const commitCertificate = (file: string): Command => ({
  text: `commit ssl cert ${file}`,
  complaint: says(/Success!/),
});
export const deleteCertificate = (file: string): Command => ({
  text: `del ssl cert ${file}`,
  complaint: says(/deleted!/),
});
export const addToList = (list: string, line: string): Command => ({
  text: `add ssl crt-list ${list} <<\n${line}\n`,
  complaint: says(/Success!/),
});
/** `line` counts from 1; undefined where the file is in the list once. */
export const deleteFromList = (list: string, file: string, line: number | undefined): Command => ({
  text: `del ssl crt-list ${list} ${file}${line === undefined ? "" : `:${line}`}`,
  complaint: says(/deleted in crtlist|deleted!/),
});
export const showList = (list: string): Command => ({
  text: `show ssl crt-list -n ${list}`,
  complaint: says(/^#/),
});

/** Lines of a certificate in the answer to {@link showList}. */
export function linesOf(answer: string, file: string): number[] {
  return answer.split("\n").flatMap((line) => {
    const [, path, number] = /^(\S+):(\d+)(?:\s|$)/.exec(line) ?? [];
    return path === file ? [Number(number)] : [];
  });
}

/** In interactive mode each answer ends so. */
const PROMPT = "\n> ";

/** Takes answers apart as their bytes come. */
export class Answers {
  #text = "";

  /** Those that are whole now. */
  read(chunk: string): string[] {
    this.#text += chunk;
    const answers: string[] = [];
    for (;;) {
      const at = this.#text.indexOf(PROMPT);
      if (at < 0) return answers;
      // While a payload is read, each of its lines is asked for by a plus.
      answers.push(
        this.#text
          .slice(0, at)
          .replace(/^(?:\+ )+/, "")
          .trim(),
      );
      this.#text = this.#text.slice(at + PROMPT.length);
    }
  }
}
