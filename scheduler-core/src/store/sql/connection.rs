//! One narrow door to both drivers: static SQL with text and integer parameters in, rows of cells out.
//!
//! Cancel-safety. sqlx's MySQL connections are not safe to reuse after a future was dropped half way, so a
//! connection goes back to its pool only from [`Connection::finish`] or [`Connection::give_back`], after a
//! whole exchange. Any other end, a dropped future included, closes the socket, and the server rolls back.

use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::{
    Column, Decode, Executor, MySql, MySqlPool, Row, Sqlite, SqlitePool, Type, TypeInfo, ValueRef,
    mysql::{MySqlDatabaseError, MySqlRow},
    pool::PoolConnection,
    sqlite::SqliteRow,
};

use crate::{plan::task::FieldFault, store::Connections};

/// The connections of a store.
#[derive(Debug)]
pub(crate) enum Pools {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Mysql(MySqlPool),
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bind<'a> {
    Text(&'a str),
    Int(i64),
    Null,
}

impl<'a> From<&'a str> for Bind<'a> {
    fn from(text: &'a str) -> Self {
        Bind::Text(text)
    }
}

impl<'a> From<&'a String> for Bind<'a> {
    fn from(text: &'a String) -> Self {
        Bind::Text(text)
    }
}

impl From<i64> for Bind<'_> {
    fn from(number: i64) -> Self {
        Bind::Int(number)
    }
}

impl<'a, T: Into<Bind<'a>>> From<Option<T>> for Bind<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Bind::Null, Into::into)
    }
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Bytes(Vec<u8>),
}

impl Cell {
    /// As text, or why not. An integer reads as its digits.
    pub(crate) fn into_text(self) -> Result<String, FieldFault> {
        match self {
            Cell::Null => Err(FieldFault::Null),
            Cell::Int(number) => Ok(number.to_string()),
            Cell::Bytes(bytes) => String::from_utf8(bytes).map_err(|_| FieldFault::NotUtf8),
        }
    }

    /// Its first `most` characters, or why not. What follows them does not matter: it may be cut anywhere.
    pub(crate) fn into_text_of(self, most: usize) -> Result<String, FieldFault> {
        match self {
            Cell::Bytes(bytes) if bytes.len() > most => first_characters(&bytes, most),
            cell => cell.into_text(),
        }
    }

    /// As text whatever it holds: for values that only people read.
    pub(crate) fn to_lossy(&self) -> String {
        match self {
            Cell::Null => String::new(),
            Cell::Int(number) => number.to_string(),
            Cell::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    /// As an integer; text with digits counts, since SQLite's columns hold what was put there.
    pub(crate) fn int(&self) -> Option<i64> {
        match self {
            Cell::Null => None,
            Cell::Int(number) => Some(*number),
            Cell::Bytes(bytes) => std::str::from_utf8(bytes).ok()?.trim().parse().ok(),
        }
    }
}

fn first_characters(bytes: &[u8], most: usize) -> Result<String, FieldFault> {
    let Some(chunk) = bytes.utf8_chunks().next() else { return Ok(String::new()) };
    let text: String = chunk.valid().chars().take(most).collect();
    if text.chars().count() < most && !chunk.invalid().is_empty() {
        return Err(FieldFault::NotUtf8);
    }
    Ok(text)
}

/// A borrowed connection, closed unless it is given back.
pub(crate) struct Connection<'a> {
    inner: Option<Inner>,
    committing: &'a AtomicBool,
}

enum Inner {
    Sqlite(PoolConnection<Sqlite>),
    Mysql(PoolConnection<MySql>),
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        // Detached from its pool, the connection is dropped, which closes it.
        match self.inner.take() {
            Some(Inner::Sqlite(connection)) => drop(connection.detach()),
            Some(Inner::Mysql(connection)) => drop(connection.detach()),
            None => {}
        }
    }
}

impl Pools {
    /// A connection for reading. `committing` is only ever set by [`Connection::committed`].
    pub(crate) async fn reader<'a>(
        &self,
        committing: &'a AtomicBool,
    ) -> Result<Connection<'a>, sqlx::Error> {
        let inner = match self {
            Pools::Sqlite { readers, .. } => Inner::Sqlite(readers.acquire().await?),
            Pools::Mysql(pool) => Inner::Mysql(pool.acquire().await?),
        };
        Ok(Connection { inner: Some(inner), committing })
    }

    /// A connection for writing.
    pub(crate) async fn writer<'a>(
        &self,
        committing: &'a AtomicBool,
    ) -> Result<Connection<'a>, sqlx::Error> {
        let inner = match self {
            Pools::Sqlite { writer, .. } => Inner::Sqlite(writer.acquire().await?),
            Pools::Mysql(pool) => Inner::Mysql(pool.acquire().await?),
        };
        Ok(Connection { inner: Some(inner), committing })
    }

    /// The same in a transaction.
    pub(crate) async fn begin<'a>(
        &self,
        statement: &'static str,
        committing: &'a AtomicBool,
    ) -> Result<Connection<'a>, sqlx::Error> {
        let mut connection = self.writer(committing).await?;
        connection.plain(statement).await?;
        Ok(connection)
    }

    pub(crate) fn connections(&self) -> Connections {
        let of = |open: u32, idle: usize| Connections { open: open as usize, idle };
        match self {
            Pools::Sqlite { writer, readers } => {
                of(writer.size() + readers.size(), writer.num_idle() + readers.num_idle())
            }
            Pools::Mysql(pool) => of(pool.size(), pool.num_idle()),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Mysql(pool) => pool.close().await,
        }
    }
}

