-- What the list of jobs is searched by, apart from the jobs: their rows change with every status, and an index of trigrams on
-- them would be written anew each time.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- CreateTable
CREATE TABLE "JobText" (
    "jobId" UUID NOT NULL,
    "text" TEXT NOT NULL,

    CONSTRAINT "JobText_pkey" PRIMARY KEY ("jobId")
);

CREATE FUNCTION mycloud_job_text(job "Job") RETURNS text LANGUAGE sql STABLE AS $$
  SELECT concat_ws(E'\n', job.command, job.description, array_to_string(job.tags, ' '), '/' || job.number)
$$;

INSERT INTO "JobText" ("jobId", "text") SELECT j.id, mycloud_job_text(j) FROM "Job" j;

-- CreateIndex
CREATE INDEX "JobText_text_idx" ON "JobText" USING GIN ("text" gin_trgm_ops);

-- AddForeignKey
ALTER TABLE "JobText" ADD CONSTRAINT "JobText_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "Job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- By the database itself: an api of the release before, which knows nothing of this table, may write jobs too.
CREATE FUNCTION mycloud_keep_job_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "JobText" ("jobId", "text") VALUES (NEW.id, mycloud_job_text(NEW))
  ON CONFLICT ("jobId") DO UPDATE SET "text" = EXCLUDED."text";
  RETURN NULL;
END $$;
CREATE TRIGGER "Job_text" AFTER INSERT OR UPDATE OF "command", "description", "tags" ON "Job"
  FOR EACH ROW EXECUTE FUNCTION mycloud_keep_job_text();

-- Whether a text is rare is told by this.
ANALYZE "JobText";
