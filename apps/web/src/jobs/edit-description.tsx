import type { Project } from '@mycloud/shared/browser';
import { useQueryClient } from '@tanstack/react-query';
import { call } from '../api/call.js';
import { projectQuery } from '../api/queries.js';
import { useRights } from '../api/rights.js';
import { EditableText } from '../ui/editable-text.js';
import { tell } from '../ui/toast.js';

/** What a project is about; its owner changes it. */
export function EditDescription({ project }: { project: Project }) {
  const client = useQueryClient();
  const { change } = useRights(project.owner);
  const save = async (description: string, seen = project) => {
    const saved = await call(
      'PATCH /v1/projects/:owner/:project',
      { params: { owner: seen.owner, project: seen.name }, body: { description } },
      { headers: { 'if-match': `"${seen.revision}"` } },
    );
    client.setQueryData(projectQuery(seen.owner, seen.name).queryKey, saved);
    tell({
      text: `The description of ${seen.name} was changed`,
      undo: () => void save(seen.description, saved).catch(failed),
    });
  };
  return <EditableText what="description" text={project.description} editable={change} save={save} />;
}

const failed = (error: unknown) => tell({ text: (error as Error).message, failed: true });
