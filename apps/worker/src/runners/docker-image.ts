import type { Environment } from '@mycloud/shared';
import type Docker from 'dockerode';
import { EnvironmentError, type PreparedEnvironment } from '../environments/environment.js';

/** Where an image doesn't say. */
const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

interface Progress {
  status?: string;
  id?: string;
  error?: string;
}

/** Pulls an environment's image unless it is here. @throws EnvironmentError with the engine's words */
export async function bringImage(
  docker: Docker,
  { name, image }: Environment,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<PreparedEnvironment> {
  if (!image) throw new EnvironmentError(`${name} names no image`);
  const found = (await inspect(docker, image)) ?? (await pull(docker, image, say, signal));
  const path = found.Config.Env?.find((one) => one.startsWith('PATH='))?.slice('PATH='.length);
  return { bins: [], readOnly: [], variables: {}, image: { id: found.Id, path: path || usualPath } };
}

async function inspect(docker: Docker, image: string): Promise<Docker.ImageInspectInfo | null> {
  try {
    return await docker.getImage(image).inspect();
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return null;
    throw error;
  }
}

async function pull(
  docker: Docker,
  image: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Docker.ImageInspectInfo> {
  say(`pulling the image ${image}`);
  try {
    const stream = await docker.pull(image, { abortSignal: signal });
    await new Promise<void>((resolve, reject) => {
      let refused: string | undefined;
      const done = (error: Error | null): void => {
        const failure = error ?? (refused === undefined ? null : new Error(refused));
        if (failure) reject(failure);
        else resolve();
      };
      docker.modem.followProgress(stream, done, ({ status, id, error }: Progress) => {
        // A refusal comes as one more message of a stream that then ends well.
        refused ??= error;
        if (status && /complete|Digest|Downloaded|up to date/i.test(status))
          say(id ? `${id}: ${status}` : status);
      });
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new EnvironmentError(`the image ${image} can not be had: ${(error as Error).message}`);
  }
  const found = await inspect(docker, image);
  if (!found) throw new EnvironmentError(`there is no image ${image}`);
  return found;
}
