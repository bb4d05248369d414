import { AppError } from '@mycloud/shared/browser';

/** A store that takes nothing for so long is taken for dead. */
const idleMs = 60_000;
/** A browser sets these itself, and lets nobody else. */
const ownHeaders = new Set(['content-length', 'host']);

interface SignedPut {
  url: string;
  headers: Record<string, string>;
}

/**
 * PUTs a pack's bytes at the store. XMLHttpRequest, because fetch doesn't tell how far a body is.
 * @param onSent bytes handed to the network since the last call; taken back when the try fails
 * @throws AppError unavailable
 */
export function putPack(signed: SignedPut, body: Blob, onSent: (bytes: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let counted = 0;
    const count = (loaded: number) => {
      onSent(loaded - counted);
      counted = loaded;
    };
    const fail = (why: string, hint?: string) => {
      count(0);
      reject(new AppError('unavailable', `the store did not take a pack: ${why}`, { hint }));
    };
    let timer = setTimeout(() => request.abort(), idleMs);
    request.upload.onprogress = ({ loaded }) => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), idleMs);
      count(loaded);
    };
    request.onloadend = () => clearTimeout(timer);
    request.onabort = () => fail(`nothing moved for ${idleMs / 1000} s`);
    request.onerror = () => {
      const elsewhere = new URL(signed.url, location.origin).origin !== location.origin;
      fail(
        'no answer',
        elsewhere
          ? 'A bucket must let this page in: allow PUT from its address in the bucket’s CORS rules.'
          : undefined,
      );
    };
    request.onload = () => {
      if (request.status >= 300) return fail(`it answered ${request.status}`);
      count(body.size);
      resolve();
    };
    request.open('PUT', signed.url);
    for (const [name, value] of Object.entries(signed.headers))
      if (!ownHeaders.has(name.toLowerCase())) request.setRequestHeader(name, value);
    request.send(body);
  });
}
