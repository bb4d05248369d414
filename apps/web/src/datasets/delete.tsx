import type { Version } from '@mycloud/shared/browser';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { call } from '../api/call.js';
import { DeleteButton } from '../ui/delete-button.js';
import { Uses } from './uses.js';

interface Props {
  owner: string;
  dataset: string;
}

/** Deletes one version, having said who uses it. */
export function DeleteVersion({ owner, dataset, version }: Props & { version: Version }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { name, number } = version;
  const remove = async () => {
    await call('DELETE /v1/datasets/:owner/:dataset/versions/:number', {
      params: { owner, dataset, number },
    });
    navigate(`/${owner}/datasets/${dataset}`, { replace: true });
    for (const queryKey of [['versions', owner, dataset], ['dataset', owner, dataset], ['datasets']])
      void client.invalidateQueries({ queryKey });
  };
  return (
    <DeleteButton name={name} word="Delete this version" remove={remove}>
      <p>
        Its number is not used again. Jobs that mount it keep what they read, and can’t be run again. Used by:
      </p>
      <Uses owner={owner} dataset={dataset} number={number} />
    </DeleteButton>
  );
}

/** Deletes a dataset with all versions, having said who uses them. */
export function DeleteDataset({ owner, dataset }: Props) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const remove = async () => {
    await call('DELETE /v1/datasets/:owner/:dataset', { params: { owner, dataset } });
    navigate('/datasets', { replace: true });
    await client.invalidateQueries({ queryKey: ['datasets'] });
  };
  return (
    <DeleteButton name={`${owner}/datasets/${dataset}`} word="Delete the dataset" remove={remove}>
      <p>It goes with all its versions. Used by:</p>
      <Uses owner={owner} dataset={dataset} />
    </DeleteButton>
  );
}
