/**
 * Of a JAAS file, who the client is: user and password of DigestLoginModule in one section. Pure.
 *
 *     Client {
 *       org.apache.zookeeper.server.auth.DigestLoginModule required
 *       username="alice"
 *       password="secret";
 *     };
 */

export interface DigestLogin {
  readonly username: string;
  readonly password: string;
}

const REMARK = /\/\*[\s\S]*?\*\/|\/\/[^\n]*/y;
const TEXT = /"((?:[^"\\]|\\[\s\S])*)"/y;
const WORD = /[^\s{}=;"]+/y;
const SIGN = /[{}=;]/y;

/** What it says, or one line why it says nothing. */
export function digestLogin(text: string, section: string): DigestLogin | string {
  const words = wordsOf(text);
  if (typeof words === 'string') return words;
  for (let at = 0; at < words.length; ) {
    const open = words.indexOf('{', at);
    const close = words.indexOf('}', open);
    if (open < 1 || close < 0) break;
    if (words[open - 1] === section) return loginOf(words.slice(open + 1, close), section);
    at = close + 1;
  }
  return `there is no section ${section}`;
}

function loginOf(words: readonly string[], section: string): DigestLogin | string {
  const [module = ''] = words;
  if (!module.endsWith('.DigestLoginModule'))
    return `section ${section}: ${module || 'no module'} is not served here, only DigestLoginModule is`;
  const values = new Map<string, string>();
  for (const [at, word] of words.entries()) if (word === '=') values.set(words[at - 1]!, words[at + 1] ?? '');
  const username = values.get('username');
  const password = values.get('password');
  if (username === undefined || password === undefined)
    return `section ${section}: username and password are both needed`;
  return { username, password };
}

/** Words, texts without their quotes, and signs. */
function wordsOf(text: string): string[] | string {
  const words: string[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  while (at < text.length) {
    if (/\s/.test(text[at]!)) at++;
    else if (take(REMARK) === null) {
      const quoted = take(TEXT);
      const word = quoted?.[1]?.replace(/\\([\s\S])/g, '$1') ?? (take(SIGN) ?? take(WORD))?.[0];
      if (word === undefined) return `cannot be read behind character ${at}`;
      words.push(word);
    }
  }
  return words;
}