const OPEN: &str = "bug: a connection is used after it was given back";

impl Connection<'_> {
    /// Runs a statement without parameters, unprepared.
    pub(crate) async fn plain(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        match self.inner.as_mut().expect(OPEN) {
            Inner::Sqlite(connection) => connection.execute(sqlx::raw_sql(sql)).await.map(drop),
            Inner::Mysql(connection) => connection.execute(sqlx::raw_sql(sql)).await.map(drop),
        }
    }

    /// Runs a statement. The count is what the driver reports: on MySQL, rows *found*.
    pub(crate) async fn execute(
        &mut self,
        sql: &'static str,
        binds: &[Bind<'_>],
    ) -> Result<Done, sqlx::Error> {
        match self.inner.as_mut().expect(OPEN) {
            Inner::Sqlite(connection) => {
                let done = sqlite_query(sql, binds).execute(&mut **connection).await?;
                Ok(Done { rows: done.rows_affected(), last_id: done.last_insert_rowid() })
            }
            Inner::Mysql(connection) => {
                let done = mysql_query(sql, binds).execute(&mut **connection).await?;
                let last_id = i64::try_from(done.last_insert_id()).unwrap_or_default();
                Ok(Done { rows: done.rows_affected(), last_id })
            }
        }
    }

    /// Runs a statement and reads all its rows.
    pub(crate) async fn fetch(
        &mut self,
        sql: &'static str,
        binds: &[Bind<'_>],
    ) -> Result<Vec<Vec<Cell>>, sqlx::Error> {
        match self.inner.as_mut().expect(OPEN) {
            Inner::Sqlite(connection) => {
                let rows = sqlite_query(sql, binds).fetch_all(&mut **connection).await?;
                rows.iter().map(sqlite_cells).collect()
            }
            Inner::Mysql(connection) => {
                let rows = mysql_query(sql, binds).fetch_all(&mut **connection).await?;
                rows.iter().map(mysql_cells).collect()
            }
        }
    }

    /// Prepares a statement without running it.
    #[cfg(feature = "testing")]
    pub(crate) async fn prepare(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        use sqlx::SqlSafeStr as _;
        match self.inner.as_mut().expect(OPEN) {
            Inner::Sqlite(connection) => connection.prepare(sql.into_sql_str()).await.map(drop),
            Inner::Mysql(connection) => connection.prepare(sql.into_sql_str()).await.map(drop),
        }
    }

    /// Ends a reading: the connection goes back to its pool when all went well.
    pub(crate) fn give_back<T>(mut self, result: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        if result.is_ok() {
            drop(self.inner.take());
        }
        result
    }

    /// Runs one statement that commits by itself, and ends: one exchange in place of three.
    pub(crate) async fn execute_alone(
        mut self,
        sql: &'static str,
        binds: &[Bind<'_>],
    ) -> Result<(), sqlx::Error> {
        self.committing.store(true, Ordering::Relaxed);
        let done = self.execute(sql, binds).await;
        self.committed(done.map(drop))
    }

    /// Ends with the answer to what commits. Told in so many words, nothing was committed; only a broken connection
    /// leaves it open.
    fn committed<T>(self, answer: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        if answer.as_ref().is_err_and(|error| error.as_database_error().is_some()) {
            self.committing.store(false, Ordering::Relaxed);
        }
        self.give_back(answer)
    }

    /// Ends a transaction: commits on `Ok`; rolls back explicitly what may be tried again; closes the
    /// connection after anything else.
    pub(crate) async fn finish<T>(
        mut self,
        result: Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        match result {
            Ok(value) => {
                self.committing.store(true, Ordering::Relaxed);
                let committed = self.plain("COMMIT").await;
                self.committed(committed.map(|()| value))
            }
            Err(error) if is_worth_a_retry(&error) => {
                if self.plain("ROLLBACK").await.is_ok() {
                    drop(self.inner.take());
                }
                Err(error)
            }
            Err(error) => Err(error),
        }
    }
}

/// What a statement did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    pub(crate) rows: u64,
    pub(crate) last_id: i64,
}

/// Deadlock (1213) and lock wait time-out (1205) of MySQL, BUSY and LOCKED of SQLite: somebody else was
/// faster, and the same again will do.
pub(crate) fn is_worth_a_retry(error: &sqlx::Error) -> bool {
    if let Some(number) = mysql_number(error) {
        return matches!(number, 1205 | 1213);
    }
    // SQLite's primary code is the low byte: 5 is BUSY, 6 is LOCKED.
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

/// A connection that broke in the middle of an exchange. What it had not committed is rolled back.
pub(crate) fn is_broken(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_))
}

