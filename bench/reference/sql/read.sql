SELECT record.id, record.revision, record.created_at, record.updated_at, record.published_at, record.body,
  seminar.starts_on, seminar.kind, seminar.ordinal, CAST(CAST(series.body AS json)->'name' AS text) AS series
FROM record JOIN seminar ON seminar.id = record.id LEFT JOIN record AS series ON series.id = seminar.series_id
WHERE record.resource = 'seminars' AND record.slug = $1 AND record.state = 'published'
