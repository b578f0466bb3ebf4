WITH this AS (SELECT record.id, record.body, seminar.kind, seminar.ordinal, seminar.series_id
    FROM record JOIN seminar ON seminar.id = record.id
    WHERE record.resource = 'seminars' AND record.slug = $1 AND record.state = 'published')
SELECT 0 AS part, CAST(0 AS bigint) AS position, this.id, this.body, this.kind, this.ordinal,
    CAST(CAST(series.body AS json)->'name' AS text) AS series
  FROM this LEFT JOIN record AS series ON series.id = this.series_id
UNION ALL SELECT 1, session.position, record.id, record.body, NULL, NULL, NULL
  FROM session JOIN record ON record.id = session.id WHERE seminar_id = (SELECT id FROM this) AND state = 'published'
UNION ALL SELECT 2, presentation.position, record.id, record.body, NULL, NULL, NULL
  FROM presentation JOIN record ON record.id = presentation.id WHERE seminar_id = (SELECT id FROM this) AND state = 'published'
UNION ALL SELECT 3, 0, record.id, record.body, NULL, NULL, NULL
  FROM statement JOIN record ON record.id = statement.id WHERE seminar_id = (SELECT id FROM this) AND state = 'published'
UNION ALL SELECT 4, 0, record.id, record.body, NULL, NULL, NULL
  FROM recommendation JOIN record ON record.id = recommendation.id WHERE seminar_id = (SELECT id FROM this) AND state = 'published'
ORDER BY part, position, id
