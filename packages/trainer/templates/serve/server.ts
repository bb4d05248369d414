// "Cat or dog?" for a posted picture, by the ConvNet that a job has trained: its output is mounted at /model.
//
//     mycloud run --mode serve --data dogsvscats/1/output:model "train server.ts"
import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { loadTrained, TrainerError } from '@mycloud/trainer';

const maxBytes = 20 * 1024 * 1024;

// Where a job sees its only mount.
const trained = await loadTrained(process.env.MYCLOUD_INPUT ?? '/model');

const server = createServer(async (request, response) => {
  const send = (status: number, type: string, body: string) =>
    response.writeHead(status, { 'content-type': `${type}; charset=utf-8` }).end(body);
  const wantsPage = request.headers.accept?.includes('text/html') ?? false;
  try {
    if (request.method !== 'POST') return send(200, 'text/html', page(''));
    const { predicted, probability } = await trained.classify(await pictureOf(request));
    if (wantsPage) return send(200, 'text/html', page(`${predicted}, ${(100 * probability).toFixed(1)} %`));
    return send(200, 'application/json', `${JSON.stringify({ class: predicted, probability })}\n`);
  } catch (error) {
    const status = error instanceof TrainerError ? 400 : 500;
    const message = error instanceof Error ? error.message : String(error);
    if (status === 500) console.error(error);
    if (wantsPage) return send(status, 'text/html', page(message));
    return send(status, 'application/json', `${JSON.stringify({ error: message })}\n`);
  }
});

/** The file of a form (`curl -F file=@cat.jpg`, the page's own), or the body itself (`curl --data-binary @cat.jpg`). */
async function pictureOf(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes)
    throw new TrainerError('bad_data', 'This picture is larger than 20 MB');
  const body = await buffer(request);
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) return body;
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  const file = form.get('file');
  if (!(file instanceof Blob))
    throw new TrainerError('bad_data', 'The form has no picture in its field "file"');
  return Buffer.from(await file.arrayBuffer());
}

const page = (said: string) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${trained.classes.join(' or ')}?</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body { font: 18px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 10vh auto; padding: 0 1rem }</style></head>
<body><h1>${trained.classes.join(' or ')}?</h1>
<form method="post" enctype="multipart/form-data">
<input type="file" name="file" accept="image/*" required> <button>Ask</button>
</form>
<p role="status">${said.replace(/[&<]/g, (sign) => `&#${sign.charCodeAt(0)};`)}</p></body></html>
`;

// PORT and HOST are the job's: only mycloud's server reaches it there.
server.listen(Number(process.env.PORT ?? 5000), process.env.HOST ?? '127.0.0.1', () => {
  console.log(`answers for ${trained.classes.join(' and ')}`);
});
