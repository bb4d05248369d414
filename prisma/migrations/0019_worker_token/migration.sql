-- A worker's name and attempts belong to the token it registered with, not to all tokens of the admin who made them: what one
-- computer of a cluster gives away must not write for the jobs of the others.
ALTER TABLE "Worker" ADD COLUMN "tokenId" UUID REFERENCES "Token"(id) ON DELETE SET NULL;

UPDATE "Worker" w SET "tokenId" = (SELECT t.id FROM "Token" t WHERE t."userId" = w."ownerId" AND t.kind = 'worker')
WHERE (SELECT count(*) FROM "Token" t WHERE t."userId" = w."ownerId" AND t.kind = 'worker') = 1;

-- Of one that registered before this was kept, and of several tokens, none is known until it registers again: any counts till then.
CREATE FUNCTION mycloud_speaks_for(token uuid, worker "Worker") RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT worker."tokenId" = token
    OR (worker."tokenId" IS NULL AND worker."ownerId" = (SELECT "userId" FROM "Token" WHERE id = token))
$$;
