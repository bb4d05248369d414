import swagger from '@fastify/swagger';
import { type ErrorCode, errorStatus, problemSchema, type RouteContract, version } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { z } from 'zod';

type Described = ReturnType<typeof jsonSchemaTransform>;
type Operation = Record<string, unknown> & { responses: Record<string, Record<string, unknown>> };

/** Describes every route from its contract: what it takes, what it answers, and with what it may refuse. */
export async function registerOpenApi(app: FastifyInstance): Promise<void> {
  const contracts = new Map<string, RouteContract>();
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'mycloud',
        version,
        description: 'Deep-learning jobs on your own machines.',
        license: { name: 'MIT' },
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
    transform: (given) => {
      const contract = given.route.config?.contract;
      const transformed = withExample(
        jsonSchemaTransform(given as Parameters<typeof jsonSchemaTransform>[0]),
        contract?.example,
      );
      if (contract) contracts.set(`${contract.method} ${contract.path.replace(/:(\w+)/g, '{$1}')}`, contract);
      if (!contract || !needsToken(contract)) return transformed;
      return { ...transformed, schema: { ...transformed.schema, security: [{ token: [] }] } };
    },
    transformObject: (given) => {
      if (!('openapiObject' in given)) return given.swaggerObject;
      const spec = given.openapiObject as unknown as {
        paths: Record<string, Record<string, Operation>>;
        components: Record<string, unknown>;
      };
      plainTuples(spec.paths);
      for (const [path, operations] of Object.entries(spec.paths)) {
        for (const [method, operation] of Object.entries(operations)) {
          const contract = contracts.get(`${method.toUpperCase()} ${path}`);
          if (contract) describe(operation, contract);
        }
      }
      spec.components.schemas = { Problem: z.toJSONSchema(problemSchema, { target: 'draft-2020-12' }) };
      return given.openapiObject;
    },
  });
}

const needsToken = ({ auth }: RouteContract): boolean => auth !== 'none' && auth !== 'signed';

/** Every error code that a route may answer: what follows from its parts, and what its contract adds. */
function refusalsOf(contract: RouteContract): ErrorCode[] {
  const { params, query, body, raw, errors = [] } = contract;
  return [
    ...(params || query || body || raw?.request ? (['bad_request'] as const) : []),
    ...(needsToken(contract) ? (['unauthenticated', 'forbidden'] as const) : []),
    ...(contract.auth === 'signed' ? (['forbidden'] as const) : []),
    ...(params ? (['not_found'] as const) : []),
    ...(body || raw?.request ? (['too_large'] as const) : []),
    ...errors,
    // The protocol's own: any request can be too long in its head, or come too slowly.
    'headers_too_large',
    'too_slow',
    'unavailable',
  ];
}

/** Adds what the schemas of a route don't tell: its success without JSON, its raw body, its refusals. */
function describe(operation: Operation, contract: RouteContract): void {
  const { raw, response, status } = contract;
  if (raw?.request) operation.requestBody = { content: { [raw.request]: {} }, required: true };
  if (!response) {
    delete operation.responses['200'];
    operation.responses = { ...successOf(raw?.response, status), ...operation.responses };
  }
  for (const code of refusalsOf(contract)) {
    const known = operation.responses[errorStatus[code]];
    const description = known ? `${String(known.description)}, ${code}` : code;
    operation.responses[errorStatus[code]] = {
      description,
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
}

/** Says tuples as arrays of that many of any of their kinds: of `prefixItems` many readers of OpenAPI, schemathesis too, make a wrong schema. */
function plainTuples(part: unknown): void {
  if (typeof part !== 'object' || part === null) return;
  const schema = part as { prefixItems?: unknown; items?: unknown };
  if (Array.isArray(schema.prefixItems)) {
    const kinds = [...new Map(schema.prefixItems.map((item) => [JSON.stringify(item), item])).values()];
    schema.items = kinds.length === 1 ? kinds[0] : { anyOf: kinds };
    delete schema.prefixItems;
  }
  for (const one of Object.values(part)) plainTuples(one);
}

function successOf(type: string | undefined, status: number | undefined): Operation['responses'] {
  if (!type) return { [status ?? 204]: { description: 'Done' } };
  if (type === 'websocket') return { 101: { description: 'A WebSocket' } };
  if (type === 'text/html') return { 303: { description: 'Leads to a page' } };
  const content = { [type]: {} };
  const whole = { [status ?? 200]: { description: 'Default Response', content } };
  return type === 'application/octet-stream'
    ? { ...whole, 206: { description: 'The range that was asked for', content } }
    : whole;
}

/** A contract's example where the description of a route has room for one: beside each parameter, and on the body. */
function withExample(described: Described, example: RouteContract['example']): Described {
  const { body, ...parts } = example ?? {};
  const schema = { ...described.schema } as Record<string, unknown>;
  if (body) schema.body = { ...(schema.body as object), example: body };
  for (const [part, key] of [
    ['params', 'params'],
    ['query', 'querystring'],
  ] as const) {
    const known = schema[key] as { properties?: Record<string, object> } | undefined;
    if (!parts[part] || !known?.properties) continue;
    const shown = Object.entries(parts[part]).map(([name, value]) => [
      name,
      { ...known.properties?.[name], example: value },
    ]);
    schema[key] = { ...known, properties: { ...known.properties, ...Object.fromEntries(shown) } };
  }
  return { ...described, schema };
}
