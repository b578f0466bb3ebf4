-- Fills a registry that holds the first seminar with :n seminars and what belongs to them, past the
-- service: through it this would take a day. Bodies are those of the first seminar with other
-- values, so they have whatever fields the service gives them; bench/scale has the service write
-- some of them once more, and compares.
--
-- Sessions and presentations belong to every :every-th seminar; all of them where that is 1, which have
-- :talks presentations each. The words of the collections in :stale are left out: the service will
-- write them.
--
-- So that more than one processor has something to do, several may fill one registry: the first is told
-- :stage begin, then each of :parts its :part from 0 with :stage part, side by side, and :stage end comes
-- last. Who says nothing does all of it.
--
-- What is rare comes late: a planner that takes values to be spread evenly walks almost a whole
-- index before it finds 20 records of a country that joined last month. Everything else drifts, as
-- it does in life: a series, a project and most topics have their years.
\set ON_ERROR_STOP on
\set QUIET on
\if :{?every}
\else
\set every 1
\endif
\if :{?talks}
\else
\set talks 3
\endif
\if :{?stale}
\else
\set stale ''
\endif
\if :{?parts}
\else
\set parts 1
\set part 0
\endif
\if :{?stage}
\else
\set stage all
\endif
SELECT :'stage' IN ('all', 'begin') AS begins, :'stage' IN ('all', 'part') AS fills, :'stage' IN ('all', 'end') AS ends, :'stage' = 'all' AS is_whole \gset
SET client_min_messages = warning;
-- No foreign keys are checked: what is made here refers to what is made here.
SET session_replication_role = replica;
SET synchronous_commit = off;
SET work_mem = '512MB';
SET maintenance_work_mem = '2GB';
SET jit = off;

\if :begins
-- Indexes that nothing here is found by are made anew at the end: to sort once is a fraction of
-- finding the place of each row.
-- One of a table in parts is one of each part.
CREATE TABLE later AS SELECT CAST(CAST(indexrelid AS regclass) AS text) AS name, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') AS made
  FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
  WHERE relnamespace = CAST('public' AS regnamespace) AND NOT indisunique AND NOT relispartition;
SELECT 'DROP INDEX ' || name FROM later \gexec
-- Nearly all is public, so what is not is told at the end.
CREATE TABLE listed AS SELECT format('%I', table_name) AS name FROM information_schema.columns
  WHERE table_schema = 'public' AND column_name = 'public' AND table_name NOT LIKE 'search%';
SELECT 'ALTER TABLE ' || name || ' ALTER public SET DEFAULT true' FROM listed \gexec
-- What the service has written itself.
CREATE TABLE own AS SELECT id FROM record;
ANALYZE own;
\endif

\if :fills
BEGIN;
CREATE TEMP TABLE scale AS SELECT CAST(:n AS bigint) AS n, CAST(:every AS bigint) AS every, CAST(:talks AS bigint) AS talks,
  CAST(:part AS bigint) AS part, CAST(:parts AS bigint) AS parts;
-- What of so many numbers falls to this part: all parts go through the years at one pace.
CREATE FUNCTION pg_temp.mine(first bigint, last bigint, step bigint DEFAULT 1) RETURNS TABLE (number bigint) LANGUAGE sql STABLE AS $$
  SELECT generate_series(first + step * part, last, step * parts) FROM scale $$;

