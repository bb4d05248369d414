/** The parts of docs/openapi.json that are shown. */
interface Schema {
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  required?: string[];
  default?: unknown;
  description?: string;
  example?: unknown;
  $ref?: string;
}

interface Operation {
  summary?: string;
  description?: string;
  tags?: string[];
  security?: unknown[];
  parameters?: { name: string; in: string; required?: boolean; schema?: Schema }[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
  responses: Record<string, { description?: string; content?: Record<string, { schema?: Schema }> }>;
}

export interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
}

/** A schema in a few words: `string`, `cpu | gpu`, `list of {…}`. Objects are shown by their fields, elsewhere. */
function words(schema: Schema | undefined): string {
  if (!schema) return 'anything';
  if (schema.$ref) return schema.$ref.split('/').at(-1) ?? schema.$ref;
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(' or ');
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return [...new Set(several.map(words))].join(' or ');
  if (schema.type === 'array') return `list of ${words(schema.items)}`;
  if (schema.type === 'object') {
    const { additionalProperties } = schema;
    if (!schema.properties && typeof additionalProperties === 'object')
      return `object of ${words(additionalProperties)}`;
    return 'object';
  }
  const type = [schema.type ?? 'anything'].flat().join(' or ');
  return schema.format ? `${type} (${schema.format})` : type;
}

/** The schema whose fields are worth a table: an object's, or a list's items'. */
function fieldsOf(schema: Schema | undefined): Schema | undefined {
  if (!schema) return undefined;
  if (schema.properties) return schema;
  return fieldsOf(schema.items);
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function table(schema: Schema, prefix = '', depth = 0): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const needed = schema.required?.includes(name) ? '' : ' (optional)';
    const standard = field.default === undefined ? '' : `, \`${JSON.stringify(field.default)}\` unless given`;
    const list = field.type === 'array' ? '[]' : '';
    const row = `| \`${prefix}${name}${list}\` | ${cell(words(field))}${needed}${cell(standard)} |`;
    const inner = fieldsOf(field);
    return inner && depth < 2 ? [row, ...table(inner, `${prefix}${name}${list}.`, depth + 1)] : [row];
  });
}

const fieldTable = (schema: Schema): string =>
  ['| field | what |', '| --- | --- |', ...table(schema)].join('\n');

function operationText(path: string, method: string, operation: Operation): string {
  const lines = [`### ${method.toUpperCase()} ${path}`, operation.summary ?? ''];
  if (operation.description) lines.push(operation.description);
  lines.push(operation.security?.length ? 'Asks for a token.' : 'Asks for no token.');
  const parameters = operation.parameters ?? [];
  if (parameters.length > 0) {
    const rows = parameters.map(
      ({ name, in: where, required, schema }) =>
        `| \`${name}\` | ${where} | ${cell(words(schema))}${required ? '' : ' (optional)'} |`,
    );
    lines.push(['| parameter | where | what |', '| --- | --- | --- |', ...rows].join('\n'));
  }
  const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
  const bodyFields = fieldsOf(body);
  if (body) lines.push('**Sent**', bodyFields ? fieldTable(bodyFields) : words(body));
  if (body?.example) lines.push(`\`\`\`json\n${JSON.stringify(body.example, undefined, 2)}\n\`\`\``);
  for (const [status, { content }] of Object.entries(operation.responses)) {
    if (!/^2/.test(status)) continue;
    const [type, { schema } = {}] = Object.entries(content ?? {})[0] ?? [];
    const fields = fieldsOf(schema);
    const what = type === undefined ? 'nothing' : fields ? '' : `${words(schema)} (${type})`;
    lines.push(`**Answered ${status}** ${what}`);
    if (fields) lines.push(fieldTable(fields));
  }
  return lines.join('\n\n');
}

/** The reference as Markdown: a section a noun, a part a route. */
export function openApiText({ paths }: OpenApi): string {
  const byTag = new Map<string, string[]>();
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags?.[0] ?? 'others';
      byTag.set(tag, [...(byTag.get(tag) ?? []), operationText(path, method, operation)]);
    }
  }
  const head =
    '# API reference\n\nEvery route of `/v1`, from the contracts themselves. A server shows the same at `/docs`. Errors are `application/problem+json` (RFC 9457). How to begin: [the API](api.md).';
  const sections = [...byTag].map(
    ([tag, texts]) => `## ${tag[0]?.toUpperCase()}${tag.slice(1)}\n\n${texts.join('\n\n')}`,
  );
  return [head, ...sections].join('\n\n');
}
