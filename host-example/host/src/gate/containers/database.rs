//! SQLite databases: each column as a text, a value after another, and then the raw pages.
//!
//! SQLite reads them by name, and what has a name may change meanwhile. So it reads a copy that nobody else can open
//! and that has no name any more when it is read.

use std::io::{self, Read, Seek, Write};

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Rows};

use super::budget::Budget;
use super::bytes::Exactly;
use super::found::{Each, Found};
use super::kind::{HEAD_BYTES, Kind};
use super::limits::VALUE_BYTES_MAX;
use super::part::{CannotOpen, Name};
use crate::files::private_copy::PrivateCopy;

/// What stands beside a database that is in use: it holds a part of what the database does.
pub(super) const COMPANIONS: [&str; 2] = ["-wal", "-journal"];
/// Why such a one cannot be looked through.
pub(super) const IN_USE: &str = "the database is in use, and a part of it is in another file: \
     take a snapshot first (sqlite3 FILE \"VACUUM INTO 'COPY'\")";

/// Gives each text of a database.
pub(super) fn each_text(at: &Name, from: &mut dyn Read, budget: &Budget, each: Each<'_>) -> Result<(), CannotOpen> {
    let mut copy = PrivateCopy::new().map_err(|error| no_place(at, &error))?;
    io::copy(from, &mut copy.file).map_err(|error| at.unread(&error))?;
    copy.file.flush().map_err(|error| no_place(at, &error))?;
    let connection = opened(&copy).map_err(|error| refused(at, &error))?;
    copy.remove().map_err(|error| no_place(at, &error))?;
    let database = Database { at, connection, budget };
    for (table, column) in database.columns().map_err(|error| refused(at, &error))? {
        database.column(&table, &column, each)?;
    }
    pages(at, copy, each)
}

fn no_place(at: &Name, error: &io::Error) -> CannotOpen {
    at.cannot(format!("there is no place for a copy among the temporary files: {}", crate::text::io_words(error)))
}

fn refused(at: &Name, error: &rusqlite::Error) -> CannotOpen {
    at.cannot(format!("SQLite cannot read it ({error})"))
}

fn opened(copy: &PrivateCopy) -> rusqlite::Result<Connection> {
    let path = percent_encode(copy.path().as_os_str().as_encoded_bytes(), NON_ALPHANUMERIC);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX as i32)?;
    // It opens the file at the first question.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

struct Database<'a> {
    at: &'a Name,
    connection: Connection,
    budget: &'a Budget,
}

impl Database<'_> {
    /// Every column that is stored, with its table. Tables without pages are made of others that have some.
    fn columns(&self) -> rusqlite::Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let mut found =
            ["type", "name", "tbl_name", "sql"].map(|column| (b"sqlite_schema".to_vec(), column.into())).to_vec();
        let mut asked = self.connection.prepare(
            "SELECT t.name, c.name FROM sqlite_schema AS t JOIN pragma_table_xinfo(t.name) AS c \
             WHERE t.type = 'table' AND t.rootpage > 0 AND c.hidden IN (0, 3)",
        )?;
        let mut rows = asked.query([])?;
        while let Some(row) = rows.next()? {
            found.push((row.get_ref(0)?.as_bytes()?.to_vec(), row.get_ref(1)?.as_bytes()?.to_vec()));
        }
        Ok(found)
    }

    /// A column: first its values that are containers themselves, then all others as one text.
    fn column(&self, table: &[u8], column: &[u8], each: Each<'_>) -> Result<(), CannotOpen> {
        let name = self.at.member(&[table, b".", column].concat());
        let refused = |error: rusqlite::Error| refused(&name, &error);
        let utf8 = |bytes| std::str::from_utf8(bytes).map_err(|_| name.cannot("its name is no text"));
        // An index may hold other values than its table in a database that is broken.
        let asked = format!("SELECT {} FROM {} NOT INDEXED", quoted(utf8(column)?), quoted(utf8(table)?));
        let mut asked = self.connection.prepare(&asked).map_err(refused)?;
        let mut rows = asked.query([]).map_err(refused)?;
        let mut number = 0_u64;
        let mut has_text = false;
        while let Some(row) = rows.next().map_err(refused)? {
            number += 1;
            self.budget.unpack(1).map_err(|error| name.unread(&error))?;
            match row.get_ref(0).map_err(refused)? {
                ValueRef::Blob(value) if is_container(value) => {
                    let name = self.at.member(
                        format!("{}[{number}]", String::from_utf8_lossy(&[table, b".", column].concat())).as_bytes(),
                    );
                    each(Found::Member, &name, &mut &value[..])?;
                }
                ValueRef::Blob(_) | ValueRef::Text(_) => has_text = true,
                _ => {}
            }
        }
        drop(rows);
        if has_text {
            let rows = asked.query([]).map_err(refused)?;
            each(Found::Text, &name, &mut Texts { rows, value: Vec::new(), at: 0, budget: self.budget })?;
        }
        Ok(())
    }
}

fn is_container(value: &[u8]) -> bool {
    Kind::of(&value[..value.len().min(HEAD_BYTES)]).is_some()
}

/// A name as SQL has it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The texts of a column, each on lines of its own.
struct Texts<'a> {
    rows: Rows<'a>,
    value: Vec<u8>,
    at: usize,
    budget: &'a Budget,
}

impl Read for Texts<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let broken = |error: rusqlite::Error| io::Error::new(io::ErrorKind::InvalidData, error.to_string());
        while self.at == self.value.len() {
            let Some(row) = self.rows.next().map_err(broken)? else { return Ok(0) };
            self.budget.unpack(1)?;
            match row.get_ref(0).map_err(broken)? {
                ValueRef::Blob(value) if is_container(value) => continue,
                ValueRef::Blob(value) | ValueRef::Text(value) => {
                    self.value.clear();
                    self.value.extend_from_slice(value);
                    self.value.push(b'\n');
                    self.at = 0;
                }
                _ => {}
            }
        }
        let count = (&self.value[self.at..]).read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

/// The pages as they are: what was deleted may still stand there.
fn pages(at: &Name, mut copy: PrivateCopy, each: Each<'_>) -> Result<(), CannotOpen> {
    let unread = |error: io::Error| at.unread(&error);
    copy.file.rewind().map_err(unread)?;
    let mut head = [0; 18];
    copy.file.read_exact(&mut head).map_err(unread)?;
    let page_bytes = match u16::from_be_bytes([head[16], head[17]]) {
        1 => 65_536,
        bytes => u64::from(bytes).max(512),
    };
    let size = copy.file.seek(io::SeekFrom::End(0)).map_err(unread)?;
    copy.file.rewind().map_err(unread)?;
    for number in 1..=size.div_ceil(page_bytes) {
        let left = size - (number - 1) * page_bytes;
        let name = at.member(format!("page {number}").as_bytes());
        each(Found::Leftover, &name, &mut Exactly::new(&mut copy.file, left.min(page_bytes)))?;
    }
    Ok(())
}
