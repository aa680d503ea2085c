/**
 * The schema in PostgreSQL, as SQL: its tables, and the functions that are the only way to them.
 *
 * @module
 */

import { TeleQuickError } from "../base/errors.ts";

/** The newest version of the schema. */
export const VERSION = 2;

/** Returns a schema's name. It can be a reserved word, so SQL quotes it: see {@linkcode quoteName}. */
export function checkSchema(schema: unknown): string {
  if (typeof schema !== "string") {
    throw new TypeError(`Cannot use store: schema is a ${typeof schema}, expected a string`);
  }
  if (/^[a-z][a-z0-9_]{0,47}$/.test(schema) && !schema.startsWith("pg_")) return schema;
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    "Cannot use store: schema is malformed, expected 1 to 48 of a-z, 0-9 and _, a letter first, and not pg_ at its start",
  );
}

/** Quotes a schema's name as an identifier of SQL. It contains no quotation mark: it was checked. */
export function quoteName(schema: string): string {
  return `"${schema}"`;
}

/**
 * The statement that makes the schema, or brings it to the newest version. It is one statement, so it is done whole or not at all, and it
 * can be repeated.
 *
 * @param schema The schema's name; checked before.
 */
export function migration(schema: string): string {
  const name = quoteName(schema);
  return `
do $migration$
declare present int;
begin
  perform set_config('client_min_messages', 'warning', true);
  -- One migration at a time, of all schemas.
  perform pg_advisory_xact_lock(${LOCK}, 0);
  create schema if not exists ${name};
  create table if not exists ${name}.version (id int primary key default 1 check (id = 1), version int not null);
  select v.version into present from ${name}.version v;
  if present > ${VERSION} then
    raise exception 'The schema has version %, expected ${VERSION} or less: update @telequick/sdk', present;
  end if;
  if present is null then
    ${tables(name)}
    insert into ${name}.version (version) values (1);
  end if;
  if coalesce(present, 1) < 2 then
    ${marks(name)}
  end if;
  update ${name}.version set version = ${VERSION} where version < ${VERSION};
  ${functions(name, schema)}
end $migration$`;
}

// Any number: advisory locks of other programs on the same database use other ones.
const LOCK = 1_413_565_259;

const tables = (name: string): string => `
    create table ${name}.entries (
      kind text not null check (length(kind) between 1 and 32),
      key text not null check (length(key) between 1 and 512),
      value text not null check (octet_length(value) <= 1048576),
      revision bigint not null unique,
      is_final boolean not null,
      changed_at timestamptz not null default now(),
      primary key (kind, key)
    );
    create index entries_by_revision on ${name}.entries (kind, revision);
    create table ${name}.claims (
      kind text not null check (length(kind) between 1 and 32),
      key text not null check (length(key) between 1 and 512),
      owner text not null check (length(owner) between 1 and 512),
      until timestamptz not null,
      primary key (kind, key)
    );
    create index claims_by_time on ${name}.claims (until);`;

// One row for each of the newest revisions that ended a commit, the row of an older one reused: it does not grow.
const MARKS = 65_536;
const marks = (name: string): string => `
    create table ${name}.marks (slot int primary key, mark text not null unique);`;

