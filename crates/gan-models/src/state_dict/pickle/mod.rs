//! Python's pickles as plain values. A pickle is a program for a stack machine that may name any function of
//! Python and call it; here a call becomes an [`Object`] that says what would have been called with what.
//! Nothing is ever run, and what the names mean is for others to say.
//!
//! Values lie in one list and refer to each other by their place in it, so that neither values that hold
//! themselves nor deep nesting are anything special, also not when they are dropped.

mod cursor;
mod machine;

use std::path::Path;

use super::error::{StateDictError, shown};

/// Opcodes that the pickles of a file may have. Memory is bounded by it, at about 100 bytes for each; PyTorch
/// writes less than 50 for a tensor.
pub(super) const MAX_OPCODES: usize = 1 << 22;

/// A value's place in its pickle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Id(u32);

/// A value, as far as files of weights need it.
#[derive(Debug)]
pub(super) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, as its opcode spells it.
    Huge(&'a [u8]),
    Float,
    /// Text, in UTF-8 if a current Python wrote it.
    Text(&'a [u8]),
    /// Bytes, sets and what else no tensor is made of.
    Other,
    List(Vec<Id>),
    Tuple(Box<[Id]>),
    Dict(Vec<(Id, Id)>),
    Global(Box<Global<'a>>),
    Object(Box<Object>),
    /// What stands outside of the pickle, by its description.
    Persistent(Id),
}

/// The name of a function or class.
#[derive(Debug)]
pub(super) struct Global<'a> {
    pub(super) module: &'a [u8],
    pub(super) name: &'a [u8],
}

impl std::fmt::Display for Global<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", shown(self.module), shown(self.name))
    }
}

/// What a call would have given.
#[derive(Debug)]
pub(super) struct Object {
    /// What would have been called.
    pub(super) callable: Id,
    /// With what.
    pub(super) args: Id,
    /// The attributes that it was given afterwards.
    pub(super) state: Option<Id>,
    /// The entries that were set afterwards, of a kind of dictionary.
    pub(super) entries: Vec<(Id, Id)>,
}

/// A pickle's values and the one that it is of.
#[derive(Debug)]
pub(super) struct Pickle<'a> {
    values: Vec<Value<'a>>,
    root: Id,
    length: usize,
}

impl<'a> Pickle<'a> {
    /// Reads the pickle that `bytes` begin with, and takes from `opcodes` as many as it has.
    pub(super) fn read(
        path: &Path,
        bytes: &'a [u8],
        opcodes: &mut usize,
    ) -> Result<Self, StateDictError> {
        machine::Machine::new(path, bytes).run(opcodes)
    }

