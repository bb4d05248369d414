-- What nothing refers to any more is doomed first and deleted after a grace period; quotas; stored beside logical sizes.
ALTER TABLE "User" ADD COLUMN "quotaBytes" BIGINT;

ALTER TABLE "Snapshot" ADD COLUMN "doomedAt" TIMESTAMPTZ(3);
ALTER TABLE "Snapshot" ADD COLUMN "storedBytes" BIGINT;
UPDATE "Snapshot" SET "storedBytes" = "bytes";
ALTER TABLE "Snapshot" ALTER COLUMN "storedBytes" SET NOT NULL;

ALTER TABLE "Pack" ADD COLUMN "emptyAt" TIMESTAMPTZ(3);

ALTER TABLE "Chunk" ADD COLUMN "doomedAt" TIMESTAMPTZ(3);
