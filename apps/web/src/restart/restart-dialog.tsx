import type { Job } from '@mycloud/shared/browser';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useNavigate } from 'react-router';
import { call } from '../api/call.js';
import { environmentsQuery, jobQuery, machinesQuery } from '../api/queries.js';
import { restartCommand } from '../job/command.js';
import type { TabProps } from '../job/job-page.js';
import { CopyText } from '../ui/copy.js';
import { Dialog } from '../ui/dialog.js';
import { ErrorNotice } from '../ui/notice.js';
import { tell } from '../ui/toast.js';
import { changeOf, type Fields, fieldsOf } from './form-state.js';
import { MountFields } from './mount-fields.js';
import { VariableFields } from './variable-fields.js';
import '../styles/restart.css';

/** The job's settings, to be changed before it is run again with the same code. */
export default function RestartDialog({ job, at, onClose }: TabProps & { onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [fields, setFields] = useState(() => fieldsOf(job));
  const set = (change: Partial<Fields>) => setFields((old) => ({ ...old, ...change }));
  const machines = useQuery(machinesQuery);
  const environments = useQuery(environmentsQuery);
  const { change, wrong } = changeOf(job, fields);
  const body = JSON.stringify(change);
  // The same form sent twice, because an answer was lost, makes one job.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another body is another call
  const key = useMemo(() => randomKey(), [body]);
  const restart = useMutation({
    mutationFn: () =>
      call(
        'POST /v1/projects/:owner/:project/jobs/:number/restart',
        { params: at, body: change },
        { headers: { 'idempotency-key': key } },
      ),
    onSuccess: (made: Job) => {
      const { queryKey } = jobQuery({ ...at, number: made.number });
      client.setQueryData(queryKey, made);
      void client.invalidateQueries({ queryKey: ['jobs'] });
      onClose();
      void navigate(`/${made.name}`);
      tell({ text: `This is #${made.number}, made from #${job.number}` });
    },
  });
  const names = (items: { name: string }[] | undefined, chosen: string) => [
    ...new Set([chosen, ...(items ?? []).map(({ name }) => name)]),
  ];
  return (
    <Dialog title={`Run ${job.name} again`} onClose={onClose} wide>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (wrong.length === 0) restart.mutate();
        }}
      >
        <p className="dim">
          A new job with the same code. {job.codeSnapshotId ? '' : 'It has none: /code is empty. '}Change what
          is to be otherwise.
        </p>
        <label className="field-wide">
          Command
          <textarea
            rows={Math.min(6, Math.max(2, fields.command.split('\n').length))}
            spellCheck={false}
            value={fields.command}
            onChange={(event) => set({ command: event.target.value })}
          />
        </label>
        <Choice
          title="Machine"
          names={names(machines.data?.items, job.machine)}
          value={fields.machine}
          onChange={(machine) => set({ machine })}
        />
        <Choice
          title="Environment"
          names={names(environments.data?.items, job.environment)}
          value={fields.environment}
          onChange={(environment) => set({ environment })}
        />
        <label>
          Max runtime
          <input
            placeholder="none; or 90s, 30m, 2h"
            value={fields.maxRuntime}
            onChange={(event) => set({ maxRuntime: event.target.value })}
          />
        </label>
        <label>
          Retries
          <input
            inputMode="numeric"
            value={fields.retries}
            onChange={(event) => set({ retries: event.target.value })}
          />
        </label>
        <MountFields mounts={fields.mounts} onChange={(mounts) => set({ mounts })} />
        <VariableFields job={job} fields={fields} set={set} />
        <label className="field-wide">
          Description
          <input value={fields.description} onChange={(event) => set({ description: event.target.value })} />
        </label>
        <label className="field-wide">
          Tags
          <input
            placeholder="words, with spaces between them"
            value={fields.tags}
            onChange={(event) => set({ tags: event.target.value })}
          />
        </label>
        <label className="check field-wide">
          <input
            type="checkbox"
            checked={fields.tensorboard}
            onChange={(event) => set({ tensorboard: event.target.checked })}
          />
          TensorBoard shows event files under /output
        </label>
        <div className="field-wide">
          <p className="dim small">On the command line this is:</p>
          <CopyText text={restartCommand(job, change)} />
        </div>
        {wrong.map((text) => (
          <p key={text} className="wrong field-wide" role="alert">
            {text}
          </p>
        ))}
        {restart.error && (
          <div className="field-wide">
            <ErrorNotice error={restart.error} />
          </div>
        )}
        <div className="buttons field-wide">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            className="button button-primary"
            disabled={restart.isPending || wrong.length > 0}
          >
            {restart.isPending ? 'Starting…' : 'Run it'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Without https, away from this machine, browsers have no randomUUID. */
const randomKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

interface ChoiceProps {
  title: string;
  names: string[];
  value: string;
  onChange: (name: string) => void;
}

const Choice = ({ title, names, value, onChange }: ChoiceProps) => (
  <label>
    {title}
    <select value={value} onChange={(event) => onChange(event.target.value)}>
      {names.map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  </label>
);
