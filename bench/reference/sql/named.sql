SELECT id, body FROM record WHERE id = ANY(CAST($1 AS uuid[])) AND state = 'published'
