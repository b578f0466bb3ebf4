-- Two roles for Capacity Hub on Postgres: one owns the tables and migrates them, the other serves.
-- The one that serves may read and write everything, except that it cannot change or remove what
-- the log of changes holds: whoever gets hold of the service cannot rewrite the history.
--
--   psql -d capacity_hub -v owner=hub_owner -v service=hub_service -f docs/postgres-roles.sql
--
-- Run it as somebody who may create roles (a superuser, say):
--   1. once on the empty database; then give both roles a way to log in (\password hub_owner);
--   2. `capacity-hub migrate` with the owner in DATABASE_URL;
--   3. once more, and after every later migration; then serve with the other role in DATABASE_URL.
-- Running it again does no harm. Until step 3 the role that serves may do nothing.
\set ON_ERROR_STOP on
\if :{?owner} \else \set owner hub_owner \endif
\if :{?service} \else \set service hub_service \endif

SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest(ARRAY[:'owner', :'service']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

BEGIN;
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO :"owner", :"service";
GRANT USAGE, CREATE ON SCHEMA public TO :"owner";
GRANT USAGE ON SCHEMA public TO :"service";

SELECT to_regclass('public.change') IS NOT NULL AS migrated
\gset
\if :migrated
  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"service";
  GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO :"service";
  -- The log only grows.
  REVOKE UPDATE, DELETE, TRUNCATE ON change FROM :"service";
  -- Which migrations were made is for their owner to say.
  REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON seaql_migrations FROM :"service";
\else
  \echo 'The roles are there. Migrate as the owner, then run this once more.'
\endif
COMMIT;
