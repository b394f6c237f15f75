/**
 * IP addresses in ACLs: `address` or `address/bits`, IPv4 as a dotted quad, IPv6 in full or with one "::".
 * Pure; called on the core thread, and only for znodes whose ACL names scheme ip.
 */

const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const IPV6_GROUPS = 8;

/** Whether `pattern` may stand in an ACL of scheme ip. */
export function isIpPattern(pattern: string): boolean {
  const address = parseAddress(addressPart(pattern));
  return address !== null && prefixBits(pattern, address.length) >= 0;
}

/** Whether `address` lies in `pattern`; never across address families. */
export function ipMatches(address: string, pattern: string): boolean {
  const wanted = parseAddress(addressPart(pattern));
  const actual = parseAddress(address);
  if (wanted === null || actual === null || wanted.length !== actual.length) return false;
  const bits = prefixBits(pattern, wanted.length);
  if (bits < 0) return false;
  for (let i = 0; i < wanted.length; i++) {
    const bitsHere = Math.min(8, Math.max(0, bits - 8 * i));
    const mask = 0xff & (0xff00 >> bitsHere);
    if (((wanted[i]! ^ actual[i]!) & mask) !== 0) return false;
  }
  return true;
}

function addressPart(pattern: string): string {
  const slash = pattern.indexOf('/');
  return slash < 0 ? pattern : pattern.slice(0, slash);
}

/** The number behind the slash, all bits without one, -1 when it is not one in range. */
function prefixBits(pattern: string, addressBytes: number): number {
  const slash = pattern.indexOf('/');
  return slash < 0 ? addressBytes * 8 : parseDigits(pattern.slice(slash + 1), 10, addressBytes * 8);
}

/** The bytes of an address (4 or 16), null when it is malformed. */
export function parseAddress(text: string): Uint8Array | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split('.');
  if (parts.length !== IPV4_BYTES) return null;
  const bytes = new Uint8Array(IPV4_BYTES);
  for (let i = 0; i < IPV4_BYTES; i++) {
    const value = parseDigits(parts[i]!, 10, 255);
    if (value < 0) return null;
    bytes[i] = value;
  }
  return bytes;
}

/** "a:b:...:h" has eight groups; "head::tail" fewer than eight, the gap is zeros. */
function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split('::');
  const head = groups(halves[0]!);
  const tail = halves.length === 2 ? groups(halves[1]!) : [];
  const count = head.length + tail.length;
  if (halves.length > 2 || (halves.length === 1 ? count !== IPV6_GROUPS : count >= IPV6_GROUPS)) return null;
  const bytes = new Uint8Array(IPV6_BYTES);
  const valid = writeGroups(head, bytes, 0) && writeGroups(tail, bytes, IPV6_BYTES - 2 * tail.length);
  return valid ? bytes : null;
}

function groups(half: string): string[] {
  return half === '' ? [] : half.split(':');
}

function writeGroups(hexGroups: string[], bytes: Uint8Array, offset: number): boolean {
  for (const group of hexGroups) {
    const value = group.length > 4 ? -1 : parseDigits(group, 16, 0xffff);
    if (value < 0) return false;
    bytes[offset++] = value >> 8;
    bytes[offset++] = value & 0xff;
  }
  return true;
}

/** An unsigned number of plain digits in [0, max], leading zeros allowed; otherwise -1. */
function parseDigits(text: string, radix: 10 | 16, max: number): number {
  let value = text === '' ? -1 : 0;
  for (let i = 0; i < text.length && value >= 0; i++) {
    const digit = digitOf(text.charCodeAt(i));
    value = digit < radix ? value * radix + digit : -1;
    if (value > max) value = -1;
  }
  return value;
}

function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : Number.POSITIVE_INFINITY;
}
