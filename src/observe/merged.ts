/** Metrics in the text format of Prometheus, and what their samples are to be told apart by. */
export interface Labelled {
  readonly text: string;
  /** Such as `worker="1"`. */
  readonly label: string;
}

const headOf = (line: string): string | undefined => /^# HELP (\S+)/.exec(line)?.[1];

const withLabel = (line: string, label: string): string => {
  const [, name = "", labels = "", rest = ""] = /^([^\s{]+)(?:\{(.*)\})?( \S+.*)$/s.exec(line) ?? [];
  return `${name}{${labels === "" ? label : `${labels},${label}`}}${rest}`;
};

/** Metrics of several threads as one text: each metric once, with the samples of all. They are as `createMetrics` writes them: HELP, TYPE, samples. */
export function merged(all: readonly Labelled[]): string {
  const metrics = new Map<string, { readonly head: string[]; readonly samples: string[] }>();
  for (const { text, label } of all) {
    let current: { readonly head: string[]; readonly samples: string[] } | undefined;
    let isFirst = false;
    for (const line of text.split("\n")) {
      const name = headOf(line);
      if (name !== undefined) {
        isFirst = !metrics.has(name);
        current = metrics.get(name) ?? { head: [], samples: [] };
        metrics.set(name, current);
      }
      if (line === "" || current === undefined) continue;
      if (!line.startsWith("#")) current.samples.push(withLabel(line, label));
      else if (isFirst) current.head.push(line);
    }
  }
  return [...metrics]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, { head, samples }]) => `${[...head, ...samples].join("\n")}\n`)
    .join("");
}
