import type { Ingress, Secret } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import type { Annotated } from "../annotations/annotations.ts";
import { readSecret } from "../tls/read-secret.ts";
import { planBackend, type BackendRef } from "./backends.ts";
import { planName, wildcardOf, type PlannedName } from "./certificates.ts";
import { keysOf, word, type Word } from "./changes.ts";
import { createClassJudge, type ClassOptions } from "./classes.ts";
import { Copied } from "./copied.ts";
import type { TokensOf } from "./endpoints.ts";
import { planDerived, planHost, type PlannedDerived, type PlannedHost } from "./hosts.ts";
import { Needs } from "./needs.ts";
import { EVERY_PATH } from "./paths.ts";
import type { BackendPlan, Certificate, HostPlan, IngressPlan, RoutePlan } from "./plan.ts";
import { readIngress, serviceAlone, unreadable, type Reading } from "./reading.ts";
import { shared } from "./shared.ts";
import type { ClusterView, IngressFault } from "./view.ts";

export interface PlannerOptions extends ClassOptions {
  readonly annotations: (ingress: Ingress, view: ClusterView) => Annotated;
  readonly tokensOf: TokensOf;
  /** `namespace/name` of the Service that answers where no rule matches. */
  readonly defaultBackend: string | undefined;
  /** `namespace/name` of the certificate where none is given. */
  readonly defaultCertificate: string | undefined;
  /** Where that one is not there either. */
  readonly spareCertificate: Certificate | undefined;
  /** Milliseconds since the epoch; absent: of when certificates are good nothing is told. */
  readonly now?: () => number;
  /** Something went wrong with one Ingress or backend, and what it was before stays; the others go on. `what` as in `Ingress a/b`. */
  readonly failed?: (what: string, error: unknown) => void;
}

export interface Planned {
  /** The very same as before where nothing in it changed. */
  readonly plan: IngressPlan;
  /** By Ingress, of those that have any; the very same list as before where nothing in it changed. */
  readonly faults: ReadonlyMap<string, readonly IngressFault[]>;
  /** Keys of the Ingresses that are ours. */
  readonly ours: ReadonlyMap<string, Ingress>;
  /** What cannot be done as the options say, in sentences. */
  readonly remarks: readonly string[];
}

/** A view that knows Ingresses by their keys, too. */
export interface WatchedView extends ClusterView {
  ingress(key: string): Ingress | undefined;
}

export interface Planner {
  /**
   * The plan for a view of which these words changed since the last call; only what depends on them is worked out anew. The first call
   * works out everything.
   */
  plan(view: WatchedView, changed: "everything" | Iterable<Word>): Planned;
}

/** Whose needs are those of the options. */
const OPTIONS = "";
const NOTHING: ReadonlySet<string> = new Set();
/** What is set of what the options say, as if an Ingress without annotations said it. */
const BARE: Ingress = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { namespace: "", name: "" } };

/** A view that hears which words it is asked for. */
const heard = (view: ClusterView, hear: (asked: Word) => void): ClusterView => ({
  ingresses: () => view.ingresses(),
  classes: () => view.classes(),
  service(key) {
    hear(word.service(key));
    return view.service(key);
  },
  slices(key) {
    hear(word.slices(key));
    return view.slices(key);
  },
  secret(key) {
    hear(word.secret(key));
    return view.secret(key);
  },
  configMap(key) {
    hear(word.configMap(key));
    return view.configMap(key);
  },
});

/** The hosts that a reading has a say in. */
function hostsOf(reading: Reading | undefined): ReadonlySet<string> {
  if (reading === undefined) return NOTHING;
  const all = new Set([...reading.hosts, ...reading.derived].map(({ host }) => host));
  return reading.everything === undefined ? all : all.add("");
}

const namesOf = (reading: Reading | undefined): ReadonlySet<string> => new Set(reading?.tls.map(({ name }) => name));

const saysSameOfHosts = (one: Reading | undefined, other: Reading | undefined): boolean =>
  one?.hosts === other?.hosts &&
  one?.derived === other?.derived &&
  one?.everything === other?.everything &&
  one?.canary === other?.canary &&
  one?.age === other?.age;

/** What is to be worked out in one round. */
interface Round {
  readonly hosts: Set<string>;
  readonly derived: Set<string>;
  readonly names: Set<string>;
  readonly backends: Set<string>;
  /** Ingresses whose faults are to be gathered. */
  readonly faults: Set<string>;
}

class IncrementalPlanner implements Planner {
  readonly #options: PlannerOptions;
  #isOurs: ((ingress: Ingress) => boolean) | undefined;

