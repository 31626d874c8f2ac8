/** Bits and numbers of the kernel's headers: linux/sched.h, linux/audit.h, asm/unistd.h of each architecture. */
const CLONE_NEWUSER = 0x10000000;
const X32_BIT = 0x40000000;
const EPERM = 1;
const ENOSYS = 38;

interface Architecture {
  readonly audit: number;
  readonly clone: number;
  readonly unshare: number;
  readonly clone3: number;
}

const ARCHITECTURES: Readonly<Record<string, readonly Architecture[]>> = {
  x64: [
    { audit: 0xc000003e, clone: 56, unshare: 272, clone3: 435 },
    { audit: 0x40000003, clone: 120, unshare: 310, clone3: 435 },
  ],
  arm64: [
    { audit: 0xc00000b7, clone: 220, unshare: 97, clone3: 435 },
    { audit: 0x40000028, clone: 120, unshare: 337, clone3: 435 },
  ],
};

/** Classic BPF (linux/filter.h): load a word of `seccomp_data`, jump if equal, jump if any bit is set, return. */
const LOAD = 0x20;
const EQUAL = 0x15;
const ANY_BIT = 0x45;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const FAIL = 0x00050000;
/** Offsets in `seccomp_data` (linux/seccomp.h); the lower half of the first argument, as both are little-endian. */
const NUMBER = 0;
const AUDIT = 4;
const ARGUMENT = 16;

type Instruction = readonly [code: number, yes: number, no: number, value: number];

const forArchitecture = ({ clone, unshare, clone3 }: Architecture): Instruction[] => [
  [LOAD, 0, 0, NUMBER],
  [ANY_BIT, 6, 0, X32_BIT],
  [EQUAL, 5, 0, clone3],
  [EQUAL, 1, 0, clone],
  [EQUAL, 0, 4, unshare],
  [LOAD, 0, 0, ARGUMENT],
  [ANY_BIT, 0, 2, CLONE_NEWUSER],
  [RETURN, 0, 0, FAIL | EPERM],
  // clone3 has its flags in memory, where no filter can look: programs then use clone.
  [RETURN, 0, 0, FAIL | ENOSYS],
  [RETURN, 0, 0, ALLOW],
];

/**
 * A seccomp program, as bubblewrap takes it, which refuses new user namespaces: in one a pod's program would be root
 * with every capability there, and could reach code of the kernel that only root should. Undefined where we do not know
 * the numbers of the machine's system calls. Programs for an architecture that is not the machine's fail.
 */
export function systemCallFilter(architecture: string): Buffer | undefined {
  const known = ARCHITECTURES[architecture];
  if (known === undefined) return undefined;
  const program: Instruction[] = [[LOAD, 0, 0, AUDIT]];
  for (const each of known) {
    const body = forArchitecture(each);
    program.push([EQUAL, 0, body.length, each.audit], ...body);
  }
  program.push([RETURN, 0, 0, FAIL | EPERM]);
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, yes, no, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(yes, index * 8 + 2);
    bytes.writeUInt8(no, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return bytes;
}
