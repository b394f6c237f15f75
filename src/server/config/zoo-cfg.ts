/**
 * Reads a `zoo.cfg`, which is a Java properties file (wire/java-properties.ts holds the rules). Bytes are ISO-8859-1, as
 * java.util.Properties.load(InputStream) reads them. Knows no keys and no checks.
 */
import { readFileSync } from 'node:fs';
import { ConfigFailure } from '../../base/failure.ts';
import { MalformedProperties, type PropertyLine, parseProperties } from '../../wire/java-properties.ts';

/** @throws ConfigFailure when the file cannot be read or has a malformed `\u` escape. */
export function readZooCfg(fileName: string): PropertyLine[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(fileName);
  } catch (error) {
    throw new ConfigFailure(`cannot read the configuration file ${fileName}: ${reasonOf(error)}`);
  }
  return parseZooCfg(bytes.toString('latin1'), fileName);
}

/** @throws ConfigFailure on a malformed `\u` escape. */
export function parseZooCfg(text: string, fileName: string): PropertyLine[] {
  try {
    return parseProperties(text);
  } catch (error) {
    if (!(error instanceof MalformedProperties)) throw error;
    throw new ConfigFailure(`${fileName} line ${error.lineNumber}: ${error.message}`);
  }
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'permission denied';
  if (code === 'EISDIR') return 'it is a directory';
  return error instanceof Error ? error.message : String(error);
}
