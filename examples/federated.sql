-- ./sqlline examples/federated.json -f examples/federated.sql

-- The neighbours of sqlite3, from SQLite, with what a CSV file says of them.
select n."rank", p.name, a.version, a.installed_kb, round(n.distance, 4) as distance
from packages q join embeddings e on e.id = q.id,
  lateral table(faiss_neighbors('packages', 'embeddings', e.embedding, 6)) n
  join packages p on p.id = n.id
  join csv.archive a on a.name = p.name
where q.name = 'sqlite3'
order by n."rank";

-- The editors nearest to vim that take less than a megabyte: the CSV file is the filter.
with nearest as (
  select faiss_agg(p.id, e.embedding, q.embedding, 5) as ids
  from packages p
    join embeddings e on e.id = p.id
    join csv.archive a on a.name = p.name,
    (select v.embedding from embeddings v join packages vim on vim.id = v.id where vim.name = 'vim') q
  where p.section = 'editors' and a.installed_kb < 1024
)
select p.name, p.summary
from nearest, lateral table(json_each(nearest.ids)) j join packages p on p.id = j."value"
order by j."key";
