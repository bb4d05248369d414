import { AppError, type Client, type SignedRequest } from '@mycloud/shared';
import { StoreFault } from './store-request.js';

/** As a store's request wants it: a URL of the directory store is relative to the api's address. */
export const absolute = (client: Client, signed: SignedRequest): SignedRequest =>
  /^https?:/i.test(signed.url) ? signed : { ...signed, url: client.url + signed.url };

/** A store's fault is worth another try: a new signed URL may well work. Any other error stays what it is. */
export function ofStore(error: unknown): unknown {
  const { code, message } = error as StoreFault;
  return code === StoreFault.code ? new AppError('unavailable', message, { cause: error }) : error;
}
