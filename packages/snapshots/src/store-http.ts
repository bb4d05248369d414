import { AppError, type Client, type SignedRequest } from '@mycloud/shared';
import { type Answer, requestStore, type Sending, StoreFault } from './store-request.js';

/** As requestStore, of a URL that may lie at the api. @throws AppError unavailable */
export async function storeRequest(
  client: Client,
  signed: SignedRequest,
  sending?: Sending,
): Promise<Answer> {
  try {
    return await requestStore(absolute(client, signed), sending);
  } catch (error) {
    throw ofStore(error);
  }
}

export const absolute = (client: Client, signed: SignedRequest): SignedRequest =>
  /^https?:/i.test(signed.url) ? signed : { ...signed, url: client.url + signed.url };

/** A store's fault is worth another try: a new signed URL may well work. Any other error stays what it is. */
export function ofStore(error: unknown): unknown {
  const { code, message } = error as StoreFault;
  return code === StoreFault.code ? new AppError('unavailable', message, { cause: error }) : error;
}
