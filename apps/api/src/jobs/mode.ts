import { randomBytes } from 'node:crypto';
import {
  AppError,
  type Environment,
  interactiveMaxRuntimeSeconds,
  jupyterEnvironment,
  jupyterIdleSeconds,
} from '@mycloud/shared';
import type { JobBody } from './create.js';

/** What a job's mode decides where it isn't said. */
export interface Mode {
  maxRuntimeSeconds: number | null;
  idleSeconds: number | null;
  jupyterToken: string | null;
}

/** @throws AppError bad_request for what makes no sense in that mode */
export function modeOf(
  { mode, command, maxRuntimeSeconds, idleSeconds }: JobBody,
  environment: Environment,
): Mode {
  const most = maxRuntimeSeconds === undefined && mode !== 'command' ? interactiveMaxRuntimeSeconds : null;
  const limits = { maxRuntimeSeconds: maxRuntimeSeconds ?? most, idleSeconds: null, jupyterToken: null };
  if (mode !== 'jupyter') {
    if (idleSeconds === undefined || idleSeconds === null) return limits;
    throw new AppError('bad_request', 'only a Jupyter ends for being idle', {
      hint: 'Leave idleSeconds out, or ask for mode jupyter.',
    });
  }
  if (!/^jupyter(\s|$)/.test(command)) {
    throw new AppError('bad_request', `in mode jupyter the command begins with jupyter, not "${command}"`, {
      hint: 'Such as `jupyter lab`.',
    });
  }
  if (environment.interpreter === 'node' && !environment.image) {
    throw new AppError(
      'bad_request',
      `the environment ${environment.name} has no Python, and so no Jupyter`,
      {
        hint: `Use --env ${jupyterEnvironment}, or any Python environment with jupyterlab in requirements.txt.`,
      },
    );
  }
  return {
    ...limits,
    idleSeconds: idleSeconds === undefined ? jupyterIdleSeconds : idleSeconds,
    jupyterToken: randomBytes(24).toString('base64url'),
  };
}
