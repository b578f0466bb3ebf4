SELECT record.id, record.revision, record.created_at, record.updated_at, record.published_at, record.body,
  seminar.starts_on, seminar.kind, seminar.ordinal, CAST(CAST(series.body AS json)->'name' AS text) AS series
FROM seminar JOIN record ON record.id = seminar.id LEFT JOIN record AS series ON series.id = seminar.series_id
WHERE record.state = 'published' ORDER BY seminar.starts_on, seminar.id LIMIT 21
