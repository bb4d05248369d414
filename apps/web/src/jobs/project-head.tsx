import type { Project } from '@mycloud/shared/browser';
import { Link } from 'react-router';
import { EditDescription } from './edit-description.js';

/** Whose project it is, and what its owner says about it. */
export function ProjectHead({ at, project }: { at: { owner: string; project: string }; project?: Project }) {
  return (
    <div className="page-head">
      <p className="crumbs">
        <Link to="/">Jobs</Link> / {at.owner}
      </p>
      <h1>{at.project}</h1>
      {project && <EditDescription project={project} />}
    </div>
  );
}
