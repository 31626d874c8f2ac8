import { checked, lastErrno, libc, LibcError, O_CLOEXEC, O_NONBLOCK } from "./libc.ts";
import { socketIn } from "./namespace-socket.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const EAGAIN = 11;
const ENOBUFS = 105;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLMSG_OVERRUN = 4;

const NLM_F_REQUEST = 0x1;
const NLM_F_ACK = 0x4;
const NLM_F_DUMP = 0x300;

/** A message of the kernel, without its header (struct nlmsghdr, linux/netlink.h). `body` is only good until the next call. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
}

/** The kernel refused a request. */
export class NetlinkRefused extends Error {
  override readonly name = "NetlinkRefused";
  /** As in errno(3). */
  readonly errno: number;
  constructor(doing: string, errno: number) {
    super(`${doing}: the kernel answers errno ${errno}`);
    this.errno = errno;
  }
}

/** The kernel had more to tell than the socket could hold, and dropped some. */
export class NetlinkOverrun extends Error {
  override readonly name = "NetlinkOverrun";
}

/** One classic BPF instruction (struct sock_filter, linux/filter.h). */
export type BpfInstruction = readonly [code: number, ifTrue: number, ifFalse: number, k: number];

/** Large enough for what the kernel packs into one answer of a dump (32 kB). */
const ROOM = 65_536;

/**
 * A netlink socket (RFC 3549) of a network namespace; undefined is our own. The kernel answers requests while they are sent, so
 * nothing here waits. Throws {@link LibcError} where it cannot be opened.
 */
export class Netlink {
  readonly #fd: number;
  readonly #room = Buffer.alloc(ROOM);
  readonly #kernel = Buffer.alloc(12);
  #sequence = 0;

  constructor(namespace: string | undefined, protocol: number) {
    const doing = "opening a netlink socket";
    this.#fd =
      namespace === undefined
        ? checked(libc().socket(AF_NETLINK, SOCK_RAW | O_CLOEXEC | O_NONBLOCK, protocol), doing)
        : socketIn(namespace, AF_NETLINK, SOCK_RAW, protocol);
    this.#kernel.writeUInt16LE(AF_NETLINK, 0);
    checked(libc().bind(this.#fd, this.#kernel, this.#kernel.length), doing);
  }

  /** Hears a multicast group from now on, with this much room, in bytes, for what was not received yet. */
  join(group: number, room: number): void {
    // Without the right to it the room is what the machine gives everybody.
    libc().setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, int(room), 4);
    checked(libc().setsockopt(this.#fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, int(group), 4), `joining group ${group}`);
  }

  /** Has the kernel keep back what the program answers 0 for. */
  filter(program: readonly BpfInstruction[], addressOf: (bytes: Buffer) => bigint): void {
    const code = Buffer.alloc(8 * program.length);
    program.forEach(([op, ifTrue, ifFalse, k], at) => {
      code.writeUInt16LE(op, 8 * at);
      code.writeUInt8(ifTrue, 8 * at + 2);
      code.writeUInt8(ifFalse, 8 * at + 3);
      code.writeUInt32LE(k >>> 0, 8 * at + 4);
    });
    // struct sock_fprog: the pointer is aligned to eight bytes.
    const given = Buffer.alloc(16);
    given.writeUInt16LE(program.length, 0);
    given.writeBigUInt64LE(addressOf(code), 8);
    checked(libc().setsockopt(this.#fd, SOL_SOCKET, SO_ATTACH_FILTER, given, given.length), "attaching a filter");
  }

  /** Sends requests, several in one stroke. */
  #send(messages: Buffer): void {
    const sent = libc().sendto(this.#fd, messages, BigInt(messages.length), 0, this.#kernel, this.#kernel.length);
    checked(sent, "talking to the kernel by netlink");
  }

  /** What waits, up to one datagram; undefined: nothing does. Throws {@link NetlinkOverrun}. */
  receive(): NetlinkMessage[] | undefined {
    const answer = libc().recv(this.#fd, this.#room, BigInt(ROOM), 0);
    if (answer >= 0n) return messagesIn(this.#room.subarray(0, Number(answer)));
    const errno = lastErrno();
    // Mostly nothing waits: an exception for that would cost more than the call.
    if (errno === EAGAIN) return undefined;
    if (errno === ENOBUFS) throw new NetlinkOverrun("listening to the kernel: it told more than could be held");
    throw new LibcError(`listening to the kernel by netlink: errno ${errno}`, errno);
  }

  /** Asks for a list; each message of the answer goes to `each`. Throws {@link NetlinkRefused}. */
  dump(type: number, body: Buffer, doing: string, each: (body: Buffer) => void): void {
    this.#send(request(type, NLM_F_REQUEST | NLM_F_DUMP, ++this.#sequence, body));
    for (;;) {
      const messages = this.receive();
      if (messages === undefined) throw new Error(`${doing}: the kernel ended its list early`);
      for (const message of messages) {
        if (message.type === NLMSG_OVERRUN) throw new NetlinkOverrun(`${doing}: the list was cut short`);
        if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) {
          const errno = message.body.length >= 4 ? -message.body.readInt32LE(0) : 0;
          if (errno > 0) throw new NetlinkRefused(doing, errno);
          return;
        }
        each(message.body);
      }
    }
  }

  /** Asks for one thing and answers it. Throws {@link NetlinkRefused}. */
  get(type: number, body: Buffer, doing: string): Buffer {
    this.#send(request(type, NLM_F_REQUEST, ++this.#sequence, body));
    const [answer] = this.receive() ?? [];
    if (answer === undefined) throw new Error(`${doing}: the kernel did not answer`);
    if (answer.type === NLMSG_ERROR) throw new NetlinkRefused(doing, -answer.body.readInt32LE(0));
    return answer.body;
  }

  /** Makes requests of one type; the answer is the errno of each, 0 where it was done. */
  ask(type: number, bodies: readonly Buffer[]): number[] {
    const results: number[] = [];
    for (const body of bodies) {
      this.#send(request(type, NLM_F_REQUEST | NLM_F_ACK, ++this.#sequence, body));
      const [answer] = this.receive() ?? [];
      if (answer?.type !== NLMSG_ERROR) throw new Error("talking to the kernel by netlink: a request has no answer");
      results.push(-answer.body.readInt32LE(0));
    }
    return results;
  }

  close(): void {
    libc().close(this.#fd);
  }
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function request(type: number, flags: number, sequence: number, body: Buffer): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(16 + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, body]);
}

function messagesIn(datagram: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at + 16 <= datagram.length;) {
    const length = datagram.readUInt32LE(at);
    if (length < 16 || at + length > datagram.length) break;
    const body = datagram.subarray(at + 16, at + length);
    messages.push({ type: datagram.readUInt16LE(at + 4), flags: datagram.readUInt16LE(at + 6), body });
    at += (length + 3) & ~3;
  }
  return messages;
}
