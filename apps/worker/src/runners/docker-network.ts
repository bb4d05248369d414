import { hostname } from 'node:os';
import type Docker from 'dockerode';
import { dropMetadata, liftDrop, type Metadata, metadataOpen } from '../limits/metadata.js';

/** The network that containers of jobs have unless another is named: a bridge of theirs alone, made where it isn't there. */
export const jobsNetwork = 'mycloud';

/** How containers of jobs reach what is outside of them. */
export interface ContainerNetwork {
  /** As Docker's API has it: the name of a network, `host` or `none`. */
  mode: string;
  /** A cloud's. */
  metadata: Metadata;
}

/**
 * Opens the network that was asked for; of our own, a cloud's metadata is closed to it.
 * @param wanted its name, `host` or `none`
 * @param engine what it says of itself. @param metadata whether jobs may have it
 */
export async function openNetwork(
  docker: Docker,
  wanted: string,
  engine: { name: string; rootless: boolean },
  metadata: 'closed' | 'open',
): Promise<ContainerNetwork> {
  const open = (why: string, mode = wanted): ContainerNetwork => ({ mode, metadata: metadataOpen(why) });
  if (wanted === 'none') return { mode: wanted, metadata: { closed: true, text: 'they have no network' } };
  if (wanted !== jobsNetwork) return open(`MYCLOUD_DOCKER_NETWORK=${wanted} is a network of yours`);
  let subnets: string[];
  try {
    subnets = await subnetsOf(docker);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return open(`the engine makes no network for jobs (${why})`, 'bridge');
  }
  if (engine.rootless || engine.name !== hostname())
    return open('the firewall of this machine is not that of its engine');
  if (metadata === 'closed') return { mode: wanted, metadata: await dropMetadata(subnets) };
  await liftDrop(subnets);
  return open('MYCLOUD_JOBS_METADATA=open');
}

/** The addresses of our network, which is made where it isn't there. */
async function subnetsOf(docker: Docker): Promise<string[]> {
  const find = async (): Promise<string[] | null> => {
    // Inspecting one that isn't there is an error of many words; a list is not.
    const found = await docker.listNetworks({ filters: { name: [jobsNetwork] } });
    const ours = found.find(({ Name: name }) => name === jobsNetwork);
    return ours ? (ours.IPAM?.Config ?? []).flatMap(({ Subnet: subnet }) => subnet ?? []) : null;
  };
  const there = await find();
  if (there) return there;
  try {
    await docker.createNetwork({
      Name: jobsNetwork,
      Driver: 'bridge',
      // Containers on it don't reach one another, where the engine knows that (podman does not).
      Options: { 'com.docker.network.bridge.enable_icc': 'false' },
    });
  } catch (error) {
    // Another worker may have made it in this moment.
    const made = await find();
    if (!made) throw error;
    return made;
  }
  return (await find()) ?? [];
}
