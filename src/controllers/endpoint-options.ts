/** How the controllers of EndpointSlices and Endpoints work; each is named as kube-controller-manager's flag (CTL-053). */
export interface EndpointOptions {
  /** Milliseconds by which work that pods bring about is put off, so that more of it comes together; 0. */
  readonly endpointSliceUpdatesBatchPeriod: number;
  readonly endpointUpdatesBatchPeriod: number;
  readonly mirroringEndpointSliceUpdatesBatchPeriod: number;
  /** Services worked on at the same time; 5. */
  readonly concurrentServiceEndpointSyncs: number;
  readonly concurrentEndpointSyncs: number;
  readonly mirroringConcurrentServiceEndpointSyncs: number;
  /** CTL-036: endpoints of a slice; 100. */
  readonly maxEndpointsPerSlice: number;
  /** CTL-086: addresses of a subset that are mirrored; 1000. */
  readonly mirroringMaxEndpointsPerSubset: number;
}

const DEFAULTS: EndpointOptions = {
  endpointSliceUpdatesBatchPeriod: 0,
  endpointUpdatesBatchPeriod: 0,
  mirroringEndpointSliceUpdatesBatchPeriod: 0,
  concurrentServiceEndpointSyncs: 5,
  concurrentEndpointSyncs: 5,
  mirroringConcurrentServiceEndpointSyncs: 5,
  maxEndpointsPerSlice: 100,
  mirroringMaxEndpointsPerSubset: 1000,
};

/** Least and most, as kube-controller-manager takes them. */
const BOUNDS: Readonly<Record<keyof EndpointOptions, readonly [least: number, most: number]>> = {
  endpointSliceUpdatesBatchPeriod: [0, Infinity],
  endpointUpdatesBatchPeriod: [0, Infinity],
  mirroringEndpointSliceUpdatesBatchPeriod: [0, Infinity],
  concurrentServiceEndpointSyncs: [1, 50],
  concurrentEndpointSyncs: [1, Infinity],
  mirroringConcurrentServiceEndpointSyncs: [1, 50],
  maxEndpointsPerSlice: [1, 1000],
  mirroringMaxEndpointsPerSubset: [1, 1000],
};

/**
 * What was given, with the defaults for what was not.
 *
 * @throws RangeError that names the option, what it is and what it may be
 */
export function endpointOptions(given: Partial<EndpointOptions> = {}): EndpointOptions {
  const options = { ...DEFAULTS, ...given };
  for (const [name, [least, most]] of Object.entries(BOUNDS)) {
    const value = options[name as keyof EndpointOptions];
    const isWhole = Number.isInteger(value) || name.endsWith("Period");
    if (isWhole && value >= least && value <= most) continue;
    const range = most === Infinity ? `at least ${least}` : `from ${least} to ${most}`;
    throw new RangeError(
      `${name} is ${value}; it should be a ${name.endsWith("Period") ? "" : "whole "}number ${range}`,
    );
  }
  return options;
}
