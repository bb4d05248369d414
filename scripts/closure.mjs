// What packages need at run time, out of package-lock.json: the versions that were tested, all of them.

/** Where `name` is found from a package at `from` (a path of the lock, '' for the root), as Node looks for it. */
function lookUp(lock, from, name) {
  for (let dir = from; ; dir = dir.includes('/') ? dir.slice(0, dir.lastIndexOf('/')) : '') {
    if (!dir.endsWith('node_modules')) {
      const found = dir === '' ? `node_modules/${name}` : `${dir}/node_modules/${name}`;
      if (lock.packages[found]) return found;
    }
    if (dir === '') return undefined;
  }
}

function needsOf({
  dependencies = {},
  optionalDependencies = {},
  peerDependencies = {},
  peerDependenciesMeta = {},
}) {
  const peers = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional);
  return [...Object.keys(dependencies), ...peers].filter((name) => !(name in optionalDependencies));
}

/**
 * Everything that workspaces need, and what those packages need, down to the last; optional packages, which are one system's
 * own or have to be compiled, are left out.
 * @param lock package-lock.json, parsed
 * @param workspaces their folders (apps/api, …)
 * @param apart names of packages that are left out with all that only they need
 * @returns a map from where a package lies to where it goes: what lies in a workspace's own node_modules goes to the root's
 * @throws when two workspaces need one name in two versions, there being one place for it, or when a package has its programs
 *   in optional packages, one a system: it must be apart
 */
export function closureOf(lock, workspaces, apart) {
  const places = new Map();
  const add = (found) => {
    if (places.has(found)) return;
    const own = workspaces.find((folder) => found.startsWith(`${folder}/`));
    const place = own ? found.slice(own.length + 1) : found;
    for (const [other, taken] of places) {
      if (taken === place)
        throw new Error(
          `${other} and ${found} are two versions of one package: name one version of it in the package.json files of apps/ and packages/`,
        );
    }
    const parts = Object.keys(lock.packages[found].optionalDependencies ?? {});
    if (parts.some((name) => lock.packages[lookUp(lock, found, name) ?? '']?.os))
      throw new Error(
        `${found} brings a package for each system: name it in scripts/pack.mjs among what is a system's own`,
      );
    places.set(found, place);
    follow(found);
  };
  const follow = (from) => {
    for (const name of needsOf(lock.packages[from])) {
      if (apart.includes(name)) continue;
      const found = lookUp(lock, from, name);
      if (!found) throw new Error(`${name}, which ${from} needs, is not in package-lock.json`);
      if (!lock.packages[found].link) add(found);
    }
  };
  for (const folder of workspaces) follow(folder);
  return places;
}
