-- Lists are by time and id, both the newest first: with the ids the other way round, jobs made at the same moment (thousands, by a
-- sweep) were all read and sorted for each page.
DROP INDEX "Job_createdAt_id_idx";
CREATE INDEX "Job_createdAt_id_idx" ON "Job" ("createdAt" DESC, id DESC);
