/** Numbers, times and addresses in the spelling of the Java server, whose output tools were written against. */

/** At most four decimals, as Java prints a double: `0.0`, `0.4737`, `5.0E-4`, `1.2345678E7`. */
export function doubleText(value: number): string {
  const rounded = Math.round(value * 10_000) / 10_000;
  const magnitude = Math.abs(rounded);
  if (magnitude !== 0 && (magnitude < 1e-3 || magnitude >= 1e7)) {
    const [mantissa, exponent] = rounded.toExponential().split('e');
    return `${withPoint(mantissa!)}E${Number(exponent)}`;
  }
  return withPoint(String(rounded));
}

function withPoint(digits: string): string {
  return digits.includes('.') ? digits : `${digits}.0`;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** java.util.Date.toString in UTC: `Fri Nov 20 05:03:05 UTC 2026`. */
export function dateText(wallMs: number): string {
  const date = new Date(wallMs);
  const day = String(date.getUTCDate()).padStart(2, '0');
  const time = date.toISOString().slice(11, 19);
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${day} ${time} UTC ${date.getUTCFullYear()}`;
}

/** java.net.InetSocketAddress.toString without a host name: `/127.0.0.1:2181`. */
export function socketAddressText(address: string, port: number): string {
  return address.includes(':') ? `/[${address}]:${port}` : `/${address}:${port}`;
}
