-- AlterTable
ALTER TABLE "User" ADD COLUMN "maxJobs" INTEGER;
ALTER TABLE "User" ADD COLUMN "maxGpus" INTEGER;

-- Whether one more job that takes so many GPUs stays within what its owner may run at the same time. Claims for one owner
-- wait for each other here, each then counts anew (volatile: every query in it sees what was committed meanwhile), so that
-- two of them never both take the last place. The catalogue says how many GPUs each machine has.
CREATE FUNCTION mycloud_may_run(owner UUID, wanted INTEGER, machines TEXT[], gpus INTEGER[]) RETURNS BOOLEAN
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  most_jobs INTEGER;
  most_gpus INTEGER;
  running INTEGER;
  used INTEGER;
BEGIN
  SELECT "maxJobs", "maxGpus" INTO most_jobs, most_gpus FROM "User" WHERE id = owner;
  IF most_jobs IS NULL AND most_gpus IS NULL THEN RETURN TRUE; END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('mycloud running ' || owner::text, 0));
  SELECT count(*), COALESCE(sum(m.gpus), 0) INTO running, used
    FROM "Job" j LEFT JOIN unnest(machines, gpus) AS m(name, gpus) ON m.name = j.machine
    WHERE j."ownerId" = owner AND j.status IN ('preparing', 'running');
  RETURN (most_jobs IS NULL OR running < most_jobs) AND (most_gpus IS NULL OR wanted = 0 OR used + wanted <= most_gpus);
END $$;
