-- AlterTable
ALTER TABLE "Worker" ADD COLUMN     "removedAt" TIMESTAMPTZ(3),
ADD COLUMN     "removedBy" TEXT;

-- CreateTable
CREATE TABLE "Api" (
    "id" UUID NOT NULL,
    "url" TEXT NOT NULL,
    "seenAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Api_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Tries" (
    "key" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "endsAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Tries_pkey" PRIMARY KEY ("key")
);

-- CreateIndex
CREATE INDEX "Tries_endsAt_idx" ON "Tries"("endsAt");
