/** What a connection has proved to be, as a REQUEST carries it: encoded once for as long as it stays the same. */
import { JuteWriter } from '../../wire/jute-writer.ts';
import type { Client } from '../client/client.ts';

/** `vector<Id{ustring scheme, ustring id}>` */
export function encodedIdsOf(client: Client): Uint8Array {
  const { authIds } = client;
  const known = client.encodedIds;
  if (known !== null && known.of === authIds) return known.bytes;
  const writer = new JuteWriter();
  writer.writeInt(authIds.length);
  for (const { scheme, id } of authIds) {
    writer.writeString(scheme);
    writer.writeString(id);
  }
  const bytes = writer.toBytes();
  client.encodedIds = { of: authIds, bytes };
  return bytes;
}
