import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOutgoing } from '../src/http/outgoing.js';
import { mayReach, parseSubnets } from '../src/http/reachable.js';
import { refused } from './support/refused.js';

const loopback = parseSubnets('127.0.0.0/8, ::1');
const calls: { url: string; method: string; body: string; host: string }[] = [];
let server: http.Server;
let base: string;

/** What somebody's webhook may answer: a redirect, an endless body, nothing at all, or what one would expect. */
beforeAll(async () => {
  server = http.createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const { url = '', method = '', headers } = request;
    calls.push({ url, method, body, host: headers.host ?? '' });
    if (url === '/redirect') response.writeHead(302, { location: `${base}/secret` }).end('elsewhere');
    else if (url === '/endless') {
      const more = () => response.write('x'.repeat(16_384), () => response.destroyed || setImmediate(more));
      more();
    } else if (url === '/silent') request.socket.pause();
    else if (url === '/broken') response.write('half', () => response.destroy());
    else response.end('thanks');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('an address that the server may connect to', () => {
  it.each(['8.8.8.8', '93.184.216.34', '2606:4700:4700::1111', '::ffff:8.8.8.8'])(
    'is a public one: %s',
    (ip) => {
      expect(mayReach(ip, [])).toBe(true);
    },
  );

  it.each([
    ['127.0.0.1', 'this machine'],
    ['127.8.9.1', 'this machine'],
    ['0.0.0.0', 'this machine'],
    ['::1', 'this machine'],
    ['::', 'this machine'],
    ['::ffff:127.0.0.1', 'this machine in IPv6'],
    ['::ffff:a9fe:a9fe', "a cloud's metadata in IPv6"],
    ['::127.0.0.1', 'this machine, in the form of old'],
    ['64:ff9b::7f00:1', 'this machine, translated'],
    ['2002:7f00:1::', 'this machine, by 6to4'],
    ['169.254.169.254', "a cloud's metadata"],
    ['fd00:ec2::254', "a cloud's metadata"],
    ['fe80::1', 'the link'],
    ['fe80::1%eth0', 'the link'],
    ['10.0.0.5', 'the house'],
    ['172.16.3.4', 'the house'],
    ['192.168.1.1', 'the house'],
    ['100.64.0.1', "the provider's inside"],
    ['224.0.0.1', 'many'],
    ['255.255.255.255', 'all'],
    ['localhost', 'no address'],
    ['', 'nothing'],
  ])('is not %s (%s)', (ip) => {
    expect(mayReach(ip, [])).toBe(false);
  });

  it('may be one of the networks that the admin names, and no other', () => {
    const allowed = parseSubnets(' 10.1.0.0/16,fd12::/32, 192.168.1.7 ');
    expect(['10.1.200.3', 'fd12::9', '192.168.1.7'].every((ip) => mayReach(ip, allowed))).toBe(true);
    expect(['10.2.0.1', 'fd13::9', '192.168.1.8', '127.0.0.1'].some((ip) => mayReach(ip, allowed))).toBe(
      false,
    );
    expect(() => parseSubnets('10.0.0.0/8, hooks.example')).toThrow('hooks.example is neither');
  });
});

describe('a URL that somebody gave', () => {
  const out = openOutgoing([]);

  it.each([
    'http://127.0.0.1:5432/',
    'http://localhost/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://[::1]:80/',
    'http://[::ffff:127.0.0.1]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://①②⑦.⓪.⓪.①/',
  ])('is refused where it leads inside: %s', async (url) => {
    const [checked, sent] = [await refused(out.check(url)), await refused(out.send(url, { method: 'POST' }))];
    for (const { code, message } of [checked, sent]) {
      expect(code).toBe('bad_request');
      expect(message).toContain('is not a public address');
    }
  });

  it.each([
    'ftp://8.8.8.8/',
    'file:///etc/passwd',
    'gopher://8.8.8.8/',
    'data:text/plain,x',
    'unix:/run/x',
    '//x',
    '',
  ])('is refused where it is none of http: %s', async (url) => {
    expect((await refused(out.check(url))).message).toContain('http://');
  });

  it('is refused with a password in it, and where its name is unknown', async () => {
    expect((await refused(out.check('http://me:secret@8.8.8.8/'))).message).toContain('password');
    expect((await refused(out.check('http://no-such-host.invalid/'))).message).toContain(
      'no-such-host.invalid',
    );
  });

  it('is refused when one of the addresses of its name is forbidden', async () => {
    const both = openOutgoing([], (async () => [
      { address: '8.8.8.8', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ]) as never);
    expect((await refused(both.check('http://both.example/'))).code).toBe('bad_request');
  });

  it('is connected to where it was found to lead, though its name changes its mind', async () => {
    let asked = 0;
    const port = new URL(base).port;
    const names = openOutgoing(loopback, (async () => {
      asked++;
      return [{ address: asked === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 }];
    }) as never);
    const answer = await names.send(`http://hooks.example:${port}/in`, { method: 'POST', body: '{"n":1}' });
    expect([answer.status, answer.body, asked]).toEqual([200, 'thanks', 1]);
    expect(calls.at(-1)).toEqual({
      url: '/in',
      method: 'POST',
      body: '{"n":1}',
      host: `hooks.example:${port}`,
    });
    expect((await refused(names.send(`http://hooks.example:${port}/in`, { method: 'POST' }))).code).toBe(
      'bad_request',
    );
  });
});

describe('an answer of somebody else', () => {
  const out = openOutgoing(loopback);

  it('that leads elsewhere is not followed', async () => {
    const before = calls.length;
    const answer = await out.send(`${base}/redirect`, { method: 'POST' });
    expect([answer.status, answer.headers.location]).toEqual([302, `${base}/secret`]);
    expect(calls.slice(before).map((call) => call.url)).toEqual(['/redirect']);
  });

  it('that never ends is read 64 KiB far', async () => {
    expect((await out.send(`${base}/endless`, { method: 'GET' })).body).toHaveLength(65_536);
  });

  it('is waited for only so long', async () => {
    const error = await refused(out.send(`${base}/silent`, { method: 'GET', timeoutMs: 300 }));
    expect([error.code, error.message]).toEqual([
      'unavailable',
      expect.stringContaining('longer than 0.3 s'),
    ]);
    const never = openOutgoing(loopback, (() => new Promise(() => undefined)) as never);
    const unresolved = await refused(never.send('http://slow.example/', { method: 'GET', timeoutMs: 300 }));
    expect(unresolved.code).toBe('unavailable');
  });

  it('that breaks off, or that nobody gives, is told', async () => {
    expect((await refused(out.send(`${base}/broken`, { method: 'GET' }))).code).toBe('unavailable');
    expect((await refused(out.send('http://127.0.0.1:1/', { method: 'GET' }))).message).toContain(
      '127.0.0.1:1',
    );
  });

  it('is not waited for when who asked has left', async () => {
    const leaving = new AbortController();
    const call = out.send(`${base}/silent`, { method: 'GET', signal: leaving.signal });
    leaving.abort(new Error('left'));
    await expect(call).rejects.toThrow('left');
  });
});
