-- ./sqlline examples/federated.json -f examples/federated.sql

-- The neighbours of sqlite3, from SQLite, with what a CSV file says of them.
select rank, p.name, version, installed_kb, round(distance, 4) as distance
from faiss_neighbors('packages', 'embeddings',
    (select embedding from docs where title = 'sqlite3'), 6) n
  join packages p on p.id = n.id
  join csv.archive a on a.name = p.name
order by rank;

-- The editors nearest to vim that take less than a megabyte: the CSV file is the filter.
with nearest as (
  select faiss_agg(d.id, d.embedding, (select embedding from docs where title = 'vim'), 5) as ids
  from docs d join csv.archive a on a.name = d.title
  where d.section = 'editors' and a.installed_kb < 1024
)
select name, summary
from nearest, json_each(nearest.ids) join packages on packages.id = value
order by key;
