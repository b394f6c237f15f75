/**
 * Paths as a client sees them: which are legal, and how a root of its own is put in front of them and taken off again.
 * A root is taken off at a component boundary only: below `/app`, the path `/application` is somebody else's.
 * Pure, any thread.
 */

const SLASH = 0x2f;
const DOT = 0x2e;

/** @throws TypeError with the reason when a server would refuse the path. */
export function validatePath(path: string, what: string): void {
  const reason = pathProblem(path);
  if (reason !== null) throw new TypeError(`${what}: path ${JSON.stringify(path)} ${reason}`);
}

/** Why `path` is no path of a znode, or null when it is one. */
export function pathProblem(path: string): string | null {
  if (path === '') return 'is empty';
  if (path[0] !== '/') return 'does not begin with /';
  if (path === '/') return null;
  if (path.endsWith('/')) return 'ends with /';
  // One pass without a copy: each request comes by here.
  let nameAt = 1;
  for (let i = 1; i < path.length; i++) {
    const unit = path.charCodeAt(i);
    if (unit === SLASH) {
      const reason = nameProblem(path, nameAt, i);
      if (reason !== null) return reason;
      nameAt = i + 1;
      continue;
    }
    // What Apache's PathUtils refuses: control characters, surrogates and the private area, the specials block.
    if (unit < 0x20 || (unit >= 0x7f && unit <= 0x9f)) return 'has a control character in it';
    if ((unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0)
      return 'has a character in it that servers refuse';
  }
  return nameProblem(path, nameAt, path.length);
}

/** Of the name `path[from, to)`. */
function nameProblem(path: string, from: number, to: number): string | null {
  const length = to - from;
  if (length === 0) return 'has an empty name in it';
  const isRelative = path.charCodeAt(from) === DOT && (length === 1 || path.charCodeAt(from + 1) === DOT);
  return isRelative && length <= 2 ? 'is relative' : null;
}

/** The path on the server. */
export function toServerPath(chroot: string, path: string): string {
  if (chroot === '') return path;
  return path === '/' ? chroot : chroot + path;
}

/** The path as the client names it; one outside the root stays as it is. */
export function toClientPath(chroot: string, path: string): string {
  if (chroot === '') return path;
  if (path === chroot) return '/';
  return path.startsWith(chroot) && path[chroot.length] === '/' ? path.slice(chroot.length) : path;
}
