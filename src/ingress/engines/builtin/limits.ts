/** What one client may take. Times in milliseconds, sizes in bytes. */
export interface ConnectionLimits {
  /** To the first byte of a request, and from it to the end of the head. */
  readonly head: number;
  /** Of a TLS handshake. */
  readonly handshake: number;
  /** Of a PROXY protocol header. */
  readonly proxyHeader: number;
  /** Between two requests. */
  readonly idle: number;
  /** Without a byte of a body that is waited for. */
  readonly body: number;
  /** Without the client taking anything of what is to be sent. */
  readonly send: number;
  /** Of a head over HTTP/1; more is answered 431. */
  readonly headSize: number;
  /** Header lines of a request; more is answered 431. */
  readonly headerCount: number;
  /** Requests over HTTP/1 that were sent before the answers of earlier ones. */
  readonly pipelined: number;
  /** Requests of one HTTP/2 connection at one time. */
  readonly streams: number;
  /** Bytes of bodies of one HTTP/2 connection that nobody has taken yet. */
  readonly window: number;
  /** How long an idle connection is kept when we stop: a request may be on its way. */
  readonly farewell: number;
  /** From the last byte we send on a connection that is being ended to its end; what comes meanwhile is passed over. */
  readonly linger: number;
  /** How often connections are looked at for what has gone on for too long. */
  readonly sweep: number;
}

export const LIMITS: ConnectionLimits = {
  head: 60_000,
  handshake: 10_000,
  proxyHeader: 10_000,
  idle: 75_000,
  body: 60_000,
  send: 60_000,
  headSize: 32 << 10,
  headerCount: 256,
  pipelined: 256,
  streams: 128,
  window: 1 << 20,
  farewell: 5000,
  linger: 2000,
  sweep: 1000,
};
