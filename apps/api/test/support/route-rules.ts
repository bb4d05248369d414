/**
 * Who gets into a route, said again and apart from the contracts: a contract that was changed by mistake must not change the test
 * with it.
 *
 * - `anybody`: without any token
 * - `user`: every user, about what is his own or everybody's
 * - `owner`: the user whose project, dataset or snapshot it is, and admins; to others it isn't there
 * - `self`: the user himself, no admin instead of him
 * - `admin`: admins
 * - `worker`: every worker
 * - `holder`: the worker that holds the job's lease
 * - `self or holder`: of a pack: its owner and the worker that sends it for him
 * - `reader or holder`: of a snapshot: its owner, admins, and the worker whose job it is for
 * - `user or worker`: for what is his own
 * - `address`: whoever has an address with a signature, a pass or a secret id in it; the walk has made-up ones
 * - `owner or address`, `self or address`: of what a job serves
 */
export type Rule =
  | 'anybody'
  | 'user'
  | 'owner'
  | 'self'
  | 'admin'
  | 'worker'
  | 'holder'
  | 'self or holder'
  | 'reader or holder'
  | 'user or worker'
  | 'address'
  | 'owner or address'
  | 'self or address';

/** The first that matches METHOD PATH counts. A route that none matches fails the walk: say who may. */
export const rules: [RegExp, Rule][] = [
  [/^GET \/(docs.*|health|assets\/\*)?$/, 'anybody'],
  [/^HEAD \/docs\/static\/\*$/, 'anybody'],
  [
    /^GET \/(login|jobs|compare|datasets|cluster|tensorboard|account|audit|invite|people|schedules|teams\/:team)$/,
    'anybody',
  ],
  [/^GET \/:owner\/(projects|datasets)\/\*$/, 'anybody'],
  [/^POST \/v1\/(login|session)$/, 'anybody'],
  [/^GET \/open\/:secret$/, 'anybody'],
  [/^GET \/api\/v1\/(cli_version|env)$/, 'anybody'],
  [/^GET \/ready(\/self)?$/, 'anybody'],

  [/^(PUT|GET) \/v1\/store\/:key$/, 'address'],
  [/^\w+ \/v1\/tensorboards\/:pass\/\*$/, 'address'],
  [/^GET \/:owner\/projects\/:project\/:number\/(jupyter|serve)$/, 'anybody'],
  [/^\w+ \/:owner\/projects\/:project\/:number\/serve\/\*$/, 'owner or address'],
  // A Jupyter is a shell as its owner.
  [/^\w+ \/:owner\/projects\/:project\/:number\/jupyter\/\*$/, 'self or address'],

  // Who has the link is let in, and the walk has none.
  [/^POST \/v1\/invitations\/(look|accept)$/, 'address'],

  [/^\w+ \/v1\/(users|admin|invitations|audit|checks)\b/, 'admin'],
  // Or by a token of its own.
  [/^GET \/metrics$/, 'admin'],
  [/^POST \/v1\/teams$/, 'admin'],
  [/^DELETE \/v1\/environments\/:name$/, 'admin'],
  [/^(PATCH|DELETE) \/v1\/workers\/:id$/, 'admin'],

  [/^POST \/v1\/worker\/register$/, 'worker'],
  [/^POST \/v1\/worker\/(heartbeat|claim)$/, 'holder'],
  [/^GET \/v1\/worker\/commands$/, 'holder'],
  [/^POST \/v1\/worker\/jobs\//, 'holder'],
  // The walk asks for no WebSocket, which is told first; its id is a secret beside the worker's token.
  [/^GET \/v1\/worker\/tunnels\//, 'worker'],
  [/^\w+ \/v1\/worker\/tunnels\//, 'address'],

  [/^POST \/v1\/snapshots\/:id\/folder$/, 'owner'],
  [/^GET \/v1\/snapshots\/:id(\/manifest)?$/, 'reader or holder'],
  [/^POST \/v1\/snapshots\/:id\/locate$/, 'reader or holder'],
  [/^GET \/v1\/snapshots\/:id\//, 'owner'],
  [/^POST \/v1\/(chunks\/missing|packs|snapshots|snapshots\/find)$/, 'user or worker'],
  [/^POST \/v1\/packs\/:id\/commit$/, 'self or holder'],
  [/^GET \/v1\/(environments|machines)$/, 'user or worker'],

  [/^GET \/v1\/(teams|schedules)$/, 'user'],
  [/^\w+ \/v1\/teams\/:team/, 'owner'],
  [/^\w+ \/v1\/notifications\/(channels|deliveries)\/:id/, 'self'],
  [/^\w+ \/v1\/notifications\//, 'user'],
  [/^POST \/v1\/projects\/:owner\/:project\/schedules$/, 'self'],

  [/^DELETE \/v1\/tokens\/:id$/, 'owner'],
  [/^(GET|POST) \/v1\/(tokens|projects|datasets)$/, 'user'],
  [/^(GET|POST) \/v1\/tensorboards$/, 'owner'],
  [/^\w+ \/v1\/session(\/links)?$/, 'user'],
  [/^GET \/v1\/(me|me\/storage|workers|queue|jobs|jobs\/stream)$/, 'user'],
  [/^POST \/v1\/projects\/:owner\/:project\/jobs(\/:number\/restart)?$/, 'self'],
  [/^GET \/v1\/projects\/:owner\/:project\/jobs\/:number\/exec$/, 'self'],
  [/^\w+ \/v1\/(projects|datasets)\/:owner\//, 'owner'],

  [/^GET \/api\/v1\/user\/$/, 'user'],
  // The jobs of a project that one may see: of another's, none.
  [/^GET \/api\/v1\/experiments\/$/, 'user'],
  [/^GET \/api\/v1\/modules\/$/, 'owner'],
  [/^POST \/api\/v1\/experiments\/run_module\/$/, 'user'],
  [/^POST \/api\/v1\/experiments\/restart\/\*$/, 'self'],
  [/^POST \/api\/v1\/(modules\/|upload\/|modules\/:id\/upload_v2_credentials)$/, 'owner'],
  [/^\w+ \/api\/v1\/.+(\*|:id|:id\/upload_v2_credentials)$/, 'owner'],
];
