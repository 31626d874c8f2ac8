import type { Complaints } from "./complaints.ts";
import type { ReadServicePort } from "./ports.ts";
import type { ReadSlice } from "./slice.ts";

/** What slices have that no port of the Service wants, and what of them cannot be used. */
export function tellOfSlices(slices: readonly ReadSlice[], ports: readonly ReadServicePort[], told: Complaints): void {
  for (const slice of slices) {
    for (const sentence of slice.complaints) told.add(sentence);
    // A controller puts it right by itself, a moment after the Service's ports have changed.
    if (slice.managed || slice.ports.length === 0 || slice.endpoints.length === 0) continue;
    const fits = slice.ports.some(({ name, protocol }) =>
      ports.some((port) => port.name === name && port.protocol === protocol),
    );
    if (fits) continue;
    const label = ({ name, protocol }: { name: string; protocol: string }): string =>
      `${JSON.stringify(name)}/${protocol}`;
    told.add(
      `EndpointSlice ${slice.name} has ports ${slice.ports.map(label).join(", ")}; the Service's are ${ports.map(label).join(", ")}, so it is not used`,
    );
  }
}
