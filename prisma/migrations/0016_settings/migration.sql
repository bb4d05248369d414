-- What an admin set while the server runs.
CREATE TABLE "Setting" (
    "name" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "changedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Setting_pkey" PRIMARY KEY ("name")
);
CREATE INDEX "Job_finishedAt_idx" ON "Job"("finishedAt") WHERE "finishedAt" IS NOT NULL;
