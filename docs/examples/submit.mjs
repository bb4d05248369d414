// Submits a job, follows its log to the end, and prints its last metrics.
// MYCLOUD_URL and MYCLOUD_TOKEN (`mycloud token create`) say where and as whom.
import { createClient, jobRoutes, logRoutes, projectRoutes, readEvents, userRoutes } from '@mycloud/shared';

const client = createClient({ url: process.env.MYCLOUD_URL, token: process.env.MYCLOUD_TOKEN });
const me = await client.call(userRoutes.me, {});
const { items } = await client.call(projectRoutes.list, {});
if (!items.some((project) => project.owner === me.name && project.name === 'examples'))
  await client.call(projectRoutes.create, { body: { name: 'examples' } });

const at = { owner: me.name, project: 'examples' };
const job = await client.call(jobRoutes.create, {
  params: at,
  body: { command: `echo '{"metric": "val_acc", "value": 0.75, "epoch": 0}'`, tags: ['example'] },
});
const params = { ...at, number: job.number };

const stream = await client.open(logRoutes.stream, { params, query: { after: '0.0' } });
for await (const { event, data } of readEvents(stream)) {
  if (event === 'lines') for (const line of JSON.parse(data).lines) console.log(line.text);
  if (event === 'end') break;
}

const ended = await client.call(jobRoutes.get, { params });
console.log(ended.name, ended.status, ended.metrics);
