//! Values of fields: events and what is asked of them come in, the plugin is asked, and columns go
//! out. An answer that cannot be true is refused, and counted: the event has no value then.
use std::ffi::{CStr, CString, c_void};
use std::mem::zeroed;
use std::ptr::{null, null_mut};

use crate::abi::{
    EVENT_PLUGIN, EventInput, ExtractField, ExtractInput, FIELD_BOOL, FIELD_IPADDR, FIELD_IPNET,
    FIELD_STRING, SUCCESS,
};
use crate::blocks::{HEADER, kind_of};
use crate::column::{COLUMN_MAX, Column};
use crate::doors::reader_ext;
use crate::info::Field;
use crate::instance::Instance;
use crate::last_error::last_error;
use crate::record::add;
use crate::said;
use crate::tables::reading::READER;

/// Values of one field of one event.
const VALUES_MAX: u64 = 1 << 16;
/// Fields that are asked together.
pub const ASKED_MAX: usize = 64;

/// A field with its argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub field: u32,
    pub key: Option<CString>,
    pub index: Option<u64>,
}

/// An event that values are asked of.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    pub bytes: &'a [u8],
    pub number: u64,
}

impl Instance {
    /// Whether values are asked of events of this type at all.
    fn wants(&self, kind: u16) -> bool {
        if !self.extract_types.is_empty() {
            return self.extract_types.contains(&kind);
        }
        let sources = &self.info.extract_sources;
        let of_calls = sources.is_empty() || sources.iter().any(|source| source == "syscall");
        of_calls || kind == EVENT_PLUGIN
    }

    /// Asks for the values of some fields of one event, and puts them behind those of the events
    /// before it, one column for each field.
    pub fn extract(
        &mut self,
        given: Given<'_>,
        source: &CStr,
        asked: &[Asked],
        columns: &mut [Column],
    ) {
        let mut fields: Vec<ExtractField> = Vec::with_capacity(asked.len().min(ASKED_MAX));
        let mut places = Vec::with_capacity(fields.capacity());
        for (place, one) in asked.iter().enumerate().take(ASKED_MAX) {
            let field = self.info.fields.get(one.field as usize);
            if let Some(field) = field.filter(|_| !columns[place].is_full()) {
                fields.push(extract_field(one, field, place, &mut places));
            }
        }
        let is_asked = given.bytes.len() >= HEADER
            && self.wants(kind_of(given.bytes))
            && !self.plugin.is_null()
            && !fields.is_empty();
        let answered = is_asked && self.ask(given, source, &mut fields);
        for (place, column) in columns.iter_mut().enumerate() {
            if column.is_full() {
                continue;
            }
            if answered && let Some(at) = places.iter().position(|of| *of == place) {
                let field = &self.info.fields[asked[place].field as usize];
                // SAFETY: the plugin filled it in; what it says is taken with bounds.
                if let Err(what) = unsafe { put_values(&fields[at], field.is_list, column) } {
                    column.forget_event();
                    let name = field.name.clone();
                    self.refuse(&format!("the values of {name} are refused: {what}"));
                }
            }
            column.end_event();
        }
    }

    /// Whether the plugin answered.
    fn ask(&mut self, given: Given<'_>, source: &CStr, fields: &mut Vec<ExtractField>) -> bool {
        let Some(extract) = self.library.functions.extract_fields else { return false };
        self.owner.state.access.begin_call();
        let event = EventInput {
            event: given.bytes.as_ptr().cast(),
            number: given.number,
            source: source.as_ptr(),
        };
        let input = ExtractInput {
            owner: self.owner.pointer(),
            owner_error: Some(last_error),
            count: fields.len() as u32,
            fields: fields.as_mut_ptr(),
            reader: READER,
            reader_ext: reader_ext(),
            offsets: null_mut(),
        };
        // SAFETY: the plugin's own state; all that is handed over outlives the call.
        let rc = unsafe { extract(self.plugin, &raw const event, &raw const input) };
        // Mostly an event that is not of the kind the plugin knows: no value, as in Falco.
        if rc != SUCCESS {
            add(&self.record.unanswered, 1);
        }
        rc == SUCCESS
    }
}

fn extract_field(
    one: &Asked,
    field: &Field,
    place: usize,
    places: &mut Vec<usize>,
) -> ExtractField {
    places.push(place);
    // SAFETY: numbers and pointers, for which 0 is a value; the name is set by the caller's list.
    let mut out: ExtractField = unsafe { zeroed() };
    out.id = one.field;
    out.name = field.c_name.as_ptr();
    out.key = one.key.as_ref().map_or(null(), |key| key.as_ptr());
    // Falco's word for an argument that is no index; 0 would be one.
    out.index = one.index.unwrap_or(u64::MAX);
    out.has_argument = u32::from(one.key.is_some() || one.index.is_some());
    out.kind = field.kind;
    out.is_list = u32::from(field.is_list);
    out
}

/// Puts the values of one event into the column, or says what is wrong with them.
///
/// # Safety
/// What the field says of its values is true, as far as it is within bounds.
unsafe fn put_values(
    field: &ExtractField,
    is_list: bool,
    column: &mut Column,
) -> Result<(), &'static str> {
    // SAFETY: every member of the union is a pointer.
    let values = unsafe { field.values.any };
    if field.count == 0 {
        return Ok(());
    }
    if field.count > 1 && !is_list {
        return Err("it is no list and has more than one value");
    }
    if field.count > VALUES_MAX {
        return Err("there are more than 65,536");
    }
    if values.is_null() {
        return Err("they are nowhere (NULL)");
    }
    for place in 0..field.count as usize {
        if column.bytes.len() > COLUMN_MAX {
            return Err("they have more than 16 MB");
        }
        // SAFETY: as the caller says.
        unsafe { put_value(field, place, column)? };
    }
    Ok(())
}

/// # Safety
/// As `put_values`; `place` is below the count.
unsafe fn put_value(
    field: &ExtractField,
    place: usize,
    column: &mut Column,
) -> Result<(), &'static str> {
    // SAFETY: as the caller says; the type tells which member of the union holds.
    unsafe {
        match field.kind {
            FIELD_STRING => {
                let text = field.values.text.add(place).read();
                let bytes = said::bytes(text, COLUMN_MAX).ok_or("a text is nowhere (NULL)")?;
                column.value(&[bytes]);
            }
            FIELD_BOOL => {
                let value = field.values.boolean.add(place).read();
                column.value(&[&u64::from(value != 0).to_le_bytes()]);
            }
            FIELD_IPADDR | FIELD_IPNET => {
                let buffer = field.values.buffer.add(place).read();
                let bytes = address(buffer.bytes, buffer.len as usize)?;
                let prefix = [bytes.len() as u8 * 8];
                let is_net = field.kind == FIELD_IPNET;
                column.value(&[bytes, if is_net { &prefix[..] } else { &[] }]);
            }
            _ => column.value(&[&field.values.u64.add(place).read_unaligned().to_le_bytes()]),
        }
    }
    Ok(())
}

/// # Safety
/// `bytes` is NULL or points to `length` bytes, as far as these are those of an address.
unsafe fn address<'a>(bytes: *const c_void, length: usize) -> Result<&'a [u8], &'static str> {
    if bytes.is_null() {
        return Err("an address is nowhere (NULL)");
    }
    if length != 4 && length != 16 {
        return Err("an address has 4 or 16 bytes");
    }
    // SAFETY: as the caller says.
    Ok(unsafe { std::slice::from_raw_parts(bytes.cast(), length) })
}

#[cfg(test)]
#[path = "extraction_test.rs"]
mod tests;