  readonly #readings = new Map<string, Reading>();
  /** By Ingress: the words that its reading was made of; the hosts and names that it has a say in; the backends that it uses. */
  readonly #words = new Needs();
  readonly #hosts = new Needs();
  readonly #names = new Needs();
  readonly #users = new Needs();

  readonly #refs = new Map<string, BackendRef>();
  /** By backend: the Service. */
  readonly #services = new Needs();
  /** By host: the names whose TLS is its, and the hosts whose routes it has. */
  readonly #secured = new Needs();
  readonly #origins = new Needs();

  readonly #plannedHosts = new Map<string, PlannedHost>();
  readonly #plannedDerived = new Map<string, PlannedDerived>();
  readonly #plannedNames = new Map<string, PlannedName>();
  #last: RoutePlan | undefined;
  #default: Certificate | undefined;
  #remarks: readonly string[] = [];

  readonly #hostPlans = new Copied<HostPlan>();
  readonly #backendPlans = new Copied<BackendPlan>();
  readonly #certificates = new Copied<Certificate>();
  readonly #faults = new Copied<readonly IngressFault[]>();
  readonly #ours = new Copied<Ingress>();
  #result: Planned | undefined;

  constructor(options: PlannerOptions) {
    this.#options = options;
  }

  plan(view: WatchedView, changed: "everything" | Iterable<Word>): Planned {
    const isAll = changed === "everything" || this.#isOurs === undefined;
    const words = new Set<string>(changed === "everything" ? [] : changed);
    const round: Round = {
      hosts: new Set(),
      derived: new Set(),
      names: new Set(),
      backends: new Set(isAll ? this.#refs.keys() : []),
      faults: new Set(),
    };
    const dirty = this.#dirty(view, words, isAll);
    if (isAll || dirty.delete(OPTIONS)) this.#readOptions(view, round);
    for (const key of dirty) this.#read(view.ingress(key), key, view, round);
    for (const key of keysOf(words, "service", "slices")) {
      for (const id of this.#services.needers(key)) round.backends.add(id);
    }

    for (const id of round.backends) this.#planBackend(id, view);
    for (const name of round.names) this.#planName(name, round);
    for (const host of round.hosts) this.#planHost(host, round);
    for (const host of round.derived) this.#planDerived(host, round);
    for (const name of new Set([...round.names, ...round.hosts, ...round.derived])) this.#certify(name);
    for (const key of round.faults) this.#gatherFaults(key);
    return this.#answer();
  }

  /** The Ingresses that are to be read. */
  #dirty(view: WatchedView, words: ReadonlySet<string>, isAll: boolean): Set<string> {
    const dirty = new Set(keysOf(words, "ingress"));
    for (const each of words) for (const key of this.#words.needers(each)) dirty.add(key);
    if (isAll) for (const key of this.#readings.keys()) dirty.add(key);
    const hasClasses = isAll || !keysOf(words, "class").next().done;
    if (!hasClasses) return dirty;
    const isOurs = createClassJudge(view.classes(), this.#options);
    this.#isOurs = isOurs;
    for (const ingress of view.ingresses()) {
      const key = keyOf(ingress);
      if (isOurs(ingress) !== this.#readings.has(key)) dirty.add(key);
    }
    return dirty;
  }

  #read(ingress: Ingress | undefined, key: string, view: ClusterView, round: Round): void {
    const was = this.#readings.get(key);
    const words = new Set<string>();
    const isOurs = ingress !== undefined && this.#isOurs?.(ingress) === true;
    this.#ours.set(key, isOurs ? ingress : undefined);
    const reading = isOurs ? shared(was, this.#readingOf(ingress, was, view, words)) : undefined;
    this.#words.set(key, words);
    if (reading === was) return;
    if (reading === undefined) this.#readings.delete(key);
    else this.#readings.set(key, reading);
    round.faults.add(key);
    this.#use(key, reading?.backends ?? [], round);
    if (!saysSameOfHosts(reading, was)) {
      const hosts = hostsOf(reading);
      for (const host of [...hosts, ...this.#hosts.needed(key)]) round.hosts.add(host);
      this.#hosts.set(key, hosts);
    }
    if (reading?.tls !== was?.tls || reading?.age !== was?.age) {
      const names = namesOf(reading);
      for (const name of [...names, ...this.#names.needed(key)]) round.names.add(name);
      this.#names.set(key, names);
    }
  }

  /** What an Ingress says. Where it cannot be read, for whatever reason nobody thought of, what it said before. */
  #readingOf(ingress: Ingress, was: Reading | undefined, view: ClusterView, words: Set<string>): Reading {
    const { annotations, defaultBackend, now } = this.#options;
    const context = {
      view: heard(view, (asked) => words.add(asked)),
      annotations,
      defaultBackend,
      now: now?.(),
    };
    try {
      return readIngress(ingress, context);
    } catch (error) {
      const key = keyOf(ingress);
      this.#options.failed?.(`Ingress ${key}`, error);
      // Whatever changes that it was made of before may mend it.
      for (const each of this.#words.needed(key)) words.add(each);
      return unreadable(ingress, was, error);
    }
  }

  /** Takes in which backends somebody uses. */
  #use(user: string, refs: readonly BackendRef[], round: Round): void {
    const ids = new Set(refs.map(({ id }) => id));
    for (const id of this.#users.needed(user)) if (!ids.has(id)) round.backends.add(id);
    this.#users.set(user, ids);
    for (const ref of refs) {
      if (this.#refs.has(ref.id)) continue;
      this.#refs.set(ref.id, ref);
      this.#services.set(ref.id, new Set([ref.service]));
      round.backends.add(ref.id);
    }
  }

  #readOptions(view: WatchedView, round: Round): void {
    const { annotations, defaultBackend, defaultCertificate, spareCertificate } = this.#options;
    const words = new Set<string>();
    const remarks: string[] = [];
    const own = heard(view, (asked) => words.add(asked));

    let last: RoutePlan | undefined;
    if (defaultBackend !== undefined) {
      const { settings, backend } = annotations(BARE, own);
      const common = { settings: backend, serviceUpstream: false };
      const found = serviceAlone(defaultBackend, "default backend", common, own);
      if ("reason" in found) remarks.push(`the default backend: ${found.message}`);
      else this.#use(OPTIONS, [found], round);
      last = {
        id: "default:",
        ingress: { namespace: "", name: "" },
        host: "",
        match: EVERY_PATH,
        path: "/",
        settings: { ...settings, httpsRedirect: undefined },
        backend: "reason" in found ? undefined : found.id,
        affinity: undefined,
        canaries: [],
      };
      if (last.backend === undefined) this.#use(OPTIONS, [], round);
    }
    last = shared(this.#last, last);
    if (last !== this.#last) for (const host of [...this.#plannedHosts.keys(), ""]) round.hosts.add(host);
    this.#last = last;

    const secret = defaultCertificate === undefined ? undefined : own.secret(defaultCertificate);
    const certificate = defaultCertificate === undefined ? undefined : ownCertificate(secret);
    if (typeof certificate === "string") {
      remarks.push(`the default certificate: Secret ${defaultCertificate} ${certificate}; one made here is served`);
    }
    const usable = typeof certificate === "object" ? certificate : spareCertificate;
    const default_ = shared(this.#default, usable);
    if (default_ !== this.#default) round.names.add("");
    this.#default = default_;
    this.#remarks = shared(this.#remarks, remarks);
    this.#words.set(OPTIONS, words);
  }

  #planBackend(id: string, view: ClusterView): void {
    const ref = this.#refs.get(id);
    if (ref === undefined) return;
    if (this.#users.needers(id).size === 0) {
      this.#refs.delete(id);
      this.#services.set(id, NOTHING);
      this.#backendPlans.set(id, undefined);
      return;
    }
    const was = this.#backendPlans.get(id);
    try {
      this.#backendPlans.set(id, shared(was, planBackend(ref, view, this.#options.tokensOf)));
    } catch (error) {
      this.#options.failed?.(`backend ${id}`, error);
    }
  }

  /** The Ingresses that needs say, oldest first. */
  #oldestFirst(keys: ReadonlySet<string>): Reading[] {
    const readings: Reading[] = [];
    for (const key of keys) {
      const reading = this.#readings.get(key);
      if (reading !== undefined) readings.push(reading);
    }
    return readings.sort((one, other) => (one.age < other.age ? -1 : 1));
  }

  #planName(name: string, round: Round): void {
    const was = this.#plannedNames.get(name);
    const now = planName(name, this.#oldestFirst(this.#names.needers(name)));
    if (now.hasTls) this.#plannedNames.set(name, now);
    else this.#plannedNames.delete(name);
    for (const key of [...(was?.faults.keys() ?? []), ...now.faults.keys()]) round.faults.add(key);
    if ((was?.hasTls ?? false) !== now.hasTls) for (const host of this.#secured.needers(name)) round.hosts.add(host);
    if (was?.certificate === now.certificate) return;
    // Aliases of a host have its certificate.
    for (const host of this.#origins.needers(name)) round.derived.add(host);
  }

  #planHost(host: string, round: Round): void {
    const readings = this.#oldestFirst(this.#hosts.needers(host));
    const was = this.#plannedHosts.get(host);
    const isKnown = readings.length > 0 || (host === "" && this.#last !== undefined);
    const wildcard = wildcardOf(host);
    this.#secured.set(host, new Set(isKnown ? [host, ...(wildcard === undefined ? [] : [wildcard])] : []));
    const hasTls = [...this.#secured.needed(host)].some((name) => this.#plannedNames.get(name)?.hasTls);
    const now = planHost(host, readings, { hasTls, last: this.#last, was: was?.plan });
    if (isKnown) this.#plannedHosts.set(host, now);
    else this.#plannedHosts.delete(host);
    for (const key of [...(was?.faults.keys() ?? []), ...now.faults.keys()]) round.faults.add(key);
    // Whether it is one of its own, or has the routes of another, is decided next.
    round.derived.add(host);
    if (was?.plan !== now.plan) for (const other of this.#origins.needers(host)) round.derived.add(other);
  }

  #planDerived(host: string, round: Round): void {
    const readings = this.#oldestFirst(this.#hosts.needers(host)).filter(({ derived }) => derived.length > 0);
    const own = this.#plannedHosts.get(host)?.plan;
    const was = this.#hostPlans.get(host);
    const now = planDerived(host, readings, own !== undefined, (of) => this.#plannedHosts.get(of)?.plan, was);
    const wasDerived = this.#plannedDerived.get(host);
    if (readings.length === 0) this.#plannedDerived.delete(host);
    else this.#plannedDerived.set(host, now);
    const origins = readings.flatMap(({ derived }) => derived.filter((one) => one.host === host).map(({ of }) => of));
    this.#origins.set(host, new Set(origins));
    for (const key of [...(wasDerived?.faults.keys() ?? []), ...now.faults.keys()]) round.faults.add(key);
    this.#hostPlans.set(host, own ?? now.plan);
  }

  /** The certificate of a name: its own, that of the host that it is derived from, or, for any name, the default one. */
  #certify(name: string): void {
    const own = this.#plannedNames.get(name)?.certificate;
    const origin = this.#plannedDerived.get(name)?.of;
    const derived = origin === undefined ? undefined : this.#plannedNames.get(origin)?.certificate;
    const chosen = own ?? derived ?? (name === "" ? this.#default : undefined);
    this.#certificates.set(name, shared(this.#certificates.get(name), chosen));
  }

  #gatherFaults(key: string): void {
    const reading = this.#readings.get(key);
    const faults: IngressFault[] = [...(reading?.faults ?? [])];
    for (const host of this.#hosts.needed(key)) {
      faults.push(...(this.#plannedHosts.get(host)?.faults.get(key) ?? []));
      faults.push(...(this.#plannedDerived.get(host)?.faults.get(key) ?? []));
    }
    for (const name of this.#names.needed(key)) faults.push(...(this.#plannedNames.get(name)?.faults.get(key) ?? []));
    this.#faults.set(key, faults.length === 0 ? undefined : shared(this.#faults.get(key), faults));
  }

  #answer(): Planned {
    const was = this.#result;
    const hosts = this.#hostPlans.settle();
    const backends = this.#backendPlans.settle();
    const certificates = this.#certificates.settle();
    const before = was?.plan;
    const isSame = before?.hosts === hosts && before.backends === backends && before.certificates === certificates;
    const plan = isSame ? before : { hosts, backends, certificates };
    this.#result = { plan, faults: this.#faults.settle(), ours: this.#ours.settle(), remarks: this.#remarks };
    return this.#result;
  }
}

/** What can be served of the Secret of the default certificate, else what is wrong with it. */
function ownCertificate(secret: Secret | undefined): Certificate | string {
  if (secret === undefined) return "is not there";
  const read = readSecret(secret);
  return typeof read === "string" ? read : read.certificate;
}

export const createPlanner = (options: PlannerOptions): Planner => new IncrementalPlanner(options);

/** The plan for a view, worked out at once. */
export function planOf(view: ClusterView, options: PlannerOptions): Planned {
  const ingresses = new Map([...view.ingresses()].map((ingress) => [keyOf(ingress), ingress]));
  const whole: WatchedView = {
    ingresses: () => ingresses.values(),
    ingress: (key) => ingresses.get(key),
    classes: () => view.classes(),
    service: (key) => view.service(key),
    slices: (key) => view.slices(key),
    secret: (key) => view.secret(key),
    configMap: (key) => view.configMap(key),
  };
  return createPlanner(options).plan(whole, "everything");
}
