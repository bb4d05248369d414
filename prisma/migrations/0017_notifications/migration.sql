-- Who hears of the end of jobs: a user's channels, and addresses that a job itself names.
ALTER TABLE "User" ADD COLUMN "notifyKey" TEXT;
ALTER TABLE "Job" ADD COLUMN "notify" TEXT[] NOT NULL DEFAULT '{}';

CREATE TABLE "NotificationChannel" (
    "id" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "projectId" UUID,
    "address" TEXT NOT NULL,
    "statuses" TEXT[] NOT NULL,
    "failingSince" TIMESTAMPTZ(3),
    "disabledAt" TIMESTAMPTZ(3),
    "disabledReason" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "NotificationChannel_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "NotificationChannel_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "NotificationChannel_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "Project"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
-- One of a project beside one of all projects, each once.
CREATE UNIQUE INDEX "NotificationChannel_userId_projectId_address_key" ON "NotificationChannel"("userId", "projectId", "address") NULLS NOT DISTINCT;
CREATE INDEX "NotificationChannel_projectId_idx" ON "NotificationChannel"("projectId");

CREATE TABLE "Delivery" (
    "id" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "channelId" UUID,
    "jobId" UUID,
    "address" TEXT NOT NULL,
    "event" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'pending',
    "body" TEXT,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "nextTryAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "answer" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "endedAt" TIMESTAMPTZ(3),
    CONSTRAINT "Delivery_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "Delivery_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "Delivery_channelId_fkey" FOREIGN KEY ("channelId") REFERENCES "NotificationChannel"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "Delivery_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "Job"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "Delivery_due_idx" ON "Delivery"("nextTryAt") WHERE "state" = 'pending';
CREATE INDEX "Delivery_userId_id_idx" ON "Delivery"("userId", "id" DESC);
CREATE INDEX "Delivery_jobId_idx" ON "Delivery"("jobId");
CREATE INDEX "Delivery_channelId_idx" ON "Delivery"("channelId");
