//! The stack machine of pickles, protocols 0 to 5; every opcode is described in
//! <https://github.com/python/cpython/blob/main/Lib/pickletools.py>.

use std::collections::HashMap;
use std::path::Path;

use super::cursor::{Cursor, binary, decimal};
use super::{Global, Id, MAX_OPCODES, Object, Pickle, Value};
use crate::state_dict::error::StateDictError;

type Result<T> = std::result::Result<T, StateDictError>;

// Values without content are there once.
const NONE: Id = Id(0);
const FALSE: Id = Id(1);
const TRUE: Id = Id(2);
const FLOAT: Id = Id(3);
const OTHER: Id = Id(4);
const SHARED: [Value<'_>; 5] =
    [Value::None, Value::Bool(false), Value::Bool(true), Value::Float, Value::Other];

/// The machine at work on one pickle.
pub(super) struct Machine<'a, 'p> {
    bytes: Cursor<'a, 'p>,
    values: Vec<Value<'a>>,
    stack: Vec<Id>,
    /// Heights of the stack that were marked; what lies below the last one is out of reach.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl<'a, 'p> Machine<'a, 'p> {
    pub(super) fn new(path: &'p Path, bytes: &'a [u8]) -> Self {
        let (stack, marks, memo) = (Vec::new(), Vec::new(), HashMap::new());
        Self { bytes: Cursor::new(path, bytes), values: SHARED.into(), stack, marks, memo }
    }

    /// Runs to the end, with at most `opcodes`, of which those are taken that there are.
    pub(super) fn run(mut self, opcodes: &mut usize) -> Result<Pickle<'a>> {
        while let Some(left) = opcodes.checked_sub(1) {
            *opcodes = left;
            let opcode = self.bytes.byte()?;
            if opcode == b'.' {
                let root = self.pop()?;
                return Ok(Pickle { values: self.values, root, length: self.bytes.at() });
            }
            if !(self.number(opcode)?
                || self.text(opcode)?
                || self.container(opcode)?
                || self.name(opcode)?
                || self.call(opcode)?
                || self.stack(opcode)?
                || self.memo(opcode)?)
            {
                return Err(self.bytes.wrong(format!("opcode {opcode:#04x}")));
            }
        }
        let expected = format!("pickles of at most {MAX_OPCODES} opcodes");
        Err(StateDictError::other(self.bytes.path, expected, "more"))
    }

    fn number(&mut self, opcode: u8) -> Result<bool> {
        match opcode {
            b'N' => self.stack.push(NONE),
            0x88 => self.stack.push(TRUE),
            0x89 => self.stack.push(FALSE),
            b'I' => match self.bytes.line()? {
                b"00" => self.stack.push(FALSE),
                b"01" => self.stack.push(TRUE),
                line => self.push(decimal(line)),
            },
            b'J' => {
                let n = i32::from_le_bytes(self.bytes.array()?);
                self.push(Value::Int(n.into()));
            }
            b'K' => {
                let n = self.bytes.byte()?;
                self.push(Value::Int(n.into()));
            }
            b'M' => {
                let n = u16::from_le_bytes(self.bytes.array()?);
                self.push(Value::Int(n.into()));
            }
            b'L' => {
                let line = self.bytes.line()?;
                self.push(decimal(line.strip_suffix(b"L").unwrap_or(line)));
            }
            0x8a | 0x8b => {
                let width = if opcode == 0x8a { 1 } else { 4 }; // LONG1, LONG4
                let digits = self.bytes.counted(width)?;
                self.push(binary(digits));
            }
            b'F' => {
                self.bytes.line()?;
                self.stack.push(FLOAT);
            }
            b'G' => {
                self.bytes.take(8)?;
                self.stack.push(FLOAT);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn text(&mut self, opcode: u8) -> Result<bool> {
        let width = match opcode {
            b'S' | b'V' => {
                let line = self.bytes.line()?;
                let quoted = |quote| line.strip_prefix(quote)?.strip_suffix(quote);
                let text = quoted(b"'").or_else(|| quoted(b"\"")).unwrap_or(line);
                self.push(Value::Text(text));
                return Ok(true);
            }
            b'U' | 0x8c | b'C' => 1, // SHORT_BINSTRING, SHORT_BINUNICODE, SHORT_BINBYTES
            b'T' | b'X' | b'B' => 4, // BINSTRING, BINUNICODE, BINBYTES
            0x8d | 0x8e | 0x96 => 8, // BINUNICODE8, BINBYTES8, BYTEARRAY8
            _ => return Ok(false),
        };
        let text = self.bytes.counted(width)?;
        match opcode {
            b'B' | b'C' | 0x8e | 0x96 => self.stack.push(OTHER),
            _ => self.push(Value::Text(text)),
        }
        Ok(true)
    }

    /// Lists, tuples, dictionaries and sets, and what fills them.
    fn container(&mut self, opcode: u8) -> Result<bool> {
        match opcode {
            b']' => self.push(Value::List(Vec::new())),
            b'l' => {
                let items = self.pop_to_mark()?;
                self.push(Value::List(items));
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])?;
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.append(&items)?;
            }
            b')' => self.push(Value::Tuple([].into())),
            b't' => {
                let items = self.pop_to_mark()?;
                self.push(Value::Tuple(items.into()));
            }
            0x85..=0x87 => {
                let n = opcode - 0x84; // TUPLE1 to TUPLE3
                let mut items = (0..n).map(|_| self.pop()).collect::<Result<Vec<_>>>()?;
                items.reverse();
                self.push(Value::Tuple(items.into()));
            }
            b'}' => self.push(Value::Dict(Vec::new())),
            b'd' => {
                let items = self.pop_to_mark()?;
                self.push(Value::Dict(Vec::new()));
                self.set_items(&items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set_items(&[key, value])?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.set_items(&items)?;
            }
            0x8f => self.stack.push(OTHER), // EMPTY_SET
            0x90 => {
                self.pop_to_mark()?; // ADDITEMS
                self.top()?;
            }
            0x91 => {
                self.pop_to_mark()?; // FROZENSET
                self.stack.push(OTHER);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Functions and classes, and what stands outside.
    fn name(&mut self, opcode: u8) -> Result<bool> {
        match opcode {
            b'c' => {
                let global = self.global_in_lines()?;
                self.push(global);
            }
            0x93 => {
                // STACK_GLOBAL
                let (name, module) = (self.pop_text()?, self.pop_text()?);
                self.push(Value::Global(Box::new(Global { module, name })));
            }
            0x82..=0x84 => {
                // EXT1, EXT2, EXT4: numbers to which a registry of Python gives a meaning.
                self.bytes.take(1 << (opcode - 0x82))?;
                self.stack.push(OTHER);
            }
            b'Q' => {
                let description = self.pop()?;
                self.push(Value::Persistent(description));
            }
            b'P' => {
                let expected = "a pickle of protocol 1 or later";
                let found = "one of protocol 0, in which storages have no names";
                return Err(StateDictError::other(self.bytes.path, expected, found));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Calls.
    fn call(&mut self, opcode: u8) -> Result<bool> {
        match opcode {
            b'R' | 0x81 => {
                let (args, callable) = (self.pop()?, self.pop()?); // REDUCE, NEWOBJ
                self.push_object(callable, args);
            }
            0x92 => {
                self.pop()?; // NEWOBJ_EX, whose named arguments no tensor has
                let (args, class) = (self.pop()?, self.pop()?);
                self.push_object(class, args);
            }
            b'i' => {
                let class = self.global_in_lines()?;
                let class = self.add(class);
                let args = self.pop_to_mark()?;
                let args = self.add(Value::Tuple(args.into()));
                self.push_object(class, args);
            }
            b'o' => {
                let items = self.pop_to_mark()?;
                let Some((class, args)) = items.split_first() else {
                    return Err(self.bytes.wrong("an object without a class"));
                };
                let args = self.add(Value::Tuple(args.into()));
                self.push_object(*class, args);
            }
            b'b' => {
                let (state, built) = (self.pop()?, self.top()?);
                let Value::Object(object) = &mut self.values[built.0 as usize] else {
                    return Err(self.bytes.wrong("attributes for what has none"));
                };
                object.state = Some(state);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The stack itself, and what frames a pickle.
    fn stack(&mut self, opcode: u8) -> Result<bool> {
        match opcode {
            b'(' => self.marks.push(self.stack.len()),
            b'0' if self.marks.last() == Some(&self.stack.len()) => {
                self.marks.pop();
            }
            b'0' => {
                self.pop()?;
            }
            b'1' => {
                self.pop_to_mark()?;
            }
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            0x80 => {
                let protocol = self.bytes.byte()?;
                if protocol > 5 {
                    let expected = "a pickle of protocol 0 to 5";
                    let found = format!("protocol {protocol}");
                    return Err(StateDictError::other(self.bytes.path, expected, found));
                }
            }
            0x95 => {
                self.bytes.take(8)?; // FRAME, which promises a length that nothing needs
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn memo(&mut self, opcode: u8) -> Result<bool> {
        let key = match opcode {
            b'p' | b'g' => self.bytes.decimal_key()?,
            b'q' | b'h' => self.bytes.byte()?.into(),
            b'r' | b'j' => u32::from_le_bytes(self.bytes.array()?),
            0x94 => self.memo.len() as u32, // MEMOIZE; fewer than opcodes
            _ => return Ok(false),
        };
        match opcode {
            b'g' | b'h' | b'j' => {
                let id = self.memo.get(&key).copied();
                let found = || format!("a reference to value {key}, which is not there");
                self.stack.push(id.ok_or_else(|| self.bytes.wrong(found()))?);
            }
            _ => {
                let top = self.top()?;
                self.memo.insert(key, top);
            }
        }
        Ok(true)
    }

    fn append(&mut self, items: &[Id]) -> Result<()> {
        let target = self.top()?;
        match &mut self.values[target.0 as usize] {
            Value::List(list) => list.extend_from_slice(items),
            Value::Object(_) => {} // a foreign kind of list, of which nothing is taken
            _ => return Err(self.bytes.wrong("items for what is no list")),
        }
        Ok(())
    }

    fn set_items(&mut self, items: &[Id]) -> Result<()> {
        let target = self.top()?;
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(self.bytes.wrong("a key without a value"));
        }
        let entries = match &mut self.values[target.0 as usize] {
            Value::Dict(entries) => entries,
            Value::Object(object) => &mut object.entries,
            _ => return Err(self.bytes.wrong("entries for what is no dictionary")),
        };
        entries.extend(pairs.iter().map(|[key, value]| (*key, *value)));
        Ok(())
    }

    fn global_in_lines(&mut self) -> Result<Value<'a>> {
        let (module, name) = (self.bytes.line()?, self.bytes.line()?);
        Ok(Value::Global(Box::new(Global { module, name })))
    }

    /// Adds a value; there are at most three for an opcode, so that a place fits 32 bits.
    fn add(&mut self, value: Value<'a>) -> Id {
        self.values.push(value);
        Id(self.values.len() as u32 - 1)
    }

    fn push(&mut self, value: Value<'a>) {
        let id = self.add(value);
        self.stack.push(id);
    }

    fn push_object(&mut self, callable: Id, args: Id) {
        let object = Object { callable, args, state: None, entries: Vec::new() };
        self.push(Value::Object(Box::new(object)));
    }

    fn top(&self) -> Result<Id> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let top = self.stack[floor..].last().copied();
        top.ok_or_else(|| self.bytes.wrong("an opcode that needs more values than there are"))
    }

    fn pop(&mut self) -> Result<Id> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_text(&mut self) -> Result<&'a [u8]> {
        let id = self.pop()?;
        match &self.values[id.0 as usize] {
            Value::Text(text) => Ok(text),
            _ => Err(self.bytes.wrong("a function whose name is no text")),
        }
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>> {
        let mark = self.marks.pop();
        let mark = mark.ok_or_else(|| self.bytes.wrong("an opcode that needs a mark"))?;
        Ok(self.stack.drain(mark..).collect())
    }
}
