/** One number that grows or stands for something now. Whoever counts often keeps it: counting is one addition. */
export interface Cell {
  value: number;
}

/** A metric of which there is one number for each combination of labels. */
export interface Family {
  /** The number for these values, in the order of the family's labels; made when first asked for. */
  of(...values: readonly string[]): Cell;
}

/** How often a number fell into each of some ranges. Whoever counts often keeps it. */
export interface Ranges {
  observe(value: number): void;
}

/** A metric of which there are ranges for each combination of labels. */
export interface Histogram {
  observe(value: number, ...values: readonly string[]): void;
  /** The ranges for these values; made when first asked for. */
  of(...values: readonly string[]): Ranges;
}

/** Numbers that are only known when somebody asks: label values, and the number. */
export type Readings = Iterable<readonly [values: readonly string[], value: number]>;

/** A set of metrics, told in the text format of Prometheus (version 0.0.4). */
export interface Metrics {
  counter(name: string, help: string, labels: readonly string[]): Family;
  gauge(name: string, help: string, labels: readonly string[]): Family;
  /** `buckets`: upper bounds, rising; what is larger falls into `+Inf`. */
  histogram(name: string, help: string, labels: readonly string[], buckets: readonly number[]): Histogram;
  /** A gauge, or a counter that somebody else counts, read whenever the text is. */
  read(
    type: "gauge" | "counter",
    name: string,
    help: string,
    labels: readonly string[],
    readings: () => Readings | Promise<Readings>,
  ): void;
  /** All metrics, by name. A reading that fails is left out, and told to `failed`. */
  text(failed: (name: string, error: unknown) => void): Promise<string>;
}

const escapedValue = (value: string): string =>
  value
    .replaceAll("\\", String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll("\n", String.raw`\n`);
const escapedHelp = (help: string): string => help.replaceAll("\\", String.raw`\\`).replaceAll("\n", String.raw`\n`);

const number = (value: number): string => (value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value));

function sample(name: string, labels: readonly string[], values: readonly string[], value: number): string {
  const pairs = labels.map((label, index) => `${label}="${escapedValue(values[index] ?? "")}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${number(value)}\n`;
}

/** No label value has it: it is cut off where values are read. */
const SEPARATOR = "\u0000";

class Counted implements Ranges {
  readonly values: readonly string[];
  readonly bounds: readonly number[];
  readonly buckets: number[];
  sum = 0;
  count = 0;

  constructor(values: readonly string[], bounds: readonly number[]) {
    this.values = values;
    this.bounds = bounds;
    this.buckets = bounds.map(() => 0);
  }

  observe(value: number): void {
    const { bounds, buckets } = this;
    let index = 0;
    while (index < bounds.length && value > bounds[index]!) index++;
    if (index < bounds.length) buckets[index]!++;
    this.sum += value;
    this.count++;
  }
}

export function createMetrics(): Metrics {
  const written = new Map<string, { readonly head: string; readonly samples: () => string | Promise<string> }>();
  const add = (type: string, name: string, help: string, samples: () => string | Promise<string>): void => {
    written.set(name, { head: `# HELP ${name} ${escapedHelp(help)}\n# TYPE ${name} ${type}\n`, samples });
  };

  const family = (type: string, name: string, help: string, labels: readonly string[]): Family => {
    const cells = new Map<string, { readonly values: readonly string[]; readonly cell: Cell }>();
    add(type, name, help, () =>
      [...cells.values()].map(({ values, cell }) => sample(name, labels, values, cell.value)).join(""),
    );
    return {
      of(...values) {
        const key = values.join(SEPARATOR);
        let found = cells.get(key);
        if (found === undefined) cells.set(key, (found = { values, cell: { value: 0 } }));
        return found.cell;
      },
    };
  };

  return {
    counter: (name, help, labels) => family("counter", name, help, labels),
    gauge: (name, help, labels) => family("gauge", name, help, labels),
    histogram(name, help, labels, bounds) {
      const counted = new Map<string, Counted>();
      const textOf = ({ values, buckets, sum, count }: Counted): string => {
        let below = 0;
        const lines = bounds.map((bound, index) => {
          below += buckets[index]!;
          return sample(`${name}_bucket`, [...labels, "le"], [...values, number(bound)], below);
        });
        lines.push(sample(`${name}_bucket`, [...labels, "le"], [...values, "+Inf"], count));
        lines.push(sample(`${name}_sum`, labels, values, sum), sample(`${name}_count`, labels, values, count));
        return lines.join("");
      };
      add("histogram", name, help, () => [...counted.values()].map(textOf).join(""));
      const of = (...values: readonly string[]): Counted => {
        const key = values.join(SEPARATOR);
        let found = counted.get(key);
        if (found === undefined) counted.set(key, (found = new Counted(values, bounds)));
        return found;
      };
      return { of, observe: (value, ...values) => of(...values).observe(value) };
    },
    read(type, name, help, labels, readings) {
      add(type, name, help, async () =>
        [...(await readings())].map(([values, value]) => sample(name, labels, values, value)).join(""),
      );
    },
    async text(failed) {
      const parts: string[] = [];
      for (const [name, { head, samples }] of [...written].sort(([one], [other]) => (one < other ? -1 : 1))) {
        try {
          const text = await samples();
          if (text !== "") parts.push(head, text);
        } catch (error) {
          failed(name, error);
        }
      }
      return parts.join("");
    },
  };
}
