-- Jobs that are submitted by the clock, and the trace that a job's spans belong to.
CREATE TABLE "Schedule" (
    "id" UUID NOT NULL,
    "projectId" UUID NOT NULL,
    "ownerId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "cron" TEXT NOT NULL,
    "timezone" TEXT NOT NULL,
    "overlap" TEXT NOT NULL DEFAULT 'skip',
    "job" JSONB NOT NULL,
    "codeSnapshotId" UUID,
    "pausedAt" TIMESTAMPTZ(3),
    "nextRunAt" TIMESTAMPTZ(3) NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Schedule_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "Schedule_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "Project"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "Schedule_ownerId_fkey" FOREIGN KEY ("ownerId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "Schedule_codeSnapshotId_fkey" FOREIGN KEY ("codeSnapshotId") REFERENCES "Snapshot"("id") ON DELETE NO ACTION ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "Schedule_projectId_name_key" ON "Schedule"("projectId", "name");
CREATE INDEX "Schedule_ownerId_idx" ON "Schedule"("ownerId");
CREATE INDEX "Schedule_codeSnapshotId_idx" ON "Schedule"("codeSnapshotId");
CREATE INDEX "Schedule_due_idx" ON "Schedule"("nextRunAt") WHERE "pausedAt" IS NULL;

ALTER TABLE "Job" ADD COLUMN "scheduleId" UUID, ADD COLUMN "traceparent" TEXT;
ALTER TABLE "Job" ADD CONSTRAINT "Job_scheduleId_fkey" FOREIGN KEY ("scheduleId") REFERENCES "Schedule"("id") ON DELETE SET NULL ON UPDATE CASCADE;
CREATE INDEX "Job_scheduleId_idx" ON "Job"("scheduleId") WHERE "scheduleId" IS NOT NULL;

CREATE TABLE "ScheduleRun" (
    "id" BIGSERIAL NOT NULL,
    "scheduleId" UUID NOT NULL,
    "dueAt" TIMESTAMPTZ(3) NOT NULL,
    "ranAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "outcome" TEXT NOT NULL,
    "message" TEXT NOT NULL DEFAULT '',
    "jobId" UUID,
    "manual" BOOLEAN NOT NULL DEFAULT false,
    CONSTRAINT "ScheduleRun_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "ScheduleRun_scheduleId_fkey" FOREIGN KEY ("scheduleId") REFERENCES "Schedule"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "ScheduleRun_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "Job"("id") ON DELETE SET NULL ON UPDATE CASCADE
);
-- holds: no time of a schedule runs twice.
CREATE UNIQUE INDEX "ScheduleRun_once_idx" ON "ScheduleRun"("scheduleId", "dueAt") WHERE NOT "manual";
CREATE INDEX "ScheduleRun_scheduleId_id_idx" ON "ScheduleRun"("scheduleId", "id" DESC);
CREATE INDEX "ScheduleRun_jobId_idx" ON "ScheduleRun"("jobId");
