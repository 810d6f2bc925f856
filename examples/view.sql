-- ./sqlline examples/packages.db -f examples/view.sql

-- A view of the file is a table like any other: web_packages has the packages of the sections web and httpd.
select count(*) as web_packages from web_packages;

-- The web packages that are most like a mail client.
with nearest as (
  select faiss_agg(w.id, e.embedding, (select embedding from docs where title = 'thunderbird'), 5) as ids
  from web_packages w join embeddings e on e.id = w.id
)
select w.name, w.summary
from nearest, lateral table(json_each(nearest.ids)) j join web_packages w on w.id = j."value"
order by j."key";

-- A view with an id and an embedding has an index of its own; docs joins both tables.
select d.title, d.section
from docs q,
  lateral table(faiss_neighbors('packages', 'docs', q.embedding, 4)) n
  join docs d on d.id = n.id
where q.title = 'ffmpeg'
order by n."rank";