    /// How many bytes it takes.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    pub(super) fn root(&self) -> Id {
        self.root
    }

    pub(super) fn value(&self, id: Id) -> &Value<'a> {
        &self.values[id.0 as usize]
    }

    /// The values of a list or tuple; none for anything else.
    pub(super) fn items(&self, id: Id) -> &[Id] {
        match self.value(id) {
            Value::List(items) => items,
            Value::Tuple(items) => items,
            _ => &[],
        }
    }

    pub(super) fn text(&self, id: Id) -> Option<&'a [u8]> {
        match self.value(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The function or class that a value is. PyTorch before 1.6 wrote the classes of modules outside of
    /// the pickle, described by `("module", class, file, source)`.
    pub(super) fn global(&self, id: Id) -> Option<&Global<'a>> {
        let id = match self.value(id) {
            Value::Persistent(description) => match self.items(*description) {
                [kind, class, ..] if self.text(*kind) == Some(b"module") => *class,
                _ => return None,
            },
            _ => id,
        };
        match self.value(id) {
            Value::Global(global) => Some(global),
            _ => None,
        }
    }

    /// Descriptions of what stands outside, in the order of the pickle.
    pub(super) fn persistent(&self) -> impl Iterator<Item = Id> + '_ {
        self.values.iter().filter_map(|value| match value {
            Value::Persistent(description) => Some(*description),
            _ => None,
        })
    }

    /// A value in words, for messages.
    pub(super) fn describe(&self, id: Id) -> String {
        match self.value(id) {
            Value::None => "None".into(),
            Value::Bool(_) => "a boolean".into(),
            Value::Int(n) => n.to_string(),
            Value::Huge(_) => "an integer beyond 64 bits".into(),
            Value::Float => "a float".into(),
            Value::Text(text) => format!("the text \"{}\"", shown(text)),
            Value::Other => "bytes or a set".into(),
            Value::List(_) => "a list".into(),
            Value::Tuple(_) => "a tuple".into(),
            Value::Dict(_) => "a dictionary".into(),
            Value::Global(global) => global.to_string(),
            Value::Object(object) => format!("what {} makes", self.maker(object)),
            Value::Persistent(_) => "a storage".into(),
        }
    }

    /// The name of what makes an object. Where that is made itself, what makes it.
    pub(super) fn maker(&self, object: &Object) -> String {
        let mut callable = object.callable;
        // An object may be its own maker's maker.
        for _ in 0..8 {
            if let Some(global) = self.global(callable) {
                return global.to_string();
            }
            let Value::Object(made) = self.value(callable) else { break };
            callable = made.callable;
        }
        "what is no function".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(bytes: &[u8]) -> String {
        let pickle = Pickle::read(Path::new("test"), bytes, &mut 9).expect("a pickle");
        assert_eq!(pickle.length(), bytes.len());
        pickle.describe(pickle.root())
    }

    /// The bound on opcodes is one on memory as long as this holds.
    #[test]
    fn values_are_small() {
        assert_eq!(size_of::<Value<'_>>(), 32);
    }

    /// The examples of pickletools.py, and what is written for them before protocol 2.
    #[test]
    fn integers_of_every_opcode() {
        let cases: [(&[u8], &str); 16] = [
            (b"J\xff\xff\xff\xff.", "-1"),
            (b"K\xff.", "255"),
            (b"M\xe9\x03.", "1001"),
            (b"\x8a\x00.", "0"),
            (b"\x8a\x02\xff\x00.", "255"),
            (b"\x8a\x02\xff\x7f.", "32767"),
            (b"\x8a\x02\x00\xff.", "-256"),
            (b"\x8a\x02\x00\x80.", "-32768"),
            (b"\x8a\x01\x80.", "-128"),
            (b"\x8b\x01\0\0\0\x7f.", "127"),
            (b"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\0.", "an integer beyond 64 bits"),
            (b"I-12\n.", "-12"),
            (b"L9223372036854775807L\n.", "9223372036854775807"),
            (b"L9223372036854775808L\n.", "an integer beyond 64 bits"),
            (b"I01\n.", "a boolean"),
            (b"I1\n.", "1"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(value(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn the_stack_is_as_in_python() {
        let cases: [(&[u8], &str); 11] = [
            (b"K\x01K\x020.", "1"),       // POP
            (b"K\x01(0.", "1"),           // POP of a mark
            (b"K\x01(K\x02K\x031.", "1"), // POP_MARK
            (b"(K\x01K\x02l.", "a list"),
            (b"(K\x01K\x02t.", "a tuple"),
            (b"(K\x01K\x02d.", "a dictionary"),
            (b"\x8f(K\x01\x90.", "bytes or a set"),
            (b"(K\x01\x91.", "bytes or a set"),
            (b"S'text'\n.", "the text \"text\""),
            (b"U\x04text.", "the text \"text\""),
            (b"\x82\x01.", "bytes or a set"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(value(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn what_lies_below_a_mark_is_out_of_reach() {
        for bytes in
            [&b"K\x01K\x02(\x86t."[..], b"K\x01(\x85.", b"}NN(s.", b"K\x01(2.", b"t.", b"."]
        {
            let read = Pickle::read(Path::new("test"), bytes, &mut 9);
            assert!(read.is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn opcodes_in_any_order() {
        let prefixes: [&[u8]; 5] =
            [b"", b"(}K\x01K\x02", b"(]K\x01", b"ca\nb\n(", b"K\x01K\x02K\x03("];
        let mut pickles = 0;
        for prefix in prefixes {
            for first in 0..=255 {
                for second in 0..=255 {
                    let bytes = [prefix, &[first, second], b"t.\0\0\0\0\0\0\0\n\n\n"].concat();
                    let read = Pickle::read(Path::new("test"), &bytes, &mut 20);
                    pickles += usize::from(read.is_ok_and(|pickle| pickle.length() <= bytes.len()));
                }
            }
        }
        assert!(pickles > 1000, "only {pickles} of them are pickles");
    }

    #[test]
    fn the_memo_is_as_large_as_what_is_in_it() {
        assert_eq!(value(b"Nr\xff\xff\xff\xff0j\xff\xff\xff\xff."), "None");
        assert_eq!(value(b"Np4294967295\n0g4294967295\n."), "None");
        for (bytes, because) in [
            (&b"Np4294967296\n."[..], "\"4294967296\" as a number"),
            (b"h\x01.", "a reference to value 1, which is not there"),
            (b"\x80\x06N.", "found protocol 6"),
        ] {
            let e = Pickle::read(Path::new("test"), bytes, &mut 9).expect_err("no pickle");
            assert!(e.to_string().contains(because), "{e}");
        }
    }
}
