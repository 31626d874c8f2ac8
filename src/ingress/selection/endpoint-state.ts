/** What is known of an endpoint beyond the plan; it outlives plans as long as the endpoint does. */
export interface EndpointState {
  /** Requests that it has not answered to the end. */
  underWay: number;
  /** Milliseconds since the epoch of a failure that no success came after; undefined: none. */
  failedAt: number | undefined;
  /** Seconds from asking to the first byte, lately; undefined: never seen. */
  latency: number | undefined;
  /** Milliseconds since the epoch when `latency` was so. */
  latencyAt: number;
  /** Sessions begun, each counting for less as time goes. */
  begun: number;
  /** Milliseconds since the epoch when `begun` was so. */
  begunAt: number;
  /** When it has its next turn, in the time of its backend's turns; undefined: it has had none. */
  due: number | undefined;
}

/** For so many milliseconds after a failure an endpoint is passed over where there are others. */
const PASSED_OVER = 1000;
/** Milliseconds after which a latency counts for a third, as in ingress-nginx. */
const LATENCY_FADES = 10_000;
/** Milliseconds after which a new session counts for a third. */
const BEGUN_FADES = 300_000;

export const newState = (): EndpointState => ({
  underWay: 0,
  failedAt: undefined,
  latency: undefined,
  latencyAt: 0,
  begun: 0,
  begunAt: 0,
  due: undefined,
});

/** Time may go backwards; then nothing has faded. */
const faded = (value: number, milliseconds: number, constant: number): number =>
  milliseconds <= 0 ? value : value * Math.exp(-milliseconds / constant);

export const hasFailedLately = ({ failedAt }: EndpointState, now: number): boolean =>
  failedAt !== undefined && now - failedAt < PASSED_OVER;

/** Seconds. What is not asked fades, so that it is tried again one day. */
export const latencyOf = (state: EndpointState, now: number): number | undefined =>
  state.latency === undefined ? undefined : faded(state.latency, now - state.latencyAt, LATENCY_FADES);

/** Moving average that follows a rise at once and a fall slowly (peak EWMA). */
export function sawLatency(state: EndpointState, seconds: number, now: number): void {
  const before = state.latency;
  const kept = faded(1, now - state.latencyAt, LATENCY_FADES);
  state.latency = before === undefined || seconds > before * kept ? seconds : before * kept + seconds * (1 - kept);
  state.latencyAt = now;
}

export const begunLately = (state: EndpointState, now: number): number =>
  faded(state.begun, now - state.begunAt, BEGUN_FADES);

export function sessionBegan(state: EndpointState, now: number): void {
  state.begun = begunLately(state, now) + 1;
  state.begunAt = now;
}
