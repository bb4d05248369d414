/** What needs a snapshot s. */
export const needed = `(EXISTS (SELECT 1 FROM "DatasetVersion" v WHERE v."snapshotId" = s.id)
  OR EXISTS (SELECT 1 FROM "Mount" m WHERE m."snapshotId" = s.id)
  OR EXISTS (SELECT 1 FROM "Job" j WHERE j."codeSnapshotId" = s.id)
  OR EXISTS (SELECT 1 FROM "Schedule" c WHERE c."codeSnapshotId" = s.id)
  OR EXISTS (SELECT 1 FROM "Job" j WHERE j."outputSnapshotId" = s.id))`;
