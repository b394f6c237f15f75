/**
 * The text in quota nodes, limits and usage alike. Pure.
 *
 *     count=3,bytes=40
 *     count=10,bytes=-1=;byteHardLimit=1000;countHardLimit=20
 *
 * The "=" before the first ";" made old parsers ignore the rest. Pairs are separated by runs of "," and ";". A
 * key that is missing, empty or not a number reads as NO_LIMIT.
 */

export const NO_LIMIT = -1;

export interface QuotaNumbers {
  count: number;
  bytes: number;
  countHardLimit: number;
  byteHardLimit: number;
}

export function parseQuotaText(text: string): QuotaNumbers {
  const numbers: QuotaNumbers = {
    count: NO_LIMIT,
    bytes: NO_LIMIT,
    countHardLimit: NO_LIMIT,
    byteHardLimit: NO_LIMIT,
  };
  for (const pair of text.split(/[,;]+/)) {
    const [key, value] = pair.split('=');
    if (key === 'count' || key === 'bytes' || key === 'countHardLimit' || key === 'byteHardLimit') {
      numbers[key] = value !== undefined && /^[+-]?[0-9]+$/.test(value) ? Number(value) : NO_LIMIT;
    }
  }
  return numbers;
}

export function formatQuotaText(numbers: QuotaNumbers): string {
  let hard = '';
  if (numbers.byteHardLimit !== NO_LIMIT) hard += `;byteHardLimit=${numbers.byteHardLimit}`;
  if (numbers.countHardLimit !== NO_LIMIT) hard += `;countHardLimit=${numbers.countHardLimit}`;
  return `count=${numbers.count},bytes=${numbers.bytes}${hard === '' ? '' : '=' + hard}`;
}