/// MySQL's lock wait time-out (1205), which rolls back the statement only.
pub(crate) fn is_lock_wait(error: &sqlx::Error) -> bool {
    mysql_number(error) == Some(1205)
}

/// What a batch tries again as it stands. Of a row that a stranger holds it must rid itself first: the caller
/// tries it in parts.
pub(crate) fn is_worth_the_same_batch(error: &sqlx::Error) -> bool {
    is_worth_a_retry(error) && !is_lock_wait(error)
}

pub(crate) fn mysql_number(error: &sqlx::Error) -> Option<u16> {
    let error = error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?;
    Some(error.number())
}

type SqliteQuery<'q> = sqlx::query::Query<'q, Sqlite, sqlx::sqlite::SqliteArguments>;
type MysqlQuery<'q> = sqlx::query::Query<'q, MySql, sqlx::mysql::MySqlArguments>;

fn sqlite_query<'q>(sql: &'static str, binds: &[Bind<'q>]) -> SqliteQuery<'q> {
    binds.iter().fold(sqlx::query(sql), |query, bind| match *bind {
        Bind::Text(text) => query.bind(text.to_owned()),
        Bind::Int(number) => query.bind(number),
        Bind::Null => query.bind(None::<i64>),
    })
}

fn mysql_query<'q>(sql: &'static str, binds: &[Bind<'q>]) -> MysqlQuery<'q> {
    binds.iter().fold(sqlx::query(sql), |query, bind| match *bind {
        Bind::Text(text) => query.bind(text.to_owned()),
        Bind::Int(number) => query.bind(number),
        Bind::Null => query.bind(None::<i64>),
    })
}

fn sqlite_cells(row: &SqliteRow) -> Result<Vec<Cell>, sqlx::Error> {
    (0..row.columns().len())
        .map(|index| {
            let value = row.try_get_raw(index)?;
            if value.is_null() {
                return Ok(Cell::Null);
            }
            let decoded = match value.type_info().name() {
                "INTEGER" | "BOOLEAN" => <i64 as Decode<Sqlite>>::decode(value).map(Cell::Int),
                "REAL" => <f64 as Decode<Sqlite>>::decode(value)
                    .map(|number| Cell::Bytes(number.to_string().into_bytes())),
                _ => <Vec<u8> as Decode<Sqlite>>::decode(value).map(Cell::Bytes),
            };
            decoded.map_err(|source| decode_error(row.column(index).name(), source))
        })
        .collect()
}

fn mysql_cells(row: &MySqlRow) -> Result<Vec<Cell>, sqlx::Error> {
    (0..row.columns().len())
        .map(|index| {
            let value = row.try_get_raw(index)?;
            if value.is_null() {
                return Ok(Cell::Null);
            }
            let decoded = if <i64 as Type<MySql>>::compatible(&value.type_info()) {
                <i64 as Decode<MySql>>::decode(value).map(Cell::Int)
            } else {
                <Vec<u8> as Decode<MySql>>::decode(value).map(Cell::Bytes)
            };
            decoded.map_err(|source| decode_error(row.column(index).name(), source))
        })
        .collect()
}

fn decode_error(column: &str, source: Box<dyn std::error::Error + Send + Sync>) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_value_the_first_characters_count_wherever_the_rest_is_cut() {
        let first = |bytes: &[u8]| Cell::Bytes(bytes.to_vec()).into_text_of(3);
        assert_eq!(first("äöü".as_bytes()).as_deref(), Ok("äöü"));
        assert_eq!(first("ä\0üß".as_bytes()).as_deref(), Ok("ä\0ü"));
        // Of the fourth only one byte of two is there.
        assert_eq!(first(b"a\xc3\xb6b\xc3").as_deref(), Ok("aöb"));
        assert_eq!(first(b"a\xc3\xb6\xc3"), Err(FieldFault::NotUtf8));
        assert_eq!(first(b"\xff"), Err(FieldFault::NotUtf8));
        assert_eq!(first(b"").as_deref(), Ok(""));
        assert_eq!(Cell::Int(12_345).into_text_of(3).as_deref(), Ok("12345"));
    }
}
