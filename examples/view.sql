-- ./sqlline examples/packages.db -f examples/view.sql

-- A view of the file is a table like any other: web_packages has the sections web and httpd.
select count(*) as web_packages from web_packages;

-- The web packages that are most like a mail client.
with nearest as (
  select faiss_agg(w.id, e.embedding,
    (select embedding from docs where title = 'thunderbird'), 5) as ids
  from web_packages w join embeddings e on e.id = w.id
)
select name, summary
from nearest, json_each(nearest.ids) join web_packages w on w.id = value
order by key;

-- A view with an id and an embedding has an index of its own; docs joins both tables.
select title, section
from faiss_neighbors('packages', 'docs', (select embedding from docs where title = 'ffmpeg'), 4) n
  join docs on docs.id = n.id
order by rank;
