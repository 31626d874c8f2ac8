import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import { hostPort } from "../../../../net/ip.ts";
import type { RouteFilters } from "../../../filters/filters.ts";
import { template } from "../../../filters/variables.ts";
import { outgoingHead, responseHead, type EndpointHeaders } from "../../../heads/forwarding.ts";
import type { Origin } from "../../../heads/origin.ts";
import { page } from "../../../heads/page.ts";
import type { IngressPlan, RoutePlan } from "../../../plan/plan.ts";
import type { Answer, RequestHead } from "../../../request.ts";
import type { Choice } from "../../../selection/selection.ts";
import type { RetryReason } from "../../../settings/settings.ts";
import type { Receiver, Sending, UpstreamFailure } from "../upstream/upstream.ts";
import type { RequestBody } from "./body.ts";
import type { Carrier, UnderWay } from "./carrier.ts";
import type { Changing } from "./changing.ts";
import { asksForPage, pageRoute } from "./error-page.ts";
import { Pacing, type Paced } from "./pacing.ts";
import type { Reply, ReplyOwner } from "./reply.ts";
import { reasonOf, triesAgain } from "./retry.ts";
import { join, type Tunnel } from "./tunnel.ts";

/** Milliseconds that a client is listened to that goes on sending after it was answered. */
const LINGER = 5000;
/** Answers of 1xx to one request; nobody has so many things to say before the answer. */
const MOST_INFORMED = 100;

const noFilters: RouteFilters = {};

/** What a request is, before anything is done with it. */
export interface Asked {
  readonly head: RequestHead;
  readonly origin: Origin;
  readonly reply: Reply;
  /** Whether the client speaks TLS with us. */
  readonly tls: boolean;
  readonly changing: Changing | undefined;
  /** What followed the body, when it has ended; undefined where nothing can. */
  readonly trailers: (() => OutgoingHttpHeaders | undefined) | undefined;
}

/**
 * One request from its head to its end: admitted, an endpoint chosen, sent, answered, logged. It is tried at another endpoint as long as its
 * client has been sent nothing.
 */
export class HttpExchange implements Receiver, ReplyOwner, Paced, UnderWay {
  readonly #carrier: Carrier;
  readonly #plan: IngressPlan;
  readonly #head: RequestHead;
  readonly #origin: Origin;
  readonly #reply: Reply;
  readonly #tls: boolean;
  readonly #trailers: (() => OutgoingHttpHeaders | undefined) | undefined;
  readonly #changing: Changing | undefined;
  readonly #at: number;
  readonly #began = performance.now();

  #body: RequestBody | undefined;
  #route: RoutePlan | undefined;
  #filters: RouteFilters = noFilters;
  #isAdmitted = false;

  #choice: Choice | undefined;
  #sending: Sending | undefined;
  /** Keys of endpoints that have failed. */
  #tried: Set<string> | undefined;
  #tries = 0;
  #askedAt = 0;
  #latency: number | undefined;
  /** `address:port` of the last endpoint that was asked, and its backend. */
  #asked: { readonly backend: string; readonly endpoint: string } | undefined;
  /** The status that a page of the default backend is asked for. */
  #pageFor: number | undefined;
  #expects = false;
  #informed = 0;

  #status: number | undefined;
  #sent = 0;
  /** Bytes of the answer's body that are still to come, where its length is known and nothing can follow; else -1. */
  #left = -1;
  /** All was said to the client. */
  #hasEnded = false;
  #pace: Pacing | undefined;
  /** What ends an answer that is held back still. */
  #lastWords: { readonly trailers: OutgoingHttpHeaders | undefined } | undefined;
  #isClosed = false;
  #tunnel: Tunnel | undefined;
  #cancelLinger: (() => void) | undefined;

  constructor(carrier: Carrier, { head, origin, reply, tls, changing, trailers }: Asked) {
    this.#carrier = carrier;
    this.#plan = carrier.plan;
    this.#head = head;
    this.#origin = origin;
    this.#reply = reply;
    this.#tls = tls;
    this.#trailers = trailers;
    this.#changing = changing;
    this.#at = carrier.clock.now();
    reply.owner = this;
    carrier.underWay.add(this);
  }