-- An id as the service makes them: ids come in the order in which records are made, so the records
-- of a seminar lie beside it.
CREATE FUNCTION pg_temp.id_of(made numeric, kind int, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT CAST(overlay(lpad(to_hex(CAST(1500000000000 + made * 1000 AS bigint)), 12, '0') PLACING '-' FROM 9 FOR 0)
    || '-7' || lpad(to_hex(kind), 3, '0') || '-8000-' || lpad(to_hex(number), 12, '0') AS uuid) $$;
-- A number below so many, the same each time, that has nothing to do with the order of records.
CREATE FUNCTION pg_temp.any_of(number bigint, salt int, below bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT abs(hashint8extended(number, salt) % below) $$;
-- A number below so many that grows with the first.
CREATE FUNCTION pg_temp.drift(number bigint, of bigint, below bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT least(number * below / of, below - 1) $$;
-- Every twentieth of the last few hundred that are public: of however many, a page is full of them.
CREATE FUNCTION pg_temp.rare(number bigint, of bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT number BETWEEN of - 420 AND of AND number % 20 = 0 $$;
-- A body as the service keeps it, without the spaces of jsonb: they would be read and sent with each
-- answer. json_strip_nulls writes none, but it would take what is null.
CREATE FUNCTION pg_temp.compact(body jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT replace(CAST(json_strip_nulls(CAST(replace(CAST(body AS text), '": null', '": "~null~"') AS json)) AS text), '"~null~"', 'null') $$;
CREATE FUNCTION pg_temp.sample(collection text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_set(CAST(body AS jsonb), '{citations}', jsonb_path_query_array(CAST(body AS jsonb), '$.citations[0]'))
  FROM record JOIN own USING (id) WHERE resource = collection ORDER BY id LIMIT 1 $$;
CREATE FUNCTION pg_temp.known(collection text, named text) RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT id FROM record WHERE resource = collection AND slug = named $$;
-- Which presentation that of a seminar is, and when it is made: all before the next seminar.
CREATE FUNCTION pg_temp.talk(seminar bigint, place bigint) RETURNS TABLE (number bigint, made numeric) LANGUAGE sql STABLE AS $$
  SELECT (seminar - 1) * talks + place, 10000 + seminar * 10 + round(9.0 * place / talks, 3) FROM scale $$;

-- What is made: when, in which collection, which body.
CREATE TEMP TABLE made (made numeric, id uuid, resource text, body jsonb) WITH (toast_tuple_target = 8160);

-- Words as they come in a language: a few are everywhere, most are rare.
CREATE TEMP TABLE words AS SELECT array_agg(word) AS list FROM (
    SELECT unnest(ARRAY['governance', 'innovation', 'services', 'public', 'digital', 'skills', 'data', 'cloud', 'policy', 'reform',
      'regional', 'open', 'civil', 'budget', 'health', 'education', 'taxes', 'justice', 'transport', 'energy'])
    UNION ALL SELECT one || two || three FROM unnest(ARRAY['ba', 'de', 'fi', 'go', 'hu', 'ka', 'le', 'mi', 'no', 'ru']) AS one,
      unnest(ARRAY['la', 'ne', 'si', 'to', 'vu', 'ra', 'me', 'di', 'lo', 'su']) AS two, unnest(ARRAY['n', 'r', 's', 't', '']) AS three
  ) AS of (word);
CREATE FUNCTION pg_temp.phrase(number bigint, salt int, length int) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT string_agg(list[1 + CAST(floor(520 * power(CAST(pg_temp.any_of(number, salt + at, 1000) AS double precision) / 1000, 3)) AS int)], ' ' ORDER BY at)
  FROM words, generate_series(1, length) AS at $$;

CREATE FUNCTION pg_temp.one_of(number bigint, VARIADIC list text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT list[1 + number % cardinality(list)] $$;

INSERT INTO made SELECT number, pg_temp.id_of(number, 1, number), 'topics',
    sample || jsonb_build_object('code', 'topic-' || number, 'label', jsonb_build_object('en', 'Topic ' || number),
      'scheme', pg_temp.one_of(number, 'own', 'own', 'dac', 'sdg'),
      'parent_id', CASE WHEN number > 50 THEN pg_temp.id_of(1 + number % 50, 1, 1 + number % 50) END)
  FROM pg_temp.sample('topics') AS sample, pg_temp.mine(1, 300);
INSERT INTO made SELECT number, pg_temp.id_of(number, 2, number), 'organisations',
    sample || jsonb_build_object('slug', 'organisation-' || number, 'name', jsonb_build_object('en', 'Organisation ' || number),
      'kind', pg_temp.one_of(number, 'government', 'academic', 'private_sector', NULL),
      'country', pg_temp.one_of(number, 'KZ', 'KG', 'KR', 'EE', NULL),
      'parent_id', CASE WHEN number > 100 AND number % 2 = 0 THEN pg_temp.id_of(number / 20, 2, number / 20) END)
  FROM pg_temp.sample('organisations') AS sample, pg_temp.mine(1, 2000);
INSERT INTO made SELECT number, pg_temp.id_of(number, 3, number), 'initiatives',
    sample || jsonb_build_object('slug', 'initiative-' || number, 'name', jsonb_build_object('en', 'Initiative ' || number),
      'kind', pg_temp.one_of(number, 'strategy', 'policy', 'programme', 'infrastructure'),
      'country', pg_temp.one_of(number, 'KR', 'EE', 'FI', NULL), 'horizon_year', CASE WHEN number % 3 > 0 THEN 2020 + number % 20 END,
      'owner_id', CASE WHEN number % 4 > 0 THEN pg_temp.id_of(1 + number % 20, 2, 1 + number % 20) END,
      'topics', jsonb_build_array('topic-' || 1 + number % 300))
  FROM pg_temp.sample('initiatives') AS sample, pg_temp.mine(1, 500);
INSERT INTO made SELECT number, pg_temp.id_of(number, 4, number), 'projects',
    sample || jsonb_build_object('slug', 'project-' || number, 'title', jsonb_build_object('en', 'Project ' || number),
      'status', pg_temp.one_of(number, 'pipeline', 'implementation', 'closed', NULL),
      'iati', jsonb_build_object('identifier', 'XM-HUB-' || number, 'reporting_org', NULL, 'sectors', jsonb_build_array(),
        'region', NULL, 'aid_type', NULL, 'finance_type', NULL, 'flow_type', NULL, 'tied_status', NULL))
  FROM pg_temp.sample('projects') AS sample, pg_temp.mine(1, 50);
INSERT INTO made SELECT number, pg_temp.id_of(number, 5, number), 'seminar-series',
    sample || jsonb_build_object('slug', 'series-' || number,
      'project_id', pg_temp.id_of(1 + number / 10, 4, 1 + number / 10), 'name', jsonb_build_object('en', 'Series ' || number))
  FROM pg_temp.sample('seminar-series') AS sample, pg_temp.mine(1, 499);
INSERT INTO made SELECT number, pg_temp.id_of(number, 14, number), 'grant-arrangements',
    sample || jsonb_build_object('slug', 'grant-' || number, 'title', jsonb_build_object('en', 'Grant ' || number),
      'project_id', pg_temp.id_of(1 + number % 50, 4, 1 + number % 50), 'signed_on', CAST(1990 + number % 30 AS text),
      'status', pg_temp.one_of(number, 'negotiated', 'signed', 'in_force', 'completed'))
  FROM pg_temp.sample('grant-arrangements') AS sample, pg_temp.mine(1, 200);
INSERT INTO made SELECT number, pg_temp.id_of(number, 15, number), 'results',
    sample || jsonb_build_object('slug', 'result-' || number, 'title', jsonb_build_object('en', 'Result ' || number),
      'project_id', pg_temp.id_of(1 + number % 50, 4, 1 + number % 50), 'kind', pg_temp.one_of(number, 'output', 'outcome', 'impact'))
  FROM pg_temp.sample('results') AS sample, pg_temp.mine(1, 200);
INSERT INTO made SELECT number, pg_temp.id_of(number, 16, number), 'indicators',
    sample || jsonb_build_object('slug', 'indicator-' || number, 'title', jsonb_build_object('en', 'Indicator ' || number),
      'result_id', pg_temp.id_of(1 + number % 200, 15, 1 + number % 200), 'measure', pg_temp.one_of(number, 'unit', 'percentage', 'ordinal'))
  FROM pg_temp.sample('indicators') AS sample, pg_temp.mine(1, 400);
INSERT INTO made SELECT number, pg_temp.id_of(number, 18, number), 'exchange-rates',
    sample || jsonb_build_object('slug', 'rate-' || number, 'from', 'KRW', 'to', pg_temp.one_of(number, 'USD', 'EUR'),
      'on', date '2020-01-01' + CAST(number AS int))
  FROM pg_temp.sample('exchange-rates') AS sample, pg_temp.mine(1, 300);

INSERT INTO made SELECT number, pg_temp.id_of(number, 6, number), 'people',
    sample || jsonb_build_object('slug', 'person-' || number,
      'name', initcap(pg_temp.phrase(number, 10, 1)) || ' ' || initcap(pg_temp.phrase(number, 20, 1)) || ' ' || number,
      'appointments', jsonb_build_array(jsonb_build_object('position', jsonb_build_object('en', 'Adviser'), 'from', NULL, 'to', NULL,
        'organisation_id', CASE WHEN pg_temp.any_of(number, 1, 10) < 3 THEN undp ELSE
          pg_temp.id_of(1 + pg_temp.drift(number, n / 5, 1000), 2, 1 + pg_temp.drift(number, n / 5, 1000)) END)))
  FROM scale, pg_temp.sample('people') AS sample, pg_temp.known('organisations', 'undp') AS undp,
    -- The last of them appear nowhere, and are not public yet.
    pg_temp.mine(1, n / 5 + n / 500);

INSERT INTO made SELECT 10000 + number * 10, pg_temp.id_of(10000 + number * 10, 7, number), 'seminars',
    sample || jsonb_build_object('slug', 'seminar-' || number,
      'project_id', CASE WHEN number % 2 = 0 THEN project ELSE
        pg_temp.id_of(1 + pg_temp.drift(number, n, 50), 4, 1 + pg_temp.drift(number, n, 50)) END,
      'series_id', CASE WHEN pg_temp.any_of(number, 1, 20) = 0 THEN NULL WHEN pg_temp.any_of(number, 1, 20) < 5 THEN series ELSE
        pg_temp.id_of(1 + pg_temp.drift(number, n, 499), 5, 1 + pg_temp.drift(number, n, 499)) END,
      'ordinal', CASE WHEN pg_temp.any_of(number, 2, 10) > 0 THEN 1 + number % 5000 END,
      'kind', CASE WHEN pg_temp.rare(number, n) THEN 'launch' ELSE
        (ARRAY['seminar', 'seminar', 'seminar', 'seminar', 'seminar', 'seminar', 'workshop', 'workshop', 'webinar', 'conference'])
          [1 + pg_temp.any_of(number, 3, 10)] END,
      'status', CASE WHEN pg_temp.rare(number, n) THEN 'cancelled' WHEN number > n - n / 100 THEN 'planned' ELSE 'held' END,
      'format', CASE WHEN pg_temp.rare(number, n) THEN 'hybrid' WHEN number > n * 7 / 10 THEN 'online'
        WHEN pg_temp.any_of(number, 4, 3) > 0 THEN 'onsite' END,
      'title', CASE WHEN number % 1000 = 7 THEN jsonb_build_object('en', '=SUM(A1:A9) ' || number)
        WHEN pg_temp.any_of(number, 5, 10) > 2 THEN jsonb_build_object('en', initcap(pg_temp.phrase(number, 30, 4)) || ' ' || number,
          'ru', 'Семинар ' || number) END,
      'theme', jsonb_build_object('en', initcap(pg_temp.phrase(number, 40, 6)) || CASE WHEN pg_temp.rare(number, n) THEN ', glaciology' ELSE '' END),
      'starts_on', CASE WHEN pg_temp.any_of(number, 6, 20) > 0 THEN date '1990-01-01' + CAST(pg_temp.drift(number, n, 14000) AS int) END,
      'ends_on', NULL,
      'languages', CASE WHEN pg_temp.rare(number, n) THEN '["is"]' WHEN pg_temp.any_of(number, 7, 10) < 8 THEN '["en", "ru"]'
        WHEN number > n * 95 / 100 THEN '["ky"]' ELSE '["kk"]' END::jsonb,
      'organisers', jsonb_build_array(
        jsonb_build_object('role', 'organiser', 'organisation_id', CASE WHEN number % 5 < 3 THEN undp ELSE
          pg_temp.id_of(1 + pg_temp.any_of(number, 8, 1000), 2, 1 + pg_temp.any_of(number, 8, 1000)) END),
        jsonb_build_object('role', 'host', 'organisation_id',
          pg_temp.id_of(1001 + pg_temp.drift(number, n, 1000), 2, 1001 + pg_temp.drift(number, n, 1000)))),
      'countries', jsonb_build_array(
        jsonb_build_object('role', 'participating', 'country', CASE WHEN number % 10 < 7 THEN 'KZ' ELSE 'KG' END),
        jsonb_build_object('role', 'expert', 'country', (ARRAY['EE', 'FI', 'KR', 'DE', 'FR', 'JP'])[1 + pg_temp.any_of(number, 9, 6)]),
        jsonb_build_object('role', 'attending', 'country', CASE WHEN pg_temp.rare(number, n) THEN 'IS' ELSE
          (ARRAY['AM', 'AZ', 'GE', 'UZ', 'TJ', 'TM', 'MN', 'MD', 'UA', 'PL', 'CZ', 'SK', 'LV', 'LT', 'SE', 'NO', 'DK', 'GB', 'IE', 'US'])
            [1 + pg_temp.drift(number, n, 20)] END)),
      'topics', to_jsonb(array_remove(ARRAY[CASE WHEN number % 10 < 6 THEN 'digitalisation' END,
        'topic-' || 1 + pg_temp.drift(number, n, 250), CASE WHEN pg_temp.rare(number, n) THEN 'topic-300' ELSE
        'topic-' || 251 + pg_temp.any_of(number, 10, 48) END], NULL)))
  FROM scale, pg_temp.sample('seminars') AS sample, pg_temp.known('organisations', 'undp') AS undp,
    pg_temp.known('projects', 'governance-innovation-and-digitalisation') AS project,
    pg_temp.known('seminar-series', 'governance-innovation-and-digitalisation-seminars') AS series,
    -- The first seminar is one of them; a few more are not public.
    pg_temp.mine(2, n + n / 100);

INSERT INTO made SELECT 10000 + number * 10, pg_temp.id_of(10000 + number * 10, 8, number), 'sessions',
    sample || jsonb_build_object('slug', 'session-' || number, 'seminar_id', pg_temp.id_of(10000 + number * 10, 7, number),
      'day', 1 + number % 3, 'order', 1 + number % 7, 'kind', CASE WHEN pg_temp.rare(number, n) THEN 'visit' ELSE
        (ARRAY['opening', 'presentations', 'discussion'])[1 + pg_temp.any_of(number, 1, 3)] END,
      'topics', jsonb_build_array(CASE WHEN number % 2 = 0 THEN 'digitalisation' ELSE 'topic-' || 1 + pg_temp.drift(number, n, 250) END))
  FROM scale, pg_temp.sample('sessions') AS sample, pg_temp.mine(greatest(2, every), n + n / 100, every);

INSERT INTO made SELECT made, pg_temp.id_of(made, 9, number), 'presentations',
    sample || jsonb_build_object('slug', CASE WHEN number % 4 > 0 THEN 'presentation-' || number END,
      'seminar_id', pg_temp.id_of(10000 + seminar * 10, 7, seminar),
      'session_id', CASE WHEN place < 3 THEN pg_temp.id_of(10000 + seminar * 10, 8, seminar) END,
      'order', place,
      'title', CASE WHEN pg_temp.any_of(number, 1, 5) > 0 THEN jsonb_build_object('en', initcap(pg_temp.phrase(number, 50, 5))
        || CASE WHEN pg_temp.rare(seminar, n) THEN ' of glaciology' ELSE '' END) END,
      'language', CASE WHEN pg_temp.rare(seminar, n) THEN 'is' WHEN seminar > n * 98 / 100 THEN 'ky'
        ELSE (ARRAY[NULL, NULL, 'en', 'ru'])[1 + pg_temp.any_of(number, 2, 4)] END,
      'speakers', jsonb_build_array(jsonb_build_object('role', 'presenter', 'honorific', 'Dr.',
        'position', jsonb_build_object('en', initcap(pg_temp.phrase(number, 60, 2))),
        'person_id', CASE WHEN number % 50 = 0 THEN person ELSE
          pg_temp.id_of(1 + pg_temp.any_of(number, 3, n / 5), 6, 1 + pg_temp.any_of(number, 3, n / 5)) END,
        'organisation_id', CASE WHEN number % 5 = 0 THEN undp ELSE
          pg_temp.id_of(1 + pg_temp.drift(seminar, n, 2000), 2, 1 + pg_temp.drift(seminar, n, 2000)) END,
        'country', CASE WHEN pg_temp.rare(seminar, n) THEN 'IS' WHEN seminar > n * 98 / 100 THEN 'MN' ELSE
          (ARRAY['KR', 'KR', 'KR', 'EE', 'FI', 'KZ'])[1 + pg_temp.any_of(number, 4, 6)] END)),
      'topics', jsonb_build_array(CASE WHEN number % 10 < 6 THEN 'digitalisation' ELSE 'topic-' || 251 + pg_temp.any_of(number, 10, 48) END,
        CASE WHEN pg_temp.rare(seminar, n) THEN 'topic-300' ELSE 'topic-' || 1 + pg_temp.drift(seminar, n, 250) END),
      'initiative_ids', CASE WHEN number % 10 = 0 THEN jsonb_build_array(initiative) WHEN number % 10 < 3 THEN jsonb_build_array(
        pg_temp.id_of(1 + pg_temp.drift(seminar, n, 500), 3, 1 + pg_temp.drift(seminar, n, 500))) ELSE '[]' END)
  FROM scale, pg_temp.sample('presentations') AS sample, pg_temp.known('organisations', 'undp') AS undp,
    pg_temp.known('people', 'kangtak-oh') AS person,
    pg_temp.known('initiatives', 'kr-digital-government-innovation-strategy') AS initiative,
    pg_temp.mine(greatest(2, every), n + n / 100, every) AS of (seminar), generate_series(1, talks) AS place, pg_temp.talk(seminar, place) AS given;

INSERT INTO made SELECT 10005 + of.number * 50, pg_temp.id_of(10005 + of.number * 50, 10, of.number), 'statements',
    sample || jsonb_build_object('slug', 'statement-' || of.number, 'seminar_id', pg_temp.id_of(10000 + of.number * 50, 7, of.number * 5),
      'presentation_id', CASE WHEN of.number % 2 = 0 THEN pg_temp.id_of(given.made, 9, given.number) END,
      'person_id', pg_temp.id_of(1 + pg_temp.any_of(of.number, 1, n / 5), 6, 1 + pg_temp.any_of(of.number, 1, n / 5)),
      'mode', CASE WHEN pg_temp.rare(of.number, n / 5) THEN 'verbatim' ELSE 'paraphrase' END,
      'text', jsonb_build_object('en', pg_temp.phrase(of.number, 70, 12)),
      'topics', jsonb_build_array('topic-' || 1 + pg_temp.drift(of.number, n / 5, 300)))
  FROM scale, pg_temp.sample('statements') AS sample, pg_temp.mine(1, n / 5) AS of (number), pg_temp.talk(of.number * 5, 1) AS given;

INSERT INTO made SELECT 10005 + number * 50, pg_temp.id_of(10005 + number * 50, 11, number), 'study-visits',
    sample || jsonb_build_object('slug', 'study-visit-' || number,
      'project_id', CASE WHEN number % 2 = 0 THEN project ELSE
        pg_temp.id_of(1 + pg_temp.drift(number, n / 5, 50), 4, 1 + pg_temp.drift(number, n / 5, 50)) END,
      'title', CASE WHEN number % 3 > 0 THEN jsonb_build_object('en', initcap(pg_temp.phrase(number, 80, 4))
        || CASE WHEN pg_temp.rare(number, n / 5) THEN ' glaciology' ELSE '' END) END,
      'host_country', CASE WHEN pg_temp.rare(number, n / 5) THEN 'IS' WHEN number > n / 5 * 98 / 100 THEN 'MN' ELSE
        (ARRAY['KR', 'KR', 'EE', 'FI'])[1 + pg_temp.any_of(number, 1, 4)] END,
      'starts_on', CASE WHEN pg_temp.any_of(number, 2, 20) > 0 THEN date '1990-01-01' + CAST(pg_temp.drift(number, n / 5, 14000) AS int) END,
      'status', CASE WHEN pg_temp.rare(number, n / 5) THEN 'cancelled' WHEN number > n / 5 * 98 / 100 THEN 'planned' ELSE 'held' END,
      'stops', jsonb_build_array(jsonb_build_object('on', NULL, 'subject', NULL, 'organisation_id', CASE WHEN number % 5 = 0 THEN undp ELSE
        pg_temp.id_of(1 + pg_temp.drift(number, n / 5, 2000), 2, 1 + pg_temp.drift(number, n / 5, 2000)) END)),
      'countries', jsonb_build_array(
        jsonb_build_object('role', 'participating', 'country', CASE WHEN number % 10 < 7 THEN 'KZ' ELSE 'KG' END),
        jsonb_build_object('role', 'attending', 'country', CASE WHEN pg_temp.rare(number, n / 5) THEN 'IS' ELSE
          (ARRAY['AM', 'AZ', 'GE', 'UZ', 'TJ', 'TM', 'MN', 'MD', 'UA', 'PL'])[1 + pg_temp.drift(number, n / 5, 10)] END)),
      'topics', jsonb_build_array(CASE WHEN number % 2 = 0 THEN 'digitalisation' ELSE 'topic-' || 1 + pg_temp.drift(number, n / 5, 300) END))
  FROM scale, pg_temp.sample('study-visits') AS sample,
    pg_temp.known('projects', 'governance-innovation-and-digitalisation') AS project,
    pg_temp.known('organisations', 'undp') AS undp, pg_temp.mine(1, n / 5);

INSERT INTO made SELECT 10006 + number * 50, pg_temp.id_of(10006 + number * 50, 12, number), 'documents',
    sample || jsonb_build_object('slug', 'document-' || number, 'title', jsonb_build_object('en', initcap(pg_temp.phrase(number, 90, 4))),
      'kind', CASE WHEN pg_temp.rare(number, n / 5) THEN 'photo' ELSE pg_temp.one_of(number, 'article', 'article', 'slides', 'report') END,
      'language', CASE WHEN pg_temp.rare(number, n / 5) THEN 'is' ELSE pg_temp.one_of(number, 'en', 'en', 'ru', NULL) END,
      'published_on', CASE WHEN number % 5 > 0 THEN date '1990-01-01' + CAST(pg_temp.drift(number, n / 5, 14000) AS int) END,
      'publisher_id', CASE WHEN number % 5 < 2 THEN undp ELSE
        pg_temp.id_of(1 + pg_temp.drift(number, n / 5, 2000), 2, 1 + pg_temp.drift(number, n / 5, 2000)) END)
  FROM scale, pg_temp.sample('documents') AS sample, pg_temp.known('organisations', 'undp') AS undp, pg_temp.mine(1, n / 5);

INSERT INTO made SELECT 10006 + number * 50, pg_temp.id_of(10006 + number * 50, 13, number), 'recommendations',
    sample || jsonb_build_object('slug', 'recommendation-' || number, 'seminar_id', pg_temp.id_of(10000 + number * 50, 7, number * 5),
      'person_id', CASE WHEN number % 2 = 0 THEN pg_temp.id_of(1 + pg_temp.any_of(number, 1, n / 5), 6, 1 + pg_temp.any_of(number, 1, n / 5)) END,
      'organisation_id', CASE WHEN number % 5 < 2 THEN undp ELSE
        pg_temp.id_of(1 + pg_temp.drift(number, n / 5, 2000), 2, 1 + pg_temp.drift(number, n / 5, 2000)) END,
      'text', jsonb_build_object('en', pg_temp.phrase(number, 100, 10)),
      'status', CASE WHEN pg_temp.rare(number, n / 5) THEN 'declined' ELSE pg_temp.one_of(number, 'open', 'open', 'accepted', 'done') END)
  FROM scale, pg_temp.sample('recommendations') AS sample, pg_temp.known('organisations', 'undp') AS undp, pg_temp.mine(1, n / 5);

-- In the order in which they are made, as the service would have kept them: a tenth was written once
-- more, some were submitted or withdrawn. Not public are the newest seminars with all that belongs to
-- them, and some of the rest.
CREATE TEMP TABLE new (made numeric, id uuid, resource text, body jsonb, kept text, slug text, state text, at timestamptz, later interval)
  WITH (toast_tuple_target = 8160);
INSERT INTO new SELECT made, id, resource, body, pg_temp.compact(body), coalesce(body->>'slug', body->>'code'), state,
    timestamptz '2020-01-01' + made * interval '1 minute' / 10,
    CASE WHEN state IN ('in_review', 'withdrawn') THEN interval '1 day'
      WHEN state = 'published' AND pg_temp.any_of(CAST(made AS bigint), 1, 10) = 0 THEN interval '30 days' ELSE interval '0' END
  FROM (SELECT made.*, CASE
      WHEN resource IN ('seminars', 'sessions', 'presentations') AND made >= 10000 + (n + 1) * 10
        THEN pg_temp.one_of(CAST(floor((made - 10000) / 10) AS bigint), 'draft', 'in_review', 'withdrawn')
      WHEN resource = 'people' AND made > n / 5 THEN 'draft'
      WHEN resource IN ('statements', 'study-visits', 'documents', 'recommendations') AND right(body->>'slug', 2) = '07'
        THEN pg_temp.one_of(CAST(made AS bigint), 'draft', 'in_review', 'withdrawn')
      ELSE 'published' END AS state
    FROM made, scale ORDER BY made, id) AS sorted;
DROP TABLE made;
ANALYZE new;

INSERT INTO record (id, resource, slug, revision, state, created_at, updated_at, published_at, body)
  SELECT id, resource, slug, CASE WHEN later > interval '0' THEN 2 ELSE 1 END, state, at, at + later, CASE state WHEN 'published' THEN at END, kept
  FROM new;
INSERT INTO change (at, actor, resource, record_id, revision, operation, slug, body, state_before, state)
  SELECT at, 'bench', resource, id, revision, operation, slug, body, state_before, state FROM (
    SELECT at, resource, id, 1 AS revision, 'create' AS operation, slug, kept AS body, NULL AS state_before,
      CASE WHEN state IN ('draft', 'in_review') THEN 'draft' ELSE 'published' END AS state
      FROM new
    UNION ALL SELECT at + later, resource, id, 2, CASE state WHEN 'in_review' THEN 'submit' WHEN 'withdrawn' THEN 'withdraw' ELSE 'replace' END,
      slug, kept, CASE state WHEN 'in_review' THEN 'draft' ELSE 'published' END, state
      FROM new WHERE later > interval '0'
    -- And some are gone.
    UNION ALL SELECT timestamptz '2020-01-02' + number * interval '1 hour' + revision * interval '1 minute', 'seminars',
      pg_temp.id_of(10000 + number * 10, 7, 2 * n + number), revision, CASE revision WHEN 1 THEN 'create' ELSE 'delete' END, 'gone-' || number,
      CASE revision WHEN 1 THEN sample::text END, CASE revision WHEN 2 THEN 'published' END, CASE revision WHEN 1 THEN 'published' END
      FROM scale, pg_temp.sample('seminars') AS sample, pg_temp.mine(1, n / 100), generate_series(1, 2) AS revision
  ) AS made ORDER BY at, id;
-- What some would have changed; a few of them wait for an answer.
INSERT INTO proposal (id, resource, record_id, revision, body, status, actor, note, created_at, decided_by, decided_at, answer)
  SELECT pg_temp.id_of(20000 + number * 500, 17, number), resource, new.id, 1, kept, status, 'bench', NULL, at,
    CASE WHEN status <> 'open' THEN 'bench' END, CASE WHEN status <> 'open' THEN at END, NULL
  FROM scale, generate_series(1, n / 50) AS number JOIN new ON resource = 'seminars' AND slug = 'seminar-' || number * 50,
    LATERAL (SELECT CASE WHEN number % 50 = 0 THEN 'open' ELSE pg_temp.one_of(number, 'accepted', 'accepted', 'declined', 'taken_back') END AS status) AS of
  ORDER BY number;

-- What lists are filtered and sorted by. What is not known comes last.
INSERT INTO topic (id, code, label, scheme, parent_id)
  SELECT id, body->>'code', lower(body#>>'{label,en}'), body->>'scheme', CAST(body->>'parent_id' AS uuid) FROM new WHERE resource = 'topics';
INSERT INTO organisation (id, name, kind, country, parent_id)
  SELECT id, lower(body#>>'{name,en}'), body->>'kind', body->>'country', CAST(body->>'parent_id' AS uuid) FROM new WHERE resource = 'organisations';
INSERT INTO initiative (id, name, kind, country, horizon_year, owner_id)
  SELECT id, lower(body#>>'{name,en}'), body->>'kind', body->>'country', coalesce(CAST(body->>'horizon_year' AS bigint), 9223372036854775807),
    CAST(body->>'owner_id' AS uuid) FROM new WHERE resource = 'initiatives';
INSERT INTO project (id, title, status, iati_identifier)
  SELECT id, lower(body#>>'{title,en}'), body->>'status', body#>>'{iati,identifier}' FROM new WHERE resource = 'projects';
INSERT INTO seminar_series (id, project_id, name)
  SELECT id, CAST(body->>'project_id' AS uuid), lower(body#>>'{name,en}') FROM new WHERE resource = 'seminar-series';
INSERT INTO grant_arrangement (id, project_id, signed_on, title, status)
  SELECT id, CAST(body->>'project_id' AS uuid), CAST(body->>'signed_on' || '-01-01' AS date), lower(body#>>'{title,en}'), body->>'status'
  FROM new WHERE resource = 'grant-arrangements';
INSERT INTO result (id, project_id, title, kind)
  SELECT id, CAST(body->>'project_id' AS uuid), lower(body#>>'{title,en}'), body->>'kind' FROM new WHERE resource = 'results';
INSERT INTO indicator (id, result_id, title, measure)
  SELECT id, CAST(body->>'result_id' AS uuid), lower(body#>>'{title,en}'), body->>'measure' FROM new WHERE resource = 'indicators';
INSERT INTO exchange_rate (id, from_currency, to_currency, on_day, rate)
  SELECT id, body->>'from', body->>'to', CAST(body->>'on' AS date), body->>'rate' FROM new WHERE resource = 'exchange-rates';
INSERT INTO document (id, title, published_on, kind, language)
  SELECT id, lower(body#>>'{title,en}'), coalesce(CAST(body->>'published_on' AS date), '9999-12-31'), body->>'kind', body->>'language'
  FROM new WHERE resource = 'documents';
INSERT INTO recommendation (id, seminar_id, status)
  SELECT id, CAST(body->>'seminar_id' AS uuid), body->>'status' FROM new WHERE resource = 'recommendations';
INSERT INTO person (id, name) SELECT id, lower(body->>'name') FROM new WHERE resource = 'people';
INSERT INTO seminar (id, project_id, series_id, starts_on, ends_on, title, ordinal, kind, status, format)
  SELECT id, CAST(body->>'project_id' AS uuid), CAST(body->>'series_id' AS uuid),
    coalesce(CAST(body->>'starts_on' AS date), '9999-12-31'), coalesce(CAST(body->>'starts_on' AS date), '9999-12-31'), coalesce(lower(body#>>'{title,en}'), U&'\+10FFFF'),
    coalesce(CAST(body->>'ordinal' AS bigint), 9223372036854775807), body->>'kind', body->>'status', body->>'format'
  FROM new WHERE resource = 'seminars';
INSERT INTO session (id, seminar_id, day, position, kind)
  SELECT id, CAST(body->>'seminar_id' AS uuid), CAST(body->>'day' AS bigint),
    CAST(body->>'day' AS bigint) * 100000 + CAST(body->>'order' AS bigint), body->>'kind'
  FROM new WHERE resource = 'sessions';
INSERT INTO presentation (id, seminar_id, session_id, position, title, language)
  SELECT id, CAST(body->>'seminar_id' AS uuid), CAST(body->>'session_id' AS uuid), CAST(body->>'order' AS bigint),
    coalesce(lower(body#>>'{title,en}'), U&'\+10FFFF'), body->>'language'
  FROM new WHERE resource = 'presentations';
INSERT INTO statement (id, seminar_id, mode) SELECT id, CAST(body->>'seminar_id' AS uuid), body->>'mode'
  FROM new WHERE resource = 'statements';
INSERT INTO study_visit (id, project_id, starts_on, ends_on, host_country, status)
  SELECT id, CAST(body->>'project_id' AS uuid), coalesce(CAST(body->>'starts_on' AS date), '9999-12-31'), coalesce(CAST(body->>'starts_on' AS date), '9999-12-31'),
    body->>'host_country', body->>'status'
  FROM new WHERE resource = 'study-visits';

CREATE TEMP TABLE hidden AS SELECT id FROM new WHERE state <> 'published';
SELECT 'UPDATE ' || name || ' AS row SET public = false FROM hidden WHERE hidden.id = row.id' FROM listed \gexec

-- Who refers to whom, and the codes of which a record has several. The fields are those that the
-- service kept of the first seminar, and those of which it has none.
CREATE FUNCTION pg_temp.path(field text) RETURNS jsonpath LANGUAGE sql IMMUTABLE AS $$
  SELECT CAST('$' || regexp_replace(field, '/([^/]+)', '."\1"[*]', 'g') AS jsonpath) $$;
CREATE TEMP TABLE reference_field AS SELECT resource, field, pg_temp.path(field) AS path FROM (
  SELECT DISTINCT resource, field FROM reference JOIN record ON id = source_id JOIN own USING (id)
  UNION VALUES ('people', '/appointments/organisation_id'), ('study-visits', '/stops/organisation_id'), ('topics', '/parent_id'),
    ('recommendations', '/person_id'), ('recommendations', '/organisation_id'), ('indicators', '/result_id')) AS found;
CREATE TEMP TABLE term_field AS SELECT resource, field, pg_temp.path(field) AS path FROM (
  SELECT DISTINCT resource, field FROM term JOIN record ON id = record_id JOIN own USING (id)
  UNION VALUES ('seminars', '/languages'), ('study-visits', '/countries/country')) AS found;
-- Those of other parts are not seen yet.
CREATE TEMP TABLE topic_code AS SELECT slug AS code, id FROM record JOIN own USING (id) WHERE resource = 'topics'
  UNION ALL SELECT 'topic-' || number, pg_temp.id_of(number, 1, number) FROM generate_series(1, 300) AS number;
CREATE FUNCTION pg_temp.references_of(collection text, body jsonb) RETURNS TABLE (field text, target_id uuid) LANGUAGE sql STABLE AS $$
  SELECT DISTINCT field, coalesce(topic_code.id, CAST(found#>>'{}' AS uuid))
  FROM reference_field CROSS JOIN jsonb_path_query(body, path) AS found
    LEFT JOIN topic_code ON field = '/topics' AND code = found#>>'{}'
  WHERE resource = collection AND found <> 'null' $$;
CREATE FUNCTION pg_temp.terms_of(collection text, body jsonb) RETURNS TABLE (field text, value text) LANGUAGE sql STABLE AS $$
  SELECT DISTINCT field, found#>>'{}' FROM term_field CROSS JOIN jsonb_path_query(body, path) AS found
  WHERE resource = collection AND found <> 'null' $$;
-- What presentations give to figures. Of other collections the service tells it by itself, where somebody
-- asks for figures.
CREATE FUNCTION pg_temp.facts_of(body jsonb) RETURNS TABLE (number bigint, subject text, activity_id uuid, role text, country text,
    person_id uuid, organisation_id uuid) LANGUAGE sql STABLE AS $$
  SELECT place, subject, CAST(body->>'seminar_id' AS uuid), role, country, CAST(person AS uuid), CAST(organisation AS uuid) FROM (
    SELECT 0 AS place, 'presentations' AS subject, NULL AS role, NULL AS country, NULL AS person, NULL AS organisation
    UNION ALL SELECT CASE subject WHEN 'speakers' THEN 2 * at - 1 ELSE 2 * at END, subject,
        CASE subject WHEN 'speakers' THEN one->>'role' ELSE 'speaker' END, CASE subject WHEN 'speakers' THEN one->>'country' END,
        CASE subject WHEN 'speakers' THEN one->>'person_id' END, one->>'organisation_id'
      FROM jsonb_array_elements(body->'speakers') WITH ORDINALITY AS of (one, at), (VALUES ('speakers'), ('organisations')) AS told (subject)
      WHERE subject = 'speakers' OR one->>'organisation_id' IS NOT NULL) AS part $$;
-- The rules above are those of the service: of what it wrote itself, they give what it kept.
DO $$ BEGIN
  IF EXISTS (
    WITH kept AS (SELECT record_id, fact.subject, activity_id, role, country, person_id, organisation_id
        FROM fact JOIN own ON own.id = record_id JOIN record USING (id) WHERE resource = 'presentations'),
      made AS (SELECT id, subject, activity_id, role, country, person_id, organisation_id
        FROM record JOIN own USING (id), pg_temp.facts_of(CAST(body AS jsonb)) WHERE resource = 'presentations')
    (TABLE kept EXCEPT ALL TABLE made) UNION ALL (TABLE made EXCEPT ALL TABLE kept)) THEN
    RAISE 'the service makes facts of presentations in another way than bench/fill.sql';
  END IF;
  IF EXISTS ((SELECT source_id, field, target_id FROM reference JOIN own ON id = source_id EXCEPT
      SELECT id, field, target_id FROM record, pg_temp.references_of(resource, CAST(body AS jsonb)) WHERE id IN (SELECT id FROM own))
    UNION ALL (SELECT id, field, target_id FROM record, pg_temp.references_of(resource, CAST(body AS jsonb)) WHERE id IN (SELECT id FROM own)
      EXCEPT SELECT source_id, field, target_id FROM reference)
    UNION ALL (SELECT record_id, field, CAST(md5(value) AS uuid) FROM term JOIN own ON id = record_id EXCEPT
      SELECT id, field, CAST(md5(value) AS uuid) FROM record, pg_temp.terms_of(resource, CAST(body AS jsonb)) WHERE id IN (SELECT id FROM own))) THEN
    RAISE 'the service keeps references or terms in another way than bench/fill.sql';
  END IF;
END $$;
INSERT INTO reference (source_id, field, target_id)
  SELECT id, field, target_id FROM new, pg_temp.references_of(resource, body);
INSERT INTO fact (record_id, number, subject, activity_id, role, country, person_id, organisation_id)
  SELECT id, number, subject, activity_id, role, country, person_id, organisation_id FROM new, pg_temp.facts_of(body) WHERE resource = 'presentations';
INSERT INTO term (record_id, field, value) SELECT id, field, value FROM new, pg_temp.terms_of(resource, body);

-- The words that records are found by: those of its names, and those of all its texts.
CREATE FUNCTION pg_temp.words_of(texts text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(string_agg(DISTINCT word, ' ' ORDER BY word), '')
  FROM regexp_split_to_table(lower(texts), '[^[:alnum:]]+') AS of (word) WHERE word <> '' $$;
-- And where each comes in the usual order of its list.
CREATE FUNCTION pg_temp.sorted(number bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT lpad(CAST(number + 9223372036854775808 AS text), 20, '0') $$;
CREATE TEMPORARY VIEW placed AS
  SELECT id, title AS place FROM document
  UNION ALL SELECT id, CAST(on_day AS text) FROM exchange_rate
  UNION ALL SELECT id, CAST(signed_on AS text) FROM grant_arrangement
  UNION ALL SELECT id, title FROM indicator
  UNION ALL SELECT id, name FROM initiative
  UNION ALL SELECT id, name FROM organisation
  UNION ALL SELECT id, name FROM person
  UNION ALL SELECT id, pg_temp.sorted(position) FROM presentation
  UNION ALL SELECT id, title FROM project
  UNION ALL SELECT id, CAST(id AS text) FROM recommendation
  UNION ALL SELECT id, title FROM result
  UNION ALL SELECT id, CAST(starts_on AS text) FROM seminar
  UNION ALL SELECT id, name FROM seminar_series
  UNION ALL SELECT id, pg_temp.sorted(position) FROM session
  UNION ALL SELECT id, CAST(id AS text) FROM statement
  UNION ALL SELECT id, CAST(starts_on AS text) FROM study_visit
  UNION ALL SELECT id, code FROM topic;
-- Also those of other parts.
CREATE TEMP TABLE series AS SELECT id, CAST(body AS jsonb)#>>'{name,en}' AS name FROM record JOIN own USING (id) WHERE resource = 'seminar-series'
  UNION ALL SELECT pg_temp.id_of(number, 5, number), 'Series ' || number FROM generate_series(1, 499) AS number;
INSERT INTO search (record_id, resource, public, name, words, place)
  SELECT new.id, new.resource, new.state = 'published', pg_temp.words_of(names), pg_temp.words_of(names || ' ' || rest), place
  FROM new JOIN placed ON placed.id = new.id
    LEFT JOIN series ON series.id = CAST(new.body->>'series_id' AS uuid),
    LATERAL (SELECT jsonb_path_query_array(new.body, '$.title.*') || jsonb_path_query_array(new.body, '$.title_variants[*].*')
        || jsonb_path_query_array(new.body, '$.label.*') || jsonb_path_query_array(new.body, '$.name.*')
        || jsonb_path_query_array(new.body, '$.keyvalue() ? (@.key like_regex "^(name|native_name|acronym)$").value ? (@.type() == "string")') AS called,
      (SELECT coalesce(jsonb_agg(text), '[]') FROM jsonb_path_query(new.body - '{title,title_variants,label,name,native_name,acronym,citations}'::text[],
        '$.** ? (@.type() == "object").keyvalue()') AS field, jsonb_extract_path(field, 'value') AS text
        WHERE field->>'key' IN ('en', 'ru', 'region', 'signatory', 'reference') AND text <> 'null') AS told) AS texts,
    LATERAL (SELECT called::text || CASE WHEN new.resource = 'seminars' THEN concat_ws(' ', '', new.body->>'kind', new.body->>'ordinal',
      series.name) ELSE '' END AS names, told::text AS rest) AS named
  WHERE new.resource <> ALL (string_to_array(:'stale', ','))
  ORDER BY made, new.id;
COMMIT;
\endif

\if :ends
SELECT 'ALTER TABLE ' || name || ' ALTER public SET DEFAULT false' FROM listed \gexec
SELECT made FROM later \gexec
DROP TABLE later, listed, own;
-- Who fills it in parts has the service go on from here, and clears it after that.
\if :is_whole
VACUUM ANALYZE;
\else
ANALYZE;
\endif
\endif
