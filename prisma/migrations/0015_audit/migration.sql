-- Who did what. Names stand beside ids and nothing refers to anything: an entry outlives what it is about.
CREATE TABLE "AuditEntry" (
    "id" BIGSERIAL NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "userId" UUID,
    "user" TEXT,
    "via" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "target" TEXT NOT NULL DEFAULT '',
    "detail" JSONB NOT NULL DEFAULT '{}',
    "address" TEXT NOT NULL,
    "outcome" TEXT NOT NULL,
    CONSTRAINT "AuditEntry_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "AuditEntry_user_id_idx" ON "AuditEntry"("user", "id");
CREATE INDEX "AuditEntry_time_idx" ON "AuditEntry"("time");
