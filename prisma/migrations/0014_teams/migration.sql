-- A team is an owner as a user is: a row of the same table, so that names, quotas, limits and deduplication hold for both.
ALTER TABLE "User" ADD COLUMN "kind" TEXT NOT NULL DEFAULT 'user';
ALTER TABLE "User" ADD COLUMN "disabledAt" TIMESTAMPTZ(3);

CREATE TABLE "Member" (
    "teamId" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "role" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Member_pkey" PRIMARY KEY ("teamId","userId")
);
CREATE INDEX "Member_userId_idx" ON "Member"("userId");
ALTER TABLE "Member" ADD CONSTRAINT "Member_teamId_fkey" FOREIGN KEY ("teamId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "Member" ADD CONSTRAINT "Member_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

CREATE TABLE "Invitation" (
    "id" UUID NOT NULL,
    "hash" TEXT NOT NULL,
    "role" TEXT NOT NULL DEFAULT 'user',
    "teamId" UUID,
    "teamRole" TEXT,
    "note" TEXT NOT NULL DEFAULT '',
    "invitedBy" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,
    "revokedAt" TIMESTAMPTZ(3),
    "acceptedAt" TIMESTAMPTZ(3),
    "acceptedBy" TEXT,
    CONSTRAINT "Invitation_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "Invitation_hash_key" ON "Invitation"("hash");
CREATE INDEX "Invitation_createdAt_id_idx" ON "Invitation"("createdAt" DESC, "id" DESC);
ALTER TABLE "Invitation" ADD CONSTRAINT "Invitation_teamId_fkey" FOREIGN KEY ("teamId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The team whose project a job is of: its limits count beside those of who submitted it. An older server makes no such jobs.
ALTER TABLE "Job" ADD COLUMN "teamId" UUID;
CREATE INDEX "Job_teamId_status_idx" ON "Job"("teamId", "status") WHERE "teamId" IS NOT NULL;

-- As before, for a user by the jobs he submitted and for a team by those of its projects.
CREATE OR REPLACE FUNCTION mycloud_may_run(owner UUID, wanted INTEGER, machines TEXT[], gpus INTEGER[]) RETURNS BOOLEAN
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  most_jobs INTEGER;
  most_gpus INTEGER;
  running INTEGER;
  used INTEGER;
BEGIN
  IF owner IS NULL THEN RETURN TRUE; END IF;
  SELECT "maxJobs", "maxGpus" INTO most_jobs, most_gpus FROM "User" WHERE id = owner;
  IF most_jobs IS NULL AND most_gpus IS NULL THEN RETURN TRUE; END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('mycloud running ' || owner::text, 0));
  SELECT count(*), COALESCE(sum(m.gpus), 0) INTO running, used
    FROM "Job" j LEFT JOIN unnest(machines, gpus) AS m(name, gpus) ON m.name = j.machine
    WHERE (j."ownerId" = owner OR j."teamId" = owner) AND j.status IN ('preparing', 'running');
  RETURN (most_jobs IS NULL OR running < most_jobs) AND (most_gpus IS NULL OR wanted = 0 OR used + wanted <= most_gpus);
END $$;