  /** By which route it goes, and with which body; undefined: there is none. */
  start(route: RoutePlan | undefined, body: RequestBody | undefined): void {
    this.#route = route;
    this.#body = body;
    if (route === undefined) {
      this.#refuse(404);
      return;
    }
    this.#filters = this.#carrier.filtersOf(route);
    const verdict = this.#filters.admit?.(this.#head);
    if (!(verdict instanceof Promise)) {
      this.#decided(verdict);
      return;
    }
    verdict.then(
      (answer) => this.#decided(answer),
      (error: unknown) => {
        this.#carrier.log.error({ route: route.id, error }, "deciding whether a request may go on has failed");
        this.#decided({ status: 500 });
      },
    );
  }

  /** The body has more than it may. */
  tooLarge(): void {
    if (this.#isClosed) return;
    this.#sending?.abort();
    this.#sending = undefined;
    this.#settle("ended");
    if (this.#reply.hasBegun) this.#reply.cut();
    else this.#refuse(413);
  }

  cut(): void {
    if (this.#tunnel === undefined) this.#reply.cut();
    else this.#tunnel.cut();
  }

  #decided(answer: Answer | undefined): void {
    if (answer === undefined) {
      this.#isAdmitted = true;
      if (this.#isClosed) this.#filters.ended?.(this.#head);
      else this.#admitted(this.#route!);
    } else if (!this.#isClosed) this.#answer(answer);
  }

  #admitted(route: RoutePlan): void {
    const { maximumBody } = route.settings;
    const { headers } = this.#head;
    if (maximumBody !== undefined && Number(headers["content-length"] ?? 0) > maximumBody) {
      this.#refuse(413);
      return;
    }
    this.#expects = headers.expect !== undefined;
    const { mirror } = route.settings;
    if (mirror !== undefined) {
      if (this.#body === undefined || !mirror.body) this.#mirror(route, undefined);
      else this.#body.isWanted = true;
    }
    const choice = this.#carrier.selection.choose(route, this.#plan, this.#head);
    if (choice === undefined) this.#refuse(503);
    else this.#ask(choice, route);
  }

  #ask(choice: Choice, route: RoutePlan): void {
    const { backend, endpoint } = choice;
    const { protocol } = backend.settings;
    this.#choice = choice;
    this.#tries += 1;
    this.#asked = { backend: backend.id, endpoint: hostPort(endpoint.address, endpoint.port) };
    const { timeouts } = route.settings;
    const upstream = this.#carrier.upstreams.of(backend, endpoint, timeouts.connect);
    const isRpc = protocol === "GRPC" || protocol === "GRPCS";
    const outgoing = outgoingHead(this.#head, this.#origin, { trailers: isRpc });
    try {
      this.#filters.forward?.(outgoing, this.#head);
    } catch (error) {
      this.failed({ reason: "error", isFinal: true, isUnseen: true, error: error as Error });
      return;
    }
    const isPage = this.#pageFor !== undefined;
    if (isPage) asksForPage(outgoing, this.#pageFor!, this.#head, this.#route!, this.#plan);
    else if (this.#body !== undefined && this.#head.headers.trailer !== undefined) {
      outgoing.headers["trailer"] = this.#head.headers.trailer;
    }
    this.#askedAt = performance.now();
    this.#sending = upstream.send(
      {
        method: isPage ? "GET" : this.#head.method,
        target: outgoing.target,
        headers: outgoing.headers,
        body: isPage ? undefined : this.#body?.send(),
        ...(this.#trailers === undefined || isPage ? {} : { trailers: this.#trailers }),
        upgrade: isPage ? undefined : this.#changing?.protocol,
        timeouts,
      },
      this,
    );
  }

  sent(): void {
    if (!this.#expects) return;
    this.#expects = false;
    this.#reply.goOn();
  }

  informed(status: number, headers: IncomingHttpHeaders): void {
    this.#informed += 1;
    if (this.#informed > MOST_INFORMED) {
      this.#broken(new Error(`the endpoint has said more than ${MOST_INFORMED} times that it will answer`));
      return;
    }
    if (this.#reply.hasBegun) return;
    try {
      this.#reply.inform(status, responseHead(status, headers, this.#head.requestId).headers as IncomingHttpHeaders);
    } catch (error) {
      // A word on the way that cannot be said is left out.
      this.#carrier.log.debug({ route: this.#route?.id, ...this.#asked, status, error }, "a 1xx is not passed on");
    }
  }

  answered(status: number, headers: IncomingHttpHeaders, isWhole: boolean): void {
    this.#latency ??= (performance.now() - this.#askedAt) / 1000;
    const reason = reasonOf(status);
    if (reason !== undefined && this.#pageFor === undefined && this.#goesElsewhere(reason, false)) return;
    if (this.#asksForPage(status)) return;
    this.#begin(status, headers, isWhole);
  }

  #begin(status: number, came: EndpointHeaders, isWhole: boolean): void {
    this.#body?.forget();
    const response = responseHead(status, came, this.#head.requestId);
    try {
      this.#filters.respond?.(response, this.#head);
    } catch (error) {
      this.#broken(error);
      return;
    }
    const { headers } = response;
    this.#setCookie(headers);
    this.#status = response.status;
    const isBare = isWhole || this.#head.method === "HEAD" || response.status === 204 || response.status === 304;
    const length = headers["content-length"];
    const isRpc = this.#choice?.backend.settings.protocol.startsWith("GRPC") === true;
    const rate = this.#filters.sendRate;
    if (rate !== undefined) this.#pace = new Pacing(rate, this.#carrier.clock, this);
    this.#left = !isRpc && rate === undefined && typeof length === "string" ? Number(length) : -1;
    if (this.#carrier.isDraining && this.#head.protocol !== "HTTP/2.0") headers["connection"] = "close";
    try {
      const follows = isBare ? "nothing" : this.#left >= 0 ? "body" : "body, perhaps trailers";
      this.#reply.begin(response.status, headers, follows);
    } catch (error) {
      this.#broken(error);
    }
  }

  /** What the endpoint says cannot be said to the client. */
  #broken(error: unknown): void {
    this.#sending?.abort();
    this.failed({ reason: "invalid_header", isFinal: true, isUnseen: false, error: error as Error });
  }

  #setCookie(headers: OutgoingHttpHeaders): void {
    const ours = this.#choice?.setCookie;
    if (ours === undefined) return;
    const theirs = headers["set-cookie"];
    headers["set-cookie"] = theirs === undefined ? [ours] : Array.isArray(theirs) ? [...theirs, ours] : [theirs, ours];
  }

  piece(chunk: Buffer): void {
    if (this.#pace !== undefined) {
      this.#sending?.pause();
      this.#pace.put(chunk);
      return;
    }
    this.#sent += chunk.length;
    if (this.#left > 0) {
      this.#left -= chunk.length;
      if (this.#left === 0) {
        this.#hasEnded = true;
        this.#reply.end(chunk);
        return;
      }
    }
    if (!this.#reply.write(chunk)) this.#sending?.pause();
  }

  drained(): void {
    if (this.#pace === undefined) this.#sending?.resume();
    else this.#pace.drained();
  }

  write(chunk: Buffer): boolean {
    this.#sent += chunk.length;
    return this.#reply.write(chunk);
  }

  free(): void {
    this.#sending?.resume();
    if (this.#lastWords !== undefined) this.#end(this.#lastWords.trailers);
  }

  ended(trailers: IncomingHttpHeaders | undefined): void {
    this.#sending = undefined;
    this.#settle("ended");
    const last = hasAny(trailers) ? trailers : undefined;
    if (this.#pace?.isHolding === true) this.#lastWords = { trailers: last };
    else this.#end(last);
  }

  #end(trailers: OutgoingHttpHeaders | undefined): void {
    this.#lastWords = undefined;
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.#reply.end(undefined, trailers);
    }
    this.#linger();
  }

  failed(failure: UpstreamFailure): void {
    this.#sending = undefined;
    if (this.#isClosed) {
      this.#settle("failed");
      return;
    }
    if (this.#reply.hasBegun) {
      this.#settle("failed");
      this.#tell(failure, "an answer broke off: its client is told by a reset");
      this.#reply.cut(failure.rst);
      return;
    }
    if (!failure.isFinal && this.#goesElsewhere(failure.reason, failure.isUnseen)) return;
    this.#settle("failed");
    this.#tell(failure, "a request was not answered");
    this.#refuse(failure.reason === "timeout" ? 504 : 502);
  }

  upgraded(status: number, came: IncomingHttpHeaders, socket: Duplex): void {
    this.#sending = undefined;
    const changing = this.#changing;
    if (changing === undefined || this.#isClosed) {
      socket.destroy();
      return;
    }
    this.#latency = (performance.now() - this.#askedAt) / 1000;
    const response = responseHead(status, came, this.#head.requestId);
    let client: Duplex;
    try {
      this.#filters.respond?.(response, this.#head);
      this.#setCookie(response.headers);
      client = changing.accept(status, response.headers);
    } catch (error) {
      socket.destroy();
      this.failed({ reason: "invalid_header", isFinal: true, isUnseen: false, error: error as Error });
      return;
    }
    this.#status = status;
    this.#reply.owner = undefined;
    const { clock } = this.#carrier;
    const tunnel = join(client, socket, this.#route!.settings.timeouts.tunnel, clock, () => {
      this.#sent = tunnel.carried.sent;
      this.#settle("ended");
      this.#finish(tunnel.carried.received);
    });
    this.#tunnel = tunnel;
  }

  closed(isWell: boolean): void {
    if (!isWell) {
      this.#sending?.abort();
      this.#sending = undefined;
      this.#status ??= 499;
      this.#body?.discard();
    }
    this.#settle("ended");
    this.#finish(this.#body?.received ?? 0);
  }

  /** Tries it at another endpoint, if it may be and there is one. */
  #goesElsewhere(reason: RetryReason, isUnseen: boolean): boolean {
    const route = this.#pageFor === undefined ? this.#route! : pageRoute(this.#route!);
    const choice = this.#choice!;
    const tried = (this.#tried ??= new Set());
    tried.add(choice.endpoint.key);
    // The one in force knows which endpoints have come and gone meanwhile.
    const { plan } = this.#carrier;
    const now = plan.backends.get(choice.backend.id);
    const from = now === undefined ? this.#plan : plan;
    const hasOther = (now ?? choice.backend).endpoints.some(({ key }) => !tried.has(key));
    const isConnection = reason === "error" || reason === "timeout" || reason === "invalid_header";
    if (!isConnection && !hasOther) return false;
    const goes = triesAgain(route.settings.retry, {
      reason,
      method: this.#head.method,
      isUnseen,
      tries: this.#tries,
      elapsed: performance.now() - this.#began,
      hasOther,
      isRepeatable: this.#body === undefined || this.#body.isWhole,
    });
    if (!goes) return false;
    this.#sending?.abort();
    this.#sending = undefined;
    this.#settle("failed");
    this.#latency = undefined;
    this.#carrier.log.debug({ route: route.id, ...this.#asked, reason }, "a request is tried once more");
    // Later, so that other connections that have ended at the same time are known to be.
    setImmediate(() => {
      if (this.#isClosed) return;
      const next = this.#carrier.selection.choose(route, from, this.#head, { endpoints: tried });
      if (next === undefined) this.#refuse(503);
      else this.#ask(next, route);
    });
    return true;
  }

  /** Takes the default backend's page instead of an answer with such a status, where the route says so. */
  #asksForPage(status: number): boolean {
    const route = this.#route;
    const pages = route?.settings.errorPages;
    if (pages === undefined || this.#pageFor !== undefined || !pages.codes.includes(status)) return false;
    if (pages.backend === undefined || this.#changing !== undefined) return false;
    const instead = pageRoute(route!);
    const next = this.#carrier.selection.choose(instead, this.#plan, this.#head);
    if (next === undefined) return false;
    this.#sending?.abort();
    this.#sending = undefined;
    this.#settle("ended");
    this.#pageFor = status;
    this.#tried = undefined;
    this.#tries = 0;
    this.#ask(next, instead);
    return true;
  }

  /** An answer of our own for what cannot be done. */
  #refuse(status: number): void {
    if (this.#isAdmitted && this.#asksForPage(status)) return;
    this.#answer({ status: this.#pageFor ?? status });
  }

  #answer({ status, headers, body }: Answer): void {
    const { accept } = this.#head.headers;
    const short = body === undefined && headers?.["content-length"] === undefined ? page(status, accept) : undefined;
    const text = body ?? short?.body ?? "";
    const response = {
      status,
      headers: {
        "content-type": "text/plain; charset=utf-8",
        ...short?.headers,
        ...headers,
        "content-length": String(Buffer.byteLength(text)),
        "x-request-id": this.#head.requestId,
      } as OutgoingHttpHeaders,
    };
    this.#filters.respond?.(response, this.#head);
    if (this.#carrier.isDraining && this.#head.protocol !== "HTTP/2.0") response.headers["connection"] = "close";
    const isBare = this.#head.method === "HEAD" || status === 204 || status === 304 || text === "";
    this.#status = response.status;
    this.#hasEnded = true;
    if (status === 204 || status === 304) delete response.headers["content-length"];
    try {
      this.#reply.begin(response.status, response.headers, isBare ? "nothing" : "body");
    } catch (error) {
      this.#carrier.log.error({ route: this.#route?.id, status, error }, "an answer of our own cannot be said");
      this.#reply.cut();
      return;
    }
    if (isBare) this.#reply.end();
    else {
      this.#sent = Buffer.byteLength(text);
      this.#reply.end(text);
    }
    this.#linger();
  }

  /** A client may be sending still: it is let finish, for a while, so that it gets to read its answer. */
  #linger(): void {
    const body = this.#body;
    if (body === undefined || body.hasEnded) return;
    body.discard();
    this.#cancelLinger = this.#carrier.clock.after(LINGER, () => {
      if (!body.hasEnded) this.#reply.hangUp();
    });
  }

  /** The choice in force has come to its end. */
  #settle(outcome: "ended" | "failed"): void {
    const choice = this.#choice;
    if (choice === undefined) return;
    this.#choice = undefined;
    choice.done(outcome, this.#latency);
  }

  #tell({ error, reason }: UpstreamFailure, message: string): void {
    this.#carrier.log.warn(
      { route: this.#route?.id, ...this.#asked, tries: this.#tries, reason, error: error.message },
      message,
    );
  }

  #mirror(route: RoutePlan, body: Buffer | undefined): void {
    const { url, host } = route.settings.mirror!;
    const { headers } = outgoingHead(this.#head, this.#origin);
    delete headers["content-length"];
    if (host === undefined) delete headers["host"];
    else headers["host"] = host;
    this.#carrier.mirror.send({ url: template(url, route)(this.#head), method: this.#head.method, headers, body });
  }

  #finish(received: number): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { carrier, head, route } = { carrier: this.#carrier, head: this.#head, route: this.#route };
    carrier.underWay.delete(this);
    this.#pace?.stop();
    this.#cancelLinger?.();
    const copy = this.#body?.isWanted === true ? this.#body.kept : undefined;
    if (copy !== undefined && route !== undefined) this.#mirror(route, Buffer.concat(copy));
    if (this.#isAdmitted) this.#filters.ended?.(head);
    if (route !== undefined && !route.settings.accessLog) return;
    carrier.accessLog?.({
      at: this.#at,
      duration: (performance.now() - this.#began) / 1000,
      client: head.client,
      protocol: head.protocol,
      tls: this.#tls,
      method: head.method,
      host: head.host,
      target: head.target,
      status: this.#status ?? 499,
      received,
      sent: this.#sent,
      userAgent: head.headers["user-agent"],
      referer: head.headers.referer,
      requestId: head.requestId,
      route: route === undefined ? undefined : { ingress: route.ingress, host: route.host, path: route.path },
      backend:
        this.#asked === undefined
          ? undefined
          : {
              id: this.#asked.backend,
              endpoint: this.#asked.endpoint,
              latency: this.#latency ?? 0,
              tries: this.#tries,
            },
    });
  }
}

function hasAny(headers: IncomingHttpHeaders | undefined): headers is IncomingHttpHeaders {
  for (const _ in headers) return true;
  return false;
}
