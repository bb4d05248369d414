-- A pack says by which algorithm its bytes were checked; none is looked up by it any more.
DROP INDEX "Pack_ownerId_sha256_idx";
ALTER TABLE "Pack" RENAME COLUMN "sha256" TO "checksum";
UPDATE "Pack" SET "checksum" = 'sha256:' || "checksum";
CREATE INDEX "Pack_ownerId_idx" ON "Pack"("ownerId");
