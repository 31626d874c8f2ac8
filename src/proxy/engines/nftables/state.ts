import type { IPFamily } from "../../../net/ip.ts";
import type { NftPart, PortPart } from "./compile.ts";
import { ElementTable, type Element } from "./elements.ts";
import type { NftFrame } from "./frame.ts";
import { MAX_ENDPOINT, MAX_PORT_NUMBER, MAX_SHAPE, PORT_SHIFT, priorityNumber, priorityText } from "./listid.ts";
import type { NumberSource, PortNumbers } from "./numbering.ts";
import { shapeName, type Shape } from "./shape.ts";

/** A Service as it was applied. */
export interface AppliedPart {
  readonly part: NftPart;
  readonly numbers: ReadonlyMap<string, PortNumbers>;
  readonly elements: readonly Element[];
}

export interface KnownShape {
  readonly family: IPFamily;
  readonly shape: Shape;
  readonly number: number;
}

const FAMILIES = ["IPv4", "IPv6"] as const;

/** What the kernel holds of ours, and the numbers that stand in it. Changed only when nft has said yes. */
export class NftState implements NumberSource {
  readonly table = new ElementTable();
  readonly parts = new Map<string, AppliedPart>();
  frame: NftFrame | undefined;
  /** Where the rules of the fixed chains are: `ip fairlead nat_pre handle 7`. */
  rules: readonly string[] = [];
  /** Families whose table is there, and the value of its generation marker. */
  readonly generations = new Map<IPFamily, number>();
  /** Families whose table has another layout: it goes in the transaction that makes the new one. */
  readonly foreignLayouts = new Set<IPFamily>();
  /** Grows with every transaction; gives endpoint numbers too, so that a restart does not repeat recent ones. */
  counter = 0;
  readonly #shapes = new Map<string, KnownShape>();
  readonly #shapeNumbers = { IPv4: new Set<number>(), IPv6: new Set<number>() };
  /** Shapes whose chains the next transaction must make. */
  readonly #dueShapes = new Map<string, KnownShape>();
  readonly #ports = { IPv4: new Set<number>(), IPv6: new Set<number>() };
  readonly #cursor = { IPv4: 0, IPv6: 0 };
  /** Numbers found in the kernel which nobody has claimed yet. */
  readonly #found = { IPv4: new Map<number, PortNumbers>(), IPv6: new Map<number, PortNumbers>() };

  /** What `read` found. */
  adopt(
    family: IPFamily,
    generation: number,
    ports: ReadonlyMap<number, PortNumbers>,
    shapes: ReadonlyMap<number, Shape>,
  ): void {
    this.generations.set(family, generation);
    this.counter = Math.max(this.counter, generation);
    for (const [port, numbers] of ports) {
      this.#found[family].set(port, numbers);
      this.#ports[family].add(port);
    }
    for (const [number, shape] of shapes) {
      const known = { family, shape, number };
      const name = `${family} ${shapeName(shape)}`;
      this.#shapes.set(name, known);
      this.#shapeNumbers[family].add(number);
      this.#dueShapes.set(name, known); // Made anew: another version of us may have written the chain.
    }
  }

  port(part: PortPart): PortNumbers {
    const { family } = part;
    for (const { map, key } of part.entrances) {
      const data = this.table.of(family, map).get(key)?.data;
      if (data === undefined) continue;
      const found = this.#found[family].get(priorityNumber(data) >>> PORT_SHIFT);
      if (found === undefined) continue;
      this.#found[family].delete(found.port);
      return found;
    }
    const used = this.#ports[family];
    if (used.size >= MAX_PORT_NUMBER) {
      throw new RangeError(`numbering ${part.id}: there are ${used.size} Service ports, the most a table can have`);
    }
    // Round and round, so that a number is not taken again while clients of its former Service are remembered.
    do this.#cursor[family] = (this.#cursor[family] % MAX_PORT_NUMBER) + 1;
    while (used.has(this.#cursor[family]));
    used.add(this.#cursor[family]);
    return { port: this.#cursor[family], slots: {}, endpoints: new Map() };
  }

  release(family: IPFamily, port: number): void {
    this.#ports[family].delete(port);
  }

  /** Numbers found and claimed by nobody are free. */
  forgetFound(): void {
    for (const family of FAMILIES) {
      for (const port of this.#found[family].keys()) this.#ports[family].delete(port);
      this.#found[family].clear();
    }
  }

  endpoint(taken: ReadonlySet<number>): number {
    let number: number;
    do number = (this.counter++ % MAX_ENDPOINT) + 1;
    while (taken.has(number));
    return number;
  }

  shape(family: IPFamily, shape: Shape): number {
    const name = `${family} ${shapeName(shape)}`;
    const known = this.#shapes.get(name);
    if (known !== undefined) return known.number;
    const number = this.#freeShape(family);
    if (number === undefined) {
      if (shape.choice === "turn") return this.shape(family, { ...shape, choice: "random", list: undefined });
      throw new RangeError(
        `numbering ${shapeName(shape)}: ${MAX_SHAPE} sizes of lists are in use, the most there can be`,
      );
    }
    this.#shapes.set(name, { family, shape, number });
    this.#dueShapes.set(name, { family, shape, number });
    return number;
  }

  #freeShape(family: IPFamily): number | undefined {
    const used = this.#shapeNumbers[family];
    if (used.size >= MAX_SHAPE) return undefined;
    let number = 1;
    while (used.has(number)) number++;
    used.add(number);
    return number;
  }

  /** Shapes that no list has, when numbers for new ones run short; their elements go, and their chains with them. */
  idleShapes(family: IPFamily): KnownShape[] {
    const used = new Set<number>();
    for (const map of ["fe", "feo", "fer", "feor", "np", "npo"] as const) {
      for (const { data } of this.table.of(family, map).values()) used.add((priorityNumber(data!) >>> 2) & MAX_SHAPE);
    }
    return [...this.#shapes.values()].filter((one) => one.family === family && !used.has(one.number));
  }

  shapesLeft(family: IPFamily): number {
    return MAX_SHAPE - this.#shapeNumbers[family].size;
  }

  forgetShapes(shapes: readonly KnownShape[]): void {
    for (const { family, shape, number } of shapes) {
      this.#shapes.delete(`${family} ${shapeName(shape)}`);
      this.#dueShapes.delete(`${family} ${shapeName(shape)}`);
      this.#shapeNumbers[family].delete(number);
      this.table.put(family, "shapes", priorityText(number << 2), undefined);
    }
  }

  get dueShapes(): Iterable<KnownShape> {
    return this.#dueShapes.values();
  }

  /** The chains are made. Shapes stay while there is room: a packet may be on its way to one. */
  shapesMade(): void {
    for (const { family, shape, number } of this.#dueShapes.values()) {
      const held = { data: `goto ${shapeName(shape)}`, count: 1 };
      this.table.put(family, "shapes", priorityText(number << 2), held);
    }
    this.#dueShapes.clear();
  }
}
