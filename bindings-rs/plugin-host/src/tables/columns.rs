//! Columns that plugins add to the table of threads: values by thread, dropped with the thread. In:
//! names, values. Out: the same; bounded, and what the bounds refuse is counted.
use std::collections::HashMap;
use std::ffi::{CStr, CString};

use crate::abi::{STATE_TABLE, StateType};
use crate::tables::value::{is_type, type_name};

const COLUMNS_MAX: usize = 64;
/// Threads that have values; saker's own table holds as many.
const ROWS_MAX: usize = 1 << 18;
/// Of one text, and of all of them together.
const TEXT_MAX: usize = 1 << 20;
const BYTES_MAX: usize = 64 << 20;

pub struct Column {
    pub name: CString,
    pub kind: StateType,
}

#[derive(Clone, Default)]
pub enum Cell {
    #[default]
    Empty,
    Number(u64),
    Text(CString),
}

impl Cell {
    fn bytes(&self) -> usize {
        if let Self::Text(text) = self { text.count_bytes() } else { 0 }
    }
}

#[derive(Default)]
pub struct Columns {
    defined: Vec<Column>,
    rows: HashMap<i64, Vec<Cell>>,
    bytes: usize,
    pub refused: u64,
}

impl Columns {
    pub fn all(&self) -> &[Column] {
        &self.defined
    }

    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    pub fn find(&self, name: &CStr) -> Option<usize> {
        self.defined.iter().position(|column| column.name.as_c_str() == name)
    }

    /// The place of a column of this name and type, new or not.
    pub fn add(&mut self, name: &CStr, kind: StateType) -> Result<usize, String> {
        let shown = name.to_string_lossy();
        if let Some(place) = self.find(name) {
            let there = self.defined[place].kind;
            if there == kind {
                return Ok(place);
            }
            let (there, wanted) = (type_name(there), type_name(kind));
            return Err(format!("field \"{shown}\" is there as {there}, not as {wanted}"));
        }
        if !is_type(kind) || kind == STATE_TABLE {
            return Err(format!("field \"{shown}\": a column of type {kind} cannot be added"));
        }
        if self.defined.len() >= COLUMNS_MAX {
            self.refused += 1;
            return Err(format!("field \"{shown}\": there are {COLUMNS_MAX} columns already"));
        }
        self.defined.push(Column { name: name.into(), kind });
        Ok(self.defined.len() - 1)
    }

    pub fn has(&self, tid: i64) -> bool {
        self.rows.contains_key(&tid)
    }

    pub fn read(&self, tid: i64, column: usize) -> &Cell {
        self.rows.get(&tid).and_then(|row| row.get(column)).unwrap_or(&Cell::Empty)
    }

    pub fn write_number(&mut self, tid: i64, column: usize, number: u64) -> Result<(), String> {
        self.write(tid, column, Cell::Number(number))
    }

    pub fn write_text(&mut self, tid: i64, column: usize, text: &CStr) -> Result<(), String> {
        if text.count_bytes() > TEXT_MAX {
            self.refused += 1;
            return Err(format!("a text of a column has {TEXT_MAX} bytes at the most"));
        }
        self.write(tid, column, Cell::Text(text.into()))
    }

    fn write(&mut self, tid: i64, column: usize, cell: Cell) -> Result<(), String> {
        let after = self.bytes - self.read(tid, column).bytes() + cell.bytes();
        if after > BYTES_MAX || (self.rows.len() >= ROWS_MAX && !self.has(tid)) {
            self.refused += 1;
            return Err("the columns of plugins hold too much".into());
        }
        self.bytes = after;
        let row = self.rows.entry(tid).or_default();
        if row.len() <= column {
            row.resize(column + 1, Cell::Empty);
        }
        row[column] = cell;
        Ok(())
    }

    /// The thread is gone, and another may have its id.
    pub fn forget(&mut self, tid: i64) {
        if let Some(row) = self.rows.remove(&tid) {
            self.bytes -= row.iter().map(Cell::bytes).sum::<usize>();
        }
    }

    pub fn forget_all(&mut self) {
        self.rows.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{STATE_STRING, STATE_U8, STATE_U64};

    #[test]
    fn a_value_is_there_until_its_thread_is_gone() {
        let mut columns = Columns::default();
        let count = columns.add(c"count", STATE_U64).unwrap();
        let name = columns.add(c"name", STATE_STRING).unwrap();
        assert_eq!(columns.add(c"count", STATE_U64), Ok(count));
        assert!(columns.add(c"count", STATE_U8).unwrap_err().contains("uint64, not as uint8"));
        assert!(columns.add(c"inner", STATE_TABLE).is_err());
        columns.write_text(7, name, c"one").unwrap();
        columns.write_number(8, count, 3).unwrap();
        assert!(matches!(columns.read(7, name), Cell::Text(text) if text.as_c_str() == c"one"));
        assert!(matches!(columns.read(7, count), Cell::Empty));
        assert!(matches!(columns.read(8, count), Cell::Number(3)));
        assert_eq!(columns.bytes, 3);
        columns.forget(7);
        assert!(matches!(columns.read(7, name), Cell::Empty));
        assert_eq!((columns.rows(), columns.bytes), (1, 0));
    }

    #[test]
    fn columns_rows_and_bytes_are_bounded() {
        let mut columns = Columns::default();
        for at in 0..COLUMNS_MAX {
            columns.add(&CString::new(format!("c{at}")).unwrap(), STATE_STRING).unwrap();
        }
        assert!(columns.add(c"one more", STATE_STRING).is_err());
        let long = CString::new(vec![b'x'; TEXT_MAX + 1]).unwrap();
        assert!(columns.write_text(1, 0, &long).is_err());
        let longest = CString::new(vec![b'x'; TEXT_MAX]).unwrap();
        for tid in 0..BYTES_MAX / TEXT_MAX {
            columns.write_text(tid as i64, 0, &longest).unwrap();
        }
        assert!(columns.write_text(99, 0, c"x").is_err());
        // In place of one that is as long there is room.
        columns.write_text(3, 0, &longest).unwrap();
        assert_eq!(columns.refused, 3);
    }
}