const functions = (name: string, schema: string): string => `
  -- A final entry, such as a revoked key, stays as it is: for the functions below, for administrators and for restored dumps.
  create or replace function ${name}.refuse_change() returns trigger language plpgsql as $body$
  begin
    if tg_op <> 'UPDATE' then
      raise exception 'Entries are never deleted' using errcode = 'integrity_constraint_violation';
    elsif old.is_final then
      raise exception 'The entry is final' using errcode = 'integrity_constraint_violation';
    elsif new.kind <> old.kind or new.key <> old.key or new.revision <= old.revision then
      raise exception 'Entries keep their names, and revisions rise' using errcode = 'integrity_constraint_violation';
    end if;
    return new;
  end $body$;
  create or replace trigger refuse_change before update or delete on ${name}.entries
    for each row execute function ${name}.refuse_change();
  create or replace trigger refuse_truncate before truncate on ${name}.entries
    for each statement execute function ${name}.refuse_change();

  create or replace function ${name}.refuse_unclaim() returns trigger language plpgsql as $body$
  begin
    if tg_op = 'DELETE' and old.until <= clock_timestamp() then return old; end if;
    raise exception 'A claim stays until its time is over' using errcode = 'integrity_constraint_violation';
  end $body$;
  create or replace trigger refuse_unclaim before delete on ${name}.claims
    for each row execute function ${name}.refuse_unclaim();
  create or replace trigger refuse_truncate before truncate on ${name}.claims
    for each statement execute function ${name}.refuse_unclaim();

  -- What is answered survives a crash, also where the role or the database says otherwise.
  create or replace function ${name}.make_durable() returns void language plpgsql as $body$
  begin
    if current_setting('synchronous_commit') in ('off', 'local') then
      perform set_config('synchronous_commit', 'on', true);
    end if;
  end $body$;

  create or replace function ${name}.commit_entries(writes text) returns text
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
  declare
    newest bigint;
    entry record;
    known record;
  begin
    perform ${name}.make_durable();
    -- One commit at a time, until it is visible: revisions become visible in order. The lock is of this schema.
    perform pg_advisory_xact_lock(${LOCK}, hashtext('${schema}'));
    for entry in select * from jsonb_to_recordset(writes::jsonb) as w(kind text, key text, value text, "ifRevision" bigint, "isFinal" boolean) loop
      select e.revision, e.is_final into known from ${name}.entries e where e.kind = entry.kind and e.key = entry.key;
      if known.is_final or entry."ifRevision" <> coalesce(known.revision, 0) then return null; end if;
    end loop;
    select coalesce(max(e.revision), 0) into newest from ${name}.entries e;
    for entry in select * from jsonb_to_recordset(writes::jsonb) as w(kind text, key text, value text, "ifRevision" bigint, "isFinal" boolean) loop
      newest := newest + 1;
      insert into ${name}.entries as e (kind, key, value, revision, is_final)
        values (entry.kind, entry.key, entry.value, newest, coalesce(entry."isFinal", false))
        on conflict (kind, key) do update
          set value = excluded.value, revision = excluded.revision, is_final = excluded.is_final, changed_at = now();
    end loop;
    -- A database that was set back to a backup gives the same revisions again, but never the same mark.
    insert into ${name}.marks as m (slot, mark)
      select newest % ${MARKS}, newest || '.' || gen_random_uuid() where jsonb_array_length(writes::jsonb) > 0
      on conflict (slot) do update set mark = excluded.mark;
    perform pg_notify('${schema}', '');
    return newest::text;
  end $body$;

  -- Stable, so that all of it sees the store at one moment.
  create or replace function ${name}.read_entries(wanted_kind text, wanted_key text, after bigint, most int, seen_mark text) returns text
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $body$
  declare
    newest bigint;
    rows json;
    is_known boolean := seen_mark is null or exists (select from ${name}.marks m where m.mark = seen_mark);
    seen_revision bigint := substring(seen_mark from '^([0-9]{1,18})[.]');
  begin
    if pg_is_in_recovery() then
      raise exception 'This server is a replica, expected the primary' using errcode = 'read_only_sql_transaction';
    end if;
    select coalesce(max(e.revision), 0) into newest from ${name}.entries e;
    if wanted_key is not null then
      select json_agg(json_build_array(e.key, e.value, e.revision, e.is_final)) into rows
        from ${name}.entries e where e.kind = wanted_kind and e.key = wanted_key and e.revision > after;
    else
      select json_agg(json_build_array(e.key, e.value, e.revision, e.is_final) order by e.revision) into rows
        from (
          select * from ${name}.entries f where f.kind = wanted_kind and f.revision > after order by f.revision limit most
        ) e;
    end if;
    return json_build_object(
      'newest', newest,
      'entries', coalesce(rows, '[]'),
      'mark', (select m.mark from ${name}.marks m where m.slot = newest % ${MARKS}),
      'isSetBack', not is_known,
      -- Its row was reused by a later revision.
      'isMarkForgotten', not is_known and exists (
        select from ${name}.marks m
          where m.slot = seen_revision % ${MARKS} and split_part(m.mark, '.', 1)::bigint > seen_revision
      )
    );
  end $body$;

  create or replace function ${name}.claim(claimed_kind text, claimed_key text, claimed_owner text, ttl_ms float8) returns text
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
  declare
    holder text;
  begin
    perform ${name}.make_durable();
    loop
      insert into ${name}.claims as c (kind, key, owner, until)
        values (claimed_kind, claimed_key, claimed_owner, clock_timestamp() + make_interval(secs => ttl_ms / 1000))
        on conflict (kind, key) do update set owner = excluded.owner, until = excluded.until
          where c.until <= clock_timestamp()
        returning c.owner into holder;
      if found then return holder; end if;
      select c.owner into holder from ${name}.claims c where c.kind = claimed_kind and c.key = claimed_key;
      -- Not found: it was purged in between.
      if found then return holder; end if;
    end loop;
  end $body$;

  -- Several claims, answered in their order. All take their locks in the same order, so that no two wait for each other.
  create or replace function ${name}.claim_all(claims text) returns text
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
  declare
    asked record;
    holders text[];
  begin
    for asked in
      select c.* from rows from (
        jsonb_to_recordset(claims::jsonb) as (kind text, key text, owner text, "ttlMs" float8)
      ) with ordinality as c(kind, key, owner, ttl_ms, number)
      order by c.kind collate "C", c.key collate "C", c.number
    loop
      holders[asked.number] := ${name}.claim(asked.kind, asked.key, asked.owner, asked.ttl_ms);
    end loop;
    return to_json(holders)::text;
  end $body$;

  -- Deletes claims whose time is over, at most so many.
  create or replace function ${name}.purge_claims(most int) returns text
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
  declare
    deleted int;
  begin
    delete from ${name}.claims c where c.ctid = any (array(
      select d.ctid from ${name}.claims d where d.until <= clock_timestamp() limit most for update skip locked
    ));
    get diagnostics deleted = row_count;
    return deleted::text;
  end $body$;

  revoke all on all functions in schema ${name} from public;`;
