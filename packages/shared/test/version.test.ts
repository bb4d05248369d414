import { expect, it } from 'vitest';
import { apartFrom } from '../src/index.js';

it('lets releases beside one another work together, and says which of two is older', () => {
  for (const near of ['1.4.0', '1.4.9', '1.3.2', '1.5.0', 'v1.5.0', '1.4.0-rc.1'])
    expect(apartFrom(near, '1.4.1'), near).toBeUndefined();
  for (const old of ['1.2.9', '0.4.1', '', 'unknown']) expect(apartFrom(old, '1.4.1'), old).toBe('older');
  for (const young of ['1.6.0', '2.4.1', '1.10.0']) expect(apartFrom(young, '1.4.1'), young).toBe('newer');
});
